"""Whole numbers of patients: the smallest that is enough."""

from __future__ import annotations

import math
from collections.abc import Callable


def smallest(enough: Callable[[int], bool], start: int) -> int:
    """The smallest n from `start` on that is enough, if all larger ones are.

    Doubling until one is, then halving.

    >>> smallest(lambda n: n * n >= 50, 1)
    8
    """
    if enough(start):
        return start
    low, high = start, 2 * start
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def up(n: float) -> int:
    """The next whole number; an excess that is only rounding does not add a patient.

    >>> up(3.0000000000001), up(3.1)
    (3, 4)
    """
    return math.ceil(n - 1e-9 * n)
