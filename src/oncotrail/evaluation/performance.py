"""How well each model does in each role that judges.

The threshold of a model is chosen on its validation patients and then stays: the figures of test
and external patients cannot move it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oncotrail.evaluation.judged import CHOOSES, Judged
from oncotrail.statistics.classification.figures import Classification, classify
from oncotrail.statistics.classification.thresholds import youden_threshold
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.intervals import Estimate
from oncotrail.study.evaluation import METRICS


@dataclass(frozen=True)
class RolePerformance:
    """One model's figures on the patients of one role."""

    role: str
    patients: int
    events: int
    auc: Estimate
    at_threshold: Classification

    def figures(self) -> dict[str, Estimate | None]:
        """All figures by name, in the order of `METRICS`; None is undefined."""
        return {
            name: self.auc if name == "auc" else getattr(self.at_threshold, name)
            for name in METRICS
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
    return ModelPerformance(
        model=model,
        threshold=threshold,
        roles={
            role: RolePerformance(
                role=role,
                patients=len(among.patients),
                events=among.events,
                auc=auc(among.labels, among.scores[model], confidence),
                at_threshold=classify(among.labels, among.scores[model], threshold, confidence),
            )
            for role, among in judged.items()
        },
    )
