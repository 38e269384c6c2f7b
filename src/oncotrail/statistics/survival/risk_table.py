"""Survival and incidence at given times, and the table of numbers at risk under a drawn curve.

A time that differs from one of the curve's by rounding only is that time (`tied_times`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.competing_risks import CumulativeIncidence
from oncotrail.statistics.survival.kaplan_meier import SurvivalCurve
from oncotrail.statistics.survival.tied_times import places_of


@dataclass(frozen=True)
class ChanceAt:
    """Survival or incidence at one time, 0 to 1, with its interval and who is still at risk then.

    The value is None after the last patient was censored: nobody has been watched for so long. The
    interval is None where the curve's is undefined.
    """

    time: float
    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    at_risk: float
    confidence: float


@result
class NumbersAtRisk:
    """The table under a survival curve: who is at risk just before each time.

    `events` and `censored` count everybody who left at or before it.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    censored: Floats


def survival_at(curve: SurvivalCurve, times: ArrayLike) -> tuple[ChanceAt, ...]:
    """Survival at each of `times`, with the band's interval there.

    >>> from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
    >>> found = survival_at(kaplan_meier([1, 2, 3, 4], [1, 1, 0, 0]), [2, 9])
    >>> round(found[0].low, 3), found[0].value, found[1].value
    (0.058, 0.5, None)
    """
    # Before the first time survival is 1, without error; the band is what it is at 1.
    edge = np.nan if curve.band == "log-log" else 1.0
    columns = (
        np.append(1.0, curve.survival),
        np.append(edge, curve.low),
        np.append(edge, curve.high),
        np.append(0.0, curve.standard_error),
    )
    return _read(curve, columns, times, settled=curve.survival[-1] == 0)


def incidence_at(incidence: CumulativeIncidence, times: ArrayLike) -> tuple[ChanceAt, ...]:
    """Cumulative incidence by each of `times`, with the interval there.

    >>> from oncotrail.statistics.survival.competing_risks import cumulative_incidence
    >>> found = incidence_at(cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0]), [2, 5])
    >>> found[0].value, found[0].at_risk, found[1].value
    (0.25, 3.0, None)
    """
    columns = (
        np.append(0.0, incidence.incidence),
        np.append(np.nan, incidence.low),
        np.append(np.nan, incidence.high),
        np.append(0.0, incidence.standard_error),
    )
    return _read(incidence, columns, times, settled=incidence.censored[-1] == 0)


def numbers_at_risk(curve: SurvivalCurve | CumulativeIncidence, times: ArrayLike) -> NumbersAtRisk:
    """Who is at risk just before each of `times`, and who had left at or before it.

    Under an incidence, the events are those of its cause.

    >>> from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
    >>> numbers_at_risk(kaplan_meier([1, 2, 2, 3], [1, 1, 0, 0]), [0, 2, 3]).at_risk.tolist()
    [4.0, 3.0, 1.0]
    """
    wanted = arrays.column(times, "times", low=0)
    before = places_of(curve.times, wanted, side="before")
    until = places_of(curve.times, wanted)
    return NumbersAtRisk(
        times=wanted,
        at_risk=np.append(curve.at_risk, 0.0)[before],
        events=np.append(0.0, curve.events.cumsum())[until],
        censored=np.append(0.0, curve.censored.cumsum())[until],
    )


def _read(
    curve: SurvivalCurve | CumulativeIncidence,
    columns: tuple[Floats, ...],
    times: ArrayLike,
    *,
    settled: bool,
) -> tuple[ChanceAt, ...]:
    """The columns (value, low, high, error; first before any time) at each time."""
    wanted = arrays.column(times, "times", low=0)
    place = places_of(curve.times, wanted)
    beyond = places_of(curve.times, wanted, side="before") == curve.times.size
    unknown = beyond & (not settled)
    found = np.where(unknown, np.nan, np.stack(columns)[:, place])
    values, lows, highs, errors = (
        [None if np.isnan(x) else float(x) for x in row] for row in found
    )
    people = numbers_at_risk(curve, wanted).at_risk
    rows = zip(wanted, values, lows, highs, errors, people, strict=True)
    return tuple(
        ChanceAt(float(time), value, low, high, error, float(at_risk), curve.confidence)
        for time, value, low, high, error, at_risk in rows
    )
