"""Early fusion: fit one model on the fusion's patients, score everybody that it may score."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError, TableError
from oncotrail.fusion.archive import Learner
from oncotrail.fusion.columns import Frames, declared_columns, design
from oncotrail.fusion.learner import fit, score
from oncotrail.record import FittedOn
from oncotrail.study.base import nearest
from oncotrail.study.cohort import Cohort
from oncotrail.study.fusion import ColumnSet, Fusion


@dataclass(frozen=True)
class Material:
    """The tables that a fusion reads, and what the cohort's columns mean.

    `out_of_fold` says that no network of the fusion learned from any patient whom it scored.
    """

    declared: Cohort
    cohort: pd.DataFrame
    split: pd.DataFrame
    features: Frames  # by network
    predictions: Frames = field(default_factory=dict)  # of the networks whose scores are read
    out_of_fold: bool = False


@dataclass(frozen=True)
class FusedModel:
    """One fitted fusion: the learner, the columns as it saw them, its scores, its records."""

    learner: Learner
    seen: pd.DataFrame
    predictions: pd.DataFrame
    fitted_on: tuple[FittedOn, ...]
    synthetic_rows: int

    @property
    def fitted_patients(self) -> int:
        """How many patients it was fitted on."""
        return len(self.fitted_on[0].patients)


def fusion_patients(split: pd.DataFrame, *, out_of_fold: bool = False) -> pd.DataFrame:
    """Patients whom a fusion may see: all but those that a network was fitted on.

    With `out_of_fold` these are all, for whoever scored a patient did not learn from that patient.
    """
    if len(set(split["outer_fold"])) > 1:
        message = (
            "the split has several outer folds; a fusion is fitted within one. "
            "Give the stage one outer fold's split."
        )
        raise TableError(message)
    learns = fits_fusion(split, out_of_fold=out_of_fold)
    if not learns.any():
        message = (
            "no training patient is kept for the fusion, and those that fit a network must not "
            "fit it too; set split.fusion_folds to at least 1, or the networks' out_of_fold to "
            "true."
        )
        raise StudyFileError(message)
    return split[(split["role"] != "train") | learns].reset_index(drop=True)


def fits_fusion(split: pd.DataFrame, *, out_of_fold: bool) -> pd.Series:
    """Which rows a fusion learns from."""
    kept = split["role"] == "train" if out_of_fold else split["fits"] == "fusion"
    return kept.fillna(value=False).astype(bool)


def fuse(model: str, asked: ColumnSet, plan: Fusion, given: Material, seed: int) -> FusedModel:
    """Fit `model` on the columns that `asked` names, and score patients that no network saw."""
    _check_names(model, plan.outcome, given)
    patients = fusion_patients(given.split, out_of_fold=given.out_of_fold)
    columns = declared_columns(asked, given.declared, given.features)
    seen = design(patients["patient"], columns, given.cohort, given.features, given.predictions)
    outcome = given.cohort.set_index("patient")[plan.outcome].astype(int)
    training = patients.loc[fits_fusion(patients, out_of_fold=given.out_of_fold), "patient"]
    fitted = fit(seen.loc[training], outcome, columns, plan, model=model, seed=seed)
    scores = score(fitted.pipeline, seen).reset_index()
    scored = tables.join(patients, scores, f"scores of {model}")
    fold = int(patients["outer_fold"].iloc[0])
    return FusedModel(
        learner=Learner(model, plan.outcome, columns, fitted.pipeline),
        seen=seen,
        predictions=tables.predictions_of(model, plan.outcome, seed, scored),
        fitted_on=tuple(replace(record, outer_fold=fold) for record in fitted.fitted_on),
        synthetic_rows=fitted.synthetic_rows,
    )


def _check_names(model: str, outcome: str, given: Material) -> None:
    if model in given.features:
        message = f"fusion {model!r} has the name of a network; scores are told apart by name."
        raise StudyFileError(message)
    labels = given.declared.labels()
    if outcome not in labels:
        message = f"fusion.outcome {outcome!r} is no label. {nearest(outcome, labels)}"
        raise StudyFileError(message)
