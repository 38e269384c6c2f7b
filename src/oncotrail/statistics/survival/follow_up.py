"""How far the patients are followed: to the horizon that is judged, or as long as they were.

What is said of a horizon should rest on what happened up to it. Patients who are followed beyond
are censored there (administratively), so that their fates after it change nothing, and a model of
proportional hazards needs to be right only until then (the stopped Cox model of van Houwelingen,
Scandinavian Journal of Statistics 2007, 34:70).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from oncotrail.statistics.arrays import Survived
from oncotrail.statistics.survival.tied_times import settled_times

FollowUp = Literal["to_horizon", "whole"]


def followed_to(patients: Survived, horizon: float) -> Survived:
    """The patients as they were known at the horizon: later times are censored there.

    A time that differs from the horizon by rounding only is at it, where an event counts.

    >>> found = followed_to(Survived(np.array([1.0, 3.0]), np.array([True, True])), 2)
    >>> found.times.tolist(), found.events.tolist()
    ([1.0, 2.0], [True, False])
    """
    times = settled_times(patients.times, horizon)
    return Survived(np.minimum(times, horizon), patients.events & (times <= horizon))
