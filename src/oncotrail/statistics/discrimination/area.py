"""The area under the ROC curve: how well a score separates patients with the outcome from others.

It is the chance that a random patient with the outcome scores higher than a random patient without,
ties counting one half. Each patient is placed among the other group (see `placements`): the mean
placement is the area, the spread of placements its variance (DeLong et al., Biometrics 1988,
44:837). Two scores of the same patients are compared by the differences of their placements, so
that what the two share cancels.

Where a patient has several rows (images, lesions), say so by `clusters`: the patient is then the
unit of the variance (Obuchowski, Biometrics 1997, 53:567), and rows of one patient may be of both
outcomes. The area itself stays that of the rows; give weights of 1 / (rows of the patient) to let
each patient count once.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from oncotrail.statistics.arrays import Floats, binary, matrix, one_of
from oncotrail.statistics.discrimination.placements import Placements, covariance, placements
from oncotrail.statistics.intervals import (
    Difference,
    Estimate,
    Interval,
    newcombe,
    normal_difference,
    normal_quantile,
)
from oncotrail.statistics.results import result

Scale = Literal["logit", "linear"]


@result
class Areas:
    """Areas of several scores of the same patients, and their covariance, k x k.

    The covariance is None where one group is a single patient, which shows no spread.
    """

    values: Floats
    covariance: Floats | None
    n: int
    events: int


def auc(
    labels: ArrayLike,
    scores: ArrayLike,
    confidence: float = 0.95,
    *,
    interval: Scale = "logit",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Estimate:
    """Area under the ROC curve, 0 to 1; 0.5 is chance, higher is better.

    The interval is DeLong's (with `clusters`, one id per row, Obuchowski's), on the logit scale,
    where it stays within [0, 1] (Pepe 2003, section 5.2), or "linear" and cut at 0 and 1, as
    pROC's. Where either is undefined (areas of 0 and 1, a constant score, a group of one patient:
    the variance is zero or has no degrees of freedom, and would claim certainty) it is Newcombe's
    score interval, and `method` says so.

    `weights` are sampling weights, at least 0; a row of weight 0 is not there. `n` and `events`
    count patients, those with any row with the outcome as events.

    >>> round(auc([0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.9]).value, 4)
    0.8333
    """
    one_of(interval, get_args(Scale), "interval")
    placed = placements(labels, scores, weights, clusters)
    ends, method = _interval(placed, confidence, interval)
    return Estimate(
        placed.area, ends.low, ends.high, confidence, placed.n, placed.positive.n, method
    )


def delong_variance(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> float | None:
    """DeLong's (with `clusters`, Obuchowski's) variance of the area.

    None where one group is a single patient.

    >>> delong_variance([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8])
    0.125
    """
    return placements(labels, scores, weights, clusters).variance


def areas(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Areas:
    """Areas of the columns of `scores` (rows x markers), and the covariance of these areas.

    `weights` and `clusters` as in `auc`.

    >>> found = areas([0, 0, 1, 1], [[1, 5], [4, 6], [3, 7], [8, 8]])
    >>> found.values.tolist()
    [0.75, 1.0]
    """
    outcome = binary(labels, "labels")
    markers = matrix(scores, "scores", outcome.size)
    placed = [placements(outcome, marker, weights, clusters) for marker in markers.T]
    values = np.array([each.area for each in placed])
    return Areas(values, covariance(placed), placed[0].n, placed[0].positive.n)


def paired_test(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    confidence: float = 0.95,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Difference:
    """DeLong's two-sided test that two scores of the same patients have the same area.

    The first area minus the second. Where all placements differ by the same (the same ranking
    twice, or two perfect ones) its variance is zero, and with a group of one patient it is unknown:
    interval, z and p are then None. `weights` and `clusters` as in `auc`; with `clusters` the test
    is Obuchowski's.

    >>> found = paired_test([0, 0, 1, 1], [1, 4, 3, 8], [1, 4, 8, 3])
    >>> found.value, found.p_value
    (0.0, 1.0)
    """
    one, two = (placements(labels, scores, weights, clusters) for scores in (first, second))
    placed = one.minus(two)
    return normal_difference(
        placed.area,
        placed.variance,
        most=1,
        confidence=confidence,
        n=placed.n,
        events=placed.positive.n,
        method=placed.method,
    )


def _interval(placed: Placements, confidence: float, scale: Scale) -> tuple[Interval, str]:
    variance = placed.variance
    if not variance:
        sizes = placed.positive.effective, placed.negative.effective
        return newcombe(placed.area, *sizes, confidence), "Newcombe"
    of_scale = {"logit": _logit_interval, "linear": _linear_interval}[scale]
    return of_scale(placed.area, variance, confidence), f"{placed.method}, {scale}"


def _logit_interval(area: float, variance: float, confidence: float) -> Interval:
    """A normal interval for logit(area), by the delta method, taken back to [0, 1]."""
    half = normal_quantile(confidence) * math.sqrt(variance) / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def _linear_interval(area: float, variance: float, confidence: float) -> Interval:
    """A normal interval for the area itself, cut at 0 and 1."""
    half = normal_quantile(confidence) * math.sqrt(variance)
    return Interval(max(0.0, area - half), min(1.0, area + half))
