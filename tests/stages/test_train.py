import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.weights import load_network
from oncotrail.cohort import tables
from oncotrail.record import MemoryRun
from oncotrail.study.cohort import Cohort
from pipelines.train import Settings, main
from tests import declared

STUDY, KEY = "study", "study-t4"
COHORT = declared.cohort({})
NETWORK = declared.network(
    STUDY,
    head={"embedding": 10},
    optimizer={"kind": "adam", "learning_rate": 5e-3, "weight_decay": 0},
    epochs=1000,
    augmentation=["horizontal_flip", "vertical_flip"],
    best_epoch_by="validation_accuracy",
)
ROLES = ("train",) * 5 + ("validation",) * 2 + ("test",) * 2 + ("external",)
COUNT = 80


def split_table() -> pd.DataFrame:
    """Of ten patients five train, one of them kept for the fusion, and two validate."""
    roles = pd.Series([ROLES[number % 10] for number in range(COUNT)])
    inner = pd.Series([number % 5 for number in range(COUNT)], dtype="Int64")
    trains = roles == "train"
    fits = pd.Series(np.where(inner == 4, "fusion", "network"), dtype="string")
    return pd.DataFrame(
        {
            "patient": [f"P{number:02d}" for number in range(COUNT)],
            "role": roles,
            "fits": fits.where(trains),
            "outer_fold": 0,
            "inner_fold": inner.where(trains),
        }
    )


def lay_out(root: Path, held_out_seed: int = 0) -> MemoryRun:
    """All that train reads. `held_out_seed` moves nobody's pixels but the held out."""
    run = MemoryRun(root, STUDY, "train", KEY)
    split = split_table()
    held_out = split["role"].isin(["test", "external"]) | (split["fits"] == "fusion").fillna(
        value=False
    )
    labels = np.arange(COUNT) // 10 % 2
    pixels = np.random.default_rng(1).integers(0, 120, (COUNT, 32, 32), dtype=np.uint8)
    pixels[labels == 1, 8:24, 8:24] += 60
    if held_out_seed:
        others = np.random.default_rng(held_out_seed)
        pixels[held_out] = others.integers(0, 256, pixels[held_out].shape)
        labels = np.where(held_out, 1 - labels, labels)
    order = np.random.default_rng(2).permutation(COUNT)  # images lie in another order than patients
    patients = split["patient"]
    cohort = pd.DataFrame({"patient": patients, "site": "s", "metastasis": labels})
    rows = pd.DataFrame({"patient": patients[order], "view": "t4", "slice": 0, "sha256": "0"})
    rows["image"] = [f"image{number}" for number in order]
    rows["row"] = range(COUNT)
    table = Cohort.model_validate(COHORT).table()
    tables.write(table, cohort, run.folder("acquire") / "cohort.parquet")
    tables.write(tables.SPLIT, split, run.folder("split") / "split.parquet")
    tables.write(tables.PIXELS, rows, run.folder("decode") / "pixels.parquet")
    np.save(run.folder("decode") / "t4.npy", pixels[order])
    made = {"t4": {"window": {"low": -160, "high": 240}, "rows": 32, "columns": 32}}
    (run.folder("decode") / "decode.json").write_text(json.dumps(made))
    chosen = run.folder("tune", KEY) / "settings.json"
    chosen.parent.mkdir(parents=True)
    chosen.write_text(json.dumps(NETWORK))
    return run


def trained(root: Path, **kinds: int) -> MemoryRun:
    compute = {"threads": 1, "precision": "float32"}
    settings = Settings.model_validate(
        {"seed": 3, "compute": compute, "limits": {"epochs": 4}, "cohort": COHORT}
    )
    run = lay_out(root, **kinds)
    main(settings, run)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return trained(tmp_path_factory.mktemp("train"))


def test_a_stage_run_twice_writes_the_same_bytes(run: MemoryRun, tmp_path: Path) -> None:
    again = trained(tmp_path)
    names = sorted(path.name for path in run.out.iterdir())
    assert names == sorted(path.name for path in again.out.iterdir())
    assert [n for n in names if (run.out / n).read_bytes() != (again.out / n).read_bytes()] == []


