"""Fits on rows that they must not see, planted in code paths, stop the audit by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones import material, plan, results
from oncotrail.errors import AuditFailed
from oncotrail.fusion import early, learner
from oncotrail.fusion.resampling import NOBODY
from oncotrail.record import folder
from tests.audit.real_run import audit_again, changed, fuse_again, train_again
from tests.fusion.hand_made import STUDY

CHECK = "fitted_on_test"
PARTS = ("imputer", "encoder", "scaler", "sampler", "learner")


def failure(root: Path) -> str:
    with pytest.raises(AuditFailed) as failed:
        audit_again(root, CHECK)
    return str(failed.value)


def patients(root: Path, **of: str) -> set[str]:
    split = pd.read_parquet(folder(root, STUDY, "split") / "split.parquet")
    for column, value in of.items():
        split = split[split[column] == value]
    return set(split["patient"])


def fit_on_test_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As published: resampling, imputing and scaling before the split."""
    honest = early.fusion_patients

    def faulty(split: pd.DataFrame) -> pd.DataFrame:
        rows = honest(split)
        return rows.assign(fits=rows["fits"].mask(rows["role"] == "test", "fusion"))

    monkeypatch.setattr(early, "fusion_patients", faulty)


def learns_from(monkeypatch: pytest.MonkeyPatch, wanted: Callable[[pd.DataFrame], Any]) -> None:
    """A train stage that gives the network these rows."""
    monkeypatch.setattr(
        material.Material, "learns", lambda given: given._examples(wanted(given.images))
    )


def test_clean_run_passes(root: Path) -> None:
    (said,) = audit_again(root, CHECK).lines
    assert said.startswith("fitted_on_test: nothing wrong among 5")


def test_resampling_before_the_split(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit_on_test_too(monkeypatch)
    fuse_again(root)
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
    fuse_again(root)
    message = failure(root)
    assert "must not see" not in message
    named = f"was not fitted on the {len(allowed)} patients that its record names"
    assert f"toy-clinical/scaler: {named}" in message
    assert f"toy-clinical/imputer: {named}" in message
    assert "toy-clinical/learner: grew on" in message


def test_one_scaler_fitted_on_everybody_it_can_reach(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the scaler, only some rows more, and its record is honest about the others."""
    honest = learner._Fitting.fit

    def faulty(fitting: Any, kind: Any, step: Any, rows: pd.DataFrame, *given: Any) -> Any:
        fitted = honest(fitting, kind, step, rows, *given)
        return fitted.fit(rows.iloc[:-3]) if kind == "scaler" else fitted

    monkeypatch.setattr(learner._Fitting, "fit", faulty)
    fuse_again(root)
    message = failure(root)
    assert "toy-clinical/scaler: was not fitted on" in message
    assert "toy-clinical/imputer" not in message


def test_a_network_that_learned_from_test_patients(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learns_from(monkeypatch, lambda images: images["role"].isin(["train", "test"]))
    train_again(root, "toy-t4")
    fuse_again(root)
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
    fuse_again(root)
    message = failure(root)
    kept = patients(root, fits="fusion")
    assert f"toy-t4: fitted on {len(kept)} patients that the split keeps for the fusion" in message
    both = f"toy-clinical_t4_t11: fitted on {len(kept)} patients that toy-t4 was fitted on too"
    assert both in message
    assert "toy-clinical: " not in message


def test_a_fusion_that_learned_from_the_networks_patients(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(split: pd.DataFrame) -> pd.DataFrame:
        return split.assign(fits=split["fits"].replace("network", "fusion"))

    monkeypatch.setattr(early, "fusion_patients", faulty)
    fuse_again(root)
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
    fuse_again(root)
    assert "toy-t4/normalisation: is not the mean of the" in failure(root)


def test_a_fit_that_nothing_is_said_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = results.fitted_objects
    monkeypatch.setattr(results, "fitted_objects", lambda *given: honest(*given)[:1])
    train_again(root, "toy-t4")
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
