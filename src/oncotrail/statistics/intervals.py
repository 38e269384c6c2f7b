"""A figure with its interval, and the intervals that need only counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from oncotrail.statistics.arrays import checked_confidence


@dataclass(frozen=True)
class Estimate:
    """A figure, how certain it is, and what it rests on.

    `n` is the number of patients in the denominator (for a sensitivity, those with the outcome),
    `events` how many of those `n` had the outcome.
    """

    value: float
    low: float
    high: float
    confidence: float
    n: int
    events: int
    method: str


@dataclass(frozen=True)
class Interval:
    """The two ends of a confidence interval."""

    low: float
    high: float


def normal_quantile(confidence: float) -> float:
    """How many standard errors a two-sided interval spans on each side.

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    return float(ndtri((1 + checked_confidence(confidence)) / 2))


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion, without continuity correction.

    The values p that a two-sided score test does not reject:
    |successes / n - p| <= z sqrt(p (1 - p) / n). It stays in [0, 1] and is not empty at 0 of n
    or n of n. (Wilson, JASA 1927, 22:209.)

    >>> ends = wilson(8, 10)
    >>> round(ends.low, 3), round(ends.high, 3)
    (0.49, 0.943)
    """
    if n < 1 or not 0 <= successes <= n:
        message = (
            f"found {successes} of {n}; expected a count between 0 and n, and n of at least 1."
        )
        raise ValueError(message)
    z = normal_quantile(confidence)
    centre = (successes + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * math.sqrt(successes * (n - successes) / n + z**2 / 4)
    # At the ends the formula gives 0 and 1 up to rounding; say so exactly.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def proportion(successes: int, n: int, events: int, confidence: float = 0.95) -> Estimate | None:
    """`successes` of `n` patients, of whom `events` had the outcome; None where n is 0."""
    if n == 0:
        return None
    ends = wilson(successes, n, confidence)
    return Estimate(successes / n, ends.low, ends.high, confidence, n, events, "Wilson")


def newcombe(auc: float, positives: int, negatives: int, confidence: float = 0.95) -> Interval:
    """Newcombe's score interval for an area under the curve, from the area and the two group sizes.

    As Wilson's for a proportion: the areas a with (auc - a)^2 <= z^2 V(a), where V is Hanley and
    McNeil's variance with both group sizes replaced by their mean (method 5 in Newcombe,
    Statistics in Medicine 2006, 25:559). It needs no spread between patients, so it says something
    where DeLong's variance is zero.
    """
    from scipy.optimize import brentq

    z = normal_quantile(confidence)

    def lower(area: float) -> float:
        if area == 0:
            return 0.0
        spread = (positives + negatives) / 2 - 1

        def excess(a: float) -> float:
            inner = 1 + spread * ((1 - a) / (2 - a) + a / (1 + a))
            return (area - a) ** 2 - z**2 * a * (1 - a) * inner / (positives * negatives)

        # Positive at 0, negative just below the area: one root between.
        return float(brentq(excess, 0.0, area * (1 - 1e-12), xtol=1e-14))

    # V is symmetric about one half, so the upper end is the lower end of the mirrored area.
    return Interval(lower(auc), 1 - lower(1 - auc))
