"""The outer folds of a study judged one by one, and what is reported of them together.

Without cross-validation there is one fold, and its roles are what is reported. With it

    test         every patient of the cross-validation once, scored by the models of the one outer
                 fold in which the patient was test, so by models that never saw that patient
    validation   those of the last fold, whose models learned from the whole cohort, are kept and
                 served, and are chosen between on these patients
    external     as scored by these kept models

Two figures of discrimination follow for the test patients, and they answer two questions. The
*pooled* AUC compares patients across folds: it is what curves, calibration and decisions rest on,
its interval (DeLong's) takes all scores as given, and it falls short where the models of two folds
put their scores on different scales. The *fold average* compares patients within a fold only; its
interval (Nadeau and Bengio's) also covers other training patients, and knows that folds share them.
Both are reported, beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oncotrail.cohort.folds import last_fold, of_fold, outer_folds
from oncotrail.errors import TableError
from oncotrail.evaluation.judged import CHOOSES, JUDGES, Judged, judge
from oncotrail.statistics.outcome import Outcome


@dataclass(frozen=True)
class Fold:
    """One outer fold: the patients of each role that judges, and how many others there are."""

    number: int
    roles: Mapping[str, Judged]
    not_tested: int  # train and validation: all that its models were made from


@dataclass(frozen=True)
class Judgement:
    """Every outer fold in order, the kept one last, and the roles as they are reported."""

    folds: tuple[Fold, ...]
    roles: Mapping[str, Judged]

    @property
    def kept(self) -> Fold:
        """The fold whose models are served."""
        return self.folds[-1]

    @property
    def crossed(self) -> tuple[Fold, ...]:
        """The folds of a cross-validation; none where there is one split only."""
        return self.folds[:-1]

    def judging(self, role: str) -> tuple[Fold, ...]:
        """The folds whose patients of this role are those reported."""
        return self.crossed if self.crossed and role == JUDGES else (self.kept,)


def judge_folds(
    predictions: pd.DataFrame, cohort: pd.DataFrame, split: pd.DataFrame, outcome: str
) -> Judgement:
    """Judge each fold by itself, and put the test patients of all folds together."""
    folds = tuple(_folds(predictions, cohort, split, outcome))
    if len(folds) == 1:
        return Judgement(folds, folds[0].roles)
    _check_models(folds)
    *crossed, kept = folds
    tested = pooled([fold.roles[JUDGES] for fold in crossed])
    _check_each_once(tested, of_fold(split, kept.number))
    return Judgement(folds, {CHOOSES: kept.roles[CHOOSES], JUDGES: tested} | _others(kept))


def pooled(parts: Sequence[Judged]) -> Judged:
    """The same role of several folds as one, by patient; each patient has the own fold's scores."""
    names = np.concatenate([part.patients for part in parts])
    order = np.argsort(names, kind="stable")
    labels = np.concatenate([part.labels for part in parts])[order]
    return Judged(
        role=parts[0].role,
        patients=tuple(names[order].tolist()),
        outcome=Outcome(labels.astype(int), event=1, no_event=0),
        scores={
            model: np.concatenate([part.scores[model] for part in parts])[order]
            for model in parts[0].scores
        },
    )


def reported_roles(split: pd.DataFrame) -> pd.DataFrame:
    """Each patient's role as it is reported: patient and role, a row per patient.

    In a cross-validation everybody who is not external is a test patient once.
    """
    roles = of_fold(split, last_fold(split))[["patient", "role"]]
    if len(outer_folds(split)) == 1:
        return roles
    return roles.assign(role=roles["role"].where(roles["role"] == "external", JUDGES))


def _folds(
    predictions: pd.DataFrame, cohort: pd.DataFrame, split: pd.DataFrame, outcome: str
) -> Iterator[Fold]:
    numbers = outer_folds(split)
    _check_known(predictions, numbers)
    for number in numbers:
        here = of_fold(split, number)
        said = predictions[(predictions["outer_fold"] == number).astype(bool)]
        is_whole = len(numbers) > 1 and number == numbers[-1]
        needs = (CHOOSES,) if is_whole else (CHOOSES, JUDGES)
        try:
            roles = judge(said, cohort, here, outcome, needs=needs)
        except TableError as error:
            which = f"outer fold {number}: " if len(numbers) > 1 else ""
            raise TableError(f"{which}{error}") from None
        yield Fold(number, roles, int(here["role"].isin(("train", CHOOSES)).sum()))


def _others(kept: Fold) -> dict[str, Judged]:
    """The roles that only the kept models judge: external patients."""
    return {role: of for role, of in kept.roles.items() if role not in (CHOOSES, JUDGES)}


def _check_known(predictions: pd.DataFrame, numbers: Sequence[int]) -> None:
    strangers = sorted(set(predictions["outer_fold"].astype(int)) - set(numbers))
    if strangers:
        raise TableError(
            f"there are predictions of outer folds {strangers}, and the split has {list(numbers)}; "
            "run make repro, so that both come from one split."
        )


def _check_models(folds: Sequence[Fold]) -> None:
    scored = {fold.number: sorted(fold.roles[CHOOSES].scores) for fold in folds}
    every = sorted({model for models in scored.values() for model in models})
    for number, models in scored.items():
        if models != every:
            lacking = sorted(set(every) - set(models))
            raise TableError(
                f"outer fold {number} has no predictions of {lacking}, which other folds have; "
                "run make repro."
            )


def _check_each_once(tested: Judged, whole: pd.DataFrame) -> None:
    names = pd.Series(tested.patients)
    twice = sorted(set(names[names.duplicated()]))
    expected = set(whole.loc[whole["role"] != "external", "patient"].astype(str))
    apart = sorted(expected ^ set(names))
    if twice or apart:
        who = ", ".join([*twice, *apart][:5])
        raise TableError(
            f"{len(twice)} patients are test in several outer folds and {len(apart)} in none, or "
            f"only there, e.g. {who}; in a cross-validation each is test once. Run make repro."
        )
