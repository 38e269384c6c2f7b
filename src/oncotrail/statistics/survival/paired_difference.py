"""One figure of two markers on the same patients, and whether the first is better.

The two share their patients, so their errors are not independent. Each patient's influence on the
difference is the difference of its two influences, and the variance follows from these.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtr

from oncotrail.statistics.intervals import normal_quantile


@dataclass(frozen=True)
class Difference:
    """A figure of the first marker minus that of the second, with a normal interval and test.

    `difference` is None where one of them is undefined; error, interval, z and the two-sided p are
    also None where the patients show no spread (the same ranking twice, two perfect ones).
    """

    difference: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    z: float | None
    p_value: float | None
    confidence: float
    n: int
    events: int


def difference_between(
    first: float | None,
    second: float | None,
    error: float | None,
    *,
    confidence: float,
    n: int,
    events: int,
) -> Difference:
    """Two figures between -1 and 1, and the standard error of their difference.

    >>> found = difference_between(0.8, 0.7, 0.05, confidence=0.95, n=90, events=40)
    >>> round(found.low, 4), round(found.p_value, 4)
    (0.002, 0.0455)
    """
    quantile = normal_quantile(confidence)
    if first is None or second is None:
        return Difference(None, None, None, None, None, None, confidence, n, events)
    value = first - second
    if error is None:
        return Difference(value, None, None, None, None, None, confidence, n, events)
    return Difference(
        difference=value,
        standard_error=error,
        low=value - quantile * error,
        high=value + quantile * error,
        z=value / error,
        p_value=float(2 * ndtr(-abs(value / error))),
        confidence=confidence,
        n=n,
        events=events,
    )
