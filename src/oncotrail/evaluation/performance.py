"""How well each model does in each role that judges.

The threshold of a model is chosen on its validation patients and then stays: the figures of test
and external patients cannot move it, and a threshold that was chosen on them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oncotrail.evaluation.calibration import Calibration, calibration
from oncotrail.evaluation.judged import CHOOSES, Judged
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
    """One model's figures on the patients of one role."""

    role: str
    patients: int
    events: int
    auc: Estimate
    average_precision: Estimate
    at_threshold: Applied
    calibration: Calibration

    def figures(self) -> dict[str, Estimate | None]:
        """All figures by name, in the order of `METRICS`; None is undefined."""
        return {
            "auc": self.auc,
            "average_precision": self.average_precision,
            **{name: getattr(self.at_threshold.figures, name) for name in AT_THRESHOLD},
            **{name: getattr(self.calibration, name) for name in CALIBRATION},
        }


@dataclass(frozen=True)
class ModelPerformance:
    """One model: its threshold, chosen on the validation patients, and its figures by role."""

    model: str
    threshold: Threshold
    roles: Mapping[str, RolePerformance]


def performances(judged: Mapping[str, Judged], confidence: float) -> tuple[ModelPerformance, ...]:
    """Every model in every role, on the same patients."""
    return tuple(_performance(model, judged, confidence) for model in judged[CHOOSES].scores)


def _performance(model: str, judged: Mapping[str, Judged], confidence: float) -> ModelPerformance:
    chosen_on = judged[CHOOSES]
    threshold = choose_youden(chosen_on.labels, chosen_on.scores[model], role=CHOOSES)
    roles = {role: _in_role(among, model, threshold, confidence) for role, among in judged.items()}
    return ModelPerformance(model, threshold, roles)


def _in_role(among: Judged, model: str, threshold: Threshold, confidence: float) -> RolePerformance:
    scores = among.scores[model]
    return RolePerformance(
        role=among.role,
        patients=len(among.patients),
        events=among.events,
        auc=auc(among.labels, scores, confidence),
        average_precision=average_precision(among.labels, scores, confidence),
        at_threshold=apply_threshold(
            threshold,
            among.labels,
            scores,
            role=among.role,
            apparent=among.role == CHOOSES,
            confidence=confidence,
        ),
        calibration=calibration(among.labels, scores, confidence),
    )
