"""Kaplan-Meier: the share of patients still without the event, over time.

The algorithm, told simply: at each time with an event, d of the Y patients still under observation
have it; the share that gets past is (Y - d) / Y, and survival is the product of these shares. A
patient censored at a time of events is still at risk there (Kaplan and Meier, JASA 1958, 53:457).

The variance of log survival is the sum of d / (Y (Y - d)) (Greenwood 1926). Weights that are whole
numbers are counts of patients, and nothing changes. Other weights are not: the variance is then the
infinitesimal jackknife, the sum over patients of (weight x influence)^2, as survival::survfit has
it. The influence of a patient on minus log survival at t is the sum of d / (Y (Y - d)) over the
times it was at risk, less 1 / (Y - d) where it had the event; until it leaves it depends on t only
through that sum, so three running sums give the variance in O(n).

The intervals are pointwise: normal for survival ("plain"), its logarithm ("log") or
log(-log survival) ("log-log": Kalbfleisch and Prentice 1980; within 0 to 1, and the default).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.case_weights import CaseWeights, case_weights
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.compared_groups import groups_of
from oncotrail.statistics.survival.life_table import life_table
from oncotrail.statistics.survival.log_log_band import LARGE, log_log_band
from oncotrail.statistics.survival.tied_times import distinct_times, places_of

Band = Literal["log-log", "log", "plain"]


@result
class SurvivalCurve:
    """A step function: from each of `times` on, the chance to be without the event is `survival`.

    `low` and `high` are its pointwise interval, `at_risk` the patients under observation just
    before, `events` and `censored` those who left then (sums of weights where there are weights).
    The band is NaN where it is undefined: at a survival of 0 (its variance is unknown) and, for
    "log-log", at 1. `n` and `number_of_events` count patients (rows with a weight above 0).
    """

    times: Floats
    survival: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    n: int
    number_of_events: int
    confidence: float
    band: Band

    def at(self, times: ArrayLike) -> Floats:
        """Survival at these times: 1 before the first, carried on after the last.

        A time that differs from one of the curve's by rounding only is that time.
        """
        return np.asarray(np.append(1.0, self.survival)[places_of(self.times, times)])


def kaplan_meier(
    times: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    band: Band = "log-log",
    robust: bool | None = None,
) -> SurvivalCurve:
    """The survival curve of one group of patients.

    Times are 0 or more, in any unit; events are 1 (happened) or 0 (censored). A patient with a time
    of 0 is at risk at 0 only, where the curve may have its first step. With `entry`, a patient is
    at risk from after that time (late entry, left truncation). Weights are case weights, and rows
    with a weight of 0 are left out; `robust` says whether the variance is the infinitesimal
    jackknife rather than Greenwood's, and is by default as in survfit: where a weight is not a
    whole number.

    >>> curve = kaplan_meier([1, 2, 2, 3], [1, 1, 0, 0])
    >>> curve.survival.tolist()
    [0.75, 0.5, 0.5]
    >>> curve.at([0.5, 2.5]).tolist()
    [1.0, 0.5]
    """
    return _Rows.of(times, events, entry, weights, robust).curve(confidence, band)


def kaplan_meier_by_group(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    band: Band = "log-log",
    robust: bool | None = None,
) -> dict[Any, SurvivalCurve]:
    """One `kaplan_meier` for each distinct value of `groups`, by that value, in sorted order.

    One rule of variance holds for all groups; rows with a weight of 0 make no group.

    >>> curves = kaplan_meier_by_group([1, 2, 3, 4], [1, 1, 0, 1], ["a", "b", "a", "b"])
    >>> curves["b"].survival.tolist()
    [0.5, 0.0]
    """
    rows = _Rows.of(times, events, entry, weights, robust)
    found = groups_of(groups, rows.weights.kept)
    return {
        label: rows.only(found.place == place).curve(confidence, band)
        for place, label in enumerate(found.labels)
    }


@dataclass(frozen=True, eq=False)
class _Rows:
    """The checked patients who are there: those with a weight above 0."""

    times: Floats
    events: Flags
    entry: Floats | None
    weights: CaseWeights

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        events: ArrayLike,
        entry: ArrayLike | None,
        weights: ArrayLike | None,
        robust: bool | None,
    ) -> _Rows:
        patients = arrays.survived(times, events)
        weight = case_weights(weights, patients.n, robust=robust)
        start = None if entry is None else _entered(entry, patients.times)
        kept = weight.kept
        return cls(
            patients.times[kept],
            patients.events[kept],
            None if start is None else start[kept],
            weight,
        )

    def only(self, rows: Flags) -> _Rows:
        entry = None if self.entry is None else self.entry[rows]
        return _Rows(self.times[rows], self.events[rows], entry, self.weights.only(rows))

    def curve(self, confidence: float, band: Band) -> SurvivalCurve:
        arrays.one_of(band, get_args(Band), "band")
        table = life_table(self.times, self.events, self.weights.values, self.entry)
        survival, robust = table.survival, self.weights.robust
        error = survival * np.sqrt(table.jackknife() if robust else table.greenwood())
        if not robust:
            error[survival == 0] = np.nan  # 0 times infinity: nobody is left to show a spread
        low, high = _band(survival, error, band, normal_quantile(confidence))
        return SurvivalCurve(
            times=table.times,
            survival=survival,
            standard_error=error,
            low=low,
            high=high,
            at_risk=table.at_risk,
            events=table.events,
            censored=table.censored,
            n=self.times.size,
            number_of_events=int(self.events.sum()),
            confidence=confidence,
            band=band,
        )


def _entered(entry: ArrayLike, times: Floats) -> Floats:
    found = arrays.column(entry, "entry", n=times.size, low=0)
    _, place = distinct_times(np.concatenate([times, found]))
    late = np.flatnonzero(place[times.size :] >= place[: times.size])
    if late.size:
        row = int(late[0])
        raise ValueError(
            f"entry: found {found[row]} in row {row}, where the time is {times[row]}; "
            "expected an entry before the time."
        )
    return found


def _band(survival: Floats, error: Floats, band: Band, z: float) -> tuple[Floats, Floats]:
    if band == "plain":
        return np.maximum(survival - z * error, 0.0), np.minimum(survival + z * error, 1.0)
    if band == "log-log":
        return log_log_band(survival, error, z)
    inside = np.where(survival > 0, survival, np.nan)
    half = np.minimum(z * error / inside, LARGE)  # of log survival
    return inside * np.exp(-half), np.minimum(inside * np.exp(half), 1.0)
