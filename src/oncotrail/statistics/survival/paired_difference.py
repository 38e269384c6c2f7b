"""One figure of two markers on the same patients, and whether the first is better.

The two share their patients, so their errors are not independent: each patient's influence on the
difference is the difference of its two influences (`influence`).
"""

from __future__ import annotations

import math

from oncotrail.statistics.arrays import checked_confidence
from oncotrail.statistics.influence import Influenced
from oncotrail.statistics.intervals import Difference, normal_difference


def difference_between(
    first: Influenced | None,
    second: Influenced | None,
    *,
    confidence: float,
    n: int,
    events: int,
    method: str,
) -> Difference | None:
    """The first figure minus the second, both of the same patients; None where one is undefined.

    >>> import numpy as np
    >>> one = Influenced(0.8, np.array([0.03, -0.03]))
    >>> two = Influenced(0.7, np.array([0.01, -0.01]))
    >>> found = difference_between(one, two, confidence=0.95, n=90, events=40, method="influences")
    >>> round(found.low, 4), round(found.p_value, 4)
    (0.0446, 0.0004)
    """
    checked_confidence(confidence)
    if first is None or second is None:
        return None
    both = first.minus(second)
    return normal_difference(
        both.value,
        None if both.error is None else both.error**2,
        most=math.inf,
        confidence=confidence,
        n=n,
        events=events,
        method=method,
    )
