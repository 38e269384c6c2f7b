"""How many events happened, for each that was expected.

The expected number is the sum of the predicted probabilities. The observed number is taken as a
Poisson count, and the expected one as known: the interval says how far chance in the outcomes alone
would carry the ratio (Ulm, American Journal of Epidemiology 1990, 131:373).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from numpy.typing import ArrayLike
from scipy.special import gammaincinv

from oncotrail.statistics.arrays import checked_confidence, one_of, probable
from oncotrail.statistics.intervals import Estimate, Interval, normal_quantile

RatioMethod = Literal["exact", "log"]


def observed_expected(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    method: RatioMethod = "exact",
    confidence: float = 0.95,
) -> Estimate | None:
    """Observed over expected events; 1 is best, above 1 the predictions were too low.

    `exact` is the exact Poisson interval, defined at 0 events too, and a little wide, because
    patients cannot have two events. `log` is the binomial one on the log scale, with variance
    (1 - events / n) / events (Debray et al., BMJ 2017, 356:i6460); it needs patients of both
    outcomes. None where the probabilities are all 0.

    >>> found = observed_expected([0, 0, 1, 1], [0.1, 0.2, 0.4, 0.8])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (1.333, 0.161, 4.816)
    """
    one_of(method, get_args(RatioMethod), "method")
    patients = probable(labels, probabilities)
    expected, observed, n = float(patients.scores.sum()), patients.events, patients.n
    if expected == 0:
        return None
    if method == "log":
        ends, called = _log(observed, n, confidence), "log"
    else:
        ends, called = _poisson(observed, confidence), "exact Poisson"
    return Estimate(
        observed / expected,
        ends.low / expected,
        ends.high / expected,
        confidence,
        n,
        observed,
        called,
    )


def _poisson(count: int, confidence: float) -> Interval:
    """Garwood's interval for the mean of a Poisson count."""
    tail = (1 - checked_confidence(confidence)) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return Interval(low, float(gammaincinv(count + 1, 1 - tail)))


def _log(count: int, n: int, confidence: float) -> Interval:
    if count in {0, n}:
        raise ValueError(
            f"found {count} events in {n} patients; the log interval needs patients of both "
            "outcomes. Use the exact one."
        )
    factor = math.exp(normal_quantile(confidence) * math.sqrt((1 - count / n) / count))
    return Interval(count / factor, count * factor)
