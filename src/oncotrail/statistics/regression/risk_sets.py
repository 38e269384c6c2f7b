"""Who is at risk at each event time, as positions in sorted columns.

A patient is at risk at time t if her follow-up lasts until t or longer and, with late entry,
began before t: entry < t <= time. A death and a censoring on the same day: the censored patient
was still at risk. Every stratum has its own event times and its own risk sets.

Patients are sorted by stratum and, within it, by time. The patients at risk at t are then a
stretch from the first one with that time to the end of the stratum, so the sum of any column over
every risk set is one cumulative sum from the end, read off at the event times. With late entry
the patients who entered at t or later are subtracted: a second cumulative sum, by entry. Time
n log n for the sort, n p for each sum of p columns, memory n p; no risk set is ever listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from oncotrail.statistics.arrays import Flags, Floats, Integers

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LateEntry:
    """Where patients stand when they are sorted by entry instead."""

    order: Positions  # sorted patients, by stratum and entry
    first_outside: Positions  # of each event time: from here on they enter too late
    before: Positions  # of each sorted patient: how many event times precede her entry


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Sorted patients and the distinct event times (within strata, in the same order).

    Columns given to the methods are sorted already: `column[sets.order]`.
    """

    order: Positions  # of patients
    blocks: Positions  # where each stratum begins among patients, and the end
    event_blocks: Positions  # where each stratum begins among event times, and the end
    times: Floats  # of events
    strata: Integers  # of event times
    first: Positions  # of each event time: the first patient at risk
    events: Positions  # sorted patients who have an event
    event_group: Positions  # of each of them: which event time
    event_starts: Positions  # of each event time: her place in `events`
    through: Positions  # of each patient: how many event times are at or before hers
    late: LateEntry | None

    def at_risk(self, values: Floats) -> Floats:
        """The sum of each column over every risk set; event times x columns."""
        found: Floats = _from_the_end(values, self.blocks)[self.first]
        if self.late is None:
            return found
        later = _from_the_end(values[self.late.order], self.blocks)
        # Nobody enters later in a stratum whose first outside is the next one's beginning.
        padded = np.concatenate([later, np.zeros_like(later[:1])])
        outside = self.late.first_outside
        inside = outside < self.blocks[self.strata + 1]
        return found - np.where(_like(inside, found), padded[outside], 0)

    def tied(self, values: Floats) -> Floats:
        """The sum of each column over the patients with an event, by event time."""
        return np.asarray(np.add.reduceat(values[self.events], self.event_starts, axis=0))

    def accumulate(self, increments: Floats) -> Floats:
        """What each patient collects over the event times at which she is at risk."""
        found = self._until(increments, self.through)
        if self.late is None:
            return found
        return found - self._until(increments, self.late.before)

    def _until(self, increments: Floats, through: Positions) -> Floats:
        total = np.concatenate([np.zeros_like(increments[:1]), _cumulate(increments, self)])
        begun = self.event_blocks[np.repeat(np.arange(self.blocks.size - 1), np.diff(self.blocks))]
        return np.where(_like(through > begun, total), total[through], 0)


def risk_sets(
    times: Floats, events: Flags, strata: Integers, entry: Floats | None = None
) -> RiskSets:
    """Sort patients (strata numbered from 0) and find the risk set of every event time.

    >>> import numpy as np
    >>> times, events = np.array([3.0, 1.0, 2.0, 3.0]), np.array([True, True, False, True])
    >>> sets = risk_sets(times, events, np.zeros(4, dtype=int))
    >>> sets.times.tolist(), sets.at_risk(np.ones(4)).tolist(), sets.tied(np.ones(4)).tolist()
    ([1.0, 3.0], [4.0, 2.0], [1.0, 2.0])
    """
    both = times if entry is None else np.concatenate([times, entry])
    distinct, place = np.unique(both, return_inverse=True)
    # One whole number sorts by stratum and time together, and compares exactly.
    key = strata * distinct.size + place[: times.size]
    order = np.argsort(key, kind="stable")
    key = key[order]
    occurred = np.flatnonzero(events[order])
    event_keys, starts, group = np.unique(key[occurred], return_index=True, return_inverse=True)
    bounds = np.arange(int(strata.max()) + 2) * distinct.size
    late = None
    if entry is not None:
        late = _late_entry(strata * distinct.size + place[times.size :], order, event_keys)
    return RiskSets(
        order=order,
        blocks=np.searchsorted(key, bounds),
        event_blocks=np.searchsorted(event_keys, bounds),
        times=distinct[event_keys % distinct.size],
        strata=event_keys // distinct.size,
        first=np.asarray(np.searchsorted(key, event_keys)),
        events=occurred,
        event_group=group,
        event_starts=starts,
        through=np.searchsorted(event_keys, key, side="right"),
        late=late,
    )


def _late_entry(key: Integers, order: Positions, event_keys: Integers) -> LateEntry:
    key = key[order]
    by_entry = np.argsort(key, kind="stable")
    return LateEntry(
        order=by_entry,
        first_outside=np.searchsorted(key[by_entry], event_keys),
        before=np.searchsorted(event_keys, key, side="right"),
    )


def _from_the_end(values: Floats, blocks: Positions) -> Floats:
    # Summed stratum by stratum: differences of one long sum would lose digits.
    found = np.empty_like(values)
    for start, stop in pairwise(blocks.tolist()):
        np.cumsum(values[start:stop][::-1], axis=0, out=found[start:stop][::-1])
    return found


def _cumulate(increments: Floats, sets: RiskSets) -> Floats:
    found = np.empty_like(increments)
    for start, stop in pairwise(sets.event_blocks.tolist()):
        np.cumsum(increments[start:stop], axis=0, out=found[start:stop])
    return found


def _like(flags: Flags, values: Floats) -> Flags:
    """Flags of rows in a shape that spreads over the columns of `values`."""
    return flags.reshape((-1,) + (1,) * (values.ndim - 1))
