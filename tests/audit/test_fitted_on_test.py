"""Fits on rows that they must not see, planted in code paths, stop the audit by name."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.audit.refitted import MOST_APART
from oncotrail.backbones import material, plan, results
from oncotrail.errors import AuditFailed
from oncotrail.evaluation import performance
from oncotrail.fusion import early, learner
from oncotrail.fusion.resampling import NOBODY
from oncotrail.record import folder
from tests.audit.real_run import (
    FUSED,
    audit_again,
    changed,
    evaluate_again,
    fuse_again,
    train_again,
)
from tests.fusion.hand_made import STUDY

CHECK = "fitted_on_test"
PARTS = ("imputer", "encoder", "scaler", "sampler", "learner")


def failure(root: Path) -> str:
    with pytest.raises(AuditFailed) as failed:
        audit_again(root, CHECK)
    return str(failed.value)


def fuse_and_evaluate(root: Path) -> None:
    fuse_again(root)
    evaluate_again(root)


def line(message: str, about: str) -> str:
    (only,) = [text for text in message.splitlines() if text.startswith(f"{CHECK}: {about}:")]
    return only


def named(text: str) -> set[str]:
    listed = re.search(r"\(([^()]*?)(?: and \d+ more)?\)\. ", text)
    assert listed
    return set(listed.group(1).split(", "))


def patients(root: Path, **of: str) -> set[str]:
    split = pd.read_parquet(folder(root, STUDY, "split") / "split.parquet")
    for column, value in of.items():
        split = split[split[column] == value]
    return set(split["patient"])


def fit_on_test_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As published: resampling, imputing and scaling before the split."""
    honest = early.fusion_patients

    def faulty(split: pd.DataFrame, **how: bool) -> pd.DataFrame:
        rows = honest(split, **how)
        return rows.assign(fits=rows["fits"].mask(rows["role"] == "test", "fusion"))

    monkeypatch.setattr(early, "fusion_patients", faulty)


def learns_from(monkeypatch: pytest.MonkeyPatch, wanted: Callable[[pd.DataFrame], Any]) -> None:
    """A train stage that gives the network these rows."""
    monkeypatch.setattr(
        material.Material, "learns", lambda given: given._examples(wanted(given.images))
    )


def test_clean_run_passes(root: Path) -> None:
    (said,) = audit_again(root, CHECK).lines
    assert said.startswith("fitted_on_test: nothing wrong among 6")


