"""How well a score separates patients with the outcome from those without.

The area under the ROC curve is the chance that a random patient with the outcome scores higher than
a random patient without, ties counting one half. Its algorithm, told simply: give each patient with
the outcome the share of patients without it that score lower (its *placement*), and each patient
without it the share of patients with it that score higher. Both means are the area; their
variances, divided by the group sizes, add up to its variance (DeLong et al., Biometrics 1988,
44:837).

Counting pairs takes m n steps. A placement is also the difference of two mid-ranks, the patient's
among everybody and among its own group, and ranking takes n log n (Sun and Xu, IEEE Signal
Processing Letters 2014, 21:1389).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr

from oncotrail.statistics.arrays import Scored, two_classes
from oncotrail.statistics.intervals import Estimate, Interval, newcombe, normal_quantile


@dataclass(frozen=True)
class PairedTest:
    """DeLong's test of two scores on the same patients.

    `difference` is the first area minus the second. Where all placements differ by the same (the
    same ranking twice, or two perfect ones) its variance is zero, and with a group of one patient
    it is unknown: interval, z and p are then None, never NaN.
    """

    difference: float
    low: float | None
    high: float | None
    z: float | None
    p_value: float | None
    confidence: float
    n: int
    events: int


@dataclass(frozen=True)
class _Placements:
    """Each patient's placement, by group; multiples of 1 / (2 m) and 1 / (2 n)."""

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]

    @property
    def area(self) -> float:
        return float(self.positive.mean())

    @property
    def variance(self) -> float | None:
        """DeLong's, or None where a group of one patient shows no spread."""
        if min(self.positive.size, self.negative.size) == 1:
            return None
        return _variance_of_mean(self.positive) + _variance_of_mean(self.negative)

    def minus(self, other: _Placements) -> _Placements:
        """Placements of the difference of two areas."""
        return _Placements(self.positive - other.positive, self.negative - other.negative)


def auc(labels: ArrayLike, scores: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Area under the ROC curve, 0 to 1; 0.5 is chance, higher is better.

    The interval is DeLong's on the logit scale, so it stays within [0, 1]. Where that is undefined
    (areas of 0 and 1, a constant score, a group of one patient: DeLong's variance is zero or has no
    degrees of freedom, and would claim certainty) it is Newcombe's score interval, and `method`
    says so.

    >>> round(auc([0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.9]).value, 4)
    0.8333
    """
    patients = two_classes(labels, scores)
    placements = _placements(patients)
    area, variance = placements.area, placements.variance
    if variance:
        ends, method = logit_interval(area, variance, confidence), "DeLong, logit"
    else:
        negatives = patients.n - patients.events
        ends, method = newcombe(area, patients.events, negatives, confidence), "Newcombe"
    return Estimate(area, ends.low, ends.high, confidence, patients.n, patients.events, method)


def delong_variance(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """DeLong's variance of the area; None where one group is a single patient."""
    return _placements(two_classes(labels, scores)).variance


def logit_interval(area: float, variance: float, confidence: float) -> Interval:
    """A normal interval for logit(area), by the delta method, taken back to [0, 1]."""
    half = normal_quantile(confidence) * math.sqrt(variance) / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def paired_test(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> PairedTest:
    """DeLong's two-sided test that two scores of the same patients have the same area."""
    patients = two_classes(labels, first)
    difference = _placements(patients).minus(_placements(two_classes(labels, second)))
    value, variance = difference.area, difference.variance
    if not variance:
        return PairedTest(value, None, None, None, None, confidence, patients.n, patients.events)
    error = math.sqrt(variance)
    half, z = normal_quantile(confidence) * error, value / error
    return PairedTest(
        difference=value,
        low=max(-1.0, value - half),
        high=min(1.0, value + half),
        z=z,
        p_value=float(2 * ndtr(-abs(z))),
        confidence=confidence,
        n=patients.n,
        events=patients.events,
    )


def _placements(patients: Scored) -> _Placements:
    positive, negative = patients.scores[patients.labels], patients.scores[~patients.labels]
    everybody = _mid_ranks(np.concatenate([positive, negative]))
    below = everybody[: positive.size] - _mid_ranks(positive)  # negatives below each positive
    above = positive.size - (everybody[positive.size :] - _mid_ranks(negative))
    return _Placements(below / negative.size, above / positive.size)


def _mid_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of their ranks, so ranks are multiples of 1 / 2."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return (times.cumsum() - (times - 1) / 2)[place]


def _variance_of_mean(values: NDArray[np.float64]) -> float:
    # Equal placements have a variance of exactly zero, which rounding in the mean would hide.
    return 0.0 if np.ptp(values) == 0 else float(values.var(ddof=1) / values.size)
