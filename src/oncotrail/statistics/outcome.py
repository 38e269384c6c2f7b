"""Which value is the event, said aloud.

Half of the inverted results in the literature begin with a column of numbers: is 1 dead or alive;
is 2 an event, as in R's 1 = censored, 2 = dead; is 3 another event or a blank? Here every value is
named before anything is counted:

1. values that mean the event, and values that mean it did not happen (or the time was censored);
2. values that mean another event came first, each with its own number, if there are any;
3. what is blank. A blank is refused, unless the caller asks that its row be excluded; then a mask
   says which rows were.

Every other value is refused, with its row (`coding`). An outcome is made in this way only: flags of
one's own cannot be passed for one.

>>> outcome = Outcome(["dead", "alive", "dead"], event="dead", no_event="alive")
>>> outcome.labels.tolist(), outcome.events
([True, False, True], 2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from oncotrail.statistics.arrays import Flags, Floats, Integers, column
from oncotrail.statistics.coding import BLANK, Blanks, Codes, Values, coded, is_blank, kept, text
from oncotrail.statistics.results import read_only, restored


@dataclass(frozen=True, eq=False, init=False)
class Outcome:
    """A binary outcome: `labels` are True where it happened, for the rows that `kept` marks.

    `event` and `no_event` are what the column says of each, one value or several that mean the
    same. `kept` has one flag for each row that came in; scores of the same rows are `scores[kept]`.

    >>> Outcome([2, 1, 9], event=2, no_event=1, blank=9, blanks="exclude").kept.tolist()
    [True, True, False]
    """

    labels: Flags
    kept: Flags
    event_name: str
    no_event_name: str

    __setstate__ = restored

    def __init__(
        self,
        values: Values,
        *,
        event: Codes,
        no_event: Codes,
        blank: Codes = (),
        blanks: Blanks = "refuse",
    ) -> None:
        codes = coded(values, {"event": event, "no_event": no_event}, blank)
        stay = kept(codes == BLANK, values, "values", blanks)
        _refuse_nobody(stay)
        _set(self, "labels", codes[stay] == 0)
        _set(self, "kept", stay)
        _set(self, "event_name", text(event))
        _set(self, "no_event_name", text(no_event))

    @property
    def n(self) -> int:
        """How many patients."""
        return self.labels.size

    @property
    def events(self) -> int:
        """How many of them had the event."""
        return int(self.labels.sum())

    @property
    def excluded(self) -> int:
        """How many rows were blank."""
        return int((~self.kept).sum())


@dataclass(frozen=True, eq=False, init=False)
class TimeToEvent:
    """Times with what ended them: `causes` are 0 (censored), 1 (the event), 2, ... (other events).

    Times are 0 or more, in any unit. `competing` names the other events that can come first,
    numbered from 2 in its order; `names` are those of the causes, from 0. A row is blank where its
    value or its time is; `kept` has one flag for each row that came in.

    >>> cohort = TimeToEvent(
    ...     [5, 7, 9],
    ...     ["relapse", "died", "well"],
    ...     event="relapse",
    ...     censored="well",
    ...     competing={"death without relapse": "died"},
    ... )
    >>> cohort.causes.tolist(), cohort.names
    ([1, 2, 0], ('well', 'relapse', 'death without relapse'))
    """

    times: Floats
    causes: Integers
    kept: Flags
    names: tuple[str, ...]

    __setstate__ = restored

    def __init__(
        self,
        times: Values,
        values: Values,
        *,
        event: Codes,
        censored: Codes,
        competing: Mapping[str, Codes] | None = None,
        blank: Codes = (),
        blanks: Blanks = "refuse",
    ) -> None:
        meanings = _meanings(event, censored, competing or {})
        codes = coded(values, meanings, blank)
        stay = kept(codes == BLANK, values, "values", blanks)
        found, timed = _times(times, codes.size, blanks)
        stay &= timed
        _refuse_nobody(stay)
        _set(self, "times", found[stay])
        _set(self, "causes", codes[stay])
        _set(self, "kept", stay)
        _set(self, "names", (text(censored), text(event), *(competing or {})))

    @property
    def events(self) -> Flags:
        """Who had the event, where that is the only one; refused where another could come first.

        Censoring another event is a choice, and never the right one for an incidence: ask for
        `cause_specific` (a hazard) or `any_event` (a composite), or use `causes`.
        """
        if len(self.names) > 2:
            raise ValueError(
                f"found {len(self.names) - 1} kinds of events ({', '.join(self.names[1:])}); "
                "expected one. Use causes, cause_specific(1) or any_event."
            )
        return self.any_event

    @property
    def any_event(self) -> Flags:
        """Who had an event of any kind: what a composite end-point counts."""
        return np.asarray(self.causes > 0, dtype=bool)

    def cause_specific(self, cause: int) -> Flags:
        """Who had the event numbered `cause`, the others being censored by theirs."""
        if not 1 <= cause < len(self.names):
            raise ValueError(f"found cause {cause}; expected 1 to {len(self.names) - 1}.")
        return np.asarray(self.causes == cause, dtype=bool)

    @property
    def n(self) -> int:
        """How many patients."""
        return self.times.size

    @property
    def excluded(self) -> int:
        """How many rows were blank."""
        return int((~self.kept).sum())


def _meanings(event: Codes, censored: Codes, competing: Mapping[str, Codes]) -> dict[str, Codes]:
    if {"event", "censored"} & competing.keys():
        raise ValueError("found a competing event named event or censored; name it otherwise.")
    return {"censored": censored, "event": event, **competing}


def _times(times: Values, n: int, blanks: Blanks) -> tuple[Floats, Flags]:
    """Every row's time, checked before rows go, so that a message names the row that came in."""
    found = np.asarray(times, dtype=object)
    if found.shape != (n,):
        raise ValueError(f"found times of shape {found.shape}; expected one for each of {n} rows.")
    blank = np.array([is_blank(time) for time in found])
    stay = kept(blank, times, "times", blanks)
    return column(np.where(blank, 0.0, found), "times", low=0), stay


def _refuse_nobody(stay: Flags) -> None:
    if not stay.any():
        raise ValueError(f"found {stay.size} rows that are all blank; expected a value in some.")


def _set(made: Outcome | TimeToEvent, name: str, value: object) -> None:
    object.__setattr__(made, name, read_only(value))
