"""The area under the ROC curve: how well a score separates patients with the outcome from others.

It is the chance that a random patient with the outcome scores higher than a random patient without,
ties counting one half. Each patient is placed among the other group (see `placements`): the mean
placement is the area, the spread of placements its variance (DeLong et al., Biometrics 1988,
44:837). Two scores of the same patients are compared by the differences of their placements, so
that what the two share cancels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr

from oncotrail.statistics.arrays import Floats, binary, matrix, one_of
from oncotrail.statistics.discrimination.placements import Placements, placements
from oncotrail.statistics.intervals import Estimate, Interval, newcombe, normal_quantile

Scale = Literal["logit", "linear"]


@dataclass(frozen=True)
class Areas:
    """Areas of several scores of the same patients, and their covariance (DeLong's), k x k.

    The covariance is None where one group is a single patient, which shows no spread.
    """

    values: Floats
    covariance: Floats | None
    n: int
    events: int


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


def auc(
    labels: ArrayLike,
    scores: ArrayLike,
    confidence: float = 0.95,
    *,
    interval: Scale = "logit",
    weights: ArrayLike | None = None,
) -> Estimate:
    """Area under the ROC curve, 0 to 1; 0.5 is chance, higher is better.

    The interval is DeLong's, on the logit scale, where it stays within [0, 1] (Pepe 2003, section
    5.2), or "linear" and cut at 0 and 1, as pROC's. Where either is undefined (areas of 0 and 1, a
    constant score, a group of one patient: DeLong's variance is zero or has no degrees of freedom,
    and would claim certainty) it is Newcombe's score interval, and `method` says so.

    `weights` are sampling weights, at least 0; a patient of weight 0 is not counted in `n`.

    >>> round(auc([0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.9]).value, 4)
    0.8333
    """
    one_of(interval, get_args(Scale), "interval")
    placed = placements(labels, scores, weights)
    # Rounding of weighted sums must not carry the area of a perfect marker past 1.
    area = min(1.0, max(0.0, placed.area))
    ends, method = _interval(area, placed, confidence, interval)
    return Estimate(area, ends.low, ends.high, confidence, placed.n, placed.positive.n, method)


def delong_variance(
    labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | None:
    """DeLong's variance of the area; None where one group is a single patient.

    >>> delong_variance([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8])
    0.125
    """
    return placements(labels, scores, weights).variance


def areas(labels: ArrayLike, scores: ArrayLike) -> Areas:
    """Areas of the columns of `scores` (patients x markers), and the covariance of these areas.

    >>> found = areas([0, 0, 1, 1], [[1, 5], [4, 6], [3, 7], [8, 8]])
    >>> found.values.tolist()
    [0.75, 1.0]
    """
    outcome = binary(labels, "labels")
    markers = matrix(scores, "scores", outcome.size)
    placed = [placements(outcome, marker) for marker in markers.T]
    positive = np.array([each.positive.placements for each in placed])  # markers x patients
    negative = np.array([each.negative.placements for each in placed])
    covariance = None
    if min(positive.shape[1], negative.shape[1]) > 1:
        covariance = _covariance_of_means(positive) + _covariance_of_means(negative)
    return Areas(positive.mean(axis=1), covariance, outcome.size, positive.shape[1])


def logit_interval(area: float, variance: float, confidence: float) -> Interval:
    """A normal interval for logit(area), by the delta method, taken back to [0, 1]."""
    half = normal_quantile(confidence) * math.sqrt(variance) / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def linear_interval(area: float, variance: float, confidence: float) -> Interval:
    """A normal interval for the area itself, cut at 0 and 1."""
    half = normal_quantile(confidence) * math.sqrt(variance)
    return Interval(max(0.0, area - half), min(1.0, area + half))


def paired_test(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> PairedTest:
    """DeLong's two-sided test that two scores of the same patients have the same area.

    >>> found = paired_test([0, 0, 1, 1], [1, 4, 3, 8], [1, 4, 8, 3])
    >>> found.difference, found.p_value
    (0.0, 1.0)
    """
    placed = placements(labels, first).minus(placements(labels, second))
    value, variance = placed.area, placed.variance
    if not variance:
        return PairedTest(value, None, None, None, None, confidence, placed.n, placed.positive.n)
    error = math.sqrt(variance)
    half, z = normal_quantile(confidence) * error, value / error
    return PairedTest(
        difference=value,
        low=max(-1.0, value - half),
        high=min(1.0, value + half),
        z=z,
        p_value=float(2 * ndtr(-abs(z))),
        confidence=confidence,
        n=placed.n,
        events=placed.positive.n,
    )


def _interval(
    area: float, placed: Placements, confidence: float, scale: Scale
) -> tuple[Interval, str]:
    variance = placed.variance
    if not variance:
        sizes = placed.positive.effective, placed.negative.effective
        return newcombe(area, *sizes, confidence), "Newcombe"
    of_scale = {"logit": logit_interval, "linear": linear_interval}[scale]
    return of_scale(area, variance, confidence), f"DeLong, {scale}"


def _covariance_of_means(values: Floats) -> Floats:
    """Of rows (markers) over columns (patients); equal placements have exactly none."""
    # From the first patient, so that a constant row is zero to the last digit.
    return np.asarray(np.atleast_2d(np.cov(values - values[:, :1])) / values.shape[1])
