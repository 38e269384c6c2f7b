"""Two models' calls on the same patients: which is right more often, and by how much.

Only patients on whom the two disagree tell them apart. Of b patients where only the first is right
and c where only the second is, under equality b is binomial of b + c with chance one half: that is
McNemar's *exact* test. Its normal approximation is (b - c)^2 / (b + c), *corrected* for continuity
(|b - c| - 1)^2 / (b + c), on one degree of freedom (McNemar, Psychometrika 1947, 12:153; Edwards,
1948, 13:185).

The *difference* of the two proportions takes Wilson's interval of each, and adds the distances to
their ends as squares, less what the correlation of the two takes away (Newcombe, Statistics in
Medicine 1998, 17:2635, method 10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, chdtrc

from oncotrail.statistics.arrays import Flags, binary, one_of
from oncotrail.statistics.intervals import wilson

McNemarMethod = Literal["exact", "asymptotic", "corrected"]


@dataclass(frozen=True)
class McNemar:
    """McNemar's test. `statistic` is chi squared, None for the exact test.

    Where the two never disagree the exact p is 1, and the asymptotic statistic and p are None.
    """

    only_first: int
    only_second: int
    statistic: float | None
    p_value: float | None
    n: int
    method: McNemarMethod


@dataclass(frozen=True)
class PairedDifference:
    """The first proportion minus the second, of the same `n` patients, and its interval."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    confidence: float
    n: int


@dataclass(frozen=True)
class CallComparison:
    """One figure of two models: its difference, and McNemar's exact test."""

    difference: PairedDifference
    test: McNemar


@dataclass(frozen=True)
class CallComparisons:
    """Two models at their thresholds. None where there is no patient with, or without, the outcome.

    First minus second: above 0, the first is better.
    """

    accuracy: CallComparison
    sensitivity: CallComparison | None
    specificity: CallComparison | None


def mcnemar(first: ArrayLike, second: ArrayLike, method: McNemarMethod = "exact") -> McNemar:
    """McNemar's two-sided test that two yes-or-no values of each patient are as often yes.

    `first` and `second` are 0 or 1 for each patient, such as whether a model was right.

    >>> round(mcnemar([1, 1, 1, 1, 1, 0], [1, 0, 0, 0, 0, 0]).p_value, 4)
    0.125
    """
    one, two = _pair(first, second)
    b, c = int((one & ~two).sum()), int((two & ~one).sum())
    one_of(method, get_args(McNemarMethod), "method")
    if method == "exact":
        p_value = min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5))) if b + c else 1.0
        return McNemar(b, c, None, p_value, one.size, method)
    if b + c == 0:
        return McNemar(b, c, None, None, one.size, method)
    # Nothing is taken from a difference of zero, as in R.
    distance = abs(b - c) - (1 if method == "corrected" and b != c else 0)
    statistic = distance**2 / (b + c)
    return McNemar(b, c, statistic, float(chdtrc(1, statistic)), one.size, method)


def paired_difference(
    first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> PairedDifference:
    """Difference of two proportions of the same patients, -1 to 1, with Newcombe's interval.

    >>> found = paired_difference([1, 1, 1, 1, 0], [1, 0, 0, 1, 0])
    >>> round(found.difference, 3), round(found.low, 3), round(found.high, 3)
    (0.4, -0.163, 0.726)
    """
    one, two = _pair(first, second)
    n = one.size
    proportions = np.array([one.mean(), two.mean()])
    ends = [wilson(int(side.sum()), n, confidence) for side in (one, two)]
    below = proportions - [end.low for end in ends]
    above = np.array([end.high for end in ends]) - proportions
    phi = _correlation(one, two)
    value = float(proportions[0] - proportions[1])
    return PairedDifference(
        first=float(proportions[0]),
        second=float(proportions[1]),
        difference=value,
        low=max(-1.0, value - _distance(below[0], above[1], phi)),
        high=min(1.0, value + _distance(above[0], below[1], phi)),
        confidence=confidence,
        n=n,
    )


def compare_calls(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> CallComparisons:
    """Accuracy, sensitivity and specificity of two models that called the same patients.

    `first` and `second` are what each called (1 positive), at its threshold.

    >>> found = compare_calls([1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 1])
    >>> round(found.accuracy.difference.difference, 3), found.sensitivity.test.p_value
    (0.4, 1.0)
    """
    outcome = binary(labels, "labels")
    calls = [
        binary(call, name, outcome.size) for call, name in ((first, "first"), (second, "second"))
    ]
    right = calls[0] == outcome, calls[1] == outcome

    def among(rows: Flags) -> CallComparison | None:
        if not rows.any():
            return None
        return _compare(right[0][rows], right[1][rows], confidence)

    return CallComparisons(_compare(*right, confidence), among(outcome), among(~outcome))


def _compare(first: Flags, second: Flags, confidence: float) -> CallComparison:
    return CallComparison(paired_difference(first, second, confidence), mcnemar(first, second))


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Flags, Flags]:
    one = binary(first, "first")
    return one, binary(second, "second", one.size)


def _correlation(one: Flags, two: Flags) -> float:
    """Newcombe's phi: corrected for continuity where positive, 0 where a margin is empty."""
    n = one.size
    a, d = int((one & two).sum()), int((~one & ~two).sum())
    b, c = int((one & ~two).sum()), int((two & ~one).sum())
    margins = (a + b) * (c + d), (a + c) * (b + d)
    if 0 in margins:
        return 0.0
    product = a * d - b * c
    numerator = max(product - n / 2, 0) if product > 0 else product
    return numerator / math.sqrt(margins[0]) / math.sqrt(margins[1])


def _distance(one: float, other: float, phi: float) -> float:
    # At phi = 1 and equal distances the square is zero up to rounding.
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
