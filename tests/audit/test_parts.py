"""Parts of a training: all are looked at, and a fault in any part or outer fold is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.audit import rerun
from oncotrail.backbones import material
from oncotrail.cohort.folds import Part, parts_of
from oncotrail.errors import AuditFailed
from oncotrail.fusion import folds as fusion_folds
from tests.audit.real_run import changed
from tests.audit.test_marked_images import failure, line, named, table
from tests.marked_study import Marked, network

DEEP, BOXED, FUSION = "marked-deep", "marked-boxed", "marked-scores"
MAIN = Part(2)


def looked(study: Marked) -> dict[str, dict[str, int]]:
    said = json.loads((study.audit().out / "audit.json").read_text(encoding="utf-8"))
    return {each["check"]: each["looked"] for each in said["checks"]}


def called(name: str, part: Part) -> str:
    return name if part == MAIN else f"{name}/{part.name}"


def all_parts(study: Marked, name: str) -> tuple[Part, ...]:
    _, split = table(study, "split", "split")
    return parts_of(split, seeds=2 if name == DEEP else 1, out_of_fold=True)


def rows_of(study: Marked, rows: pd.DataFrame, part: Part) -> pd.Series:
    """Which rows of features or predictions a part made."""
    _, split = table(study, "split", "split")
    fold = split[split["outer_fold"] == part.outer_fold]
    patients = fold.loc[part.scores(fold, out_of_fold=True), "patient"]
    seed = sorted(set(rows["seed"]))[part.seed]
    return (
        (rows["outer_fold"] == part.outer_fold)
        & (rows["seed"] == seed)
        & rows["patient"].isin(patients)
    )


def test_an_honest_study_passes_and_every_part_and_fold_is_looked_at(folds: Marked) -> None:
    found = looked(folds)
    expected = {
        f"{what} of {called(name, part)}"
        for name in (DEEP, BOXED)
        for part in all_parts(folds, name)
        for what in ("embeddings", "scores")
    }
    assert len(expected) == 2 * (18 + 9)
    fused = {f"{what} of {FUSION}{fold}" for what in ("columns", "scores") for fold in places()}
    assert expected | fused <= set(found["misaligned_rows"])
    assert found["fitted_on_test"]["thresholds"] == 3 * (2 + 1 + 1)


def places() -> tuple[str, ...]:
    return ("/fold0", "/fold1", "")


def test_many_parts_cost_no_more_than_one(folds: Marked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerun, "MOST_PICTURES", 18 * 9)
    found = looked(folds)["misaligned_rows"]
    counts = [found[f"embeddings of {called(DEEP, part)}"] for part in all_parts(folds, DEEP)]
    assert counts == [3] * 18  # of three slices each


@pytest.mark.slow
def test_the_test_patients_of_a_fold_are_looked_at_first(
    folds: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerun, "MOST_PICTURES", 9 * 36)
    path, features = table(folds, "train", "features", BOXED)
    _, split = table(folds, "split", "split")
    tested = split[(split["role"] == "test") & (split["outer_fold"] == 0)]["patient"]
    assert len(tested) == 36
    for patient in (min(tested), max(tested)):
        numbers = list(features.filter(like="embedding_"))
        spoiled = features.copy()
        own = (features["patient"] == patient) & (features["outer_fold"] == 0)
        spoiled.loc[own, numbers] += 1.0
        changed(path, spoiled)
        text = line(failure(folds, "misaligned_rows"), f"features of {BOXED}/fold0")
        assert named(text) == {patient}


@pytest.mark.parametrize("part", [Part(0), Part(1, 0, 1), MAIN])
def test_shifted_scores_of_one_part(folds: Marked, part: Part) -> None:
    path, predictions = table(folds, "train", "predictions", DEEP)
    own = rows_of(folds, predictions, part)
    predictions.loc[own, "score"] = np.roll(predictions.loc[own, "score"], 1)
    changed(path, predictions)
    message = failure(folds, "misaligned_rows")
    text = line(message, f"predictions of {called(DEEP, part)}")
    assert named(text) <= set(predictions.loc[own, "patient"])
    others = {called(DEEP, other) for other in all_parts(folds, DEEP)} - {called(DEEP, part)}
    assert not [other for other in others if f"predictions of {other}:" in message]


def test_in_sample_scores_that_pass_for_out_of_fold(folds: Marked) -> None:
    """The files of the part that left nobody out, in the folder of one that left somebody out."""
    trained = folds.out("train", BOXED)
    whole, without = (part.folder(trained, MAIN) for part in (Part(0), Part(0, 1)))
    for path in whole.iterdir():
        shutil.copy(path, without / path.name)
    message = failure(folds, "misaligned_rows")
    assert "not of their pixels" in line(message, f"features of {BOXED}/fold0-without1")
    assert f"{BOXED}/fold0-without0" not in message


def test_rows_of_another_seed_are_of_no_part(folds: Marked) -> None:
    path, predictions = table(folds, "train", "predictions", DEEP)
    last = predictions["seed"] == predictions["seed"].max()
    changed(path, predictions.assign(seed=predictions["seed"].mask(last, 99)))
    message = failure(folds, "misaligned_rows")
    assert "have rows that no part of its training makes" in message


def test_an_inner_part_that_learned_from_its_left_out_fold(
    folds: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(_: Part, fold: pd.DataFrame) -> pd.Series:
        return fold["fits"].fillna("").astype(str) == "network"

    with monkeypatch.context() as patched:
        patched.setattr(Part, "learns", faulty)
        folds.train(BOXED)
    _, split = table(folds, "split", "split")
    message = failure(folds, "fitted_on_test")
    for part in [part for part in all_parts(folds, BOXED) if part.inner_fold is not None]:
        fold = split[split["outer_fold"] == part.outer_fold]
        left_out = fold.loc[fold["inner_fold"] == part.inner_fold, "patient"]
        text = line(message, called(BOXED, part))
        assert f"fitted on {len(left_out)} patients whom it scores as if it had not seen" in text
        assert named(text) <= set(left_out)
    assert f"{BOXED}/fold0:" not in message
    assert f"{FUSION}/fold0: fitted on" in message  # the forest reads what is in-sample now


@pytest.mark.slow
def test_an_outer_fold_that_learned_from_its_test_patients(
    folds: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = material.Material.learns

    def faulty(given: material.Material) -> Any:
        if given.part != Part(1):
            return honest(given)
        return given._examples(given.images["role"].isin(["train", "test"]))

    monkeypatch.setattr(material.Material, "learns", faulty)
    folds.train(BOXED)
    message = failure(folds, "fitted_on_test")
    _, split = table(folds, "split", "split")
    tested = split[(split["role"] == "test") & (split["outer_fold"] == 1)]["patient"]
    text = line(message, f"{BOXED}, outer fold 1")
    assert f"fitted on {len(tested)} patients that it must not see, whose role is test" in text
    assert named(text) <= set(tested)
    assert f"{BOXED}, outer fold 0" not in message
    assert f"{BOXED}, outer fold 2" not in message


@pytest.mark.parametrize("part", [Part(0), Part(1, 1, 1)])
def test_one_row_of_a_record_is_enough(folds: Marked, part: Part) -> None:
    path, rows = table(folds, "train", "fitted_on", DEEP)
    own = (rows["object"] == part.object(DEEP)) & (rows["outer_fold"] == part.outer_fold)
    _, predictions = table(folds, "train", "predictions", DEEP)
    scored = predictions[rows_of(folds, predictions, part)]
    patient = scored.loc[scored["role"] != "external", "patient"].min()
    more = rows[own].head(1).assign(patient=patient)
    changed(path, pd.concat([rows, more], ignore_index=True))
    says = rf"{called(DEEP, part)}: fitted on 1 patients whom it scores .*\({patient}\)"
    with pytest.raises(AuditFailed, match=says):
        folds.audit("fitted_on_test")


@pytest.mark.parametrize(
    ("part", "what"),
    [(Part(1, 0), ""), (Part(0, None, 1), "/best_epoch"), (Part(2, 1, 1), "/normalisation")],
)
def test_a_part_of_which_nothing_is_said(folds: Marked, part: Part, what: str) -> None:
    path, rows = table(folds, "train", "fitted_on", DEEP)
    silent = f"{part.object(DEEP)}{what}"
    own = (rows["object"] == silent) & (rows["outer_fold"] == part.outer_fold)
    changed(path, rows[~own])
    text = line(failure(folds, "fitted_on_test"), called(DEEP, part))
    assert f"nothing says which rows {silent} was fitted on" in text


def test_the_normalisation_of_another_part(folds: Marked) -> None:
    trained = folds.out("train", DEEP)
    one, other = (part.folder(trained, MAIN) / "network.json" for part in (Part(0, 0), Part(0, 1)))
    one.write_text(other.read_text(encoding="utf-8"), encoding="utf-8")
    text = line(failure(folds, "fitted_on_test"), f"{DEEP}/fold0-without0/normalisation")
    assert "is not the mean of the" in text


@pytest.mark.parametrize("fold", [0, 2])
def test_thresholds_of_parts(folds: Marked, fold: int) -> None:
    path = folds.out("evaluate") / "thresholds.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    part = next(of for of in said[DEEP]["parts"] if (of["outer_fold"], of["seed"]) == (fold, 1))
    part["threshold"] += 0.01
    path.write_text(json.dumps(said), encoding="utf-8")
    message = failure(folds, "fitted_on_test")
    _, split = table(folds, "split", "split")
    chose = split[(split["role"] == "validation") & (split["outer_fold"] == fold)]["patient"]
    text = line(message, f"{DEEP}/fold{fold}-seed1/threshold")
    assert named(text) == set(chose)
    assert message.startswith("a violation;")


def test_a_fold_whose_threshold_nobody_chose(folds: Marked) -> None:
    path = folds.out("evaluate") / "thresholds.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said[FUSION]["parts"] = [of for of in said[FUSION]["parts"] if of["outer_fold"] != 1]
    path.write_text(json.dumps(said), encoding="utf-8")
    text = line(failure(folds, "fitted_on_test"), f"{FUSION}/fold1/threshold")
    assert "has scores and no threshold" in text


def test_two_exchanged_scores_of_one_folds_fusion(folds: Marked) -> None:
    path, predictions = table(folds, "fuse", "predictions")
    own = predictions[predictions["outer_fold"] == 1].sort_values("score")
    pair = own.index[[0, -1]]
    predictions.loc[pair, "score"] = predictions.loc[pair[::-1], "score"].to_numpy()
    changed(path, predictions)
    message = failure(folds, "misaligned_rows")
    assert named(line(message, f"predictions of {FUSION}/fold1")) == set(
        predictions.loc[pair, "patient"]
    )
    assert f"{FUSION}:" not in message


def test_the_fusion_of_another_fold(folds: Marked) -> None:
    fused = folds.out("fuse") / "scores"
    shutil.rmtree(fused / "fold0")
    shutil.copytree(fused / "fold1", fused / "fold0")
    message = failure(folds, "misaligned_rows")
    assert "not of their columns" in line(message, f"predictions of {FUSION}/fold0")
    assert f"{FUSION}/fold0/learner" in failure(folds, "fitted_on_test")


@pytest.mark.slow
def test_a_fusion_that_reads_embeddings_of_another_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks that are not out of fold: each outer fold's fusion has patients of its own."""
    study = Marked(
        tmp_path,
        views=("boxed",),
        dealt={
            "validation": 0.25,
            "cross_validation": 2,
            "stratify_by": "metastasis",
            "folds": 2,
            "fusion_folds": 1,
        },
        networks={BOXED: network("boxed", epochs=1)},
        models={"embedded": {"clinical": True, "networks": [BOXED]}},
    )
    study.run_all()
    assert looked(study)["misaligned_rows"]["columns of marked-embedded/fold1"] > 0
    honest = fusion_folds._rows
    monkeypatch.setattr(fusion_folds, "_rows", lambda table, _, name: honest(table, 0, name))
    study.fuse()
    study.evaluate()
    message = failure(study, "misaligned_rows")
    assert "not theirs" in line(message, "marked-embedded/fold1/columns")
    assert "marked-embedded/fold0" not in message


