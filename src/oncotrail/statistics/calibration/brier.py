"""The mean squared error of probabilities, which rewards calibration and discrimination together.

The Brier score is the mean of (p - y)^2 (Brier, Monthly Weather Review 1950, 78:1). How small it
can be depends on the prevalence: predicting the prevalence m for everybody scores m (1 - m). The
*scaled* score, 1 - Brier / (m (1 - m)), is the share of that which the model takes away (Steyerberg
et al., Epidemiology 2010, 21:128).

Both are means over patients, or ratios of such means, so each patient's influence on them can be
written down, and the variance is the mean squared influence over n. Whole weights count patients: a
weight of 2 is the row twice. Others (the inverse of a probability) make the means weighted, and a
patient's influence counts with its square (the sandwich variance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Undefined, probable
from oncotrail.statistics.case_weights import square_weights
from oncotrail.statistics.intervals import Estimate, Interval, normal_quantile, wilson

_ROUNDING = 1e-12  # squared errors that differ by less are equal


@dataclass(frozen=True)
class SpiegelhalterTest:
    """Two-sided test that the probabilities are right; z above 0: a larger Brier score than that.

    Both are None where the probabilities are all 0, 0.5 or 1, whose score does not depend on
    whether they are right.
    """

    z: float | None
    p_value: float | None
    n: int
    events: int


def brier(
    labels: ArrayLike,
    probabilities: ArrayLike,
    confidence: float = 0.95,
    *,
    weights: ArrayLike | None = None,
) -> Estimate:
    """Brier score, 0 to 1; lower is better, and m (1 - m) is what the prevalence m alone scores.

    A normal interval from the spread of the squared errors (as riskRegression::Score), cut at 0 and
    1. Where every probability is 0 or 1 the score is a proportion of errors, and the interval
    Wilson's. So it is where all errors are equal, which show no spread and would claim certainty:
    squared errors are 0 to 1, so their variance is at most that of a proportion of the same mean.
    This is wide, also where 0.5 for everybody scores 0.25 whatever happens. `n` and `events` count
    rows of weight above 0.

    >>> found = brier([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.1581, 0.0, 0.3422)
    """
    judged = _Judged.of(labels, probabilities, weights)
    value, certain = judged.mean(judged.errors), bool(np.isin(judged.risks, (0, 1)).all())
    if certain or (judged.number > 1 and np.ptp(judged.errors) < _ROUNDING):
        ends = judged.wilson(confidence)
        return judged.estimate(value, ends, confidence, "Wilson")
    half = judged.half(judged.errors - value, confidence)
    ends = Interval(max(0.0, value - half), min(1.0, value + half))
    return judged.estimate(value, ends, confidence, "normal")


def scaled_brier(
    labels: ArrayLike,
    probabilities: ArrayLike,
    confidence: float = 0.95,
    *,
    weights: ArrayLike | None = None,
) -> Estimate | None:
    """1 - Brier / (m (1 - m)), m the prevalence here; 1 is best, 0 as good as the prevalence.

    Below 0 it is worse than predicting the prevalence for everybody. Also called the index of
    prediction accuracy (Kattan and Gerds, Diagnostic and Prognostic Research 2018, 2:7). A normal
    interval by the delta method, the prevalence counted as estimated. Where that shows no spread
    (perfect predictions, or the prevalence for everybody) it is Wilson's of the Brier score, the
    prevalence taken as known. None where everybody or nobody had the outcome.

    >>> round(scaled_brier([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
    0.3675
    """
    judged = _Judged.of(labels, probabilities, weights)
    if judged.labels.all() or not judged.labels.any():
        return None
    unpredicted = np.square(judged.labels - judged.mean(judged.labels))
    most = judged.mean(unpredicted)
    ratio = judged.mean(judged.errors) / most
    # The ratio of two means; that of `unpredicted` does not feel the prevalence to first order.
    influence = (judged.errors - ratio * unpredicted) / most
    if np.abs(influence).max() < _ROUNDING:
        ends = judged.wilson(confidence)
        ends = Interval(1 - ends.high / most, 1 - ends.low / most)
        return judged.estimate(1 - ratio, ends, confidence, "Wilson")
    half = judged.half(influence, confidence)
    ends = Interval(1 - ratio - half, min(1.0, 1 - ratio + half))
    return judged.estimate(1 - ratio, ends, confidence, "delta")


def spiegelhalter(
    labels: ArrayLike, probabilities: ArrayLike, *, weights: ArrayLike | None = None
) -> SpiegelhalterTest:
    """Spiegelhalter's test of whether the Brier score is what right probabilities would give.

    z = sum (y - p)(1 - 2 p) / sqrt(sum (1 - 2 p)^2 p (1 - p)) (Spiegelhalter, Statistics in
    Medicine 1986, 5:421).

    >>> round(spiegelhalter([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).z, 3)
    -0.223
    """
    judged = _Judged.of(labels, probabilities, weights)
    p, y, tilt = judged.risks, judged.labels, 1 - 2 * judged.risks
    variance = float(judged.squares @ (tilt**2 * p * (1 - p)))
    if variance == 0:
        return SpiegelhalterTest(None, None, judged.n, judged.events)
    z = float(judged.weights @ ((y - p) * tilt)) / math.sqrt(variance)
    return SpiegelhalterTest(z, float(2 * ndtr(-abs(z))), judged.n, judged.events)


@dataclass(frozen=True, eq=False)
class _Judged:
    """The patients whose weight is above 0, and what their squared influence counts."""

    labels: Flags
    risks: Floats
    weights: Floats
    squares: Floats

    @classmethod
    def of(cls, labels: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None) -> _Judged:
        patients = probable(labels, probabilities)
        weight = arrays.weights(weights, patients.n)
        there = weight > 0
        weight = weight[there]
        return cls(patients.labels[there], patients.scores[there], weight, square_weights(weight))

    @property
    def n(self) -> int:
        return self.labels.size

    @property
    def events(self) -> int:
        return int(self.labels.sum())

    @property
    def errors(self) -> Floats:
        return np.asarray((self.risks - self.labels) ** 2)

    @property
    def number(self) -> float:
        """How many patients: their count, if weights count them, or as many as they are worth."""
        return max(1.0, float(self.weights.sum()) ** 2 / float(self.squares.sum()))

    def mean(self, values: NDArray[Any]) -> float:
        return float(np.average(values, weights=self.weights))

    def half(self, influence: Floats, confidence: float) -> float:
        """Half the width of a normal interval, from influences whose mean is 0."""
        if self.n == 1:
            raise Undefined("found 1 patient; an interval needs at least 2.")
        variance = float(self.squares @ influence**2) / float(self.weights.sum()) ** 2
        return normal_quantile(confidence) * math.sqrt(variance * self.number / (self.number - 1))

    def wilson(self, confidence: float) -> Interval:
        """Wilson's interval for the mean squared error, as if the errors were 0 and 1."""
        return wilson(min(self.mean(self.errors), 1.0) * self.number, self.number, confidence)

    def estimate(self, value: float, ends: Interval, confidence: float, method: str) -> Estimate:
        return Estimate(value, ends.low, ends.high, confidence, self.n, self.events, method)
