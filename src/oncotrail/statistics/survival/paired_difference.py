"""One figure of two markers on the same patients, and whether the first is better.

The two share their patients, so their errors are not independent: each patient's influence on the
difference is the difference of its two influences (`influence`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr

from oncotrail.statistics.arrays import checked_confidence
from oncotrail.statistics.influence import Influenced, with_interval


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
    first: Influenced | None,
    second: Influenced | None,
    *,
    confidence: float,
    n: int,
    events: int,
) -> Difference:
    """The first figure minus the second, both of the same patients.

    >>> import numpy as np
    >>> one = Influenced(0.8, np.array([0.03, -0.03]))
    >>> two = Influenced(0.7, np.array([0.01, -0.01]))
    >>> found = difference_between(one, two, confidence=0.95, n=90, events=40)
    >>> round(found.low, 4), round(found.p_value, 4)
    (0.0446, 0.0004)
    """
    both = None if first is None or second is None else first.minus(second)
    value, error, low, high = with_interval(both, confidence, -math.inf, math.inf)
    z = None if value is None or error is None else value / error
    return Difference(
        difference=value,
        standard_error=error,
        low=low,
        high=high,
        z=z,
        p_value=None if z is None else float(2 * ndtr(-abs(z))),
        confidence=checked_confidence(confidence),
        n=n,
        events=events,
    )
