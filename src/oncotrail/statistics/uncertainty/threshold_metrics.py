"""Figures at a threshold, on many resamples at once, as metrics.py has it.

A row is called positive at `score >= threshold`, in every resample alike. So the four cells of the
confusion matrix are the weights (resamples x rows) times four columns of 0 and 1, and each figure
is a ratio of sums of cells: NaN in a resample where its denominator is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, scored
from oncotrail.statistics.uncertainty.metrics import ratio, row_weights


def accuracy(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Share called right at `score >= threshold`; higher is better.

    >>> accuracy([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).round(4).tolist()
    [0.6667]
    """
    cells = _cells(labels, scores, weights, threshold)
    return ratio(cells.tp + cells.tn, cells.tp + cells.fp + cells.tn + cells.fn)


def balanced_accuracy(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Mean of sensitivity and specificity; undefined in a resample with one outcome only.

    >>> balanced_accuracy([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).tolist()
    [0.75]
    """
    cells = _cells(labels, scores, weights, threshold)
    return (cells.sensitivity + cells.specificity) / 2


def sensitivity(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Share of the events that are called positive; undefined without events.

    >>> sensitivity([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).tolist()
    [0.5]
    """
    return _cells(labels, scores, weights, threshold).sensitivity


def specificity(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Share of the rows without the event that are called negative; undefined without any.

    >>> specificity([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).tolist()
    [1.0]
    """
    return _cells(labels, scores, weights, threshold).specificity


def ppv(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Share of those called positive who had the event; undefined where nobody is called.

    >>> ppv([0, 1, 1], [0.6, 0.4, 0.9], threshold=0.5).tolist()
    [0.5]
    """
    cells = _cells(labels, scores, weights, threshold)
    return ratio(cells.tp, cells.tp + cells.fp)


def npv(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Share of those called negative who had no event; undefined where all are called positive.

    >>> npv([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).tolist()
    [0.5]
    """
    cells = _cells(labels, scores, weights, threshold)
    return ratio(cells.tn, cells.tn + cells.fn)


def f1(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Harmonic mean of sensitivity and PPV; undefined without events and without calls.

    >>> f1([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).round(4).tolist()
    [0.6667]
    """
    cells = _cells(labels, scores, weights, threshold)
    return ratio(2 * cells.tp, 2 * cells.tp + cells.fp + cells.fn)


def mcc(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float
) -> Floats:
    """Matthews' correlation of call and outcome, -1 to 1; 0 is chance, higher is better.

    Undefined where one outcome or one call does not occur.

    >>> mcc([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5).round(4).tolist()
    [0.5]
    """
    cells = _cells(labels, scores, weights, threshold)
    margins = [
        np.sqrt(one + other) for one in (cells.tp, cells.tn) for other in (cells.fp, cells.fn)
    ]
    return ratio(cells.tp * cells.tn - cells.fp * cells.fn, np.prod(margins, axis=0))


@dataclass(frozen=True, eq=False)
class _Cells:
    """The confusion matrix of every resample, as weights."""

    tp: Floats
    fp: Floats
    tn: Floats
    fn: Floats

    @property
    def sensitivity(self) -> Floats:
        return ratio(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> Floats:
        return ratio(self.tn, self.tn + self.fp)


def _cells(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None, threshold: float
) -> _Cells:
    rows = scored(labels, scores)
    called = rows.scores >= threshold
    kinds = (called & rows.labels, called & ~rows.labels, ~called & ~rows.labels)
    every = row_weights(weights, rows.n)
    columns = np.column_stack([*kinds, ~called & rows.labels]).astype(np.float64)
    return _Cells(*(every @ columns).T)