def test_resampling_before_the_split(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit_on_test_too(monkeypatch)
    fuse_and_evaluate(root)
    message = failure(root)
    test = patients(root, role="test")
    for part in PARTS:
        (line,) = [text for text in message.splitlines() if f": toy-clinical/{part}:" in text]
        assert f"fitted on {len(test)} patients that it must not see" in line
        assert "whose role is test" in line
        assert any(f"({patient}" in line or f", {patient}" in line for patient in test)


def test_a_record_that_keeps_quiet_about_the_test_patients(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same fault, and every record says that only training patients were seen."""
    fit_on_test_too(monkeypatch)
    allowed = patients(root, fits="fusion")
    honest = learner.fitted_rows

    def quiet(name: str, kind: Any, index: pd.Index) -> Any:
        known = {*allowed, NOBODY}
        seen = np.all([index.get_level_values(n).isin(known) for n in range(index.nlevels)], axis=0)
        return honest(name, kind, index[seen])

    monkeypatch.setattr(learner, "fitted_rows", quiet)
    fuse_and_evaluate(root)
    message = failure(root)
    assert "must not see" not in message
    test = patients(root, role="test")
    for part in ("imputer", "scaler"):
        text = line(message, f"toy-clinical/{part}")
        assert f"was not fitted on the {len(allowed)} patients that its record names" in text
        assert f"it is that of the {len(allowed | test)} fusion and test patients" in text
        assert named(text) <= test
    text = line(message, "toy-clinical/learner")
    assert f"is not the forest of the {len(allowed)} patients that its record names" in text
    assert len(named(text)) == MOST_APART


def test_one_scaler_fitted_on_everybody_it_can_reach(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the scaler, only some rows more, and its record is honest about the others."""
    honest = learner._Fitting.fit

    def faulty(fitting: Any, kind: Any, step: Any, rows: pd.DataFrame, *given: Any) -> Any:
        fitted = honest(fitting, kind, step, rows, *given)
        return fitted.fit(rows.iloc[:-3]) if kind == "scaler" else fitted

    monkeypatch.setattr(learner._Fitting, "fit", faulty)
    fuse_and_evaluate(root)
    message = failure(root)
    text = line(message, "toy-clinical/scaler")
    assert "was not fitted on" in text
    assert named(text) <= patients(root, fits="fusion")
    assert "toy-clinical/imputer" not in message
    assert "toy-clinical/learner" not in message  # grown anew on what this scaler makes


def test_a_network_that_learned_from_test_patients(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learns_from(monkeypatch, lambda images: images["role"].isin(["train", "test"]))
    train_again(root, "toy-t4")
    fuse_and_evaluate(root)
    message = failure(root)
    test = patients(root, role="test")
    assert f"toy-t4: fitted on {len(test)} patients that it must not see" in message
    assert f"toy-t4/normalisation: fitted on {len(test)} patients" in message
    assert "toy-t11" not in message


def test_a_network_that_learned_from_the_fusions_patients(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are training patients, and still the fusion's embeddings are in-sample."""
    learns_from(monkeypatch, lambda images: images["role"] == "train")
    train_again(root, "toy-t4")
    fuse_and_evaluate(root)
    message = failure(root)
    kept = patients(root, fits="fusion")
    assert f"toy-t4: fitted on {len(kept)} patients that the split keeps for the fusion" in message
    both = f"toy-clinical_t4_t11: fitted on {len(kept)} patients that toy-t4 was fitted on too"
    assert both in message
    assert "toy-clinical: " not in message


def test_a_fusion_that_learned_from_the_networks_patients(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(split: pd.DataFrame, **_: bool) -> pd.DataFrame:
        return split.assign(fits=split["fits"].replace("network", "fusion"))

    monkeypatch.setattr(early, "fusion_patients", faulty)
    fuse_and_evaluate(root)
    message = failure(root)
    wrong = patients(root, fits="network")
    assert f"toy-clinical_t4_t11: fitted on {len(wrong)} patients that toy-t4 was" in message
    assert f"toy-clinical: fitted on {len(wrong)} patients that the split does not keep" in message


def test_normalisation_from_everybodys_pixels(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record names the network's patients; the mean is that of all images."""
    everybody = np.load(folder(root, STUDY, "decode") / "t4.npy")
    honest = plan.begin
    monkeypatch.setattr(
        plan, "begin", lambda settings, _, *more: honest(settings, everybody, *more)
    )
    train_again(root, "toy-t4")
    fuse_and_evaluate(root)
    text = line(failure(root), "toy-t4/normalisation")
    assert "is not the mean of the" in text
    assert "it is that of the 120 fusion and network and test and validation patients" in text
    assert not named(text) & patients(root, fits="network")


def test_a_fit_that_nothing_is_said_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = results.fitted_objects
    monkeypatch.setattr(results, "fitted_objects", lambda *given: honest(*given)[:1])
    train_again(root, "toy-t4")
    fuse_and_evaluate(root)
    message = failure(root)
    assert (
        "nothing says which rows toy-t4/best_epoch, toy-t4/normalisation was fitted on" in message
    )


def test_the_epoch_may_be_chosen_by_validation_but_not_by_test(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        material.Material, "chooses", lambda given: given._examples(given.images["role"] == "test")
    )
    train_again(root, "toy-t4")
    fuse_and_evaluate(root)
    message = failure(root)
    assert "toy-t4/best_epoch: fitted on" in message
    assert "role is test" in message


@pytest.mark.parametrize("role", ["test", "validation"])
def test_a_row_in_the_table_is_enough(root: Path, role: str) -> None:
    path = folder(root, STUDY, "fuse") / "fitted_on.parquet"
    rows = pd.read_parquet(path)
    patient = min(patients(root, role=role))
    more = rows[rows["object"] == "toy-clinical/scaler"].head(1).assign(patient=patient)
    changed(path, pd.concat([rows, more], ignore_index=True))
    assert f"role is {role} ({patient})" in failure(root)


@pytest.mark.parametrize("swapped", [1, 10])
def test_a_forest_of_as_many_rows_with_test_patients_among_them(
    root: Path, monkeypatch: pytest.MonkeyPatch, swapped: int
) -> None:
    """Each stands in for a training patient with the same outcome; the records are honest's."""
    grow_on_test(root, monkeypatch, swapped)
    fuse_and_evaluate(root)
    message = failure(root)
    text = line(message, "toy-clinical/learner")
    assert "fitted again on them, it scores" in text
    assert named(text) <= patients(root)
    assert {text.split(": ")[1].split("/")[1] for text in message.splitlines()[1:]} == {"learner"}


def grow_on_test(root: Path, monkeypatch: pytest.MonkeyPatch, swapped: int) -> None:
    """The fuse stage puts a forest of other rows where the honest one stood."""
    cohort = pd.read_parquet(folder(root, STUDY, "acquire") / "cohort.parquet")
    without = cohort.loc[cohort["metastasis"] == 0, "patient"].tolist()
    kept, test = (
        [name for name in without if name in patients(root, **of)]
        for of in ({"fits": "fusion"}, {"role": "test"})
    )
    instead = dict(zip(kept[:swapped], test, strict=False))
    honest, everybody = early.fit, []
    design = early.design
    monkeypatch.setattr(early, "design", lambda *a: everybody.append(design(*a)) or everybody[-1])

    def faulty(table: pd.DataFrame, *given: Any, **more: Any) -> Any:
        fitted = honest(table, *given, **more)
        rows = everybody[-1].loc[[instead.get(name, name) for name in table.index]]
        other = honest(rows, *given, **more)
        assert other.synthetic_rows == fitted.synthetic_rows
        fitted.pipeline.steps[-1] = other.pipeline.steps[-1]
        return fitted

    monkeypatch.setattr(early, "fit", faulty)


def test_a_sampler_of_which_nothing_is_said(root: Path) -> None:
    """The stored learner has no sampler any more; that there was one, the study file says."""
    path = folder(root, STUDY, "fuse") / "fitted_on.parquet"
    rows = pd.read_parquet(path)
    changed(path, rows[rows["object"] != "toy-clinical/sampler"])
    says = "nothing says which rows toy-clinical/sampler was fitted on"
    assert says in line(failure(root), "toy-clinical")


def test_a_study_without_resampling_expects_no_sampler(root: Path) -> None:
    plain = FUSED.model_copy(update={"resampling": None})
    fuse_again(root, plain)
    evaluate_again(root)
    assert audit_again(root, CHECK, fusion=plain).lines
    with pytest.raises(AuditFailed, match="nothing says which rows toy-clinical/sampler"):
        audit_again(root, CHECK)


def test_synthetic_rows_of_other_parents_in_the_record(root: Path) -> None:
    path = folder(root, STUDY, "fuse") / "fitted_on.parquet"
    rows = pd.read_parquet(path)
    made = rows.index[(rows["object"] == "toy-clinical/learner") & rows["synthetic"]][0]
    rows.loc[made, "times"] += 2
    changed(path, rows)
    text = line(failure(root), "toy-clinical/learner")
    assert "grew on other rows of 1 patients than its record names" in text
    assert named(text) == {rows.loc[made, "patient"]}


def test_rows_on_which_nothing_could_have_been_fitted(root: Path) -> None:
    """A record that keeps quiet about all but four patients."""
    path = folder(root, STUDY, "fuse") / "fitted_on.parquet"
    rows = pd.read_parquet(path)
    few = set(sorted(patients(root, fits="fusion"))[:4])
    changed(path, rows[(rows["object"] != "toy-clinical/sampler") | rows["patient"].isin(few)])
    text = line(failure(root), "toy-clinical/learner")
    assert "cannot be fitted on the 4 patients that its record names" in text


def test_the_order_of_the_split_does_not_matter(root: Path) -> None:
    path = folder(root, STUDY, "split") / "split.parquet"
    changed(path, pd.read_parquet(path).sample(frac=1, random_state=5))
    fuse_and_evaluate(root)
    assert audit_again(root, CHECK).lines


def test_thresholds_chosen_on_test_patients(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record says validation, whatever was used."""
    monkeypatch.setattr(performance, "CHOOSES", "test")
    evaluate_again(root)
    message = failure(root)
    test = patients(root, role="test")
    chosen_on = pd.read_parquet(folder(root, STUDY, "evaluate") / "fitted_on.parquet")
    assert set(chosen_on["patient"]) == patients(root, role="validation")
    for model in ("toy-clinical", "toy-clinical_t4_t11", "toy-t4", "toy-t11"):
        text = line(message, f"{model}/threshold")
        assert "and youden on the 18 validation patients gives" in text
        assert f"it is that of the {len(test)} test patients" in text
        assert named(text) <= test


def test_a_threshold_that_nobody_chose(root: Path) -> None:
    path = folder(root, STUDY, "evaluate") / "thresholds.json"
    said = json.loads(path.read_text())
    said["toy-t4"]["threshold"] += 0.01
    path.write_text(json.dumps(said))
    message = failure(root)
    text = line(message, "toy-t4/threshold")
    assert "it is that of" not in text
    assert named(text) == patients(root, role="validation")
    assert message.startswith("a violation;")


def test_a_threshold_without_scores_and_scores_without_a_threshold(root: Path) -> None:
    path = folder(root, STUDY, "evaluate") / "thresholds.json"
    said = json.loads(path.read_text())
    said["toy-hers"] = said.pop("toy-t4")
    path.write_text(json.dumps(said))
    message = failure(root)
    assert "is the threshold of no scores" in line(message, "toy-hers/threshold")
    text = line(message, "toy-t4/threshold")
    assert "has scores and no threshold" in text
    assert named(text) == patients(root, role="validation")


def test_a_threshold_that_validation_patients_cannot_give(root: Path) -> None:
    """All of them have one outcome now: the cohort was corrected after the evaluation."""
    path = folder(root, STUDY, "acquire") / "cohort.parquet"
    cohort = pd.read_parquet(path)
    chosen_on = cohort["patient"].isin(patients(root, role="validation"))
    changed(path, cohort.assign(metastasis=cohort["metastasis"].mask(chosen_on, 0)))
    text = line(failure(root), "toy-t4/threshold")
    assert "youden on the 18 validation patients gives nothing" in text


def test_a_threshold_whose_record_names_test_patients(root: Path) -> None:
    path = folder(root, STUDY, "evaluate") / "fitted_on.parquet"
    patient = min(patients(root, role="test"))
    rows = pd.read_parquet(path)
    changed(path, rows.assign(patient=rows["patient"].mask(rows.index == 0, patient)))
    assert f"fitted on 1 patients that it must not see, whose role is test ({patient})" in failure(
        root
    )
