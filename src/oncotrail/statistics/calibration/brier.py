"""The mean squared error of probabilities, which rewards calibration and discrimination together.

The Brier score is the mean of (p - y)^2 (Brier, Monthly Weather Review 1950, 78:1). How small it
can be depends on the prevalence: predicting the prevalence m for everybody scores m (1 - m). The
*scaled* score, 1 - Brier / (m (1 - m)), is the share of that which the model takes away (Steyerberg
et al., Epidemiology 2010, 21:128).

Both are means over patients, or ratios of such means, so each patient's influence on them can be
written down, and the variance is the sum of their squares (see `influence`; weights are told in
`case_weights`), times N / (N - 1) for N patients, or for as many as they are worth: of unequal
weights, or clusters W of several rows, N = (sum W)^2 / sum W^2 (Kish, Survey Sampling 1965).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from oncotrail.statistics.arrays import Flags, Floats, Undefined, checked_confidence, probable
from oncotrail.statistics.case_weights import case_weights, square_weights
from oncotrail.statistics.influence import Influences, by_cluster
from oncotrail.statistics.intervals import Estimate, Interval, normal_quantile, wilson


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
    clusters: ArrayLike | None = None,
) -> Estimate:
    """Brier score, 0 to 1; lower is better, and m (1 - m) is what the prevalence m alone scores.

    A normal interval from the spread of the squared errors (as riskRegression::Score), cut at 0 and
    1. Where every probability is 0 or 1 the score is a proportion of errors, and the interval
    Wilson's. So it is where all errors are equal, which show no spread and would claim certainty:
    squared errors are 0 to 1, so their variance is at most that of a proportion of the same mean.
    This is wide, also where 0.5 for everybody scores 0.25 whatever happens. Rows of one of
    `clusters` (the images of a patient) are not taken as independent. `n` and `events` count rows
    of weight above 0.

    >>> found = brier([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.1581, 0.0, 0.3422)
    """
    judged = _Judged.of(labels, probabilities, weights, clusters)
    value, certain = judged.mean(judged.errors), bool(np.isin(judged.risks, (0, 1)).all())
    half = None if certain else judged.half(judged.errors - value, confidence)
    if half is None:
        ends = judged.wilson(confidence)
        return judged.estimate(value, ends, confidence, "Wilson")
    ends = Interval(max(0.0, value - half), min(1.0, value + half))
    return judged.estimate(value, ends, confidence, "normal")


def scaled_brier(
    labels: ArrayLike,
    probabilities: ArrayLike,
    confidence: float = 0.95,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Estimate | None:
    """1 - Brier / (m (1 - m)), m the prevalence here; 1 is best, 0 as good as the prevalence.

    Below 0 it is worse than predicting the prevalence for everybody. Also called the index of
    prediction accuracy (Kattan and Gerds, Diagnostic and Prognostic Research 2018, 2:7). A normal
    interval by the delta method, the prevalence counted as estimated. Where that shows no spread
    (perfect predictions, or the prevalence for everybody) it is Wilson's of the Brier score, the
    prevalence taken as known. `clusters` as in `brier`. None where everybody or nobody had the
    outcome.

    >>> round(scaled_brier([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
    0.3675
    """
    checked_confidence(confidence)
    judged = _Judged.of(labels, probabilities, weights, clusters)
    if judged.labels.all() or not judged.labels.any():
        return None
    unpredicted = np.square(judged.labels - judged.mean(judged.labels))
    most = judged.mean(unpredicted)
    ratio = judged.mean(judged.errors) / most
    # The ratio of two means; that of `unpredicted` does not feel the prevalence to first order.
    half = judged.half((judged.errors - ratio * unpredicted) / most, confidence)
    if half is None:
        ends = judged.wilson(confidence)
        ends = Interval(1 - ends.high / most, 1 - ends.low / most)
        return judged.estimate(1 - ratio, ends, confidence, "Wilson")
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
    variance = float(square_weights(judged.weights) @ (tilt**2 * p * (1 - p)))
    if variance == 0:
        return SpiegelhalterTest(None, None, judged.n, judged.events)
    z = float(judged.weights @ ((y - p) * tilt)) / math.sqrt(variance)
    return SpiegelhalterTest(z, float(2 * ndtr(-abs(z))), judged.n, judged.events)


@dataclass(frozen=True, eq=False)
class _Judged:
    """The patients whose weight is above 0."""

    labels: Flags
    risks: Floats
    weights: Floats
    influences: Influences

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        probabilities: ArrayLike,
        weights: ArrayLike | None,
        clusters: ArrayLike | None = None,
    ) -> _Judged:
        patients = probable(labels, probabilities)
        found = case_weights(weights, patients.n)
        there, weight = found.kept, found.values
        influences = Influences.of(weight, clusters, there)
        return cls(patients.labels[there], patients.scores[there], weight, influences)

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
        share = self.influences.on(0.0, np.full(self.n, 1 / self.weights.sum())).influence
        return max(1.0, 1 / float((by_cluster(share, self.influences.clusters) ** 2).sum()))

    def mean(self, values: NDArray[Any]) -> float:
        return float(np.average(values, weights=self.weights))

    def half(self, influence: Floats, confidence: float) -> float | None:
        """Half a normal interval's width, from influences whose mean is 0; None without spread."""
        if self.number == 1:
            raise Undefined("found 1 patient; an interval needs at least 2.")
        error = self.influences.on(0.0, influence / self.weights.sum()).error
        if error is None:
            return None
        return normal_quantile(confidence) * error * math.sqrt(self.number / (self.number - 1))

    def wilson(self, confidence: float) -> Interval:
        """Wilson's interval for the mean squared error, as if the errors were 0 and 1."""
        return wilson(min(self.mean(self.errors), 1.0) * self.number, self.number, confidence)

    def estimate(self, value: float, ends: Interval, confidence: float, method: str) -> Estimate:
        return Estimate(value, ends.low, ends.high, confidence, self.n, self.events, method)
