"""How many events happened, for each that was expected.

The expected number is the sum of the predicted probabilities. The observed number is taken as a
Poisson count, and the expected one as known: the interval says how far chance in the outcomes alone
would carry the ratio (Ulm, American Journal of Epidemiology 1990, 131:373).

With weights both numbers are sums of weights. Whole weights count patients, so nothing changes.
Under others the observed number is a weighted sum of Poisson counts, whose interval is a gamma
distribution's with the sum's mean and variance (Fay and Feuer, Statistics in Medicine 1997,
16:791); of equal weights it is the exact Poisson interval. The rows of a cluster (the images of a
patient) are one count, which weighs as much as its rows with the outcome do together.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Scored, Undefined
from oncotrail.statistics.case_weights import case_weights
from oncotrail.statistics.influence import Influences, by_cluster
from oncotrail.statistics.intervals import Estimate, Interval, normal_quantile

RatioMethod = Literal["exact", "log"]


def observed_expected(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    method: RatioMethod = "exact",
    confidence: float = 0.95,
) -> Estimate | None:
    """Observed over expected events; 1 is best, above 1 the predictions were too low.

    `exact` is the exact Poisson interval, defined at 0 events too, and a little wide, because
    patients cannot have two events. `log` is the binomial one on the log scale, with variance
    (1 - events / n) / events (Debray et al., BMJ 2017, 356:i6460), with fractions or clusters the
    sandwich's; it needs patients of both outcomes. None where the probabilities are all 0. `n` and
    `events` count rows of weight above 0.

    >>> found = observed_expected([0, 0, 1, 1], [0.1, 0.2, 0.4, 0.8])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (1.333, 0.161, 4.816)
    """
    arrays.one_of(method, get_args(RatioMethod), "method")
    arrays.checked_confidence(confidence)
    everybody = arrays.probable(labels, probabilities)
    found = case_weights(weights, everybody.n)
    there, weight = found.kept, found.values
    patients = Scored(everybody.labels[there], everybody.scores[there])
    influences = Influences.of(weight, clusters, there)
    expected, observed = float(weight @ patients.scores), float(weight @ patients.labels)
    if expected == 0:
        return None
    interval, called = (_log, "log") if method == "log" else (_poisson, "exact Poisson")
    ends = interval(patients.labels, weight, influences, confidence)
    return Estimate(
        observed / expected,
        ends.low / expected,
        ends.high / expected,
        confidence,
        patients.n,
        patients.events,
        called,
    )


def _poisson(labels: Flags, weight: Floats, influences: Influences, confidence: float) -> Interval:
    """Garwood's interval for the mean of a count, or Fay and Feuer's of a weighted sum of them."""
    tail = (1 - confidence) / 2
    count = float(weight @ labels)
    counts, sizes, weights = (
        by_cluster(each, influences.clusters)
        for each in (influences.factors * labels, influences.factors, weight)
    )
    variance = float((counts**2).sum())
    there = weights > 0  # of a cluster all of whose rows weigh 0, nothing is left but its number
    one = float((sizes[there] ** 2 / weights[there]).max())  # what one more event could add
    low = 0.0 if count == 0 else _gamma(count, variance, tail)
    return Interval(low, _gamma(count + one, variance + one**2, 1 - tail))


def _gamma(mean: float, variance: float, share: float) -> float:
    return float(gammaincinv(mean**2 / variance, share)) * variance / mean


def _log(labels: Flags, weight: Floats, influences: Influences, confidence: float) -> Interval:
    count, n = float(weight @ labels), float(weight.sum())
    if count in {0, n}:
        raise Undefined(
            f"found {count:g} events in {n:g} patients; the log interval needs patients of both "
            "outcomes. Use the exact one."
        )
    error = influences.on(count, np.asarray((labels - count / n) / count)).error
    if error is None:
        raise Undefined(
            "found the same share of events in every cluster; the log interval needs clusters that "
            "differ. Use the exact one."
        )
    factor = math.exp(normal_quantile(confidence) * error)
    return Interval(count / factor, count * factor)
