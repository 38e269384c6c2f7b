"""The train stage by parts: folds, starts, and networks that leave out whom they score."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.audit import fitted_on_test, rerun
from oncotrail.backbones import finished
from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.weights import load_network
from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part, of_fold, parts_of
from oncotrail.record import MemoryRun
from tests.stages.test_train import KEY
from tests.stages.test_train_routes import ROUTES, known_of, network_of
from tests.stages.train_in_parts import (
    SEED,
    files,
    laid_out,
    split_of,
    train_again,
    trained,
)

MAIN = Part(2)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return trained(tmp_path_factory.mktemp("parts") / "run")


@pytest.fixture(scope="module")
def parts(run: MemoryRun) -> tuple[Part, ...]:
    return parts_of(split_of(run), seeds=2, out_of_fold=True)


def scorers(predictions: pd.DataFrame, split: pd.DataFrame) -> pd.Series:
    """Which object scored each row, by the contract of the tables."""
    fits = predictions.merge(split[["patient", "outer_fold", "fits"]], on=["patient", "outer_fold"])
    left_out = fits["inner_fold"].where((fits["fits"] == "network").fillna(value=False))
    return pd.Series(
        [
            Part(int(fold), None if pd.isna(inner) else int(inner), int(seed) - SEED).object(KEY)
            for fold, inner, seed in zip(fits["outer_fold"], left_out, fits["seed"], strict=True)
        ],
        index=fits.index,
    )


def test_every_part_has_its_folder_and_the_main_one_is_the_root(
    run: MemoryRun, parts: tuple[Part, ...]
) -> None:
    assert len(parts) == 3 * 2 * 3
    own = {"weights.safetensors", "network.json", "history.csv"}
    whole = {"features.parquet", "predictions.parquet", "fitted_on.parquet"}
    assert {path.name for path in run.out.iterdir()} == {*own, *whole, "parts"}
    for part in parts[1:]:
        folder = run.out / "parts" / part.name
        assert {path.name for path in folder.iterdir()} == own
        assert load_network(folder).blueprint.part == part
    assert load_network(run.out).blueprint.part == MAIN
    assert len(list((run.out / "parts").iterdir())) == len(parts) - 1


def test_everybody_of_a_fold_has_a_score_and_an_embedding_of_each_seed(run: MemoryRun) -> None:
    split = split_of(run)
    for name, table in (("predictions", tables.PREDICTIONS), ("features", tables.FEATURES)):
        found = tables.read(table, run.out / f"{name}.parquet")
        for seed in (SEED, SEED + 1):
            for fold in (0, 1, 2):
                rows = found[(found["seed"] == seed) & (found["outer_fold"] == fold)]
                assert sorted(rows["patient"]) == sorted(of_fold(split, fold)["patient"])
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    known = predictions.merge(split, on=["patient", "outer_fold"], suffixes=("", "_split"))
    for column in ("role", "inner_fold"):
        pd.testing.assert_series_equal(known[column], known[f"{column}_split"], check_names=False)


def test_no_score_is_of_a_network_that_learned_from_the_patient(run: MemoryRun) -> None:
    """Nor did it choose or scale by them; the tables alone must show it."""
    split = split_of(run)
    fitted = tables.read(tables.FITTED_ON, run.out / "fitted_on.parquet")
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    predictions = predictions.assign(object=scorers(predictions, split))
    training = predictions[predictions["role"] == "train"]
    for (fold, name), rows in training.groupby(["outer_fold", "object"]):
        of_it = (fitted["object"] == name) | fitted["object"].isin(
            [f"{name}/normalisation", f"{name}/best_epoch"]
        )
        learned = set(fitted.loc[of_it & (fitted["outer_fold"] == fold), "patient"])
        assert learned, name
        assert not learned & set(rows["patient"])
    assert training["object"].nunique() == 3 * 2


def test_each_table_row_is_what_the_parts_own_network_says(
    run: MemoryRun, parts: tuple[Part, ...]
) -> None:
    pixels = np.load(run.folder("decode") / "t4.npy")
    row_of = tables.read(tables.PIXELS, run.folder("decode") / "pixels.parquet").set_index(
        "patient"
    )["row"]
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    predictions = predictions.assign(object=scorers(predictions, split_of(run)))
    features = tables.read(tables.FEATURES, run.out / "features.parquet")
    keys = ["patient", "outer_fold", "seed"]
    assert len(predictions) == len(features)
    known = predictions.merge(features, on=keys, validate="one_to_one")
    looked = 0
    for part in parts:
        of_it = (known["outer_fold"] == part.outer_fold) & (known["seed"] == SEED + part.seed)
        rows = known[of_it & (known["object"] == part.object(KEY))]
        network = load_network(part.folder(run.out, MAIN))
        seen = pixels[row_of[rows["patient"]].to_numpy(dtype=int)]
        np.testing.assert_allclose(network.scores(seen), rows["score"], atol=1e-9)
        embeddings = rows.filter(like="embedding_")
        np.testing.assert_allclose(network.embeddings(seen), embeddings, atol=1e-9)
        looked += len(rows)
    assert looked == len(predictions)


def test_the_audit_sees_every_part_again_and_finds_nothing(
    run: MemoryRun, parts: tuple[Part, ...]
) -> None:
    network = network_of(run)
    assert tuple(of.part for of in network.parts) == parts
    links = list(rerun.seen_again(known_of(run), network))
    assert len(links) == 2 * len(parts)
    assert all(count > 0 for _, count, _ in links)
    assert [wrong for _, _, wrong in links if wrong] == []
    assert rerun.of_no_part(network) == []
    for part in network.parts:
        objects = fitted_on_test._objects(KEY, part)
        assert fitted_on_test._silent(KEY, objects, network.records(part)) == []


@pytest.mark.parametrize(
    ("route", "objects"),
    [
        ("frozen", {"", "/best_epoch", "/normalisation"}),
        ("attention", {"", "/best_epoch", "/normalisation", "/attention"}),
        ("off_the_shelf", {"", "/scaling", "/calibration", "/normalisation"}),
    ],
)
def test_every_route_goes_by_parts(tmp_path: Path, route: str, objects: set[str]) -> None:
    asked = json.loads(json.dumps(ROUTES[route]))
    if route == "off_the_shelf":
        asked["route"]["folds"] = 2  # that calibrate it, on as few patients as these
    run = trained(tmp_path, seeds=1, **asked)
    network = network_of(run)
    assert len(network.parts) == 9
    assert [wrong for _, _, wrong in rerun.seen_again(known_of(run), network) if wrong] == []
    assert rerun.of_no_part(network) == []
    for of in network.parts:
        named, may = of.part.object(KEY), of.part.learns(of.fold)
        learned = network.records(of).groupby("object")["patient"].agg(set)
        assert set(learned.index) == {f"{named}{what}" for what in objects}
        others = learned.drop(f"{named}/best_epoch", errors="ignore")
        assert all(patients <= set(of.fold.loc[may, "patient"]) for patients in others)


def test_who_was_learned_from_is_said_part_by_part(run: MemoryRun, parts: tuple[Part, ...]) -> None:
    split = split_of(run)
    fitted = tables.read(tables.FITTED_ON, run.out / "fitted_on.parquet")
    by_object = fitted.groupby(["outer_fold", "object"])["patient"].agg(set).to_dict()
    expected = {}
    for part in parts:
        fold, name = of_fold(split, part.outer_fold), part.object(KEY)
        may = set(fold.loc[part.learns(fold), "patient"])
        chooses = set(fold.loc[fold["role"] == "validation", "patient"])
        expected[part.outer_fold, name] = may
        expected[part.outer_fold, f"{name}/normalisation"] = may
        expected[part.outer_fold, f"{name}/best_epoch"] = chooses
    assert by_object == expected


def test_each_part_has_normalisation_constants_of_its_own_rows(
    run: MemoryRun, parts: tuple[Part, ...]
) -> None:
    pixels = np.load(run.folder("decode") / "t4.npy") / 255.0
    rows = tables.read(tables.PIXELS, run.folder("decode") / "pixels.parquet")
    for part in parts:
        fold = of_fold(split_of(run), part.outer_fold)
        may = rows["patient"].isin(fold.loc[part.learns(fold), "patient"])
        own = pixels[rows.loc[may, "row"].to_numpy(dtype=int)]
        network = load_network(part.folder(run.out, MAIN)).blueprint
        assert network.architecture.normalisation.mean[0] == pytest.approx(own.mean(), abs=1e-9)


@pytest.mark.parametrize("fold", [0, 1])
def test_patients_held_out_cannot_move_the_networks_of_their_fold(
    run: MemoryRun, tmp_path: Path, fold: int, parts: tuple[Part, ...]
) -> None:
    """Other pixels and labels: the same files, but for the parts that may learn from them."""
    own = of_fold(split_of(run), fold)
    tested = list(own.loc[own["role"] == "test", "patient"])
    other = trained(tmp_path, tested, seeds=1)
    for part in (part for part in parts if not part.seed):
        for name in ("weights.safetensors", "history.csv"):
            same = learned(run, part, name) == learned(other, part, name)
            assert same == (part.outer_fold == fold), (part, name)


def test_external_patients_cannot_move_any_network(
    run: MemoryRun, tmp_path: Path, parts: tuple[Part, ...]
) -> None:
    split = split_of(run)
    outside = list(split.loc[split["role"] == "external", "patient"])
    other = trained(tmp_path, outside, seeds=1)
    for part in (part for part in parts if not part.seed):
        for name in ("weights.safetensors", "history.csv"):
            assert learned(run, part, name) == learned(other, part, name)
    scores = [
        tables.read(tables.PREDICTIONS, of.out / "predictions.parquet") for of in (run, other)
    ]
    told, now = (
        of[of["seed"] == SEED].set_index(["outer_fold", "patient"])["score"] for of in scores
    )
    assert {patient for _, patient in told[told != now].index} == set(outside)


def learned(run: MemoryRun, part: Part, name: str) -> bytes:
    return (part.folder(run.out, MAIN) / name).read_bytes()


def test_a_parts_result_does_not_depend_on_which_others_exist(
    run: MemoryRun, tmp_path: Path, parts: tuple[Part, ...]
) -> None:
    fewer = trained(tmp_path, seeds=1, out_of_fold=False)
    left = parts_of(split_of(run), seeds=1, out_of_fold=False)
    assert left == (Part(2), Part(0), Part(1))
    for part in left:
        for name in ("weights.safetensors", "network.json", "history.csv"):
            assert learned(run, part, name) == learned(fewer, part, name)
    weights = {learned(run, part, "weights.safetensors") for part in parts}
    assert len(weights) == len(parts), "each learned something of its own"


def test_each_part_but_the_main_one_is_a_nested_run(
    run: MemoryRun, parts: tuple[Part, ...]
) -> None:
    assert set(run.nested_runs) == {part.name for part in parts[1:]}
    for part in parts[1:]:
        told = run.nested_runs[part.name]
        said = {"outer_fold": part.outer_fold, "inner_fold": part.inner_fold, "seed": part.seed}
        assert told.params.items() >= said.items()
        history = pd.read_csv(run.out / "parts" / part.name / "history.csv")
        shown = [value for _, value in told.history["epoch/validation_auc"]]
        assert shown == pytest.approx(history["validation_auc"].tolist())
        assert [epoch for epoch, _ in run.nested_history[part.name]] == [1, 2], "and live"
        assert {"best_epoch", "best_epoch/validation_auc"} <= set(told.metrics)
        assert f"parts/{part.name}/weights.safetensors" in told.artifacts
        assert "optimizer.learning_rate" not in told.params, "what all parts share is said once"
    assert [epoch for epoch, _ in run.history] == [1, 2], "of the main part"
    assert {path.parent for path in run.artifacts} == {run.out}


def test_the_spread_over_seeds_and_folds_is_recorded(run: MemoryRun) -> None:
    found = run.recorded_metrics
    told = {name: of.metrics for name, of in run.nested_runs.items()} | {"fold2": found}
    for figure in ("validation_auc", "validation_loss", "validation_accuracy"):
        for what, names in (("seeds", ("fold2", "fold2-seed1")), ("folds", ("fold0", "fold1"))):
            values = [told[name][f"best_epoch/{figure}"] for name in names]
            assert found[f"{what}/{figure}_mean"] == pytest.approx(np.mean(values))
            assert found[f"{what}/{figure}_deviation"] == pytest.approx(np.std(values, ddof=1))


def test_a_line_says_which_part_it_is_about(run: MemoryRun) -> None:
    assert run.lines[0].startswith("fold2 (1/18): epoch 1/2  loss")
    assert run.lines[-1].startswith("fold2-without1-seed1 (18/18): epoch 2/2")


def stopping_in(name: str, epoch: int) -> Callable[..., None]:
    """Ctrl-C in this part after this epoch."""
    honest = MemoryRun.nested_epoch

    def told(run: MemoryRun, part: str, number: int, values: Mapping[str, float]) -> None:
        honest(run, part, number, values)
        if (part, number) == (name, epoch):
            raise KeyboardInterrupt

    return told


def test_a_run_that_was_stopped_goes_on_with_the_part_under_way_to_the_same_files(
    run: MemoryRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[Part, ...]
) -> None:
    monkeypatch.setattr(FolderCheckpoints, "due", lambda _: True)
    root = tmp_path / "run"
    laid_out(root)
    with monkeypatch.context() as stopping:
        stopping.setattr(MemoryRun, "nested_epoch", stopping_in(parts[7].name, 1))
        with pytest.raises(KeyboardInterrupt):
            train_again(root)
    shutil.rmtree(MemoryRun(root, "study", "train", KEY).out)  # as a stage does with a half
    again = train_again(root)
    assert files(again.out) == files(run.out)
    before = [line for line in again.lines if "was finished before" in line]
    assert [line.split()[0] for line in before] == [part.name for part in parts[:7]]
    assert sum("goes on after epoch" in line for line in again.lines) == 1
    assert again.nested_runs == run.nested_runs
    assert again.nested_history == run.nested_history, "told again from the first"
    assert again.history == run.history
    assert again.recorded_metrics == run.recorded_metrics
    assert again.recorded_params == run.recorded_params


def test_a_part_that_failed_half_way_leaves_nothing_that_looks_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out(tmp_path)
    honest = tables.write

    def full_disk(table: tables.Table, frame: pd.DataFrame, path: Path) -> pd.DataFrame:
        if path.name == "predictions.parquet" and "fold0" in path.parent.name:
            raise OSError(28, "No space left on device")
        return honest(table, frame, path)

    monkeypatch.setattr(tables, "write", full_disk)
    with pytest.raises(OSError, match="No space left"):
        train_again(tmp_path)
    kept = MemoryRun(tmp_path, "study", "train", KEY).checkpoints / finished.FINISHED
    assert [path.name for path in kept.iterdir()] == [MAIN.name]


def test_parts_of_another_torch_are_trained_again(tmp_path: Path) -> None:
    run = trained(tmp_path, seeds=1, out_of_fold=False)
    kept = run.checkpoints / finished.FINISHED
    for part in kept.glob("*/part.json"):
        said = json.loads(part.read_text())
        part.write_text(json.dumps({**said, "torch": "0.1"}))
    again = train_again(tmp_path)
    assert not [line for line in again.lines if "was finished before" in line]
    assert files(again.out) == files(run.out)


@pytest.mark.slow
def test_kill_9_during_a_later_part_loses_no_part_and_ends_in_the_same_bytes(
    run: MemoryRun, tmp_path: Path
) -> None:
    root = tmp_path / "killed"
    kept = MemoryRun(root, "study", "train", KEY).checkpoints / finished.FINISHED
    shutil.rmtree(root)
    killed_after = []
    for wanted in (2, 7, 12):
        process = start(root)
        while process.poll() is None and len(whole(kept)) < wanted:
            time.sleep(0.02)
        assert process.poll() is None, "it ended before it was killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed_after.append(whole(kept))
    assert killed_after[0] < killed_after[1] < killed_after[2]
    before = {name: places(kept / name) for name in killed_after[-1]}
    last = start(root)
    assert last.wait() == 0
    assert {name: places(kept / name) for name in before} == before, "none was trained again"
    assert files(MemoryRun(root, "study", "train", KEY).out) == files(run.out)


def start(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stages.train_in_parts", str(root)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def whole(kept: Path) -> set[str]:
    return {path.name for path in kept.glob("fold*")} if kept.is_dir() else set()


def places(folder: Path) -> dict[str, int]:
    """Each file's place on the disk: one that is written again has another."""
    return {path.name: path.stat().st_ino for path in folder.iterdir()}
