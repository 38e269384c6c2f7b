"""Cut-points that are learned on one group of patients and applied to others.

A cut-point chosen because it separates survival best has, on the patients it was chosen on, a
log-rank p-value that is far too small: it is the best of many. So the fitted object says on whom it
was learned, its p-value is that of the maximally selected statistic, and `apply` takes it to other
patients without looking at their outcome.

The algorithm, told simply: give each patient a score, the event less the hazard the patient has
lived through, and find the cut that best separates high scores from low ones
(`maximal_statistic`). Scores and their ties are those of Hothorn and Lausen (Computational
Statistics & Data Analysis 2003, 43:121), as in maxstat::maxstat.test.

A patient is above a cut-point at `value > cut`: the cut is the largest value of the lower group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.survival.life_table import sums
from oncotrail.statistics.survival.maximal_statistic import (
    TENTHS,
    Correction,
    MaximalStatistic,
    Shares,
    maximal_statistic,
)
from oncotrail.statistics.survival.tied_times import distinct_times


@dataclass(frozen=True, kw_only=True)
class Learned:
    """Something learned from `n` patients, who are named: what it says of them is optimistic."""

    on_whom: str
    n: int

    def __post_init__(self) -> None:
        if not self.on_whom.strip():
            raise ValueError(
                "found no name in on_whom; expected who the rows are, such as 'train'."
            )


@dataclass(frozen=True, kw_only=True)
class CutPoint(Learned):
    """A cut in one marker, and how it was learned.

    `statistic` is the standardised difference at the cut (2 is large for a cut fixed in advance),
    `p_value` its two-sided p-value corrected for the search, `naive_p_value` the one that ignores
    it and must not be reported. `higher_is_worse` says on which side the events were.
    """

    value: float
    events: int
    below: int
    above: int
    higher_is_worse: bool
    statistic: float
    p_value: float
    naive_p_value: float
    correction: Correction
    cuts_tried: int
    shares: Shares

    def apply(self, values: ArrayLike) -> Flags:
        """Who is above the cut (`value > cut`), of any patients."""
        return np.asarray(arrays.column(values, "values") > self.value, dtype=bool)


def survival_cut_point(
    values: ArrayLike,
    times: ArrayLike,
    events: ArrayLike,
    *,
    on_whom: str,
    shares: Shares = TENTHS,
    correction: Correction = "Lau94",
    generator: np.random.Generator | None = None,
    permutations: int = 10_000,
) -> CutPoint:
    """The cut that separates survival best, by the maximally selected log-rank statistic.

    Give the training rows only, and say so in `on_whom`; times are 0 or more. At least
    `shares.least` and at most `shares.greatest` of the patients are at or below the cut. A marker
    that cannot be cut so, and an outcome that is the same in all, are undefined. "permutation"
    needs a `generator`.

    >>> found = survival_cut_point(
    ...     [1, 2, 3, 4, 5, 6], [9, 8, 7, 3, 2, 1], [0, 1, 1, 1, 1, 1], on_whom="train"
    ... )
    >>> found.value, found.higher_is_worse, found.apply([2.0, 2.5]).tolist()
    (2.0, True, [False, True])
    """
    patients = arrays.survived(times, events)
    marker = arrays.column(values, "values", n=patients.n)
    scores = log_rank_scores(patients.times, patients.events)
    found = maximal_statistic(
        marker, scores, shares, correction, generator=generator, permutations=permutations
    )
    request = _Request(on_whom, patients.n, patients.number_of_events, correction, shares)
    return request.cut_point(found)


def binary_cut_point(
    values: ArrayLike,
    labels: ArrayLike,
    *,
    on_whom: str,
    shares: Shares = TENTHS,
    correction: Correction = "Lau94",
    generator: np.random.Generator | None = None,
    permutations: int = 10_000,
) -> CutPoint:
    """The cut that separates a binary outcome best: the maximally selected chi-squared statistic.

    As `survival_cut_point`, with the outcome itself as the score; the square of the statistic is
    the chi-squared of the fourfold table times (n - 1) / n (Miller and Siegmund, Biometrics 1982,
    38:1011).

    >>> binary_cut_point([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1], on_whom="train").value
    3.0
    """
    patients = arrays.two_classes(labels, values)
    scores = patients.labels.astype(np.float64)
    found = maximal_statistic(
        patients.scores, scores, shares, correction, generator=generator, permutations=permutations
    )
    request = _Request(on_whom, patients.n, patients.events, correction, shares)
    return request.cut_point(found)


def log_rank_scores(times: ArrayLike, events: ArrayLike) -> Floats:
    """Each patient's event less the hazard it lived through; without ties they sum to 0.

    The hazard adds, for each event at or before the patient's time, 1 / (patients with a later
    time + 1); tied events share that number (Hothorn and Lausen 2003).

    >>> log_rank_scores([1, 2], [1, 1]).tolist()
    [0.5, -0.5]
    """
    patients = arrays.survived(times, events)
    distinct, place = distinct_times(patients.times)
    one = np.ones(patients.n)
    later = patients.n - sums(place, one, distinct.size).cumsum()
    hazard = sums(place, patients.events * one, distinct.size) / (later + 1)
    return np.asarray(patients.events - hazard.cumsum()[place], dtype=np.float64)


@dataclass(frozen=True)
class _Request:
    """What a cut-point remembers of how it was asked for, whatever was found."""

    on_whom: str
    n: int
    events: int
    correction: Correction
    shares: Shares

    def cut_point(self, found: MaximalStatistic) -> CutPoint:
        statistic = abs(found.signed)
        return CutPoint(
            value=found.cut,
            on_whom=self.on_whom,
            n=self.n,
            events=self.events,
            below=found.below,
            above=self.n - found.below,
            higher_is_worse=found.signed < 0,
            statistic=statistic,
            p_value=found.p_value,
            naive_p_value=float(chdtrc(1, statistic**2)),
            correction=self.correction,
            cuts_tried=found.cuts_tried,
            shares=self.shares,
        )
