"""Events observed in each group and expected of it, with their covariance.

One row for each (stratum, time), one column for each group: observed and expected are sums over
these cells, so there is no loop over times or strata.

Where weights count patients, the covariance is that of events drawn without replacement. Where they
do not, it is the sum over patients of (weight x influence)^2, as of a Cox model with robust=TRUE in
R (Lin and Wei, JASA 1989, 84:1074): a patient of group g moves the score of g by its event less the
hazard it lived through, and that of every group by the same times the group's share at risk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers
from oncotrail.statistics.case_weights import CaseWeights, are_counts, case_weights
from oncotrail.statistics.survival.compared_groups import Groups, compared_groups, strata_of
from oncotrail.statistics.survival.life_table import sums
from oncotrail.statistics.survival.tied_times import distinct_times

ROUNDING = 1e-9  # an influence that is as small is none; an event's is near 1


@dataclass(frozen=True, eq=False)
class LogRankTable:
    """Weighted events by group, and the covariance of what was observed; `robust` says of which.

    `n` and `events` count patients (rows with a weight above 0).
    """

    groups: Groups
    observed: Floats
    expected: Floats
    covariance: Floats
    n: int
    events: int
    robust: bool


def log_rank_table(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
    weights: ArrayLike | None = None,
    robust: bool | None = None,
) -> LogRankTable:
    """Check the patients and add up their table; each time counts pooled survival to the `rho`.

    >>> table = log_rank_table([1, 2, 3, 4], [1, 1, 1, 1], list("abab"))
    >>> table.observed.tolist(), table.expected.round(3).tolist()
    ([2.0, 2.0], [1.333, 2.667])
    """
    patients = arrays.survived(times, events)
    weight = _weights(weights, patients.n, robust)
    if not np.isfinite(rho):
        raise ValueError(f"found rho {rho}; expected a number, such as 0 for the log-rank test.")
    kept = weight.kept
    found, stratum = compared_groups(groups, kept), strata_of(strata, kept)
    rows = _Rows(patients.times[kept], patients.events[kept], found.place, weight.values)
    cells = _Cells.of(rows, stratum, len(found.labels))
    moment = cells.survival_before() ** rho if rho else np.ones(cells.died.size)
    spread = cells.sandwich(rows, moment) if weight.robust else cells.covariance(moment)
    return LogRankTable(
        groups=found,
        observed=moment @ cells.died_by_group,
        expected=moment @ (cells.share * cells.died[:, None]),
        covariance=spread,
        n=weight.n,
        events=int(rows.events.sum()),
        robust=weight.robust,
    )


def _weights(weights: ArrayLike | None, n: int, robust: bool | None) -> CaseWeights:
    found = case_weights(weights, n, robust=robust)
    if not found.robust and not are_counts(found.values):
        raise ValueError(
            "found weights that are not whole numbers and robust=False; the variance of this test "
            "is then unknown. Leave robust out."
        )
    return found


@dataclass(frozen=True, eq=False)
class _Rows:
    """The patients who are there."""

    times: Floats
    events: Flags
    group: Integers
    weights: Floats


@dataclass(frozen=True, eq=False)
class _Cells:
    """One row for each (stratum, time), in order."""

    of_patient: Integers
    stratum: Integers
    at_risk: Floats
    died: Floats
    died_by_group: Floats  # rows x groups, as the next
    share: Floats  # of those at risk

    @classmethod
    def of(cls, rows: _Rows, stratum: Integers, groups: int) -> _Cells:
        distinct, time = distinct_times(rows.times)
        keys, cell = np.unique(stratum * distinct.size + time, return_inverse=True)
        strata, here = keys // distinct.size, cell * groups + rows.group

        def table(amounts: Floats) -> Floats:
            return sums(here, amounts, keys.size * groups).reshape(keys.size, groups)

        def at_risk(left: Floats) -> Floats:
            # Who leaves from here on, less who does so in later strata.
            onwards = np.vstack([left[::-1].cumsum(axis=0)[::-1], np.zeros((1, groups))])
            following = np.searchsorted(strata, strata, side="right")
            return np.asarray(onwards[:-1] - onwards[following], dtype=np.float64)

        # Nobody is nobody: sums of weights may leave a rest there, counts do not.
        people = at_risk(table(np.ones(rows.group.size)))
        there = np.where(people > 0, at_risk(table(rows.weights)), 0.0)
        died = table(rows.events * rows.weights)
        total = there.sum(axis=1)
        return cls(cell, strata, total, died.sum(axis=1), died, there / total[:, None])

    def survival_before(self) -> Floats:
        """Pooled survival of the stratum just before each row."""
        # Nothing follows where everybody has died, so log 0 can be any number there.
        passed = np.where(self.died < self.at_risk, 1 - self.died / self.at_risk, 1.0)
        log = np.log(passed)
        return np.asarray(np.exp(self._running(log[:, None])[:, 0] - log), dtype=np.float64)

    def covariance(self, moment: Floats) -> Floats:
        """Of the weighted events by group, drawn without replacement; groups x groups."""
        spread = self.died * (self.at_risk - self.died) / np.maximum(self.at_risk - 1, 1)
        scaled = (moment**2 * spread)[:, None] * self.share
        return np.asarray(np.diag(scaled.sum(axis=0)) - self.share.T @ scaled, dtype=np.float64)

    def sandwich(self, rows: _Rows, moment: Floats) -> Floats:
        """Of the scores, by the patients' influences; groups x groups."""
        hazard = (moment * self.died / self.at_risk)[:, None]
        had_it = (rows.events * moment[self.of_patient])[:, None]
        own = had_it - self._running(hazard)[self.of_patient]
        of_all = had_it * self.share[self.of_patient]
        of_all -= self._running(hazard * self.share)[self.of_patient]
        influence = np.eye(self.share.shape[1])[rows.group] * own - of_all
        influence[np.abs(influence) < ROUNDING * moment.max()] = 0.0  # or rounding would be tested
        weighted = rows.weights[:, None] * influence
        return np.asarray(weighted.T @ weighted, dtype=np.float64)

    def _running(self, columns: Floats) -> Floats:
        """The sum within the stratum, up to and with each row."""
        total = np.vstack([np.zeros((1, columns.shape[1])), columns.cumsum(axis=0)])
        first = np.searchsorted(self.stratum, self.stratum, side="left")
        return np.asarray(total[1:] - total[first], dtype=np.float64)
