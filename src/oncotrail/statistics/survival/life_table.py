"""Who is at risk, has the event and is censored at each distinct time; what survival varies with.

Patients are counted at the place of their time among the distinct ones; a running sum from the last
time backwards gives who is still there. A patient who entered late is taken off again at and before
the time of entry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oncotrail.statistics.arrays import Flags, Floats, Integers
from oncotrail.statistics.survival.tied_times import distinct_times

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, eq=False)
class LifeTable:
    """Sums of weights at each distinct time, in order; and the patients they are sums of."""

    times: Floats
    at_risk: Floats  # just before
    events: Floats
    censored: Floats
    nobody_left: Flags  # everybody at risk has the event: by counting, so exact with any weights
    patients: Patients

    @property
    def after(self) -> Floats:
        """Who is at risk and does not have the event; 1 where that is nobody, to divide by."""
        gone = self.nobody_left | (self.at_risk == 0)
        return np.where(gone, 1.0, self.at_risk - self.events)

    @property
    def survival(self) -> Floats:
        """Kaplan and Meier's product; 0 from where nobody was left."""
        passed = np.where(self.events > 0, self.after / np.maximum(self.at_risk, TINY), 1.0)
        return np.where(np.logical_or.accumulate(self.nobody_left), 0.0, passed.cumprod())

    def greenwood(self) -> Floats:
        """The variance of log survival: the running sum of d / (Y (Y - d)) while anybody is left.

        >>> table = life_table(np.array([1.0, 2.0, 3.0]), np.array([True, True, False]))
        >>> table.greenwood().round(4).tolist()
        [0.1667, 0.6667, 0.6667]
        """
        parts = np.maximum(self.at_risk, TINY) * self.after
        return np.where(self.nobody_left, 0.0, self.events / parts).cumsum()

    def jackknife(self) -> Floats:
        """The same where weights are not counts: the sum over patients of (weight x influence)^2.

        A patient's influence grows with the running sum of `greenwood` from its entry on; once it
        has left, it stays.
        """
        running, who = self.greenwood(), self.patients
        start = np.where(who.late, running[who.entered], 0.0)
        lost = who.happened & ~self.nobody_left[who.left]
        final = running[who.left] - start - lost / self.after[who.left]
        squared = who.weights**2
        gone = sums(who.left, squared * final**2, running.size).cumsum()
        # (running - start)^2 over those still there, multiplied out: no patient meets a time.
        present = (
            running**2 * who.just_after(squared)
            - 2 * running * who.just_after(squared * start)
            + who.just_after(squared * start**2)
        )
        return np.maximum(gone + present, 0.0)


@dataclass(frozen=True, eq=False)
class Patients:
    """One row each: when it left, in which way, with which weight, and whether it came late."""

    number_of_times: int
    left: Integers  # the place of its time among the distinct times
    happened: Flags
    weights: Floats
    late: Flags
    entered: Integers  # the place of its entry, where late

    def just_before(self, amounts: Floats) -> Floats:
        """The sum of `amounts`, one per patient, over those at risk just before each time."""
        return self._from_on(amounts)[:-1]

    def just_after(self, amounts: Floats) -> Floats:
        """The sum of `amounts`, one per patient, over those at risk just after each time."""
        return self._from_on(amounts)[1:]

    def _from_on(self, amounts: Floats) -> Floats:
        size = self.number_of_times + 1
        change = sums(self.left, amounts, size)
        change -= sums(self.entered[self.late], amounts[self.late], size)
        return np.asarray(change[::-1].cumsum()[::-1], dtype=np.float64)


def life_table(
    times: Floats, events: Flags, weights: Floats | None = None, entry: Floats | None = None
) -> LifeTable:
    """Count checked patients at each distinct time of leaving or of late entry.

    >>> life_table(np.array([2.0, 1.0, 2.0]), np.array([True, False, True])).at_risk.tolist()
    [3.0, 2.0]
    """
    weight = np.ones(times.size) if weights is None else weights
    late = np.zeros(times.size, dtype=bool) if entry is None else entry > 0
    starts = times[:0] if entry is None else entry[late]
    distinct, place = distinct_times(np.concatenate([times, starts]))
    left, entered = place[: times.size], np.zeros(times.size, dtype=np.int_)
    entered[late] = place[times.size :]
    who = Patients(distinct.size, left, events, weight, late, entered)
    people = who.just_before(np.ones(times.size))
    died = sums(left, events * np.ones(times.size), distinct.size)
    return LifeTable(
        times=distinct,
        at_risk=np.where(people > 0, who.just_before(weight), 0.0),
        events=sums(left, events * weight, distinct.size),
        censored=sums(left, ~events * weight, distinct.size),
        nobody_left=(died > 0) & (died == people),
        patients=who,
    )


def sums(places: Integers, amounts: Floats, size: int) -> Floats:
    """The sum of `amounts` at each of `size` places.

    >>> sums(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 3).tolist()
    [1.0, 0.0, 5.0]
    """
    return np.asarray(np.bincount(places, weights=amounts, minlength=size), dtype=np.float64)
