"""Do k groups differ in survival? The log-rank test and its weighted forms.

The algorithm, told simply: at each time of events, spread the d events over the groups in
proportion to who is at risk, d Y_g / Y; that is what each group would expect if they did not
differ. Add up observed minus expected over time, and compare with the covariance of d drawn without
replacement, d (Y - d) / (Y - 1) times p (1 - p) or -p q for shares p and q at risk (Mantel, Cancer
Chemotherapy Reports 1966, 50:163; Peto and Peto, JRSS A 1972, 135:185). With strata all of this
happens within each stratum, and is added up.

Each time may have a weight, the pooled survival just before it to the power rho (Harrington and
Fleming, Biometrika 1982, 69:553): 0 is the log-rank test, 1 Peto and Peto's modification of the
Wilcoxon test, for differences that come early.

Patients may have weights too (`case_weights`). Whole numbers are counts: a row of weight 2 is that
row twice. Others make weighted sums of the same scores, whose variance is that of the patients'
influences, as in the robust score test of a Cox model with Breslow's ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from oncotrail.statistics import arrays
from oncotrail.statistics.survival.log_rank_table import log_rank_table
from oncotrail.statistics.survival.score_test import score_test


@dataclass(frozen=True)
class GroupCounts:
    """One group: its patients, and (weighted) events observed and expected were there no effect."""

    label: Any
    n: int
    observed: float
    expected: float


@dataclass(frozen=True)
class LogRank:
    """The test of k groups. `statistic` and `p_value` are None where nothing can be tested.

    A group that was never at risk at an event has no expectation and costs no degree of freedom,
    as in R; with fewer than two others, or without variance, the test is undefined. `n` and
    `events` count patients (rows with a weight above 0); `robust` says whether the variance is that
    of the patients' influences.
    """

    statistic: float | None
    degrees_of_freedom: int
    p_value: float | None
    groups: tuple[GroupCounts, ...]
    n: int
    events: int
    rho: float
    robust: bool


@dataclass(frozen=True)
class Trend:
    """The test that the hazard rises or falls with the order of the groups.

    `statistic` is standard normal if it does neither, and above 0 where it rises (its square is the
    chi-squared that others print). It and `p_value` are None where the scores have no variance.
    """

    statistic: float | None
    p_value: float | None
    n: int
    events: int
    rho: float
    robust: bool


def log_rank(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
    weights: ArrayLike | None = None,
    robust: bool | None = None,
) -> LogRank:
    """Test whether survival is the same in all groups; two-sided.

    Times are 0 or more. Patients censored at a time of events are at risk there. Groups and strata
    may be any labels; groups come back in sorted order. Weights are case weights, and rows with a
    weight of 0 are left out. `robust` is by default True where a weight is not a whole number, and
    must not be False there.

    >>> found = log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], list("aaabbb"))
    >>> round(found.statistic, 3), [round(group.expected, 2) for group in found.groups]
    (5.052, [1.15, 3.85])
    """
    table = log_rank_table(
        times, events, groups, strata=strata, rho=rho, weights=weights, robust=robust
    )
    seen = table.expected > 0
    excess = (table.observed - table.expected)[seen]
    test = score_test(excess, table.covariance[np.ix_(seen, seen)])
    columns = (table.groups.labels, table.groups.sizes, table.observed, table.expected)
    return LogRank(
        statistic=None if test is None else test.statistic,
        degrees_of_freedom=max(0, int(seen.sum()) - 1),
        p_value=None if test is None else test.p_value,
        groups=tuple(
            GroupCounts(label, n, float(observed), float(expected))
            for label, n, observed, expected in zip(*columns, strict=True)
        ),
        n=table.n,
        events=table.events,
        rho=rho,
        robust=table.robust,
    )


def trend(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    scores: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
    weights: ArrayLike | None = None,
    robust: bool | None = None,
) -> Trend:
    """Test for a trend over ordered groups: one degree of freedom, two-sided.

    `scores` are the distances between groups, one per group in sorted order; by default 0, 1, 2...
    The statistic is the sum of scores x (observed - expected) over its standard error (Tarone,
    Biometrika 1975, 62:679). None where that variance is 0. The rest is as of `log_rank`.

    >>> round(trend([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], [2, 2, 1, 1, 0, 0]).statistic, 3)
    2.583
    """
    table = log_rank_table(
        times, events, groups, strata=strata, rho=rho, weights=weights, robust=robust
    )
    size = len(table.groups.labels)
    score = np.arange(float(size)) if scores is None else arrays.column(scores, "scores", n=size)
    score = score - score.mean()  # the excesses sum to 0: this only saves digits
    variance = float(score @ table.covariance @ score)
    z = None
    if variance > 1e-12 * float(score @ score) * np.trace(table.covariance):
        z = float(score @ (table.observed - table.expected)) / variance**0.5
    return Trend(
        statistic=z,
        p_value=None if z is None else float(2 * ndtr(-abs(z))),
        n=table.n,
        events=table.events,
        rho=rho,
        robust=table.robust,
    )
