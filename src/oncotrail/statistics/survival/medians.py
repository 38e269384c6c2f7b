"""Medians and other quantiles of survival, read off a curve.

The quantile is the first time at which the curve has come down to 1 - probability; its interval is
the same reading of the two sides of the band (Brookmeyer and Crowley, Biometrics 1982, 38:29).

R has two rules, which differ in rare cases. Where a side of the band rises again, we take the first
crossing, as `summary(fit)$table` does (quantile.survfit sorts the band first). Where a curve ends
flat at exactly the level, we take the middle of the flat stretch, as quantile.survfit does (the
table takes its beginning).
"""

from __future__ import annotations

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

    It is the first time at which survival is 1 - `probability` or less. Where the curve runs flat
    at exactly that level it is the middle of the flat stretch (which ends with the last patient if
    the curve never leaves it), as in R. The ends are the same rule on the two sides of the band.

    >>> from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
    >>> quantile(kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]), 0.5).time
    2.5
    """
    if not 0 < probability < 1:
        raise ValueError(
            f"found probability {probability}; expected a number between 0 and 1, "
            "such as 0.5 for the median."
        )
    return Quantile(
        probability=probability,
        time=_crossing(curve.times, curve.survival, 1 - probability),
        low=_crossing(curve.times, curve.low, 1 - probability),
        high=_crossing(curve.times, curve.high, 1 - probability),
        confidence=curve.confidence,
        n=curve.n,
        events=curve.number_of_events,
        method=f"Brookmeyer-Crowley, {curve.band}",
    )


def median(curve: SurvivalCurve) -> Quantile:
    """The median time to the event: `quantile` at one half; None where it is not reached.

    >>> from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
    >>> median(kaplan_meier([1, 2, 3], [1, 0, 1])).time
    3.0
    """
    return quantile(curve, 0.5)


def _crossing(times: Floats, level: Floats, target: float) -> float | None:
    """Where a step function comes down to `target`; the middle of the stretch it spends there."""
    here = np.flatnonzero(level <= target + SAME)  # NaN is not
    if not here.size:
        return None
    below = np.flatnonzero(level <= target - SAME)
    if below.size:
        end = times[below[0]]
    elif abs(level[-1] - target) < SAME:
        end = times[-1]
    else:
        return None
    return float((times[here[0]] + end) / 2)
