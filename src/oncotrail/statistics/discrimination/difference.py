"""Two areas apart: in different patients, or by no more than a margin in the same ones.

*Different patients* (internal against external, two hospitals): the areas are independent, their
variances add, and the difference over its standard error is compared with Student's t, whose
degrees of freedom are Satterthwaite's, as in Welch's test (Robin et al., BMC Bioinformatics 2011,
12:77).

*Non-inferiority*: a new score may be worse than the standard by less than `margin`. The hypothesis
to be refuted is difference <= -margin; the test is one-sided (Liu et al., Statistics in Medicine
2006, 25:1219).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr, stdtrit

from oncotrail.statistics.arrays import checked_confidence
from oncotrail.statistics.discrimination.area import paired_test
from oncotrail.statistics.discrimination.placements import Placements, placements
from oncotrail.statistics.intervals import Difference


@dataclass(frozen=True)
class NonInferiority:
    """A one-sided test that the new area is not below the standard's by `margin` or more.

    `difference` is new minus standard. Non-inferiority is shown where its interval lies above
    -margin, which is where p < (1 - confidence) / 2. z and p are None where the variance of the
    difference is zero or unknown.
    """

    difference: Difference
    margin: float
    z: float | None
    p_value: float | None


def unpaired_test(
    first_labels: ArrayLike,
    first_scores: ArrayLike,
    second_labels: ArrayLike,
    second_scores: ArrayLike,
    confidence: float = 0.95,
    *,
    weights: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
    clusters: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
) -> Difference:
    """DeLong's two-sided test that the areas in two groups of different patients are the same.

    The first area minus the second; `n` and `events` are of both groups together. Interval, t and p
    are None where the variance is zero (both areas perfect or constant) or unknown (a single
    patient with, or without, the outcome). `weights` and `clusters` are those of the first and of
    the second group, each as in `area.auc`; the degrees of freedom count patients.

    >>> here, there = ([0, 0, 1, 1], [1, 3, 2, 4]), ([0, 0, 0, 1, 1], [1, 2, 4, 3, 5])
    >>> found = unpaired_test(*here, *there)
    >>> round(found.value, 4), round(found.degrees_of_freedom, 2)
    (-0.0833, 5.45)
    """
    one = placements(first_labels, first_scores, weights[0], clusters[0])
    two = placements(second_labels, second_scores, weights[1], clusters[1])
    value = one.area - two.area
    low = high = t = error = degrees = p_value = None
    quantile = checked_confidence(confidence) / 2 + 0.5
    known = _error_and_degrees(one, two)
    if known:
        error, degrees = known
        t, half = value / error, float(stdtrit(degrees, quantile)) * error
        low, high = max(-1.0, value - half), min(1.0, value + half)
        p_value = float(2 * stdtr(degrees, -abs(t)))
    return Difference(
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        n=one.n + two.n,
        events=one.positive.n + two.positive.n,
        method=f"{' and '.join(sorted({one.method, two.method}))}, Welch",
        p_value=p_value,
        standard_error=error,
        statistic=t,
        degrees_of_freedom=degrees,
    )


def non_inferiority_test(
    labels: ArrayLike,
    new: ArrayLike,
    standard: ArrayLike,
    margin: float,
    confidence: float = 0.95,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> NonInferiority:
    """Whether `new` is worse than `standard`, on the same patients, by less than `margin`.

    `confidence` is that of the two-sided interval, whose lower end is the bound: at 0.95 the
    one-sided level is 0.025. `weights` and `clusters` as in `area.auc`.

    >>> labels, new, standard = [0, 0, 0, 1, 1], [1, 4, 2, 3, 8], [1, 2, 3, 2, 4]
    >>> found = non_inferiority_test(labels, new, standard, margin=0.1)
    >>> round(found.difference.value, 4), round(found.difference.low, 4)
    (0.0833, -0.3786)
    """
    if not 0 < margin < 1:
        raise ValueError(f"found margin {margin}; expected an area between 0 and 1, such as 0.05.")
    found = paired_test(labels, new, standard, confidence, weights=weights, clusters=clusters)
    if found.standard_error is None:
        return NonInferiority(found, margin, None, None)
    z = (found.value + margin) / found.standard_error
    return NonInferiority(found, margin, z, float(ndtr(-z)))


def _error_and_degrees(first: Placements, second: Placements) -> tuple[float, float] | None:
    """The difference's standard error and Satterthwaite's degrees of freedom."""
    one, two = first.variance, second.variance
    if one is None or two is None or one + two == 0:
        return None
    parts = one**2 / (first.n - 1) + two**2 / (second.n - 1)
    return math.sqrt(one + two), (one + two) ** 2 / parts
