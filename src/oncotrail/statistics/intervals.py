"""A figure or a difference with its interval, and the intervals that need only counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from scipy.special import betaincinv, ndtr, ndtri

from oncotrail.statistics.arrays import checked_confidence, one_of

ProportionMethod = Literal["wilson", "exact"]


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
class Difference:
    """One figure minus another, its interval, and the two-sided test that they are equal.

    Interval, error, statistic and p are None where the patients show no spread (the same ranking
    twice, two perfect markers) or too few to show any; `method` names interval and test. The
    statistic is z, or Student's t where there are `degrees_of_freedom`; an exact test has none.
    `n` is the number of patients it rests on, `events` how many of them had the outcome (None
    where there is no outcome).
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int | None
    method: str
    p_value: float | None = None
    standard_error: float | None = None
    statistic: float | None = None
    degrees_of_freedom: float | None = None


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


def normal_difference(
    value: float,
    variance: float | None,
    *,
    most: float,
    confidence: float,
    n: int,
    events: int | None,
    method: str,
) -> Difference:
    """A difference that is normal with this variance (None: unknown), cut at -`most` and `most`.

    >>> found = normal_difference(
    ...     0.1, 0.0025, most=1, confidence=0.95, n=90, events=40, method="DeLong"
    ... )
    >>> round(found.low, 4), round(found.statistic, 4), round(found.p_value, 4)
    (0.002, 2.0, 0.0455)
    """
    quantile = normal_quantile(confidence)
    if not variance:
        return Difference(value, None, None, confidence, n, events, method)
    error = math.sqrt(variance)
    z = value / error
    return Difference(
        value=value,
        low=max(-float(most), value - quantile * error),
        high=min(float(most), value + quantile * error),
        confidence=confidence,
        n=n,
        events=events,
        method=method,
        p_value=float(2 * ndtr(-abs(z))),
        standard_error=error,
        statistic=z,
    )


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion, without continuity correction.

    The values p that a two-sided score test does not reject:
    |successes / n - p| <= z sqrt(p (1 - p) / n). It stays in [0, 1] and is not empty at 0 of n
    or n of n. (Wilson, JASA 1927, 22:209.) `successes` may be a sum of n values from 0 to 1, whose
    variance is p (1 - p) at most: the interval is then too wide rather than too narrow. Of patients
    with weights, `n` is their effective number.

    >>> ends = wilson(8, 10)
    >>> round(ends.low, 3), round(ends.high, 3)
    (0.49, 0.943)
    """
    _check_count(successes, n)
    z = normal_quantile(confidence)
    centre = (successes + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * math.sqrt(successes * (n - successes) / n + z**2 / 4)
    # At the ends the formula gives 0 and 1 up to rounding; say so exactly.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def exact(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Clopper and Pearson's interval for a proportion: exact, so never too narrow, often too wide.

    The values p for which neither as many successes nor as few are rarer than half of what
    `confidence` leaves over. By the binomial's tie to the beta distribution these are two beta
    quantiles. (Clopper and Pearson, Biometrika 1934, 26:404.)

    >>> ends = exact(8, 10)
    >>> round(ends.low, 3), round(ends.high, 3)
    (0.444, 0.975)
    """
    _check_count(successes, n)
    tail = (1 - checked_confidence(confidence)) / 2
    failures = n - successes
    # Each end is solved for its small tail, where the quantile keeps its digits.
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures == 0 else 1 - float(betaincinv(failures, successes + 1, tail))
    return Interval(low, high)


def proportion(
    successes: int,
    n: int,
    events: int,
    confidence: float = 0.95,
    method: ProportionMethod = "wilson",
) -> Estimate | None:
    """`successes` of `n` patients, of whom `events` had the outcome; None where n is 0.

    >>> proportion(3, 4, events=4, method="exact").method
    'Clopper-Pearson'
    """
    one_of(method, get_args(ProportionMethod), "method")
    checked_confidence(confidence)
    if successes == n == 0:
        return None
    interval, name = _METHODS[method]
    ends = interval(successes, n, confidence)
    return Estimate(successes / n, ends.low, ends.high, confidence, n, events, name)


_METHODS = {"wilson": (wilson, "Wilson"), "exact": (exact, "Clopper-Pearson")}


def newcombe(auc: float, positives: float, negatives: float, confidence: float = 0.95) -> Interval:
    """Newcombe's score interval for an area under the curve, from the area and the two group sizes.

    As Wilson's for a proportion: the areas a with (auc - a)^2 <= z^2 V(a), where V is Hanley and
    McNeil's variance with both group sizes replaced by their mean (method 5 in Newcombe,
    Statistics in Medicine 2006, 25:559). It needs no spread between patients, so it says something
    where DeLong's variance is zero. (Where patients have weights, sizes are effective, not whole.)

    >>> round(newcombe(1.0, 10, 20).low, 4)
    0.8489
    """
    from scipy.optimize import brentq

    if not 0 <= auc <= 1:
        raise ValueError(f"found auc {auc}; expected an area of at least 0 and at most 1.")
    if not (0 < positives < math.inf and 0 < negatives < math.inf):
        raise ValueError(
            f"found groups of {positives:g} and {negatives:g}; expected finite sizes above 0."
        )
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


def _check_count(successes: float, n: float) -> None:
    # An effective number may be 1 but for rounding.
    if n < 1 - 1e-9 or not 0 <= successes <= n:
        raise ValueError(
            f"found {successes} of {n}; expected a count between 0 and n, and n of at least 1."
        )
