"""How far two methods of measuring the same thing lie apart: limits of agreement.

Take each patient's difference, first minus second. Their mean is the bias, and 95 % of differences
are expected within bias +- 1.96 standard deviations, if they are normal and do not grow with the
measurement. A limit is a mean plus a multiple of a standard deviation, so its variance is
s^2 (1 / n + z^2 / (2 (n - 1))) (Bland and Altman, Statistical Methods in Medical Research 1999,
8:135); all intervals have n - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy.special import stdtrit

from oncotrail.statistics.arrays import Undefined, checked_confidence, column
from oncotrail.statistics.intervals import Interval, normal_quantile


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bias and limits in the unit of the measurements; nearer to 0 is better.

    `lower` and `upper` hold the share `coverage` of differences between them. Where all differences
    are equal the intervals are None: they would claim certainty.
    """

    bias: float
    bias_interval: Interval | None
    lower: float
    lower_interval: Interval | None
    upper: float
    upper_interval: Interval | None
    standard_deviation: float
    coverage: float
    confidence: float
    n: int


def limits_of_agreement(
    first: ArrayLike, second: ArrayLike, *, coverage: float = 0.95, confidence: float = 0.95
) -> LimitsOfAgreement:
    """Limits of agreement of two measurements per patient, at least 2 patients.

    >>> found = limits_of_agreement([10.1, 12.0, 9.5, 11.2], [10.0, 11.5, 9.9, 11.0])
    >>> round(found.bias, 3), round(found.lower, 3), round(found.upper, 3)
    (0.1, -0.633, 0.833)
    """
    one = column(first, "first")
    difference = one - column(second, "second", n=one.size)
    n, z = one.size, normal_quantile(coverage)
    checked_confidence(confidence)
    if n < 2:
        raise Undefined(f"found {n} patient; limits of agreement need at least 2.")
    bias = float(difference.mean())
    # From the first, so that equal differences have a spread of exactly 0.
    deviation = float((difference - difference[0]).std(ddof=1))
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    half = t * deviation * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
    lower, upper = bias - z * deviation, bias + z * deviation
    return LimitsOfAgreement(
        bias=bias,
        bias_interval=_around(bias, t * deviation / math.sqrt(n)),
        lower=lower,
        lower_interval=_around(lower, half),
        upper=upper,
        upper_interval=_around(upper, half),
        standard_deviation=deviation,
        coverage=coverage,
        confidence=confidence,
        n=n,
    )


def _around(middle: float, half: float) -> Interval | None:
    return Interval(middle - half, middle + half) if half else None
