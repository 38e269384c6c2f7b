"""Medians and other quantiles of survival, read off a curve.

The quantile is the time at which the curve has come down to 1 - probability; its interval is the
same reading of the two sides of the band (Brookmeyer and Crowley, Biometrics 1982, 38:29). Where
the curve runs flat at exactly that level it is the middle of the flat stretch.

R has two such readings, and so have we, because both are published. They differ in two rare cases.

- A side of the band rises again, and so crosses the level more than once. `median` takes the first
  crossing, as R prints it; `quantile` takes, of all levels that are low enough, the nearest, as
  quantile.survfit does (it sorts the levels before it looks).
- The curve ends flat at exactly the level. `median` is where that begins, as R prints it;
  `quantile` is the middle between there and the last patient, as in quantile.survfit.

Levels that differ by rounding only are the same level (R's tolerance, which is that of times too).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.survival.kaplan_meier import SurvivalCurve
from oncotrail.statistics.survival.tied_times import SAME


@dataclass(frozen=True)
class Quantile:
    """The time by which a share `probability` has had the event, with its interval.

    None where the curve, or an end of its band, does not come down that far: not reached.
    """

    probability: float
    time: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    method: str


def quantile(curve: SurvivalCurve, probability: float) -> Quantile:
    """The time by which a share `probability` (above 0, below 1) has had the event.

    It is the first time at which survival is 1 - `probability` or less, or the middle of the
    stretch at exactly that level, which ends with the last patient if the curve never leaves it.
    The ends of the interval are read off the two sides of the band, as by quantile.survfit.

    >>> from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
    >>> quantile(kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]), 0.25).time
    1.5
    """
    if not 0 < probability < 1:
        raise ValueError(
            f"found probability {probability}; expected a number between 0 and 1, "
            "such as 0.5 for the median."
        )
    return _read(curve, probability, _nearest_crossing)


def median(curve: SurvivalCurve) -> Quantile:
    """The median time to the event, as R prints it; None where it is not reached.

    It is the first time at which survival is one half or less, or the middle of a stretch at
    exactly one half that the curve leaves again. The ends are the same rule on the band.

    >>> from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
    >>> median(kaplan_meier([1, 2, 3], [1, 0, 1])).time
    3.0
    """
    return _read(curve, 0.5, _first_crossing)


def _read(
    curve: SurvivalCurve,
    probability: float,
    crossing: Callable[[Floats, Floats, float], float | None],
) -> Quantile:
    sides = (curve.survival, curve.low, curve.high)
    time, low, high = (crossing(curve.times, side, probability) for side in sides)
    return Quantile(
        probability=probability,
        time=time,
        low=low,
        high=high,
        confidence=curve.confidence,
        n=curve.n,
        events=curve.number_of_events,
        method=f"Brookmeyer-Crowley, {curve.band}",
    )


def _first_crossing(times: Floats, level: Floats, probability: float) -> float | None:
    here = level < 1 - probability + SAME  # NaN is not
    if not here.any():
        return None
    times, level = times[here], level[here]
    lower = level < level[0]
    if abs(level[0] - (1 - probability)) < SAME and lower.any():
        return float((times[0] + times[lower.argmax()]) / 2)
    return float(times[0])


def _nearest_crossing(times: Floats, level: Floats, probability: float) -> float | None:
    known = ~np.isnan(level)
    gone, first = _distinct(1 - level[known], times[known])
    reached, passed = gone >= probability - SAME, gone >= probability + SAME
    if not reached.any():
        return None
    start, at_the_end = first[reached.argmax()], gone[first.argmax()]
    if known[-1] and abs(at_the_end - probability) < SAME:
        return float((start + times[-1]) / 2)
    return float((start + first[passed.argmax()]) / 2) if passed.any() else None


def _distinct(gone: Floats, times: Floats) -> tuple[Floats, Floats]:
    """The levels in order, those that differ by rounding being one, and when each first occurs."""
    if not gone.size:
        return gone, times
    order = np.argsort(gone, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(gone[order]) > SAME))
    return gone[order][starts], np.minimum.reduceat(times[order], starts)
