"""How well each model does in each role that judges.

The threshold of a model is chosen on its validation patients and then stays: the figures of test
and external patients cannot move it, and a threshold that was chosen on them is refused. In a
cross-validation each outer fold chooses its own and decides with it upon its own test patients; the
figures at threshold count the decisions of all folds together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oncotrail.evaluation.averaged import FoldAverage, fold_average
from oncotrail.evaluation.calibration import Calibration, calibration
from oncotrail.evaluation.folds import Fold, Judgement
from oncotrail.evaluation.judged import CHOOSES
from oncotrail.statistics.classification.confusion import Confusion
from oncotrail.statistics.classification.figures import Classification, figures_of
from oncotrail.statistics.classification.thresholds import (
    Applied,
    Threshold,
    apply_threshold,
    choose_youden,
)
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.discrimination.precision_recall import average_precision
from oncotrail.statistics.intervals import Estimate
from oncotrail.study.evaluation import AT_THRESHOLD, CALIBRATION


@dataclass(frozen=True)
class RolePerformance:
    """One model's figures on the patients of one role.

    `applied` has one entry per outer fold whose patients these are, `at_threshold` the figures of
    all their decisions; where the folds decided at different thresholds, its own is not a number.
    """

    role: str
    patients: int
    events: int
    auc: Estimate
    average_precision: Estimate
    applied: tuple[Applied, ...]
    at_threshold: Classification
    calibration: Calibration

    def figures(self) -> dict[str, Estimate | None]:
        """All figures by name, in the order of `METRICS`; None is undefined."""
        return {
            "auc": self.auc,
            "average_precision": self.average_precision,
            **{name: getattr(self.at_threshold, name) for name in AT_THRESHOLD},
            **{name: getattr(self.calibration, name) for name in CALIBRATION},
        }


@dataclass(frozen=True)
class ModelPerformance:
    """One model: its thresholds by outer fold, chosen on validation patients; figures by role.

    `averaged` is there in a cross-validation only.
    """

    model: str
    thresholds: Mapping[int, Threshold]
    roles: Mapping[str, RolePerformance]
    averaged: FoldAverage | None

    @property
    def threshold(self) -> Threshold:
        """That of the fold that is kept: what the served model decides with."""
        return self.thresholds[max(self.thresholds)]


def performances(judgement: Judgement, confidence: float) -> tuple[ModelPerformance, ...]:
    """Every model in every role, on the same patients."""
    models = judgement.roles[CHOOSES].scores
    return tuple(_performance(model, judgement, confidence) for model in models)


def _performance(model: str, judgement: Judgement, confidence: float) -> ModelPerformance:
    thresholds = {fold.number: _chosen(model, fold) for fold in judgement.folds}
    roles = {
        role: _in_role(judgement, role, model, thresholds, confidence) for role in judgement.roles
    }
    averaged = fold_average(judgement.crossed, model, confidence) if judgement.crossed else None
    return ModelPerformance(model, thresholds, roles, averaged)


def _chosen(model: str, fold: Fold) -> Threshold:
    chosen_on = fold.roles[CHOOSES]
    return choose_youden(chosen_on.labels, chosen_on.scores[model], role=CHOOSES)


def _in_role(
    judgement: Judgement,
    role: str,
    model: str,
    thresholds: Mapping[int, Threshold],
    confidence: float,
) -> RolePerformance:
    among = judgement.roles[role]
    scores = among.scores[model]
    applied = tuple(
        _applied(fold, role, model, thresholds[fold.number], confidence)
        for fold in judgement.judging(role)
    )
    return RolePerformance(
        role=role,
        patients=len(among.patients),
        events=among.events,
        auc=auc(among.labels, scores, confidence),
        average_precision=average_precision(among.labels, scores, confidence),
        applied=applied,
        at_threshold=_together(applied, confidence),
        calibration=calibration(among.labels, scores, confidence),
    )


def _applied(fold: Fold, role: str, model: str, threshold: Threshold, confidence: float) -> Applied:
    among = fold.roles[role]
    return apply_threshold(
        threshold,
        among.labels,
        among.scores[model],
        role=role,
        apparent=role == CHOOSES,
        confidence=confidence,
    )


def _together(applied: Sequence[Applied], confidence: float) -> Classification:
    """The figures of all decisions, each made at the threshold of its own fold."""
    if len(applied) == 1:
        return applied[0].figures
    counts = [each.figures.confusion for each in applied]
    summed = Confusion(
        true_positive=sum(each.true_positive for each in counts),
        false_positive=sum(each.false_positive for each in counts),
        true_negative=sum(each.true_negative for each in counts),
        false_negative=sum(each.false_negative for each in counts),
    )
    return figures_of(summed, math.nan, confidence)
