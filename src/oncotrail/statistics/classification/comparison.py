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
from oncotrail.statistics.intervals import Difference, wilson

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
class CallsCompared:
    """Two models, readers or both. None where no patient has, or is without, the outcome.

    First minus second: above 0, the first is better.
    """

    accuracy: Difference
    sensitivity: Difference | None
    specificity: Difference | None


def mcnemar(first: ArrayLike, second: ArrayLike, method: McNemarMethod = "exact") -> McNemar:
    """McNemar's two-sided test that two yes-or-no values of each patient are as often yes.

    `first` and `second` are 0 or 1 for each patient, such as whether a model was right. The exact
    test counts patients, so weights are not offered.

    >>> round(mcnemar([1, 1, 1, 1, 1, 0], [1, 0, 0, 0, 0, 0]).p_value, 4)
    0.125
    """
    one, two = _pair(first, second)
    b, c = int((one & ~two).sum()), int((two & ~one).sum())
    one_of(method, get_args(McNemarMethod), "method")
    if method == "exact":
        p_value = min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))
        return McNemar(b, c, None, p_value, one.size, method)
    if b + c == 0:
        return McNemar(b, c, None, None, one.size, method)
    # Nothing is taken from a difference of zero, as in R.
    distance = abs(b - c) - (1 if method == "corrected" and b != c else 0)
    statistic = distance**2 / (b + c)
    return McNemar(b, c, statistic, float(chdtrc(1, statistic)), one.size, method)


def paired_difference(
    first: ArrayLike, second: ArrayLike, confidence: float = 0.95, *, events: int | None = None
) -> Difference:
    """Difference of two proportions of the same patients, -1 to 1, first minus second.

    Newcombe's interval, and McNemar's exact p. Patients' weights are not offered: neither holds
    with them. `events` is how many of the patients had the outcome, if there is one.

    >>> found = paired_difference([1, 1, 1, 1, 0], [1, 0, 0, 1, 0])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3), found.p_value
    (0.4, -0.163, 0.726, 0.5)
    """
    one, two = _pair(first, second)
    n = one.size
    proportions = np.array([one.mean(), two.mean()])
    ends = [wilson(int(side.sum()), n, confidence) for side in (one, two)]
    below = proportions - [end.low for end in ends]
    above = np.array([end.high for end in ends]) - proportions
    phi = _correlation(one, two)
    value = (int(one.sum()) - int(two.sum())) / n
    return Difference(
        value=value,
        low=max(-1.0, value - _distance(below[0], above[1], phi)),
        high=min(1.0, value + _distance(above[0], below[1], phi)),
        confidence=confidence,
        n=n,
        events=events,
        method="Newcombe, McNemar exact",
        p_value=mcnemar(one, two).p_value,
    )


def compare_calls(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> CallsCompared:
    """Accuracy, sensitivity and specificity of two callers of the same patients, first - second.

    `first` and `second` are what each called (1 positive): a model at its threshold, or a reader.

    >>> found = compare_calls([1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 1])
    >>> round(found.accuracy.value, 3), found.sensitivity.p_value
    (0.4, 1.0)
    """
    outcome = binary(labels, "labels")
    one, two = (
        binary(call, name, outcome.size) == outcome
        for call, name in ((first, "first"), (second, "second"))
    )

    def among(rows: Flags) -> Difference:
        return paired_difference(one[rows], two[rows], confidence, events=int(outcome[rows].sum()))

    return CallsCompared(
        accuracy=among(np.ones(outcome.size, dtype=np.bool_)),
        sensitivity=among(outcome) if outcome.any() else None,
        specificity=None if outcome.all() else among(~outcome),
    )


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
