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

Undefined replicates (NaN) are taken out first, by `defined_replicates`, which refuses where they
are many: the rest would tell of the lucky resamples only.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, ndtri

from oncotrail.statistics.arrays import Floats, Undefined, checked_confidence
from oncotrail.statistics.intervals import Interval
from oncotrail.statistics.results import result

_SAME = 1e-12  # relative: replicates this near are equal but for rounding


@result
class Band:
    """The lower and the upper end at each point of a curve."""

    low: Floats
    high: Floats


def defined_replicates(
    replicated: Floats, confidence: float, most_undefined: float = 0.05
) -> Floats:
    """The replicates that are numbers, if they are enough to tell of all resamples.

    Too few resamples for the confidence are wrong input. More than a share of `most_undefined`
    that gave no figure leave the interval `Undefined`; stratifying by outcome often prevents them.

    >>> defined_replicates(np.array([0.5, np.nan, 0.7, 0.6]), 0.5, most_undefined=0.25).tolist()
    [0.5, 0.7, 0.6]
    """
    needed = math.ceil(2 / (1 - checked_confidence(confidence)) - 1 - 1e-9)
    if replicated.size < needed:
        raise ValueError(
            f"found {replicated.size} resamples; an interval of confidence {confidence:g} needs "
            f"at least {needed}, and 2000 are usual."
        )
    kept = replicated[np.isfinite(replicated)]
    undefined = replicated.size - kept.size
    if undefined > most_undefined * replicated.size or kept.size < 2:
        raise Undefined(
            f"undefined in {undefined} of {replicated.size} resamples; expected at most a share "
            f"of {most_undefined:g}. Stratify by outcome, or permit more by `most_undefined`."
        )
    return kept


def percentile_ends(replicated: Floats, confidence: float) -> Interval:
    """Quantiles of the replicates of one figure, which must all be numbers.

    >>> ends = percentile_ends(np.arange(1.0, 100.0), 0.9)
    >>> round(ends.low, 6), round(ends.high, 6)
    (5.0, 95.0)
    """
    low, high = _quantiles(replicated, _two_tails(confidence))
    return Interval(float(low), float(high))


def percentile_band(replicated: Floats, confidence: float) -> Band:
    """`percentile_ends` of each column of resamples x points, all at once.

    >>> band = percentile_band(np.column_stack([np.arange(1.0, 100.0), np.arange(99.0)]), 0.9)
    >>> band.low.round(6).tolist(), band.high.round(6).tolist()
    ([5.0, 4.0], [95.0, 94.0])
    """
    return Band(*_quantiles(replicated, _two_tails(confidence)))


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
    return Interval(float(low), float(high))


def _two_tails(confidence: float) -> Floats:
    return (1 + np.array([-confidence, confidence])) / 2


def _quantiles(replicated: Floats, shares: Floats) -> Floats:
    """Of each column, interpolated on the normal scale; beyond the outermost replicates, these."""
    number, ordered = len(replicated), np.sort(replicated, axis=0)
    if number < 2:
        raise ValueError(f"found {number} replicates; expected at least 2, and 2000 are usual.")
    rank = (number + 1) * shares
    lower = np.clip(np.floor(rank), 1, number - 1).astype(np.int_)
    start, end = ndtri(lower / (number + 1)), ndtri((lower + 1) / (number + 1))
    # Shares of 0 and 1 lie infinitely far out: the clip brings them back.
    along = np.clip((ndtri(shares) - start) / (end - start), 0, 1)
    left, right = ordered[lower - 1].T, ordered[lower].T  # columns x shares, if there are columns
    return np.asarray((left + along * (right - left)).T)
