"""The figures of a model on many resamples at once: one weighting of the rows for each.

A resample is how often each row was drawn, so a figure on 2,000 resamples is a figure with 2,000
sets of weights (resamples x rows). What is a sum becomes one matrix product. What needs an order
(the area under the ROC curve, average precision) sorts the rows once, since the scores stay while
the weights change, and takes cumulative sums of the weights along that order: a row with the
outcome finds the weight of those below it at a fixed place of the sum, ties at two places whose
mean counts. Figures at a threshold are in threshold_metrics.py.

Every function takes weights of shape resamples x rows (none: one resample, each row once) and gives
one number per resample, NaN where the figure is undefined there. Those who call (`bootstrap`,
`permutation`) count the undefined; a result never holds NaN. An undefined figure is one with a
denominator of zero: scikit-learn answers 0 and a warning then.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, probable, scored

Metric = Callable[[ArrayLike, ArrayLike, ArrayLike], Floats]  # of labels, scores and weights


def auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Area under the ROC curve, 0 to 1, ties counting one half; higher is better.

    Undefined in a resample with one outcome only.

    >>> auc([0, 1, 0, 1], [0.1, 0.3, 0.3, 0.9], [[1, 1, 1, 1], [1, 0, 0, 1]]).tolist()
    [0.875, 1.0]
    """
    rows = scored(labels, scores)
    every = row_weights(weights, rows.n)
    positives, negatives = np.flatnonzero(rows.labels), np.flatnonzero(~rows.labels)
    negatives = negatives[np.argsort(rows.scores[negatives])]
    lower, upper = (
        np.searchsorted(rows.scores[negatives], rows.scores[positives], side)
        for side in ("left", "right")
    )
    positive, below = every.take(positives, axis=1), _running(every.take(negatives, axis=1))
    won = np.einsum("ij,ij->i", positive, below.take(lower, axis=1))
    if (lower != upper).any():  # ties: half of what lies between
        won = (won + np.einsum("ij,ij->i", positive, below.take(upper, axis=1))) / 2
    return ratio(won, positive.sum(axis=1) * below[:, -1])


def average_precision(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> Floats:
    """Precision averaged over the events found, 0 to 1; higher is better, prevalence is chance.

    The sum of precision times the rise in recall, over the distinct scores from the highest down;
    nothing is interpolated. Undefined in a resample without events.

    >>> average_precision([0, 1, 0, 1], [0.1, 0.3, 0.3, 0.9]).round(4).tolist()
    [0.8333]
    """
    rows = scored(labels, scores)
    every = row_weights(weights, rows.n)
    order = np.argsort(-rows.scores)
    found = order[rows.labels[order]]  # events, the highest score first
    # As far as the last row of the same score: called positive together.
    called = np.searchsorted(-rows.scores[order], -rows.scores[found], "right")
    events = np.searchsorted(-rows.scores[found], -rows.scores[found], "right")
    weight = every.take(found, axis=1)
    total = _running(every.take(order, axis=1)).take(called, axis=1)
    right = _running(weight).take(events, axis=1)
    precision = np.divide(right, total, out=np.zeros_like(right), where=total > 0)
    return ratio(np.einsum("ij,ij->i", weight, precision), weight.sum(axis=1))


def brier(labels: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Mean squared distance of probability and outcome, 0 to 1; lower is better.

    >>> brier([0, 1], [0.2, 0.6]).round(4).tolist()
    [0.1]
    """
    rows = probable(labels, probabilities)
    every = row_weights(weights, rows.n)
    return ratio(every @ (rows.scores - rows.labels) ** 2, every.sum(axis=1))


def scaled_brier(
    labels: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Floats:
    """1 - Brier / (Brier of the prevalence for everybody): at most 1, 0 is no better than that.

    The prevalence is the resample's own; undefined in a resample with one outcome only.

    >>> scaled_brier([0, 1], [0.2, 0.6]).round(4).tolist()
    [0.6]
    """
    rows = probable(labels, probabilities)
    every = row_weights(weights, rows.n)
    prevalence = ratio(every @ rows.labels, every.sum(axis=1))
    return 1 - ratio(brier(labels, probabilities, every), prevalence * (1 - prevalence))


def observed_expected(
    labels: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Floats:
    """Events observed for each that the probabilities announce; 1 is right, above 1 too few.

    >>> observed_expected([0, 1, 1], [0.25, 0.5, 0.25]).tolist()
    [2.0]
    """
    rows = probable(labels, probabilities)
    every = row_weights(weights, rows.n)
    return ratio(every @ rows.labels, every @ rows.scores)


def row_weights(weights: ArrayLike | None, n: int) -> Floats:
    """Weights as resamples x rows, at least 0; none is one resample with each row once.

    >>> row_weights([2, 0, 1], 3).tolist()
    [[2.0, 0.0, 1.0]]
    """
    if weights is None:
        return np.ones((1, n))
    found = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if found.ndim != 2 or found.shape[1] != n:
        raise ValueError(f"found weights of shape {found.shape}; expected resamples x {n} rows.")
    lowest = found.min(initial=0.0)
    if not (lowest >= 0 and found.max(initial=0.0) < np.inf):  # a NaN is neither
        raise ValueError(f"found weights from {lowest}; expected finite ones of at least 0.")
    return found


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """One over the other, NaN where the denominator is 0.

    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist()
    [0.5, nan]
    """
    found = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=found, where=denominator > 0)
    return found


def _running(values: Floats) -> Floats:
    """Sums of the first 0, 1, 2 ... columns."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
