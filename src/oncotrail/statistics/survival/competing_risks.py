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

The interval is F^exp(+-z se / (F log F)): normal for log(-log F), within 0 to 1 (Choudhury,
Statistics in Medicine 2002, 21:1129).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.survival.life_table import LifeTable, life_table, sums

Variance = Literal["gray", "jackknife"]
LARGE = 700.0  # exp of more overflows; the interval is 0 to 1 by then


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """A step function: by each of `times`, the chance of having had the event is `incidence`.

    `events`, `competing` and `censored` are those who left at each time (sums of weights),
    `at_risk` who was there just before. `low` and `high` are NaN while the incidence is 0, and
    at 1.
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
        """Incidence by these times: 0 before the first, carried on after the last."""
        place = np.searchsorted(self.times, np.asarray(times, dtype=np.float64), side="right")
        return np.concatenate([[0.0], self.incidence])[place]


@dataclass(frozen=True, eq=False)
class Causes:
    """Checked times, above 0, and what ended each: 0 nothing (censored), 1, 2, ... the causes."""

    times: Floats
    causes: Integers

    @classmethod
    def of(cls, times: ArrayLike, causes: ArrayLike, cause: int) -> Causes:
        """Check the arrays, and the cause of interest: 1, 2 or as high as any code here."""
        time = arrays.column(times, "times", above=0)
        code = arrays.column(causes, "causes", n=time.size, low=0)
        odd = np.flatnonzero(code != np.floor(code))
        if odd.size:
            raise ValueError(
                f"causes: found {code[odd[0]]:g} in row {odd[0]}; expected whole numbers: "
                "0 for a censored time, 1, 2, ... for what ended it."
            )
        if cause < 1:
            raise ValueError(f"found cause {cause}; expected 1 or more (0 is a censored time).")
        # A cause that is coded may have happened to nobody here; a code beyond all is a slip.
        last = max(2, int(code.max()))
        if cause > last:
            raise ValueError(
                f"found cause {cause}, which nobody had; expected one from 1 to {last}, "
                f"the causes that are coded here."
            )
        return cls(time, code.astype(np.int_))


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

    Causes are whole numbers: 0 for a censored time, 1, 2, ... for what ended it; a `TimeToEvent`
    makes them from labels. Where nobody had the cause, its incidence is 0 without an interval, but
    a cause above 2 and above every code is refused. Weights are case weights, and rows with a
    weight of 0 are left out. By default the variance is "gray", and "jackknife" where a weight is
    not a whole number.

    >>> found = cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0])
    >>> found.incidence.tolist()
    [0.25, 0.25, 0.5, 0.5]
    """
    checked = Causes.of(times, causes, cause)
    weight = arrays.weights(weights, checked.times.size)
    if variance is None:
        variance = "jackknife" if (weight != np.floor(weight)).any() else "gray"
    arrays.one_of(variance, get_args(Variance), "variance")
    return _curve(checked, cause, weight, confidence, variance)


def cumulative_incidence_by_group(
    times: ArrayLike,
    causes: ArrayLike,
    groups: ArrayLike,
    *,
    cause: int = 1,
    confidence: float = 0.95,
    variance: Variance = "gray",
) -> dict[Any, CumulativeIncidence]:
    """One `cumulative_incidence` for each distinct value of `groups`, in sorted order.

    >>> found = cumulative_incidence_by_group([1, 2, 3, 4], [1, 2, 0, 1], ["a", "a", "b", "b"])
    >>> found["b"].incidence.tolist()
    [0.0, 1.0]
    """
    arrays.one_of(variance, get_args(Variance), "variance")
    checked = Causes.of(times, causes, cause)
    place = arrays.groups(groups, checked.times.size)
    return {
        label: _curve(
            Causes(checked.times[place == index], checked.causes[place == index]),
            cause,
            np.ones(int((place == index).sum())),
            confidence,
            variance,
        )
        for index, label in enumerate(np.unique(np.asarray(groups)).tolist())
    }


def _curve(
    checked: Causes, cause: int, weight: Floats, confidence: float, variance: Variance
) -> CumulativeIncidence:
    time, code = checked.times, checked.causes
    kept = weight > 0
    risks = _Risks.of(time[kept], code[kept] == cause, code[kept] > 0, weight[kept])
    table = risks.table
    spread = risks.gray() if variance == "gray" else risks.jackknife()
    error = np.sqrt(np.maximum(spread, 0.0))
    low, high = _log_log(risks.incidence, error, normal_quantile(confidence))
    return CumulativeIncidence(
        times=table.times,
        incidence=risks.incidence,
        standard_error=error,
        low=low,
        high=high,
        at_risk=table.at_risk,
        events=risks.events,
        competing=table.events - risks.events,
        censored=table.censored,
        cause=cause,
        n=int(kept.sum()),
        number_of_events=int((code[kept] == cause).sum()),
        number_of_competing_events=int(((code[kept] > 0) & (code[kept] != cause)).sum()),
        confidence=confidence,
        variance=variance,
    )


@dataclass(frozen=True, eq=False)
class _Risks:
    """The life table of any event, and the part of its events that is of interest."""

    table: LifeTable
    of_interest: Floats  # one per patient, 1 or 0
    events: Floats  # one per time, as the rest
    before: Floats  # chance of no event of any kind until just before
    incidence: Floats

    @classmethod
    def of(
        cls, times: Floats, of_interest: arrays.Flags, any_event: arrays.Flags, weight: Floats
    ) -> _Risks:
        table = life_table(times, any_event, weight)
        events = sums(table.patients.left, of_interest * weight, table.times.size)
        before = np.asarray(np.append(1.0, table.survival)[:-1], dtype=np.float64)
        # Rounding may carry the sum above 1.
        incidence = np.asarray((before * events / table.at_risk).cumsum(), dtype=np.float64)
        another = (any_event & ~of_interest).astype(np.float64)
        others = sums(table.patients.left, another, table.times.size)
        # Exactly 1 where everybody had it and nobody another, whatever rounding says.
        incidence[(table.survival == 0) & (others.cumsum() == 0)] = 1.0
        return cls(table, of_interest.astype(np.float64), events, before, incidence)

    def gray(self) -> Floats:
        """Running sums over the events of interest and the others, which pull F apart and down."""
        table, incidence = self.table, self.incidence
        left = np.where(table.survival > 0, table.survival, np.inf)  # nobody left: no effect
        moved = 1 / left, incidence / left
        others = np.where(table.survival > 0, table.events - self.events, 0.0)
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


def _log_log(incidence: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    inside = np.where((incidence > 0) & (incidence < 1) & (error > 0), incidence, np.nan)
    factor = np.exp(np.minimum(z * error / (-inside * np.log(inside)), LARGE))
    return inside**factor, inside ** (1 / factor)
