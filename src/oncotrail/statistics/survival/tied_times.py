"""Which times are the same time.

Times come from subtractions and divisions, so a tie may be hidden by rounding: 0.1 + 0.2 years is
not 0.3. R merges such times before it counts (survival::aeqSurv), and so do we. A horizon, or a
time that is asked for, is one of them by the same rule.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, column, one_of

SAME = float(np.sqrt(np.finfo(float).eps))  # the share by which equal numbers may differ, as in R

Side = Literal["up to", "before"]


def distinct_times(times: Floats) -> tuple[Floats, Integers]:
    """The distinct times in order, and the place of each row among them.

    Times that differ by rounding only (1.5e-8 of the mean time, as survival::aeqSurv, but without
    its absolute limit, so that the unit does not matter) are one time.

    >>> distinct_times(np.array([0.3, 1.0, 0.1 + 0.2]))[1].tolist()
    [0, 1, 0]
    """
    found, place = np.unique(times, return_inverse=True)
    new = np.append(True, np.diff(found) > _rounding(found))
    return found[new], np.asarray((new.cumsum() - 1)[place], dtype=np.int_)


def places_of(moments: Floats, asked: ArrayLike, *, side: Side = "up to") -> Integers:
    """How many of the moments are at or before each time asked for; with "before", only before.

    `moments` are distinct times in order (those of a curve, say), so the last value of a step
    function that starts at 1 is `np.append(1.0, values)[places_of(moments, asked)]`. Times may have
    any shape; one that differs from a moment by rounding only is that moment.

    >>> places_of(np.array([0.3, 1.0]), [0.2, 0.1 + 0.2, 5.0]).tolist()
    [0, 1, 2]
    >>> places_of(np.array([0.1 + 0.2, 1.0]), 0.3, side="before").tolist()
    0
    """
    one_of(side, get_args(Side), "side")
    wanted = np.asarray(asked, dtype=np.float64)
    if np.isnan(wanted).any():
        raise ValueError("found a blank among the times asked for; expected numbers.")
    if side == "up to":
        found = np.searchsorted(moments, wanted + _rounding(moments), side="right")
    else:
        found = np.searchsorted(moments, wanted - _rounding(moments), side="left")
    return np.asarray(found, dtype=np.int_)


def settled_times(times: Floats, horizon: float | None = None) -> Floats:
    """The times, where those that differ by rounding, from each other or `horizon`, are the same.

    Who had the event by the horizon is then `settled_times(times, horizon) <= horizon`.

    >>> settled_times(np.array([0.1 + 0.2, 1.0]), horizon=0.3).tolist()
    [0.3, 1.0]
    """
    moments, place = distinct_times(times)
    if horizon is not None:
        moments = np.where(np.abs(moments - horizon) <= _rounding(moments), horizon, moments)
    return np.asarray(moments[place], dtype=np.float64)


def settled_entry(times: Floats, entry: ArrayLike) -> tuple[Floats, Floats]:
    """Times and entries, settled together; an entry that is not before its time is refused.

    >>> settled_entry(np.array([0.3, 1.0]), [0.0, 0.1 + 0.2])[1].tolist()
    [0.0, 0.3]
    """
    began = column(entry, "entry", n=times.size)
    ended, began = np.split(settled_times(np.concatenate([times, began])), 2)
    if (began >= ended).any():
        row = int(np.flatnonzero(began >= ended)[0])
        raise ValueError(
            f"entry: found {began[row]:g} in row {row}, whose time is {ended[row]:g}; "
            "expected entry before the end of follow-up."
        )
    return ended, began


def _rounding(moments: Floats) -> float:
    """By how much two times may differ and be the same."""
    return SAME * float(np.abs(moments).mean())
