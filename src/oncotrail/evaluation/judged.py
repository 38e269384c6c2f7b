"""Predictions, outcomes and roles brought together by patient id; nobody is dropped.

Everything that evaluation computes starts from `Judged`: the same patients, in the same order, for
every model. It cannot be built from predictions that lack a patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oncotrail.cohort import tables
from oncotrail.errors import TableError
from oncotrail.statistics.arrays import Flags
from oncotrail.statistics.outcome import Outcome
from oncotrail.statistics.results import result

ROLES = ("validation", "test", "external")  # those that judge a model; training never does
CHOOSES = "validation"  # the role that thresholds are chosen on
JUDGES = "test"  # the role that curves are drawn on, and that stands beside a publication


@result
class Judged:
    """The patients of one role, their outcome, and every model's score of each of them."""

    role: str
    patients: tuple[str, ...]
    outcome: Outcome
    scores: Mapping[str, NDArray[np.float64]]  # model -> scores in the order of `patients`

    @property
    def labels(self) -> Flags:
        """Who had the outcome, in the order of `patients`."""
        return self.outcome.labels

    @property
    def events(self) -> int:
        """How many patients had the outcome."""
        return self.outcome.events


def judge(
    predictions: pd.DataFrame,
    cohort: pd.DataFrame,
    split: pd.DataFrame,
    outcome: str,
    needs: Sequence[str] = (CHOOSES, JUDGES),
) -> dict[str, Judged]:
    """The roles of one outer fold that judge, each with all its patients and all models.

    Roles are the split's, outcomes the cohort's; predictions that say otherwise are refused, and a
    split that lacks a role of `needs`.
    """
    if split["patient"].duplicated().any():
        raise TableError(
            "the split has several outer folds; this judges one. Give it one fold's split."
        )
    scores = {
        str(model): _scores(rows, str(model), split, outcome)
        for model, rows in predictions.groupby("model", sort=False)
    }
    known = tables.join(split, cohort[["patient", outcome]], "outcomes")
    present = [role for role in ROLES if (split["role"] == role).any()]
    lacking = [role for role in needs if role not in present]
    if lacking:
        raise TableError(
            f"the split has no {' and no '.join(lacking)} patients; thresholds are chosen on "
            f"{CHOOSES} and models judged on {JUDGES} patients."
        )
    return {role: _judged(role, known[known["role"] == role], outcome, scores) for role in present}


def _judged(
    role: str, known: pd.DataFrame, outcome: str, scores: Mapping[str, pd.DataFrame]
) -> Judged:
    known = known[["patient", outcome]].sort_values("patient")
    happened = Outcome(known[outcome], event=1, no_event=0)
    if happened.events in (0, happened.n):
        raise TableError(
            f"the {happened.n} {role} patients all have {outcome} {int(happened.events > 0)}; no "
            "figure of discrimination exists for one class. Enlarge that role, or the cohort."
        )
    return Judged(
        role=role,
        patients=tuple(known["patient"].astype(str)),
        outcome=happened,
        scores={
            model: tables.join(known, table, f"{model} in {role}")["score"].to_numpy(dtype=float)
            for model, table in scores.items()
        },
    )


def _scores(rows: pd.DataFrame, model: str, split: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """One model's honest scores of `outcome`, after comparing its roles with the split's."""
    asked = rows[(rows["outcome"] == outcome) & (rows["mode"] == "honest")]
    if asked.empty:
        raise TableError(
            f"{model} has no honest predictions of {outcome}; it has "
            f"{sorted(set(rows['outcome'] + ' (' + rows['mode'] + ')'))}."
        )
    unscored = asked.loc[asked["score"].isna(), "patient"]
    if len(unscored):
        raise TableError(
            f"{model} has no score for {len(unscored)} patients, e.g. {_some(unscored)}; "
            "every patient that a model judges needs a probability."
        )
    _compare_roles(asked, model, split)
    return asked[["patient", "score"]]


def _compare_roles(asked: pd.DataFrame, model: str, split: pd.DataFrame) -> None:
    where = asked[["patient", "role"]].merge(
        split[["patient", "role"]], on="patient", how="left", suffixes=("", "_in_split")
    )
    strangers = where.loc[where["role_in_split"].isna(), "patient"]
    if len(strangers):
        raise TableError(
            f"{model} predicts {len(strangers)} patients that the split does not have, e.g. "
            f"{_some(strangers)}; run make repro, so that both come from one cohort."
        )
    moved = where.loc[where["role"] != where["role_in_split"], "patient"]
    if len(moved):
        raise TableError(
            f"{model} gives {len(moved)} patients another role than the split does, e.g. "
            f"{_some(moved)}; run make repro, so that both come from one split."
        )


def _some(patients: pd.Series, most: int = 5) -> str:
    return ", ".join(sorted(set(patients.astype(str)))[:most])
