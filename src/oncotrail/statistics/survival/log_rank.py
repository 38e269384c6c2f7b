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

Observed and expected are sums over the events of a table of (stratum, time) by group, so there is
no loop over times or strata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers
from oncotrail.statistics.survival.score_test import score_test
from oncotrail.statistics.survival.tied_times import distinct_times


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
    as in R; with fewer than two others, or without variance, the test is undefined.
    """

    statistic: float | None
    degrees_of_freedom: int
    p_value: float | None
    groups: tuple[GroupCounts, ...]
    n: int
    events: int
    rho: float


@dataclass(frozen=True)
class Trend:
    """The test that the hazard rises (z above 0) or falls with the order of the groups."""

    z: float | None
    statistic: float | None
    p_value: float | None
    n: int
    events: int
    rho: float


def log_rank(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Test whether survival is the same in all groups; two-sided.

    Patients censored at a time of events are at risk there. Groups and strata may be any labels;
    groups come back in sorted order.

    >>> found = log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], list("aaabbb"))
    >>> round(found.statistic, 3), [round(group.expected, 2) for group in found.groups]
    (5.052, [1.15, 3.85])
    """
    table = _Table.of(times, events, groups, strata, rho)
    seen = table.expected > 0
    excess = (table.observed - table.expected)[seen]
    test = score_test(excess, table.covariance[np.ix_(seen, seen)])
    counts = zip(table.labels, table.sizes, table.observed, table.expected, strict=True)
    return LogRank(
        statistic=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=test.p_value,
        groups=tuple(
            GroupCounts(label, int(n), float(observed), float(expected))
            for label, n, observed, expected in counts
        ),
        n=table.n,
        events=table.events,
        rho=rho,
    )


def trend(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    scores: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> Trend:
    """Test for a trend over ordered groups: one degree of freedom, two-sided.

    `scores` are the distances between groups, one per group in sorted order; by default 0, 1, 2...
    The statistic is (sum of scores x (observed - expected))^2 / its variance (Tarone, Biometrika
    1975, 62:679). None where that variance is 0.

    >>> round(trend([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], [2, 2, 1, 1, 0, 0]).z, 3)
    2.583
    """
    table = _Table.of(times, events, groups, strata, rho)
    size = len(table.labels)
    score = np.arange(float(size)) if scores is None else arrays.column(scores, "scores", n=size)
    score = score - score.mean()  # the excesses sum to 0: this only saves digits
    variance = float(score @ table.covariance @ score)
    if not variance > 1e-12 * float(score @ score) * np.trace(table.covariance):
        return Trend(None, None, None, table.n, table.events, rho)
    z = float(score @ (table.observed - table.expected)) / variance**0.5
    return Trend(z, z**2, float(chdtrc(1, z**2)), table.n, table.events, rho)


@dataclass(frozen=True, eq=False)
class _Table:
    """Observed and expected by group, and the covariance of what was observed."""

    labels: list[Any]
    sizes: Integers
    observed: Floats
    expected: Floats
    covariance: Floats
    n: int
    events: int

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        events: ArrayLike,
        groups: ArrayLike,
        strata: ArrayLike | None,
        rho: float,
    ) -> _Table:
        patients = arrays.survived(times, events)
        group = arrays.groups(groups, patients.n)
        stratum = (
            np.zeros(patients.n, dtype=np.int_)
            if strata is None
            else arrays.groups(strata, patients.n, "strata")
        )
        labels = np.unique(np.asarray(groups)).tolist()
        if len(labels) < 2:
            raise ValueError(f"found one group, {labels[0]!r}; expected at least two to compare.")
        if not np.isfinite(rho):
            raise ValueError(
                f"found rho {rho}; expected a number, such as 0 for the log-rank test."
            )
        cells = _Cells.of(patients.times, patients.events, group, stratum)
        weight = cells.survival_before() ** rho if rho else np.ones(cells.died.size)
        return cls(
            labels=labels,
            sizes=np.bincount(group),
            observed=weight @ cells.died_by_group,
            expected=weight @ (cells.share * cells.died[:, None]),
            covariance=cells.covariance(weight),
            n=patients.n,
            events=patients.number_of_events,
        )


@dataclass(frozen=True, eq=False)
class _Cells:
    """One row for each (stratum, time) that has an event, in order."""

    stratum: Integers
    at_risk: Floats
    died: Floats
    died_by_group: Floats  # rows x groups, as the next
    share: Floats  # of those at risk

    @classmethod
    def of(cls, times: Floats, events: Flags, group: Integers, stratum: Integers) -> _Cells:
        distinct, time = distinct_times(times)
        keys, cell = np.unique(stratum * distinct.size + time, return_inverse=True)
        strata, shape = keys // distinct.size, (keys.size, int(group.max()) + 1)
        here = cell * shape[1] + group
        left = np.bincount(here, minlength=keys.size * shape[1]).reshape(shape)
        died = np.bincount(here[events], minlength=keys.size * shape[1]).reshape(shape)
        # Who leaves from here on, less who does so in later strata.
        onwards = np.concatenate([left[::-1].cumsum(axis=0)[::-1], np.zeros((1, shape[1]), int)])
        at_risk = onwards[:-1] - onwards[np.searchsorted(strata, strata, side="right")]
        kept = died.any(axis=1)
        total = at_risk[kept].sum(axis=1).astype(np.float64)
        return cls(
            stratum=strata[kept],
            at_risk=total,
            died=died[kept].sum(axis=1).astype(np.float64),
            died_by_group=died[kept].astype(np.float64),
            share=at_risk[kept] / total[:, None],
        )

    def survival_before(self) -> Floats:
        """Pooled survival of the stratum just before each row."""
        # Nothing follows where everybody has died, so log 0 can be any number there.
        passed = np.where(self.died < self.at_risk, 1 - self.died / self.at_risk, 1.0)
        log = np.append(0.0, np.log(passed).cumsum())[:-1]
        first = np.searchsorted(self.stratum, self.stratum, side="left")
        return np.asarray(np.exp(log - log[first]), dtype=np.float64)

    def covariance(self, weight: Floats) -> Floats:
        """Of the weighted events by group, drawn without replacement; groups x groups."""
        spread = self.died * (self.at_risk - self.died) / np.maximum(self.at_risk - 1, 1)
        scaled = (weight**2 * spread)[:, None] * self.share
        return np.asarray(np.diag(scaled.sum(axis=0)) - self.share.T @ scaled, dtype=np.float64)