def test_patients_held_out_cannot_move_the_network(run: MemoryRun, tmp_path: Path) -> None:
    """Neither the pixels nor the labels of test, external and fusion patients are used to train."""
    other = trained(tmp_path, held_out_seed=9)
    for name in ("weights.safetensors", "network.json", "history.csv", "fitted_on.parquet"):
        assert (run.out / name).read_bytes() == (other.out / name).read_bytes()
    features = "features.parquet"
    assert (run.out / features).read_bytes() != (other.out / features).read_bytes()


def test_everybody_is_predicted_with_the_splits_role_and_fold(run: MemoryRun) -> None:
    found = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    split = tables.checked(tables.SPLIT, split_table(), "split")
    for column in ("patient", "role", "inner_fold"):
        pd.testing.assert_series_equal(found[column], split[column])
    assert set(found["model"]) == {KEY}
    assert set(found["outcome"]) == {"metastasis"}


def test_it_learns_what_is_in_the_images(run: MemoryRun) -> None:
    found = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    test = found[found["role"] == "test"]
    positive = (test["patient"].str[1].astype(int) % 2) == 1
    assert test.loc[positive, "score"].min() > test.loc[~positive, "score"].max()


def test_the_network_on_disk_gives_the_tables_numbers(run: MemoryRun) -> None:
    """Serving loads the folder and must say what the predictions table says."""
    decoded = tables.read(tables.PIXELS, run.folder("decode") / "pixels.parquet")
    pixels = np.load(run.folder("decode") / "t4.npy")
    rows = decoded.set_index("patient")["row"]
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    features = tables.read(tables.FEATURES, run.out / "features.parquet").set_index("patient")
    in_order = pixels[rows[predictions["patient"]].to_numpy(dtype=int)]
    loaded = load_network(run.out)
    np.testing.assert_allclose(loaded.scores(in_order), predictions["score"], atol=1e-6)
    embeddings = features.loc[predictions["patient"]].filter(like="embedding_")
    assert list(embeddings) == [f"embedding_{number:02d}" for number in range(10)]
    np.testing.assert_allclose(loaded.embeddings(in_order), embeddings, atol=1e-5)


def test_who_was_learned_from_is_recorded_and_is_who_may_be(run: MemoryRun) -> None:
    fitted = tables.read(tables.FITTED_ON, run.out / "fitted_on.parquet")
    split = split_table()
    may = set(split.loc[split["fits"] == "network", "patient"])
    chooses = set(split.loc[split["role"] == "validation", "patient"])
    by_object = fitted.groupby("object")["patient"].agg(set).to_dict()
    assert by_object == {KEY: may, f"{KEY}/normalisation": may, f"{KEY}/best_epoch": chooses}
    assert set(fitted["times"]) == {1}


def test_the_run_says_what_was_asked_and_what_came_out(run: MemoryRun) -> None:
    assert run.recorded_params["epochs"] == 4, "as capped, not the 1000 declared"
    assert run.recorded_params["optimizer.learning_rate"] == 5e-3
    assert run.recorded_params["training_images"] == 32
    assert 1 <= run.recorded_metrics["best_epoch"] <= 4
    assert [number for number, _ in run.history] == [1, 2, 3, 4]
    assert {path.name for path in run.artifacts} == {
        "weights.safetensors",
        "network.json",
        "features.parquet",
        "history.csv",
        "predictions.parquet",
    }
    assert all(path.is_file() for path in run.artifacts)


def test_a_run_that_was_stopped_goes_on_to_the_same_files(
    run: MemoryRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record has every epoch too: what was told before the stop is told again."""
    monkeypatch.setattr(FolderCheckpoints, "due", lambda _: True)
    with monkeypatch.context() as stopping:
        honest = MemoryRun.epoch

        def stop(here: MemoryRun, epoch: int, values: Mapping[str, float]) -> None:
            honest(here, epoch, values)
            if epoch == 3:
                raise KeyboardInterrupt

        stopping.setattr(MemoryRun, "epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path)
    shutil.rmtree(tmp_path / "data")  # as DVC does to the outputs; the checkpoints lie elsewhere
    again = trained(tmp_path)
    assert "goes on after epoch" in again.lines[0]
    assert again.history == run.history
    for name in ("weights.safetensors", "history.csv", "fitted_on.parquet", "predictions.parquet"):
        assert (again.out / name).read_bytes() == (run.out / name).read_bytes()


def test_an_epoch_is_a_line_in_the_log(run: MemoryRun) -> None:
    assert [line.split()[1] for line in run.lines] == ["1/4", "2/4", "3/4", "4/4"]
