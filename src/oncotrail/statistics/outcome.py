"""Which value is the event, said aloud.

Half of the inverted results in the literature begin with a column of numbers: is 1 dead or alive;
is 2 an event, as in R's 1 = censored, 2 = dead; is 3 another event or a blank? Here every value is
named before anything is counted:

1. values that mean the event, and values that mean it did not happen (or the time was censored);
2. values that mean another event came first, each with its own number, if there are any;
3. what is blank: None, NaN, empty text, and any values that the caller says. A blank is refused,
   unless the caller asks that its row be excluded; then a mask says which rows were.

Every other value is refused, with its row. 1 and True and 1.0 are the same value, "1" is another.

>>> outcome = Outcome.coded(["dead", "alive", "dead"], event="dead", no_event="alive")
>>> outcome.labels.tolist(), outcome.events
([True, False, True], 2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers, one_of

Blanks = Literal["refuse", "exclude"]
Codes = Any  # one value, or a tuple, list, set or frozenset of values that mean the same
NOT_CODED, BLANK = -2, -1


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """A binary outcome: `labels` are True where it happened, for the rows that `kept` marks.

    `kept` has one flag for each row that came in; scores of the same rows are `scores[kept]`.
    """

    labels: Flags
    kept: Flags
    event_name: str
    no_event_name: str

    def __post_init__(self) -> None:
        _freeze(self, labels=arrays.binary(self.labels, "labels"))
        _check_kept(self, self.labels.size)

    @classmethod
    def coded(
        cls,
        values: ArrayLike,
        *,
        event: Codes,
        no_event: Codes,
        blank: Codes = (),
        blanks: Blanks = "refuse",
    ) -> Outcome:
        """From a column and what its values mean; each may be one value or several.

        >>> Outcome.coded([2, 1, 9], event=2, no_event=1, blank=9, blanks="exclude").kept.tolist()
        [True, True, False]
        """
        coding = _Coding({"event": event, "no_event": no_event}, blank)
        codes = coding.read(values, "values")
        kept = _keep(codes, values, "values", blanks)
        return cls(
            labels=codes[kept] == 0,
            kept=kept,
            event_name=_text(event),
            no_event_name=_text(no_event),
        )

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


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeToEvent:
    """Times with what ended them: `causes` are 0 (censored), 1 (the event), 2, ... (other events).

    `names` are those of the causes, from 0. `kept` has one flag for each row that came in.
    """

    times: Floats
    causes: Integers
    kept: Flags
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        times = arrays.column(self.times, "times", above=0)
        causes = arrays.column(self.causes, "causes", n=times.size, low=0, high=len(self.names) - 1)
        if (causes != np.floor(causes)).any():
            raise ValueError("found causes that are not whole numbers; expected 0, 1, 2, ...")
        _freeze(self, times=times, causes=causes.astype(np.int_))
        _check_kept(self, times.size)

    @classmethod
    def coded(
        cls,
        times: ArrayLike,
        values: ArrayLike,
        *,
        event: Codes,
        censored: Codes,
        competing: Mapping[str, Codes] | None = None,
        blank: Codes = (),
        blanks: Blanks = "refuse",
    ) -> TimeToEvent:
        """From times (above 0), a column and what its values mean.

        `competing` names the other events that can come first, numbered from 2 in its order. A row
        is blank where its value or its time is.

        >>> cohort = TimeToEvent.coded(
        ...     [5, 7, 9],
        ...     ["relapse", "died", "well"],
        ...     event="relapse",
        ...     censored="well",
        ...     competing={"death without relapse": "died"},
        ... )
        >>> cohort.causes.tolist(), cohort.names
        ([1, 2, 0], ('well', 'relapse', 'death without relapse'))
        """
        others = dict(competing or {})
        if {"event", "censored"} & others.keys():
            raise ValueError("found a competing event named event or censored; name it otherwise.")
        coding = _Coding({"censored": censored, "event": event, **others}, blank)
        codes = coding.read(values, "values")
        time = np.asarray(times, dtype=object)
        if time.shape != codes.shape:
            raise ValueError(
                f"found times of shape {time.shape}; expected one for each of {codes.size} rows."
            )
        no_time = np.array([_is_blank(value) for value in time])
        kept = _keep(codes, values, "values", blanks)
        kept &= _keep(np.where(no_time, BLANK, 0), times, "times", blanks)
        # Checked before rows go, so that a message names the row that came in.
        checked = arrays.column(_numbers(np.where(no_time, 1.0, time)), "times", above=0)
        return cls(
            times=checked[kept],
            causes=codes[kept],
            kept=kept,
            names=(_text(censored), _text(event), *others),
        )

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


@dataclass(frozen=True)
class _Coding:
    """Names with the values that mean them; no value means two things."""

    meanings: Mapping[str, Codes]
    blank: Codes
    listed: tuple[tuple[Any, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        listed = tuple(_listed(codes) for codes in self.meanings.values())
        object.__setattr__(self, "listed", listed)
        seen: list[Any] = []
        for name, codes in zip(
            (*self.meanings, "blank"), (*listed, _listed(self.blank)), strict=True
        ):
            if not codes and name != "blank":
                raise ValueError(f"found no value for {name}; expected at least one.")
            for code in codes:
                if name != "blank" and _is_blank(code):
                    raise ValueError(
                        f"{name}: found a blank; expected a value. A blank is unknown."
                    )
                if code in seen:
                    raise ValueError(f"found {code!r} with two meanings; expected one.")
            seen += codes

    def read(self, values: ArrayLike, name: str) -> Integers:
        """The place of each value's meaning, BLANK where it has none; others are refused."""
        found = _objects(values, name)
        codes = np.full(found.size, NOT_CODED, dtype=np.int_)
        blanks = _listed(self.blank)
        unknown = np.array([_is_blank(value) or value in blanks for value in found])
        codes[unknown] = BLANK
        known = np.flatnonzero(~unknown)
        for place, meant in enumerate(self.listed):
            codes[known[np.array([value in meant for value in found[known]], dtype=bool)]] = place
        self._refuse_others(codes, found, name)
        return codes

    def _refuse_others(self, codes: Integers, found: NDArray[Any], name: str) -> None:
        rows = np.flatnonzero(codes == NOT_CODED)
        if not rows.size:
            return
        more = f" (and in {rows.size - 1} more)" if rows.size > 1 else ""
        meant = ", ".join(f"{_text(codes)} ({name})" for name, codes in self.meanings.items())
        raise ValueError(
            f"{name}: found {found[rows[0]]!r} in row {rows[0]}{more}; expected {meant}. "
            "Say what every value means, or which mean blank."
        )


