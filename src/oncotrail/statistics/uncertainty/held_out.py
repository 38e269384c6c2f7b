"""One figure of all held-out predictions of a cross-validation, and the mean of the folds' own.

They answer different questions. Pooling ranks patients of different folds against each other, so it
suffers where the folds' models speak on different scales; averaging never does, and is undefined in
a fold with one outcome (Airola et al., Computational Statistics and Data Analysis 2011, 55:1828).

Each fold is a weighting of the rows, 1 inside and 0 outside, so one call of a figure of metrics.py
gives them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import groups, scored
from oncotrail.statistics.uncertainty.metrics import Metric


@dataclass(frozen=True)
class PooledAndAveraged:
    """A figure of all held-out predictions together, and the mean of the folds' own.

    `folds` holds each fold's figure, None where undefined; then `averaged` is None too, for a mean
    over the remaining folds would be of other patients. There is no interval here, for the two need
    different ones: see `pooled_and_averaged`.
    """

    pooled: float | None
    averaged: float | None
    folds: tuple[float | None, ...]
    n: int
    events: int


def pooled_and_averaged(
    metric: Metric, labels: ArrayLike, scores: ArrayLike, folds: ArrayLike
) -> PooledAndAveraged:
    """A figure of `metrics`, over all held-out predictions and fold by fold.

    `folds` names the fold of each row. Averages count folds alike, whatever their size. Intervals:
    of the average `cross_validation.fold_interval`, of the pooled figure `bootstrap.bootstrap`.

    >>> from oncotrail.statistics.uncertainty.metrics import auc
    >>> found = pooled_and_averaged(auc, [0, 1, 0, 1], [0.1, 0.3, 0.5, 0.7], [1, 1, 2, 2])
    >>> found.pooled, found.averaged
    (0.75, 1.0)
    """
    rows = scored(labels, scores)
    fold = groups(folds, rows.n, name="folds")
    held_out = fold == np.arange(fold.max() + 1)[:, None]
    weights = np.vstack([np.ones(rows.n), held_out])
    pooled, *each = (
        float(figure) if np.isfinite(figure) else None
        for figure in metric(rows.labels, rows.scores, weights)
    )
    defined = [figure for figure in each if figure is not None]
    averaged = math.fsum(defined) / len(each) if len(defined) == len(each) else None
    return PooledAndAveraged(pooled, averaged, tuple(each), rows.n, rows.events)
