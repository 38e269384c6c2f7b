"""How much each patient moves a figure, and the error that follows from all of them.

The influence of a patient is the derivative of the figure by the patient's weight, times that
weight. Influences add up to zero, and their squares to the variance: the infinitesimal jackknife.
Rows of one cluster (a patient's lesions, a centre) move together, so they are summed before they
are squared. A row counts once, however heavy: a weight of 2 has the error of the same patient
listed twice in one cluster, not that of two patients.

Sums, differences and ratios of figures on the same patients have the same sums, differences and
ratios of influences, so that no covariance needs to be known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Integers
from oncotrail.statistics.case_weights import square_weights
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.intervals import normal_quantile

ROUNDING = 1e-12  # a standard error below this is none: it would claim certainty


@dataclass(frozen=True, eq=False)
class Influenced:
    """A figure, and each row's influence on it; `clusters` numbers the rows that move together."""

    value: float
    influence: Floats
    clusters: Integers | None = None

    @property
    def error(self) -> float | None:
        """The standard error; None where it is zero but for rounding.

        >>> Influenced(0.5, np.array([0.3, -0.4])).error
        0.5
        """
        return jackknife_error(self.influence, self.clusters)

    def minus(self, other: Influenced) -> Influenced:
        """The difference to another figure of the same rows."""
        influence = self.influence - other.influence
        return Influenced(self.value - other.value, influence, self.clusters)

    def over(self, other: Influenced) -> Influenced:
        """The ratio to another figure of the same rows, by the delta method."""
        ratio = self.value / other.value
        influence = (self.influence - ratio * other.influence) / other.value
        return Influenced(ratio, influence, self.clusters)


@dataclass(frozen=True, eq=False)
class Influences:
    """How influences per unit of weight become those of `Influenced`.

    Rows of one of `clusters` are summed there, so their weights stay as they are; independent rows
    are squared one by one, so that a whole weight w, which counts patients, comes in by its root.
    """

    factors: Floats
    clusters: Integers | None

    @classmethod
    def of(cls, weights: Floats, clusters: ArrayLike | None, kept: Flags) -> Influences:
        """Of the rows that are kept, their weights, and the cluster of every row that came in."""
        if clusters is None:
            return cls(np.sqrt(square_weights(weights)), None)
        return cls(weights, numbered_clusters(clusters, kept.size, kept)[kept])

    def on(self, value: float, each: Floats) -> Influenced:
        """A figure, from how much it grows with each row's weight.

        >>> known = Influences.of(np.array([4.0, 1.0]), None, np.array([True, True]))
        >>> known.on(0.5, np.array([0.1, -0.2])).influence.tolist()
        [0.2, -0.2]
        """
        return Influenced(value, self.factors * each, self.clusters)


def jackknife_error(influence: Floats, clusters: Integers | None = None) -> float | None:
    """The infinitesimal jackknife's standard error; None where it is zero but for rounding.

    >>> jackknife_error(np.array([0.3, -0.4])), jackknife_error(np.zeros(2))
    (0.5, None)
    """
    error = math.sqrt(float((by_cluster(influence, clusters) ** 2).sum()))
    return error if error > ROUNDING else None


def by_cluster(values: Floats, clusters: Integers | None) -> Floats:
    """Sums of the rows' values over each cluster; the values themselves where there are none.

    >>> by_cluster(np.array([0.5, 0.25, 1.0]), np.array([0, 1, 0])).tolist()
    [1.5, 0.25]
    """
    return values if clusters is None else np.bincount(clusters, values).astype(np.float64)


def with_interval(
    figure: Influenced | None, confidence: float, lowest: float = 0.0, highest: float = 1.0
) -> tuple[float | None, float | None, float | None, float | None]:
    """Value, error, and the ends of the normal interval, cut at `lowest` and `highest`.

    All are None where there is no figure, and all but the value where there is no spread.

    >>> value, error, low, high = with_interval(Influenced(0.9, np.array([0.05, -0.05])), 0.95)
    >>> round(low, 3), high
    (0.761, 1.0)
    """
    quantile = normal_quantile(confidence)
    if figure is None:
        return None, None, None, None
    value, error = figure.value, figure.error
    if error is None:
        return value, None, None, None
    half = quantile * error
    # A weighted figure may itself lie beyond; its interval holds it all the same.
    low, high = max(lowest, value - half), min(highest, value + half)
    return value, error, min(low, value), max(high, value)


def weighted_sum(figures: Sequence[Influenced | None], shares: Floats) -> Influenced | None:
    """The figures times their shares; None where one that counts is undefined, or none counts.

    >>> halves = [Influenced(0.5, np.array([0.1, -0.1])), None, Influenced(0.7, np.zeros(2))]
    >>> round(weighted_sum(halves, np.array([0.5, 0.0, 0.5])).value, 3)
    0.6
    """
    counted = [
        (figure, float(share)) for figure, share in zip(figures, shares, strict=True) if share
    ]
    defined = [(figure, share) for figure, share in counted if figure is not None]
    if not counted or len(defined) < len(counted):
        return None
    value, influence = 0.0, np.zeros(defined[0][0].influence.size)
    for figure, share in defined:
        value += share * figure.value
        influence += share * figure.influence
    return Influenced(value, influence, defined[0][0].clusters)
