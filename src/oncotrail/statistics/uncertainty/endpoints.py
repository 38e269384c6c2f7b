"""Reading an interval off bootstrap replicates.

percentile   the quantiles of the replicates
basic        the same, mirrored about the estimate
BCa          quantiles moved by two corrections: z0, how far the estimate lies from the median of
             the replicates, and a, how much the standard error changes with the figure itself,
             from the skewness of what each patient contributes (Efron, JASA 1987, 82:171; Davison
             and Hinkley, Bootstrap Methods and their Application 1997, section 5.3)

Quantiles are interpolated on the normal scale between order statistics of rank (R + 1) alpha, as
R's `boot` does. Replicates that equal the estimate count one half in z0, so that a figure of few
possible values (a sensitivity of 8 / 10) is not moved by its ties; `boot` counts them as not below.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.intervals import Interval

_SAME = 1e-12  # relative: replicates this near are equal but for rounding


def percentile_ends(replicated: Floats, confidence: float) -> Interval:
    """Quantiles of the replicates.

    >>> ends = percentile_ends(np.arange(1.0, 100.0), 0.9)
    >>> round(ends.low, 6), round(ends.high, 6)
    (5.0, 95.0)
    """
    low, high = _quantiles(replicated, _two_tails(confidence))
    return Interval(low, high)


def basic_ends(value: float, replicated: Floats, confidence: float) -> Interval:
    """The percentile interval mirrored about the estimate; it may leave the figure's range.

    >>> ends = basic_ends(40.0, np.arange(1.0, 100.0), 0.9)
    >>> round(ends.low, 6), round(ends.high, 6)
    (-15.0, 75.0)
    """
    mirrored = percentile_ends(replicated, confidence)
    return Interval(2 * value - mirrored.high, 2 * value - mirrored.low)


def bca_ends(
    value: float, replicated: Floats, contributions: Floats, confidence: float
) -> Interval | None:
    """Bias-corrected and accelerated; `contributions` as from `influence`.

    None where all replicates lie on one side of the estimate (z0 is infinite), where a contribution
    is undefined (the only patient called positive, left out), or where all are zero (a median).

    >>> ends = bca_ends(50.0, np.arange(1.0, 100.0), np.array([-1.0, 0.0, 1.0]), 0.9)
    >>> round(ends.low, 6), round(ends.high, 6)
    (5.0, 95.0)
    """
    near = _SAME * max(abs(value), float(np.ptp(replicated)))
    below = (replicated < value - near).mean()
    equal = (np.abs(replicated - value) <= near).mean()
    z0 = ndtri(below + equal / 2)
    spread = (contributions**2).sum() ** 1.5
    if not np.isfinite(z0) or not spread > near**3:  # a NaN is not
        return None
    acceleration = (contributions**3).sum() / (6 * spread)
    moved = z0 + ndtri(_two_tails(confidence))
    low, high = _quantiles(replicated, ndtr(z0 + moved / (1 - acceleration * moved)))
    return Interval(low, high)


def _two_tails(confidence: float) -> Floats:
    return (1 + np.array([-confidence, confidence])) / 2


def _quantiles(replicated: Floats, shares: Floats) -> tuple[float, float]:
    """Interpolated on the normal scale; beyond the outermost replicates, these."""
    number, ordered = replicated.size, np.sort(replicated)
    if number < 2:
        raise ValueError(f"found {number} replicates; expected at least 2, and 2000 are usual.")
    rank = (number + 1) * shares
    lower = np.clip(np.floor(rank), 1, number - 1)
    start, end = ndtri(lower / (number + 1)), ndtri((lower + 1) / (number + 1))
    # Shares of 0 and 1 lie infinitely far out: the clip brings them back.
    along = np.clip((ndtri(shares) - start) / (end - start), 0, 1)
    left, right = ordered[lower.astype(np.int_) - 1], ordered[lower.astype(np.int_)]
    low, high = left + along * (right - left)
    return float(low), float(high)
