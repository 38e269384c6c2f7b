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

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.survival.competing_risks import Causes
from oncotrail.statistics.survival.score_test import score_test
from oncotrail.statistics.survival.tied_times import distinct_times


@dataclass(frozen=True)
class IncidenceCounts:
    """One group: its patients, and how many had the event of interest or another first."""

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
) -> GrayTest:
    """Test whether the cumulative incidence of `cause` is the same in all groups; two-sided.

    Causes are 0 for a censored time, 1, 2, ... for what ended it. Groups and strata may be any
    labels.

    >>> found = gray_test([1, 2, 3, 4, 5, 6], [1, 1, 2, 2, 1, 0], list("aabbab"))
    >>> round(found.statistic, 3), found.degrees_of_freedom
    (4.343, 1)
    """
    checked = Causes.of(times, causes, cause)
    time, code = checked.times, checked.causes
    group = arrays.groups(groups, time.size)
    labels = np.unique(np.asarray(groups)).tolist()
    if len(labels) < 2:
        raise ValueError(f"found one group, {labels[0]!r}; expected at least two to compare.")
    stratum = group * 0 if strata is None else arrays.groups(strata, time.size, "strata")
    size = len(labels)
    scores, covariance = np.zeros(size), np.zeros((size, size))
    kind = np.where(code == cause, 1, np.where(code > 0, 2, 0))
    for one in range(int(stratum.max()) + 1):
        kept = stratum == one
        found = _stratum(time[kept], kind[kept], group[kept], size)
        scores += found[0]
        covariance += found[1]
    test = score_test(scores, covariance)
    counts = [np.bincount(group, weights=kind == wanted, minlength=size) for wanted in (1, 2)]
    return GrayTest(
        statistic=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=test.p_value,
        groups=tuple(
            IncidenceCounts(label, int(n), int(events), int(competing))
            for label, n, events, competing in zip(labels, np.bincount(group), *counts, strict=True)
        ),
        cause=cause,
        n=time.size,
        events=int((kind == 1).sum()),
    )


def _stratum(times: Floats, kind: Integers, group: Integers, size: int) -> tuple[Floats, Floats]:
    """Scores and their covariance; rows are times with an event, columns groups."""
    at_risk, events, others = _counts(times, kind, group, size)
    if not at_risk.size:
        return np.zeros(size), np.zeros((size, size))
    there = at_risk > 0
    people = np.maximum(at_risk, 1)
    survival = np.cumprod(1 - (events + others) / people, axis=0)
    before = np.vstack([np.ones(size), survival[:-1]])
    before[~there] = 1.0  # to divide by
    own = np.vstack([np.zeros(size), (before * events / people).cumsum(axis=0)[:-1]])
    restored = np.where(there, at_risk / before, 0.0)
    free = restored * np.where(there, 1 - own, 0.0)
    total = events.sum(axis=1)
    scores = (events - total[:, None] * free / free.sum(axis=1, keepdims=True)).sum(axis=0)

    # A patient at risk moves the score of its group by `restored`, those of all by their share.
    everybody = restored.sum(axis=1)
    moves = restored[:, :, None] * (np.eye(size) - (restored / everybody[:, None])[:, None, :])
    incidence = (total / everybody).cumsum()  # in all groups together
    pooled = np.append(0.0, incidence[:-1])
    rate = np.divide(total, everybody * (1 - pooled), where=pooled != 1, out=np.zeros(total.size))
    path = (moves * rate[:, None, None]).cumsum(axis=0)
    left = np.divide(
        1 - incidence[:, None], survival, where=survival > 0, out=np.zeros(survival.shape)
    )
    of_event = _event_variance(total, everybody, before, people) * there
    of_other = _other_variance(others, before, people) * (survival > 0)
    return scores, _covariance(moves, path[-1] - path, left, of_event, of_other)


def _covariance(
    moves: Floats, to_come: Floats, left: Floats, of_event: Floats, of_other: Floats
) -> Floats:
    """What events move now and in all that is to come, squared, times their variances."""
    by_event = moves + (1 - left)[:, None, :] * to_come
    by_other = left[:, None, :] * to_come
    pairs = ((of_event, by_event), (of_other, by_other))
    parts = [np.einsum("tk,tik,tjk->ij", part, by, by, optimize=True) for part, by in pairs]
    return np.asarray(parts[0] + parts[1], dtype=np.float64)


def _counts(
    times: Floats, kind: Integers, group: Integers, size: int
) -> tuple[Floats, Floats, Floats]:
    distinct, place = distinct_times(times)
    cell = (kind * distinct.size + place) * size + group
    left = np.bincount(cell, minlength=3 * distinct.size * size).astype(np.float64)
    left = left.reshape(3, distinct.size, size)
    at_risk = left.sum(axis=0)[::-1].cumsum(axis=0)[::-1]
    kept = left[1:].any(axis=(0, 2))
    return at_risk[kept], left[1][kept], left[2][kept]


def _event_variance(total: Floats, everybody: Floats, before: Floats, people: Floats) -> Floats:
    """Of the events of interest in each group, were they spread by one common incidence."""
    drawn = everybody[:, None] * before
    tied = np.where(total > 1, total - 1, 0.0)[:, None]
    replaced = np.divide(tied, drawn - 1, where=tied > 0, out=np.zeros(drawn.shape))
    return np.asarray((1 - replaced) * before * total[:, None] / (everybody[:, None] * people))


def _other_variance(others: Floats, before: Floats, people: Floats) -> Floats:
    replaced = np.maximum(others - 1, 0.0) / np.maximum(people - 1, 1.0)
    return np.asarray((1 - replaced) * before**2 * others / people**2)
