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
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from oncotrail.statistics.arrays import checked_confidence
from oncotrail.statistics.discrimination.placements import Placements, placements


@dataclass(frozen=True)
class UnpairedTest:
    """DeLong's test of a score in two groups of different patients, or of two scores in them.

    `difference` is the first area minus the second. Interval, t, its degrees of freedom and p are
    None where the variance is zero (both areas perfect or constant) or unknown (a single patient
    with, or without, the outcome).
    """

    difference: float
    low: float | None
    high: float | None
    t: float | None
    degrees_of_freedom: float | None
    p_value: float | None
    confidence: float
    n: tuple[int, int]
    events: tuple[int, int]


@dataclass(frozen=True)
class NonInferiority:
    """A one-sided test that the new area is not below the standard's by `margin` or more.

    `difference` is new minus standard; `low` its one-sided confidence bound: non-inferiority is
    shown where low > -margin, which is where p < 1 - confidence. None where the variance of the
    difference is zero or unknown.
    """

    difference: float
    margin: float
    low: float | None
    z: float | None
    p_value: float | None
    confidence: float
    n: int
    events: int


def unpaired_test(
    first_labels: ArrayLike,
    first_scores: ArrayLike,
    second_labels: ArrayLike,
    second_scores: ArrayLike,
    confidence: float = 0.95,
) -> UnpairedTest:
    """DeLong's two-sided test that the areas in two groups of different patients are the same.

    >>> here, there = ([0, 0, 1, 1], [1, 3, 2, 4]), ([0, 0, 0, 1, 1], [1, 2, 4, 3, 5])
    >>> found = unpaired_test(*here, *there)
    >>> round(found.difference, 4), round(found.degrees_of_freedom, 2)
    (-0.0833, 5.45)
    """
    groups = placements(first_labels, first_scores), placements(second_labels, second_scores)
    value = groups[0].area - groups[1].area
    low = high = t = degrees = p_value = None
    quantile = checked_confidence(confidence) / 2 + 0.5
    known = _error_and_degrees(*groups)
    if known:
        error, degrees = known
        t, half = value / error, float(stdtrit(degrees, quantile)) * error
        low, high = max(-1.0, value - half), min(1.0, value + half)
        p_value = float(2 * stdtr(degrees, -abs(t)))
    n, events = (groups[0].n, groups[1].n), (groups[0].positive.n, groups[1].positive.n)
    return UnpairedTest(value, low, high, t, degrees, p_value, confidence, n, events)


def non_inferiority_test(
    labels: ArrayLike,
    new: ArrayLike,
    standard: ArrayLike,
    margin: float,
    confidence: float = 0.975,
) -> NonInferiority:
    """Whether `new` is worse than `standard`, on the same patients, by less than `margin`.

    `confidence` is one-sided; 0.975 is the lower end of a two-sided 95 % interval.

    >>> labels, new, standard = [0, 0, 0, 1, 1], [1, 4, 2, 3, 8], [1, 2, 3, 2, 4]
    >>> found = non_inferiority_test(labels, new, standard, margin=0.1)
    >>> round(found.difference, 4), round(found.low, 4)
    (0.0833, -0.3786)
    """
    if not 0 < margin < 1:
        raise ValueError(f"found margin {margin}; expected an area between 0 and 1, such as 0.05.")
    quantile = float(ndtri(checked_confidence(confidence)))
    placed = placements(labels, new).minus(placements(labels, standard))
    value, variance = placed.area, placed.variance
    low = z = p_value = None
    if variance:
        error = math.sqrt(variance)
        low, z = max(-1.0, value - quantile * error), (value + margin) / error
        p_value = float(ndtr(-z))
    return NonInferiority(value, margin, low, z, p_value, confidence, placed.n, placed.positive.n)


def _error_and_degrees(first: Placements, second: Placements) -> tuple[float, float] | None:
    """The difference's standard error and Satterthwaite's degrees of freedom."""
    one, two = first.variance, second.variance
    if one is None or two is None or one + two == 0:
        return None
    parts = one**2 / (first.n - 1) + two**2 / (second.n - 1)
    return math.sqrt(one + two), (one + two) ** 2 / parts
