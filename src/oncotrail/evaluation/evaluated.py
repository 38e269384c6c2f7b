"""One study's evaluation, from its tables to everything that is reported of its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from oncotrail.evaluation.comparison import Comparison, comparisons
from oncotrail.evaluation.judged import CHOOSES, Judged, judge
from oncotrail.evaluation.performance import ModelPerformance, performances
from oncotrail.record import FittedOn
from oncotrail.study.evaluation import Evaluation


@dataclass(frozen=True)
class Evaluated:
    """The patients that judged, every model's performance, and the fusions against each other."""

    study: str
    asked: Evaluation
    judged: Mapping[str, Judged]
    fusions: tuple[str, ...]  # the models compared and drawn together
    performances: tuple[ModelPerformance, ...]
    comparisons: tuple[Comparison, ...]

    def short(self, model: str) -> str:
        """A model's name within the study."""
        return model.removeprefix(f"{self.study}-")

    def fitted_on(self) -> list[FittedOn]:
        """Whom each threshold was chosen on, for the audit."""
        patients = self.judged[CHOOSES].patients
        return [
            FittedOn(f"{each.model}/threshold", "threshold", patients) for each in self.performances
        ]


def evaluate(
    study: str,
    asked: Evaluation,
    *,
    fused: pd.DataFrame,
    networks: Iterable[pd.DataFrame],
    cohort: pd.DataFrame,
    split: pd.DataFrame,
) -> Evaluated:
    """Judge all models by the same patients; `fused` and `networks` are predictions tables."""
    fusions = tuple(fused["model"].astype(str).unique())
    predictions = pd.concat([fused, *networks], ignore_index=True)
    judged = judge(predictions, cohort, split, asked.outcome)
    return Evaluated(
        study=study,
        asked=asked,
        judged=judged,
        fusions=fusions,
        performances=performances(judged, asked.confidence),
        comparisons=comparisons(judged, fusions, asked.confidence),
    )
