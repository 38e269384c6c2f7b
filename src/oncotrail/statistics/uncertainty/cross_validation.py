"""What folds and seeds say, without pretending that they are independent.

Folds share their training patients, so their figures vary together and a plain t interval over them
is far too narrow. Nadeau and Bengio (Machine Learning 2003, 52:239) widen it: with J folds (all
repeats together), n1 training and n2 test patients in each, the variance of the mean is

    (1 / J + n2 / n1) s^2,    with J - 1 degrees of freedom,

where s^2 is the variance between folds. The plain interval is not offered.

Seeds are another matter: the same patients, trained again. A t interval over seeds covers where the
mean over all seeds lies *on these patients*. It says nothing of other patients: for those, resample
patients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from oncotrail.statistics.arrays import (
    Floats,
    checked_confidence,
    column,
    groups,
    scored,
)

Metric = Callable[[ArrayLike, ArrayLike, ArrayLike], Floats]


@dataclass(frozen=True)
class Repeated:
    """A mean over folds or seeds, with its interval; `figures` is how many went in.

    Where all figures are equal the standard error is 0 and the interval has no width to trust: low
    and high are None.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    standard_error: float
    degrees_of_freedom: int
    figures: int
    covers: str


@dataclass(frozen=True)
class FoldTest:
    """Nadeau and Bengio's test that the mean difference is 0; t and p are None without spread."""

    difference: float
    t: float | None
    p_value: float | None
    degrees_of_freedom: int
    folds: int


@dataclass(frozen=True)
class PooledAndAveraged:
    """A figure of all held-out predictions together, and the mean of the folds' own.

    `folds` holds each fold's figure, None where undefined; then `averaged` is None too, for a mean
    over the remaining folds would be of other patients.
    """

    pooled: float | None
    averaged: float | None
    folds: tuple[float | None, ...]
    n: int
    events: int


def fold_interval(
    figures: ArrayLike, *, train: ArrayLike, test: ArrayLike, confidence: float = 0.95
) -> Repeated:
    """The corrected interval for a figure over the folds of a (repeated) cross-validation.

    `figures` has one number for each fold of every repeat; `train` and `test` are the numbers of
    patients, the same for all folds or one for each.

    >>> found = fold_interval([0.71, 0.78, 0.69, 0.74, 0.80], train=560, test=140)
    >>> round(found.low, 3), round(found.high, 3)
    (0.658, 0.83)
    """
    values = _several(figures, "figures")
    error = _corrected_error(values, train, test)
    covers = "other training and test sets of these sizes from the same population"
    return _interval(values, error, confidence, covers)


def fold_test(differences: ArrayLike, *, train: ArrayLike, test: ArrayLike) -> FoldTest:
    """Two-sided test of two models over the same folds, from each fold's difference.

    >>> found = fold_test([0.02, 0.05, -0.01, 0.03, 0.04], train=560, test=140)
    >>> round(found.t, 3), round(found.p_value, 3)
    (1.684, 0.168)
    """
    values = _several(differences, "differences")
    error, freedom = _corrected_error(values, train, test), values.size - 1
    mean = float(values.mean())
    t = mean / error if error else None
    p_value = None if t is None else float(2 * stdtr(freedom, -abs(t)))
    return FoldTest(mean, t, p_value, freedom, values.size)


def seed_interval(figures: ArrayLike, confidence: float = 0.95) -> Repeated:
    """A t interval for the mean over training seeds, on the same patients.

    >>> found = seed_interval([0.81, 0.79, 0.80, 0.83, 0.80])
    >>> round(found.low, 3), round(found.high, 3)
    (0.787, 0.825)
    >>> found.covers
    'other seeds on these same patients; not other patients'
    """
    values = _several(figures, "figures")
    error = _spread(values) / math.sqrt(values.size)
    return _interval(
        values, error, confidence, "other seeds on these same patients; not other patients"
    )


def pooled_and_averaged(
    metric: Metric, labels: ArrayLike, scores: ArrayLike, folds: ArrayLike
) -> PooledAndAveraged:
    """A figure of `metrics`, over all held-out predictions and fold by fold.

    They answer different questions. Pooling ranks patients of different folds against each other,
    so it suffers where the folds' models speak on different scales; averaging never does, and is
    undefined in a fold with one outcome (Airola et al., Computational Statistics and Data Analysis
    2011, 55:1828). Averages count folds alike, whatever their size.

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


def _several(figures: ArrayLike, name: str) -> Floats:
    values = column(figures, name)
    if values.size < 2:
        raise ValueError(f"{name}: found 1; expected at least 2, for one has no spread.")
    return values


def _spread(values: Floats) -> float:
    # Equal figures have a spread of exactly zero, which rounding in the mean would hide.
    return 0.0 if np.ptp(values) == 0 else float(values.std(ddof=1))


def _corrected_error(values: Floats, train: ArrayLike, test: ArrayLike) -> float:
    training, testing = (
        column(np.broadcast_to(np.asarray(size), np.shape(size) or (1,)), name, low=1)
        for size, name in ((train, "train"), (test, "test"))
    )
    for sizes, name in ((training, "train"), (testing, "test")):
        if sizes.size not in (1, values.size):
            raise ValueError(
                f"{name}: found {sizes.size} sizes; expected 1 or one for each of "
                f"{values.size} folds."
            )
    share = float(testing.mean() / training.mean())
    return math.sqrt(1 / values.size + share) * _spread(values)


def _interval(values: Floats, error: float, confidence: float, covers: str) -> Repeated:
    freedom = values.size - 1
    half = float(stdtrit(freedom, (1 + checked_confidence(confidence)) / 2)) * error
    mean = float(values.mean())
    return Repeated(
        value=mean,
        low=mean - half if half else None,
        high=mean + half if half else None,
        confidence=confidence,
        standard_error=error,
        degrees_of_freedom=freedom,
        figures=values.size,
        covers=covers,
    )
