"""The flexible calibration curve of predicted survival at a horizon, and how far it is off.

A Cox model of the new patients on a restricted cubic spline of log(-log(survival)) gives each of
them an observed risk c(p) beside the predicted p. The mean of |c(p) - p| is ICI, its median E50,
its 90th centile E90, its largest Emax (Austin, Harrell and van Klaveren, Statistics in Medicine
2020, 39:2714).

The model assumes proportional hazards over the time that it looks at: up to the horizon, unless the
whole follow-up is asked for (`follow_up`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import (
    Flags,
    Floats,
    Integers,
    Survived,
    Undefined,
    column,
    one_of,
    survived,
)
from oncotrail.statistics.case_weights import are_counts, case_weights
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_model import Ties
from oncotrail.statistics.regression.splines import knots, restricted_cubic
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.follow_up import FollowUp, followed_to
from oncotrail.statistics.survival.horizon_calibration import log_minus_log
from oncotrail.statistics.survival.horizon_estimates import AtHorizon, undefined_at
from oncotrail.statistics.survival.known_states import checked_horizon
from oncotrail.statistics.uncertainty.endpoints import defined_replicates, percentile_band
from oncotrail.statistics.uncertainty.resampling import Resamples, drawn_rows

_ROUNDING = 1e-12  # relative: sums of counts this near are equal
_ERRORS = ("ici", "e50", "e90", "emax")


@result
class HorizonCalibration:
    """Observed risk at predicted risks `at`, and how far the two are apart; 0 is best.

    The band and the intervals are percentiles of resamples (knots and model made anew in each), and
    None without them. `undefined` of the `resamples` had no curve. Chance alone makes the errors
    positive, so that 0 outside an interval does not mean miscalibration.
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
    confidence: float
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
    follow_up: FollowUp = "to_horizon",
    weights: ArrayLike | None = None,
    resamples: Resamples | None,
    confidence: float = 0.95,
    most_undefined: float = 0.05,
) -> HorizonCalibration:
    """The calibration curve at the predicted risks `at`, with ICI, E50, E90 and Emax; all 0 to 1.

    `at` is a hundred risks over the predicted range unless given. Patients are followed up to the
    horizon and no further, or their "whole" `follow_up` (steadier where hazards are proportional
    beyond it too, misleading where they are not). The spline has `count` knots, at
    quantiles of the rows whatever their weights. A weight of 2 is the patient twice, 0 not there;
    of weights that are not whole only the proportions matter. `resamples` come from `resample`
    (whole patients, with all their rows); with None there are no intervals, and more than a share
    of `most_undefined` without a curve is refused. Predicted survival must be above 0 and
    below 1; ties that leave too few knots, and a horizon after the last follow-up, are refused.

    >>> survival, times = np.linspace(0.2, 0.9, 40), np.tile([3.0, 1.0, 4.0, 1.5, 5.0], 8)
    >>> events = np.tile([1, 0, 1, 1], 10)
    >>> found = flexible_calibration_at(times, events, survival, 3, [0.5], resamples=None)
    >>> found.observed.round(3).tolist(), round(found.ici.value, 3)
    ([0.479], 0.182)
    """
    one_of(follow_up, get_args(FollowUp), "follow_up")
    rows = _Rows.of(times, events, survival, weights)
    nothing = undefined_at(rows.patients, checked_horizon(horizon), confidence, "no interval")
    if follow_up == "to_horizon":
        rows = replace(rows, patients=followed_to(rows.patients, horizon))
    if resamples is not None:
        column(times, "times", n=resamples.clusters.rows)
    places = _places(rows.hazard, at)
    smooth = _Smooth(float(horizon), log_minus_log(1 - places), count, ties)
    found, last = smooth.of(rows), places.size
    band, undefined, ends = None, 0, [(None, None)] * len(_ERRORS)
    if resamples is not None:
        again = smooth.resampled(rows, resamples)
        curves = _defined(again, confidence, most_undefined)
        band, undefined = percentile_band(curves, confidence), len(again) - len(curves)
        ends = list(zip(band.low[last:].tolist(), band.high[last:].tolist(), strict=True))
        nothing = replace(nothing, method=f"percentile bootstrap, {resamples.number}")
    errors = {
        name: replace(nothing, value=float(value), low=low, high=high)
        for name, value, (low, high) in zip(_ERRORS, found[last:], ends, strict=True)
    }
    return HorizonCalibration(
        horizon=float(horizon),
        at=places,
        observed=found[:last],
        low=None if band is None else band.low[:last],
        high=None if band is None else band.high[:last],
        confidence=confidence,
        resamples=0 if resamples is None else resamples.number,
        undefined=undefined,
        **errors,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """The patients judged: those with a weight above 0."""

    patients: Survived
    hazard: Floats  # log of the predicted cumulative hazard
    weights: Floats
    kept: Flags  # of the rows that came in

    @classmethod
    def of(
        cls, times: ArrayLike, events: ArrayLike, survival: ArrayLike, weights: ArrayLike | None
    ) -> _Rows:
        found = survived(times, events)
        own = case_weights(weights, found.n)
        kept = own.kept
        counts = own.values if are_counts(own.values) else own.values / own.values.mean()
        hazard = log_minus_log(survival, found.n)[kept]
        return cls(Survived(found.times[kept], found.events[kept]), hazard, counts, kept)

    def drawn(self, rows: Integers) -> _Rows:
        """Some of the rows that came in, each as often as it is named."""
        place = (self.kept.cumsum() - 1)[rows[self.kept[rows]]]
        patients = Survived(self.patients.times[place], self.patients.events[place])
        return _Rows(patients, self.hazard[place], self.weights[place], self.kept)


@dataclass(frozen=True, eq=False)
class _Smooth:
    """How the curve is made, and where it is looked at."""

    horizon: float
    places: Floats
    count: int
    ties: Ties

    def of(self, rows: _Rows) -> Floats:
        """The observed risks at the places, then ICI, E50, E90 and Emax of the patients."""
        observed = self._observed(rows)
        own, places = np.split(observed, [rows.patients.n])
        off = np.abs(own + np.expm1(-np.exp(rows.hazard)))
        mean = np.average(off, weights=rows.weights)
        return np.array([*places, mean, *_quantiles(off, rows.weights)])

    def _observed(self, rows: _Rows) -> Floats:
        """The risks by the horizon that a Cox model sees, of the patients and at the places."""
        chosen = knots(rows.hazard, self.count)
        columns = restricted_cubic(rows.hazard, chosen)
        outcome = (rows.patients.times, rows.patients.events)
        fit = fit_cox(*outcome, columns, ties=self.ties, weights=rows.weights)
        everywhere = np.concatenate([columns, restricted_cubic(self.places, chosen)])
        return 1 - fit.survival(everywhere, [self.horizon])[:, 0]

    def resampled(self, rows: _Rows, resamples: Resamples) -> Floats:
        """The same in each resample; NaN in one that has no curve."""
        found = np.full((resamples.number, self.places.size + len(_ERRORS)), np.nan)
        for number, drawn in enumerate(drawn_rows(resamples)):
            try:
                found[number] = self.of(rows.drawn(drawn))
            except Undefined:  # no curve in this resample
                continue
        return found


def _defined(replicated: Floats, confidence: float, most_undefined: float) -> Floats:
    """The resamples with a curve, if they are enough to tell of all."""
    defined_replicates(replicated[:, -1], confidence, most_undefined)
    return replicated[~np.isnan(replicated[:, -1])]


def _quantiles(values: Floats, counts: Floats) -> Floats:
    """Median, 90th centile and largest of values that stand there `counts` times (type 7).

    As Hmisc::wtd.quantile: the place between two values is (sum of counts - 1) times the share.
    """
    order = np.argsort(values, kind="stable")
    reached = counts[order].cumsum()
    place = 1 + np.maximum(reached[-1] - 1, 0.0) * np.array([0.5, 0.9, 1.0])
    lower = np.floor(place)

    def value(at: Floats) -> Floats:
        found = np.searchsorted(reached, at * (1 - _ROUNDING), side="left")
        return values[order][np.minimum(found, values.size - 1)]

    return np.asarray(value(lower) + (place - lower) * (value(lower + 1) - value(lower)))


def _places(hazard: Floats, at: ArrayLike | None) -> Floats:
    risk = -np.expm1(-np.exp(hazard))
    low, high = float(risk.min()), float(risk.max())
    if at is None:
        return np.clip(np.linspace(low, high, 100), low, high)
    return column(at, "at", low=low, high=high)  # a curve does not extrapolate
