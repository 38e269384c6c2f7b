"""What deciding by each model is worth, over the risks at which somebody would act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oncotrail.evaluation.judged import Judged
from oncotrail.statistics.decision.benefit import DecisionCurves, DecisionPoint
from oncotrail.statistics.decision.net_benefit import decision_curves

THRESHOLDS = np.arange(1, 100) / 100
COLUMNS = (
    *("role", "strategy", "threshold", "treated", "net_benefit", "low", "high"),
    *("standardised", "interventions_avoided"),
)


def decisions(among: Judged, models: Sequence[str], confidence: float) -> DecisionCurves:
    """The decision curves of these models on the patients of one role."""
    scores = {model: among.scores[model] for model in models}
    return decision_curves(among.labels, scores, THRESHOLDS, confidence=confidence)


def decision_table(among: Judged, models: Sequence[str], confidence: float) -> pd.DataFrame:
    """A row per strategy and threshold; treating everybody is a strategy too."""
    found = decisions(among, models, confidence)
    strategies = {**found.models, "treat_all": found.treat_all}
    rows = [
        [among.role, name, *_cells(point)]
        for name, points in strategies.items()
        for point in points
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _cells(point: DecisionPoint) -> Iterator[Any]:
    worth = point.net_benefit
    yield from (point.threshold, point.treated)
    yield from (None, None, None) if worth is None else (worth.value, worth.low, worth.high)
    for figure in (point.standardised, point.interventions_avoided):
        yield None if figure is None else figure.value
