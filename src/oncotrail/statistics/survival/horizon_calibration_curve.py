"""The flexible calibration curve of predicted survival at a horizon, and how far it is off.

A Cox model of the new patients on a restricted cubic spline of log(-log(survival)) gives each of
them an observed risk c(p) beside the predicted p. The mean of |c(p) - p| is ICI, its median E50,
its 90th centile E90, its largest Emax (Austin, Harrell and van Klaveren, Statistics in Medicine
2020, 39:2714).

The model uses the whole follow-up and assumes proportional hazards over it; to judge the time up to
the horizon only, hand in times that were cut there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import (
    Floats,
    Survived,
    Undefined,
    checked_confidence,
    column,
    survived,
)
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_model import Ties
from oncotrail.statistics.regression.splines import knots, restricted_cubic
from oncotrail.statistics.survival.censoring import checked_horizon
from oncotrail.statistics.survival.horizon_calibration import log_minus_log
from oncotrail.statistics.survival.horizon_estimates import AtHorizon, undefined_at

_FEWEST_RESAMPLES = 2  # defined, for quantiles to say anything


@dataclass(frozen=True, eq=False)
class HorizonCalibration:
    """Observed risk at predicted risks `at`, and how far the two are apart; 0 is best.

    The band and the intervals are percentiles of resamples (patients drawn with replacement, knots
    and model made anew), and None without them. `undefined` of the `resamples` had no curve. Chance
    alone makes the errors positive, so that 0 outside an interval does not mean miscalibration.
    """

    horizon: float
    at: Floats
    observed: Floats
    low: Floats | None
    high: Floats | None
    ici: AtHorizon
    e50: AtHorizon
    e90: AtHorizon
    emax: AtHorizon
    resamples: int
    undefined: int


def flexible_calibration_at(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    at: ArrayLike | None = None,
    *,
    count: int = 3,
    ties: Ties = "efron",
    generator: np.random.Generator | None = None,
    resamples: int = 500,
    confidence: float = 0.95,
) -> HorizonCalibration:
    """The calibration curve at the predicted risks `at`, with ICI, E50, E90 and Emax; all 0 to 1.

    `at` is a hundred risks over the predicted range unless given. The spline has `count` knots.
    Without a `generator` there are no intervals. Predicted survival must be above 0 and below 1;
    ties that leave too few knots, and a horizon after the last follow-up, are refused.

    >>> survival, times = np.linspace(0.2, 0.9, 40), np.tile([3.0, 1.0, 4.0, 1.5, 5.0], 8)
    >>> events = np.tile([1, 0, 1, 1], 10)
    >>> found = flexible_calibration_at(times, events, survival, 3, [0.5])
    >>> found.observed.round(3).tolist(), round(found.ici.value, 3)
    ([0.48], 0.166)
    """
    patients = survived(times, events)
    hazard = log_minus_log(survival, patients.n)
    places = _places(np.asarray(survival, dtype=np.float64), at)
    smooth = _Smooth(checked_horizon(horizon), log_minus_log(1 - places), count, ties)
    found = smooth.of(patients, hazard)
    low, high = np.full((2, found.size), np.nan)
    method, undefined = "no interval", 0
    if generator is not None:
        method = f"percentile bootstrap, {resamples}"
        again = smooth.resampled(patients, hazard, generator, resamples)
        tail, undefined = (1 - checked_confidence(confidence)) / 2, resamples - len(again)
        low, high = np.quantile(again, [tail, 1 - tail], axis=0)
    nothing, last = undefined_at(patients, horizon, confidence, method), places.size
    ends = (_or_none(low[last:]), _or_none(high[last:]))
    names = ("ici", "e50", "e90", "emax")
    errors = {
        name: replace(nothing, value=float(value), low=a, high=b)
        for name, value, a, b in zip(names, found[last:], *ends, strict=True)
    }
    return HorizonCalibration(
        horizon=float(horizon),
        at=places,
        observed=found[:last],
        low=None if generator is None else low[:last],
        high=None if generator is None else high[:last],
        resamples=0 if generator is None else resamples,
        undefined=undefined,
        **errors,
    )


@dataclass(frozen=True, eq=False)
class _Smooth:
    """How the curve is made, and where it is looked at."""

    horizon: float
    places: Floats
    count: int
    ties: Ties

    def of(self, patients: Survived, hazard: Floats) -> Floats:
        """The observed risks at the places, then ICI, E50, E90 and Emax of the patients."""
        chosen = knots(hazard, self.count)
        columns = restricted_cubic(hazard, chosen)
        fit = fit_cox(patients.times, patients.events, columns, ties=self.ties)
        everywhere = np.concatenate([columns, restricted_cubic(self.places, chosen)])
        observed = 1 - fit.survival(everywhere, [self.horizon])[:, 0]
        off = np.abs(observed[: patients.n] + np.expm1(-np.exp(hazard)))
        return np.array([*observed[patients.n :], off.mean(), *np.quantile(off, [0.5, 0.9, 1])])

    def resampled(
        self, patients: Survived, hazard: Floats, generator: np.random.Generator, resamples: int
    ) -> Floats:
        """The same in each resample that has a curve."""
        if resamples < 1:
            raise ValueError(f"found {resamples} resamples; expected at least 1.")
        found = []
        for _ in range(resamples):
            rows = generator.integers(patients.n, size=patients.n)
            drawn = Survived(patients.times[rows], patients.events[rows])
            try:
                found.append(self.of(drawn, hazard[rows]))
            except Undefined:  # no curve in this resample
                continue
        if len(found) < _FEWEST_RESAMPLES:
            raise Undefined(
                f"found {len(found)} of {resamples} resamples with a calibration curve; "
                "an interval needs more. Take fewer knots, or more patients."
            )
        return np.array(found)


def _places(survival: Floats, at: ArrayLike | None) -> Floats:
    low, high = float((1 - survival).min()), float((1 - survival).max())
    if at is None:
        return np.clip(np.linspace(low, high, 100), low, high)
    return column(at, "at", low=low, high=high)  # a curve does not extrapolate


def _or_none(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
