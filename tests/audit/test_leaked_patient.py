"""A patient in two roles, planted where faulty code would leave it, stops the audit by name."""

from pathlib import Path

import pandas as pd
import pytest

from oncotrail.backbones import results
from oncotrail.errors import AuditFailed
from oncotrail.record import folder
from tests.audit.real_run import audit_again, changed, fuse_again, train_again
from tests.fusion.hand_made import STUDY

CHECK = "leaked_patient"


def split_of(root: Path) -> tuple[Path, pd.DataFrame]:
    path = folder(root, STUDY, "split") / "split.parquet"
    return path, pd.read_parquet(path)


def test_split_by_row_puts_a_patient_in_two_roles(root: Path) -> None:
    """Some code split images and not patients: a test patient trains as well."""
    path, split = split_of(root)
    leaked = split[split["role"] == "test"].head(2)
    again = leaked.assign(role="train", fits="network", inner_fold=0)
    changed(path, pd.concat([split, again], ignore_index=True))
    one, other = leaked["patient"]
    with pytest.raises(AuditFailed, match=f"two values of role.*({one}, {other}|{other}, {one})"):
        audit_again(root, CHECK)


def test_patient_who_fits_both_network_and_fusion(root: Path) -> None:
    path, split = split_of(root)
    both = split[split["fits"] == "network"].head(1)
    again = both.assign(fits="fusion", inner_fold=4)
    changed(path, pd.concat([split, again], ignore_index=True))
    with pytest.raises(AuditFailed, match=rf"two values of fits.*\({both['patient'].item()}\)"):
        audit_again(root, CHECK)


def test_predictions_that_call_a_training_patient_a_test_patient(root: Path) -> None:
    path = folder(root, STUDY, "fuse") / "predictions.parquet"
    predictions = pd.read_parquet(path)
    patient = predictions.loc[predictions["role"] == "train", "patient"].iloc[0]
    predictions.loc[predictions["patient"] == patient, "role"] = "test"
    changed(path, predictions)
    with pytest.raises(
        AuditFailed, match=rf"predictions of the fusions: 1 patients have a role .*\({patient}\)"
    ):
        audit_again(root, CHECK)


def test_a_train_stage_that_takes_roles_by_position(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the code path: the roles of a differently sorted table, pasted beside the images."""
    honest = results.predictions_table

    def faulty(images: pd.DataFrame, *given: object, **named: object) -> pd.DataFrame:
        return honest(images.assign(role=images["role"].to_numpy()[::-1]), *given, **named)

    monkeypatch.setattr(results, "predictions_table", faulty)
    train_again(root, "toy-t4")
    with pytest.raises(AuditFailed, match=r"predictions of toy-t4: .* have a role here"):
        audit_again(root, CHECK)


def test_a_patient_whom_the_cohort_does_not_have(root: Path) -> None:
    """Excluded after the features were made: their rows linger."""
    path = folder(root, STUDY, "acquire") / "cohort.parquet"
    cohort = pd.read_parquet(path)
    gone = cohort["patient"].iloc[3]
    changed(path, cohort[cohort["patient"] != gone])
    with pytest.raises(AuditFailed, match=rf"features of toy-t11: 1 patients .*\({gone}\)"):
        audit_again(root, CHECK)


def test_an_undamaged_refit_passes(root: Path) -> None:
    fuse_again(root)
    assert audit_again(root, CHECK).recorded_metrics[f"{CHECK}/looked_at"] > 500
