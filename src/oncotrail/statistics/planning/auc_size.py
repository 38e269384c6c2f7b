"""How many patients it takes to know an area under the curve, or to tell two apart.

The standard error of an area A with n patients, a share phi of them with the outcome, is Hanley and
McNeil's (Radiology 1982, 143:29), for m = n phi and k = n (1 - phi) patients in the groups,

    (A (1 - A) + (m - 1) (A / (2 - A) - A^2) + (k - 1) (2 A^2 / (1 + A) - A^2)) / (m k),

or Newcombe's (Statistics in Medicine 2006, 25:559), with both m - 1 and k - 1 replaced by n / 2 - 1
and so symmetric about one half, which Riley et al. (Statistics in Medicine 2021, 40:4230) take for
external validation. Both fall with n, so the smallest n that is enough is found by halving.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from scipy.special import ndtri

from oncotrail.statistics.arrays import one_of
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.planning.explained import checked_share
from oncotrail.statistics.planning.smallest import smallest

Variance = Literal["Hanley-McNeil", "Newcombe"]


@dataclass(frozen=True)
class AucSize:
    """Patients needed, the events expected among them (not rounded), and the error reached."""

    n: int
    events: float
    standard_error: float
    method: Variance


def auc_standard_error(
    auc: float, n: int, prevalence: float, *, method: Variance = "Newcombe"
) -> float:
    """Expected standard error of an area with `n` patients (at least one event and one without).

    >>> round(auc_standard_error(0.8, 500, 0.2), 4)
    0.0248
    """
    area, share = checked_share(auc, "auc"), checked_share(prevalence, "prevalence")
    one_of(method, get_args(Variance), "method")
    positives, negatives = n * share, n * (1 - share)
    if min(positives, negatives) < 1:
        raise ValueError(
            f"found {n} patients at a prevalence of {share:g}; "
            "expected at least 1 with the outcome and 1 without."
        )
    more = (n / 2 - 1, n / 2 - 1) if method == "Newcombe" else (positives - 1, negatives - 1)
    same = more[0] * (area / (2 - area) - area**2) + more[1] * (2 * area**2 / (1 + area) - area**2)
    return math.sqrt((area * (1 - area) + same) / (positives * negatives))


def auc_width_size(
    auc: float,
    prevalence: float,
    width: float,
    *,
    confidence: float = 0.95,
    method: Variance = "Newcombe",
) -> AucSize:
    """Patients for an interval of the area no wider than `width`, end to end.

    >>> auc_width_size(0.8, 0.018, 0.1).n
    4252
    """
    target = checked_share(width, "width") / (2 * normal_quantile(confidence))

    def error(n: int) -> float:
        return auc_standard_error(auc, n, prevalence, method=method)

    return _size(error, target, prevalence, method)


def auc_difference_size(
    first: float,
    second: float,
    prevalence: float,
    *,
    correlation: float = 0.0,
    power: float = 0.8,
    significance: float = 0.05,
    method: Variance = "Hanley-McNeil",
) -> AucSize:
    """Patients to tell two areas apart by a two-sided test.

    `correlation` is that of the two estimated areas: 0 where each has its own patients (n is then
    for each), above 0 where the same patients have both.

    >>> auc_difference_size(0.75, 0.85, 0.5).n
    305
    """
    if first == second:
        raise ValueError(f"found areas that are both {first}; expected two that differ.")
    if not -1 < correlation < 1:
        raise ValueError(f"found correlation {correlation}; expected a number between -1 and 1.")
    reach = normal_quantile(1 - significance) + float(ndtri(checked_share(power, "power")))

    def error(n: int) -> float:
        one, two = (
            auc_standard_error(area, n, prevalence, method=method) for area in (first, second)
        )
        return math.sqrt(one**2 + two**2 - 2 * correlation * one * two)

    if reach <= 0:
        raise ValueError(f"found power {power}; expected one above half the significance.")
    return _size(error, abs(first - second) / reach, prevalence, method)


def _size(
    error: Callable[[int], float], target: float, prevalence: float, method: Variance
) -> AucSize:
    start = math.ceil(1 / min(prevalence, 1 - prevalence))
    n = smallest(lambda n: error(n) <= target, start)
    return AucSize(n, n * prevalence, error(n), method)
