"""Which times are the same time.

Times come from subtractions and divisions, so a tie may be hidden by rounding: 0.1 + 0.2 years is
not 0.3. R merges such times before it counts (survival::aeqSurv), and so do we. A horizon, or a
time that is asked for, is one of them by the same rule.
"""

from __future__ import annotations

import numpy as np

from oncotrail.statistics.arrays import Floats, Integers

SAME = float(np.sqrt(np.finfo(float).eps))


def distinct_times(times: Floats) -> tuple[Floats, Integers]:
    """The distinct times in order, and the place of each row among them.

    Times that differ by rounding only (1.5e-8 of the mean time, as survival::aeqSurv, but without
    its absolute limit, so that the unit does not matter) are one time.

    >>> distinct_times(np.array([0.3, 1.0, 0.1 + 0.2]))[1].tolist()
    [0, 1, 0]
    """
    found, place = np.unique(times, return_inverse=True)
    new = np.append(True, np.diff(found) > SAME * np.abs(found).mean())
    return found[new], np.asarray((new.cumsum() - 1)[place], dtype=np.int_)


def settled_times(times: Floats, horizon: float | None = None) -> Floats:
    """The times, where those that differ by rounding, from each other or `horizon`, are the same.

    Who had the event by the horizon is then `settled_times(times, horizon) <= horizon`.

    >>> settled_times(np.array([0.1 + 0.2, 1.0]), horizon=0.3).tolist()
    [0.3, 1.0]
    """
    moments, place = distinct_times(times)
    if horizon is not None:
        same = np.abs(moments - horizon) <= SAME * np.abs(moments).mean()
        moments = np.where(same, horizon, moments)
    return np.asarray(moments[place], dtype=np.float64)