def _listed(codes: Codes) -> tuple[Any, ...]:
    several = isinstance(codes, (tuple, list, set, frozenset, np.ndarray))
    return tuple(codes) if several else (codes,)


def _text(codes: Codes) -> str:
    return " or ".join(str(code) for code in _listed(codes))


def _objects(values: ArrayLike, name: str) -> NDArray[Any]:
    found = np.asarray(values, dtype=object)
    if found.ndim != 1 or found.size == 0:
        raise ValueError(f"found {name} of shape {found.shape}; expected one for each patient.")
    return found


def _numbers(times: NDArray[Any]) -> Floats:
    odd = [row for row, value in enumerate(times) if not isinstance(value, Real)]
    if odd:
        raise ValueError(
            f"times: found {times[odd[0]]!r} in row {odd[0]}; expected a number above 0."
        )
    return times.astype(np.float64)


def _is_blank(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    # NaN, NaT and pandas' NA are the values that do not equal themselves.
    return value is None or not _same(value)


def _same(value: object) -> bool:
    try:
        return bool(value == value)  # noqa: PLR0124
    except TypeError:
        return False


def _keep(codes: Integers, values: ArrayLike, name: str, blanks: Blanks) -> Flags:
    rows = np.flatnonzero(codes == BLANK)
    one_of(blanks, get_args(Blanks), "blanks")
    if rows.size and blanks == "refuse":
        more = f" (and in {rows.size - 1} more)" if rows.size > 1 else ""
        found = np.asarray(values, dtype=object)[rows[0]]
        raise ValueError(
            f"{name}: found a blank ({found!r}) in row {rows[0]}{more}; expected a value for every "
            'patient. To leave these patients out, say blanks="exclude" and report how many.'
        )
    return np.asarray(codes != BLANK, dtype=bool)


def _freeze(self: object, **values: NDArray[Any]) -> None:
    for name, value in values.items():
        held = value.copy()
        held.flags.writeable = False
        object.__setattr__(self, name, held)


def _check_kept(self: Outcome | TimeToEvent, n: int) -> None:
    _freeze(self, kept=arrays.binary(self.kept, "kept"))
    if int(self.kept.sum()) != n:
        raise ValueError(
            f"found {int(self.kept.sum())} rows kept, but {n} patients; expected as many."
        )
