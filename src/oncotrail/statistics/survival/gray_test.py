"""Gray's test that k groups do not differ in the cumulative incidence of one cause.

The algorithm, told simply: where others can happen first, a patient who had another event can never
have this one, but still belongs to those who have not had it. At each time the test therefore
spreads the events of interest over the groups not by who is at risk, Y, but by Y (1 - F) / S, where
S is the group's chance of no event at all and F its incidence so far: who would be at risk if
another event did not take patients away. Observed minus expected, summed over time (and strata), is
compared with its variance under one common incidence (Gray, Annals of Statistics 1988, 16:1141; his
weight rho is 0, and ties and variance are those of cmprsk::cuminc).

The variance has a part for every group k and time: the square of how far a patient of k moves the
score of each group, from the event on until the end. All that happened until a time, and all that
will, are running sums of tables of time x group x group, so there is no loop over times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.case_weights import counts
from oncotrail.statistics.survival.causes import Causes, causes_of
from oncotrail.statistics.survival.compared_groups import Groups, compared_groups, strata_of
from oncotrail.statistics.survival.score_test import score_test
from oncotrail.statistics.survival.tied_times import distinct_times


@dataclass(frozen=True)
class IncidenceCounts:
    """One group: how many patients it has, and how many had the event or another one first.

    All of these count rows with a weight above 0, as `n` and `events` of the test do.
    """

    label: Any
    n: int
    events: int
    competing: int


@dataclass(frozen=True)
class GrayTest:
    """The test; `statistic` and `p_value` are None where the scores have no variance."""

    statistic: float | None
    degrees_of_freedom: int
    p_value: float | None
    groups: tuple[IncidenceCounts, ...]
    cause: int
    n: int
    events: int


def gray_test(
    times: ArrayLike,
    causes: ArrayLike,
    groups: ArrayLike,
    *,
    cause: int = 1,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> GrayTest:
    """Test whether the cumulative incidence of `cause` is the same in all groups; two-sided.

    Times are 0 or more; causes are 0 for a censored time, 1, 2, ... for what ended it. Groups and
    strata may be any labels. Weights are whole numbers and count patients: a row of weight 2 is
    that row twice, one of weight 0 is not there. Others are refused, because the variance of this
    test is not known for them.

    >>> found = gray_test([1, 2, 3, 4, 5, 6], [1, 1, 2, 2, 1, 0], list("aabbab"))
    >>> round(found.statistic, 3), found.degrees_of_freedom
    (4.343, 1)
    """
    rows = causes_of(times, causes, cause)
    weight = counts(weights, rows.n)
    patients = rows.only(weight.kept)
    found = compared_groups(groups, weight.kept)
    cells = _Cells(patients, found, strata_of(strata, weight.kept), weight.values)
    test = score_test(*cells.scores_and_covariance())
    return GrayTest(
        statistic=None if test is None else test.statistic,
        degrees_of_freedom=len(found.labels) - 1,
        p_value=None if test is None else test.p_value,
        groups=_counted(patients, found),
        cause=cause,
        n=patients.n,
        events=int(patients.of_interest.sum()),
    )


def _counted(patients: Causes, groups: Groups) -> tuple[IncidenceCounts, ...]:
    size = len(groups.labels)
    events = np.bincount(groups.place, weights=patients.of_interest, minlength=size)
    competing = np.bincount(groups.place, weights=patients.competing, minlength=size)
    columns = zip(groups.labels, groups.sizes, events, competing, strict=True)
    return tuple(
        IncidenceCounts(label, n, int(had_it), int(another))
        for label, n, had_it, another in columns
    )


@dataclass(frozen=True, eq=False)
class _Cells:
    """The patients by stratum, time and group."""

    patients: Causes
    groups: Groups
    strata: Integers
    weights: Floats

    def scores_and_covariance(self) -> tuple[Floats, Floats]:
        """Of each group, summed over the strata."""
        parts = [
            _Stratum(*self._counts(stratum)).scores_and_covariance()
            for stratum in range(int(self.strata.max()) + 1)
        ]
        scores, covariances = zip(*parts, strict=True)
        return np.sum(scores, axis=0), np.sum(covariances, axis=0)

    def _counts(self, stratum: int) -> tuple[Floats, Floats, Floats]:
        """At risk, with the event, with another, at each time that has either; times x groups."""
        rows = self.strata == stratum
        here, size = self.patients.only(rows), len(self.groups.labels)
        distinct, place = distinct_times(here.times)
        kind = here.of_interest + 2 * here.competing
        cell = (kind * distinct.size + place) * size + self.groups.place[rows]
        number = 3 * distinct.size * size
        left = np.bincount(cell, weights=self.weights[rows], minlength=number)
        left = left.reshape(3, distinct.size, size)
        at_risk = left.sum(axis=0)[::-1].cumsum(axis=0)[::-1]
        kept = left[1:].any(axis=(0, 2))
        return at_risk[kept], left[1][kept], left[2][kept]


@dataclass(frozen=True, eq=False)
class _Stratum:
    """Patients at risk, events of interest and others, counted at each time by group."""

    at_risk: Floats
    events: Floats
    others: Floats

    def scores_and_covariance(self) -> tuple[Floats, Floats]:
        size = self.at_risk.shape[1]
        there = self.at_risk > 0
        people = np.maximum(self.at_risk, 1)
        gone = (self.events + self.others) / people
        survival = np.asarray(np.cumprod(1 - gone, axis=0), dtype=np.float64)
        before = np.vstack([np.ones(size), survival])[:-1]
        before[~there] = 1.0  # to divide by
        own = np.vstack([np.zeros(size), (before * self.events / people).cumsum(axis=0)])[:-1]
        restored = np.where(there, self.at_risk / before, 0.0)
        free = restored * np.where(there, 1 - own, 0.0)
        total = self.events.sum(axis=1)
        expected = total[:, None] * free / free.sum(axis=1, keepdims=True)
        of_event = _event_variance(total, restored.sum(axis=1), before, people) * there
        of_other = _other_variance(self.others, before, people) * (survival > 0)
        covariance = _covariance(_Moves.of(total, restored, survival), of_event, of_other)
        return (self.events - expected).sum(axis=0), covariance


@dataclass(frozen=True, eq=False)
class _Moves:
    """How far a patient of each group moves each score: now, later, and what is left of it then."""

    now: Floats  # times x groups moved x groups
    later: Floats
    left: Floats  # times x groups

    @classmethod
    def of(cls, total: Floats, restored: Floats, survival: Floats) -> _Moves:
        # A patient at risk moves the score of its group by `restored`, those of all by their share.
        everybody = restored.sum(axis=1)
        own = np.eye(restored.shape[1]) - (restored / everybody[:, None])[:, None, :]
        now = restored[:, :, None] * own
        incidence = (total / everybody).cumsum()  # in all groups together
        pooled = np.append(0.0, incidence)[:-1]
        rate = np.divide(
            total, everybody * (1 - pooled), where=pooled != 1, out=np.zeros(total.size)
        )
        path = (now * rate[:, None, None]).cumsum(axis=0)
        left = np.divide(
            1 - incidence[:, None], survival, where=survival > 0, out=np.zeros(survival.shape)
        )
        return cls(now, path[-1:] - path, left)


def _covariance(moves: _Moves, of_event: Floats, of_other: Floats) -> Floats:
    """What events move now and in all that is to come, squared, times their variances."""
    by_event = moves.now + (1 - moves.left)[:, None, :] * moves.later
    by_other = moves.left[:, None, :] * moves.later
    pairs = ((of_event, by_event), (of_other, by_other))
    parts = [np.einsum("tk,tik,tjk->ij", part, by, by, optimize=True) for part, by in pairs]
    return np.asarray(parts[0] + parts[1], dtype=np.float64)


def _event_variance(total: Floats, everybody: Floats, before: Floats, people: Floats) -> Floats:
    """Of the events of interest in each group, were they spread by one common incidence."""
    drawn = everybody[:, None] * before
    tied = np.where(total > 1, total - 1, 0.0)[:, None]
    replaced = np.divide(tied, drawn - 1, where=tied > 0, out=np.zeros(drawn.shape))
    return np.asarray((1 - replaced) * before * total[:, None] / (everybody[:, None] * people))


def _other_variance(others: Floats, before: Floats, people: Floats) -> Floats:
    replaced = np.maximum(others - 1, 0.0) / np.maximum(people - 1, 1.0)
    return np.asarray((1 - replaced) * before**2 * others / people**2)