def split_with(study: Marked, change: Any) -> str:
    """Change one patient's rows of the split; return the patient's name."""
    path, split = table(study, "split", "split")
    patient = min(split.loc[(split["role"] == "test") & (split["outer_fold"] == 0), "patient"])
    changed(path, change(split, split["patient"] == patient))
    return str(patient)


def of_role(role: str, fold: int) -> Any:
    def change(split: pd.DataFrame, own: pd.Series) -> pd.DataFrame:
        there = own & (split["outer_fold"] == fold)
        blank = {"fits": None, "inner_fold": None}
        return split.assign(role=split["role"].mask(there, role)).assign(
            **{name: split[name].mask(there, value) for name, value in blank.items()}
        )

    return change


def without(fold: int) -> Any:
    return lambda split, own: split[~(own & (split["outer_fold"] == fold))]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (of_role("validation", 0), "1 patients are test in no outer fold"),
        (of_role("test", 1), "1 patients are test in more than one outer fold"),
        (of_role("test", 2), "1 patients are test in the last outer fold, which nobody judges"),
        (without(1), "1 patients have no row in some outer fold"),
        (of_role("external", 2), "1 patients are external, and in the cross-validation too"),
    ],
)
def test_a_patient_who_is_not_tested_once(folds: Marked, change: Any, says: str) -> None:
    patient = split_with(folds, change)
    text = [of for of in failure(folds, "leaked_patient").splitlines() if says in of]
    assert len(text) == 1
    assert named(text[0]) == {patient}
