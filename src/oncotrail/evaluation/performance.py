"""How well each model does in each role that judges.

The threshold of a model is chosen on its validation patients and then stays: the figures of test
and external patients cannot move it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oncotrail.evaluation.calibration import Calibration, calibration
from oncotrail.evaluation.judged import CHOOSES, Judged
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.classification.figures import Classification, classify
from oncotrail.statistics.classification.thresholds import youden_threshold
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.discrimination.precision_recall import average_precision
from oncotrail.statistics.intervals import Estimate
from oncotrail.study.evaluation import AT_THRESHOLD, CALIBRATION


@dataclass(frozen=True)
class RolePerformance:
    """One model's figures on the patients of one role."""

    role: str
    patients: int
    events: int
    auc: Estimate
    average_precision: Estimate
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
    """One model: its threshold, chosen on the validation patients, and its figures by role."""

    model: str
    threshold: float
    roles: Mapping[str, RolePerformance]


def performances(judged: Mapping[str, Judged], confidence: float) -> tuple[ModelPerformance, ...]:
    """Every model in every role, on the same patients."""
    return tuple(_performance(model, judged, confidence) for model in judged[CHOOSES].scores)


def _performance(model: str, judged: Mapping[str, Judged], confidence: float) -> ModelPerformance:
    threshold = youden_threshold(judged[CHOOSES].labels, judged[CHOOSES].scores[model])
    roles = {
        role: _in_role(among, among.scores[model], threshold, confidence)
        for role, among in judged.items()
    }
    return ModelPerformance(model, threshold, roles)


def _in_role(among: Judged, scores: Floats, threshold: float, confidence: float) -> RolePerformance:
    return RolePerformance(
        role=among.role,
        patients=len(among.patients),
        events=among.events,
        auc=auc(among.labels, scores, confidence),
        average_precision=average_precision(among.labels, scores, confidence),
        at_threshold=classify(among.labels, scores, threshold, confidence),
        calibration=calibration(among.labels, scores, confidence),
    )
