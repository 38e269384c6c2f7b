"""From a coefficient and its standard error to an odds ratio, Wald's interval and test.

The coefficient over its standard error is compared with a normal distribution; an odds ratio is the
exponential of the coefficient, and so are the ends of its interval (Wald, Transactions of the AMS
1943, 54:426). With few events the profile interval of `logistic` is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from oncotrail.statistics.intervals import normal_quantile


@dataclass(frozen=True)
class Coefficient:
    """One row of the table: Wald's interval and test, on the log-odds and the odds-ratio scale.

    An odds ratio above 1: higher values go with a likelier outcome.
    """

    name: str
    value: float
    standard_error: float
    low: float
    high: float
    odds_ratio: float
    odds_ratio_low: float
    odds_ratio_high: float
    z: float
    p_value: float
    confidence: float


def wald_coefficient(
    name: str, value: float, error: float, confidence: float = 0.95
) -> Coefficient:
    """The row of a coefficient with this standard error; two-sided test that it is 0.

    >>> round(wald_coefficient("age", 0.5, 0.2).odds_ratio_low, 3)
    1.114
    """
    half = normal_quantile(confidence)
    low, high = float(value - half * error), float(value + half * error)
    with np.errstate(over="ignore"):  # an end beyond the largest number is infinite
        ratio, ratio_low, ratio_high = np.exp([value, low, high]).tolist()
    return Coefficient(
        name=name,
        value=float(value),
        standard_error=float(error),
        low=low,
        high=high,
        odds_ratio=ratio,
        odds_ratio_low=ratio_low,
        odds_ratio_high=ratio_high,
        z=float(value / error),
        p_value=float(2 * ndtr(-abs(value / error))),
        confidence=confidence,
    )
