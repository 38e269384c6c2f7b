"""Cumulative incidence where something else can happen first.

The algorithm, told simply: at each time, of the Y patients still at risk d have the event of
interest; the chance of that is the chance S of having had no event of any kind until then, times
d / Y. Its sum over time is the cumulative incidence (Aalen and Johansen, Scandinavian Journal of
Statistics 1978, 5:141). One minus a Kaplan-Meier curve that censors the other events is larger, and
is nobody's risk.

The variance is Gray's, of counting processes, as cmprsk::cuminc has it (tied events drawn without
replacement). Weights that are not whole numbers have the infinitesimal jackknife instead, as
survival::survfit has for any: the sum over patients of (weight x influence)^2. Before it leaves, a
patient's influence on the incidence F is the same for all; after it has left it is a + b F(t) with
its own a and b. Running sums of a^2, a b and b^2 therefore give the variance in O(n).

The interval is normal for log(-log F), and so within 0 to 1 (Choudhury, Statistics in Medicine
2002, 21:1129).
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
from oncotrail.statistics.survival.causes import Causes, causes_of
from oncotrail.statistics.survival.compared_groups import groups_of
from oncotrail.statistics.survival.life_table import LifeTable, life_table, sums
from oncotrail.statistics.survival.log_log_band import log_log_band
from oncotrail.statistics.survival.tied_times import places_of

Variance = Literal["gray", "jackknife"]


@result
class CumulativeIncidence:
    """A step function: by each of `times`, the chance of having had the event is `incidence`.

    `events`, `competing` and `censored` are those who left at each time (sums of weights),
    `at_risk` who was there just before. `low` and `high` are NaN while the incidence is 0, at 1,
    and without spread.
    """

    times: Floats
    incidence: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    events: Floats
    competing: Floats
    censored: Floats
    cause: int
    n: int
    number_of_events: int
    number_of_competing_events: int
    confidence: float
    variance: Variance

    def at(self, times: ArrayLike) -> Floats:
        """Incidence by these times: 0 before the first, carried on after the last.

        A time that differs from one of the curve's by rounding only is that time.
        """
        return np.asarray(np.append(0.0, self.incidence)[places_of(self.times, times)])


def cumulative_incidence(
    times: ArrayLike,
    causes: ArrayLike,
    *,
    cause: int = 1,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    variance: Variance | None = None,
) -> CumulativeIncidence:
    """The cumulative incidence of one cause in one group; higher is worse.

    Times are 0 or more. Causes are whole numbers: 0 for a censored time, 1, 2, ... for what ended
    it; a `TimeToEvent` makes them from labels. Where nobody had the cause, its incidence is 0
    without an interval, but a cause above 2 and above every code is refused. Weights are case
    weights, and rows with a weight of 0 are left out. By default the variance is "gray", and
    "jackknife" where a weight is not a whole number.

    >>> found = cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0])
    >>> found.incidence.tolist()
    [0.25, 0.25, 0.5, 0.5]
    """
    return _Rows.of(times, causes, cause, weights, variance).curve(confidence)


def cumulative_incidence_by_group(
    times: ArrayLike,
    causes: ArrayLike,
    groups: ArrayLike,
    *,
    cause: int = 1,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    variance: Variance | None = None,
) -> dict[Any, CumulativeIncidence]:
    """One `cumulative_incidence` for each distinct value of `groups`, in sorted order.

    One rule of variance holds for all groups; rows with a weight of 0 make no group.

    >>> found = cumulative_incidence_by_group([1, 2, 3, 4], [1, 2, 0, 1], ["a", "a", "b", "b"])
    >>> found["b"].incidence.tolist()
    [0.0, 1.0]
    """
    rows = _Rows.of(times, causes, cause, weights, variance)
    found = groups_of(groups, rows.weights.kept)
    return {
        label: rows.only(found.place == place).curve(confidence)
        for place, label in enumerate(found.labels)
    }


@dataclass(frozen=True, eq=False)
class _Rows:
    """The checked patients who are there: those with a weight above 0."""

    patients: Causes
    weights: CaseWeights
    variance: Variance

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        causes: ArrayLike,
        cause: int,
        weights: ArrayLike | None,
        variance: Variance | None,
    ) -> _Rows:
        patients = causes_of(times, causes, cause)
        weight = case_weights(weights, patients.n)
        if variance is None:
            variance = "jackknife" if weight.robust else "gray"
        arrays.one_of(variance, get_args(Variance), "variance")
        return cls(patients.only(weight.kept), weight, variance)

    def only(self, rows: Flags) -> _Rows:
        return _Rows(self.patients.only(rows), self.weights.only(rows), self.variance)

    def curve(self, confidence: float) -> CumulativeIncidence:
        risks = _Risks.of(self.patients, self.weights.values)
        spread = risks.gray() if self.variance == "gray" else risks.jackknife()
        error = np.sqrt(np.maximum(spread, 0.0))
        spread_known = np.where(error > 0, risks.incidence, np.nan)
        low, high = log_log_band(spread_known, error, normal_quantile(confidence))
        return CumulativeIncidence(
            times=risks.table.times,
            incidence=risks.incidence,
            standard_error=error,
            low=low,
            high=high,
            at_risk=risks.table.at_risk,
            events=risks.events,
            competing=risks.competing,
            censored=risks.table.censored,
            cause=self.patients.cause,
            n=self.patients.n,
            number_of_events=int(self.patients.of_interest.sum()),
            number_of_competing_events=int(self.patients.competing.sum()),
            confidence=confidence,
            variance=self.variance,
        )


@dataclass(frozen=True, eq=False)
class _Risks:
    """The life table of any event, and the part of its events that is of interest."""

    table: LifeTable
    of_interest: Floats  # one per patient, 1 or 0
    events: Floats  # one per time, as the rest
    competing: Floats
    before: Floats  # chance of no event of any kind until just before
    incidence: Floats

    @classmethod
    def of(cls, patients: Causes, weights: Floats) -> _Risks:
        of_interest = patients.of_interest.astype(np.float64)
        table = life_table(patients.times, patients.codes > 0, weights)
        events = sums(table.patients.left, of_interest * weights, table.times.size)
        before = np.asarray(np.append(1.0, table.survival)[:-1], dtype=np.float64)
        # Rounding may carry the sum above 1.
        incidence = np.asarray((before * events / table.at_risk).cumsum(), dtype=np.float64)
        competing = sums(table.patients.left, patients.competing * weights, table.times.size)
        # Exactly 1 where everybody had it and nobody another, whatever rounding says.
        incidence[(table.survival == 0) & (competing.cumsum() == 0)] = 1.0
        return cls(table, of_interest, events, competing, before, incidence)

    def gray(self) -> Floats:
        """Running sums over the events of interest and the others, which pull F apart and down."""
        table, incidence = self.table, self.incidence
        left = np.where(table.survival > 0, table.survival, np.inf)  # nobody left: no effect
        moved = 1 / left, incidence / left
        others = np.where(table.survival > 0, self.competing, 0.0)
        parts = self._binomial(self.events), self._binomial(others)
        constant = (1 + moved[1]) ** 2 * parts[0] + moved[1] ** 2 * parts[1]
        mixed = moved[0] * ((1 + moved[1]) * parts[0] + moved[1] * parts[1])
        square = moved[0] ** 2 * (parts[0] + parts[1])
        found = constant.cumsum() + incidence**2 * square.cumsum() - 2 * incidence * mixed.cumsum()
        return np.asarray(found, dtype=np.float64)

    def _binomial(self, events: Floats) -> Floats:
        """The variance of S d / Y at each time, d tied events drawn without replacement."""
        at_risk = self.table.at_risk
        replaced = np.maximum(events - 1, 0.0) / np.maximum(at_risk - 1, 1.0)
        return np.asarray(self.before**2 * (1 - replaced) * events / at_risk**2, dtype=np.float64)

    def jackknife(self) -> Floats:
        table, who = self.table, self.table.patients
        hazard = self.before * self.events / table.at_risk
        running = table.greenwood()
        until = np.append(0.0, running[:-1])
        shared = (hazard * (until - 1 / table.at_risk)).cumsum()
        lost = who.happened & ~table.nobody_left[who.left]
        slope = running[who.left] - lost / table.after[who.left]
        gain = self.of_interest * (self.before / table.at_risk)[who.left]
        constant = shared[who.left] + gain - slope * self.incidence[who.left]
        squared, size = who.weights**2, table.times.size

        def gone(amounts: Floats) -> Floats:
            return np.asarray(sums(who.left, squared * amounts, size).cumsum(), dtype=np.float64)

        return np.asarray(
            shared**2 * who.just_after(squared)
            + gone(constant**2)
            + 2 * self.incidence * gone(constant * slope)
            + self.incidence**2 * gone(slope**2),
            dtype=np.float64,
        )
