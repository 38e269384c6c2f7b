"""The mean squared error of probabilities, which rewards calibration and discrimination together.

The Brier score is the mean of (p - y)^2 (Brier, Monthly Weather Review 1950, 78:1). How small it
can be depends on the prevalence: predicting the prevalence m for everybody scores m (1 - m). The
*scaled* score, 1 - Brier / (m (1 - m)), is the share of that which the model takes away (Steyerberg
et al., Epidemiology 2010, 21:128).

Both are means over patients, or ratios of such means, so each patient's influence on them can be
written down, and the variance is the mean squared influence over n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from oncotrail.statistics.arrays import Floats, Scored, probable
from oncotrail.statistics.intervals import Estimate, normal_quantile, wilson

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


def brier(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Brier score, 0 to 1; lower is better, and m (1 - m) is what the prevalence m alone scores.

    A normal interval from the spread of the squared errors (as riskRegression::Score), cut at 0 and
    1. Where every probability is 0 or 1 the score is a proportion of errors, and the interval
    Wilson's. So it is where all errors are equal, which show no spread and would claim certainty:
    squared errors are 0 to 1, so their variance is at most that of a proportion of the same mean.
    This is wide, also where 0.5 for everybody scores 0.25 whatever happens.

    >>> found = brier([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.1581, 0.0, 0.3422)
    """
    patients = probable(labels, probabilities)
    errors = _squared(patients)
    value, certain = float(errors.mean()), bool(np.isin(patients.scores, (0, 1)).all())
    if certain or (patients.n > 1 and np.ptp(errors) < _ROUNDING):
        ends = wilson(float(errors.sum()), patients.n, confidence)
        return Estimate(
            value, ends.low, ends.high, confidence, patients.n, patients.events, "Wilson"
        )
    half = _half(errors - value, confidence)
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Estimate(value, low, high, confidence, patients.n, patients.events, "normal")


def scaled_brier(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95
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
    patients = probable(labels, probabilities)
    if patients.events in {0, patients.n}:
        return None
    errors = _squared(patients)
    prevalence = patients.labels.mean()
    unpredicted = (patients.labels - prevalence) ** 2
    ratio = float(errors.mean() / unpredicted.mean())
    # The ratio of two means; that of `unpredicted` does not feel the prevalence to first order.
    influence = (errors - ratio * unpredicted) / unpredicted.mean()
    if np.abs(influence).max() < _ROUNDING:
        ends, most = wilson(float(errors.sum()), patients.n, confidence), unpredicted.mean()
        low, high = float(1 - ends.high / most), float(1 - ends.low / most)
        return Estimate(1 - ratio, low, high, confidence, patients.n, patients.events, "Wilson")
    half = _half(influence, confidence)
    low, high = 1 - ratio - half, min(1.0, 1 - ratio + half)
    return Estimate(1 - ratio, low, high, confidence, patients.n, patients.events, "delta")


def spiegelhalter(labels: ArrayLike, probabilities: ArrayLike) -> SpiegelhalterTest:
    """Spiegelhalter's test of whether the Brier score is what right probabilities would give.

    z = sum (y - p)(1 - 2 p) / sqrt(sum (1 - 2 p)^2 p (1 - p)) (Spiegelhalter, Statistics in
    Medicine 1986, 5:421).

    >>> round(spiegelhalter([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).z, 3)
    -0.223
    """
    patients = probable(labels, probabilities)
    p, y = patients.scores, patients.labels
    tilt = 1 - 2 * p
    variance = float(tilt**2 @ (p * (1 - p)))
    if variance == 0:
        return SpiegelhalterTest(None, None, patients.n, patients.events)
    z = float((y - p) @ tilt) / math.sqrt(variance)
    return SpiegelhalterTest(z, float(2 * ndtr(-abs(z))), patients.n, patients.events)


def _squared(patients: Scored) -> Floats:
    return np.asarray((patients.scores - patients.labels) ** 2)


def _half(influence: Floats, confidence: float) -> float:
    """Half the width of a normal interval, from influences whose mean is 0."""
    n = influence.size
    if n == 1:
        raise ValueError("found 1 patient; an interval needs at least 2.")
    return normal_quantile(confidence) * math.sqrt(float(influence @ influence) / (n * (n - 1)))
