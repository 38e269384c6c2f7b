"""Whether predicted survival at a horizon is what happens.

From coarse to fine, all of them without leaving out who was censored:

- *Observed over expected*: the risk by the horizon that Kaplan-Meier sees, 1 - S(t), over the mean
  predicted risk. The interval is Greenwood's on the log scale; the predictions are taken as known
  (McLernon et al., Annals of Internal Medicine 2023, 176:105).
- *In the large*, on the scale of hazards: give every patient the predicted cumulative hazard
  -log(survival) as an offset, and estimate by what factor all hazards must be multiplied so that
  events by the horizon come out right (Breslow's estimate: the sum over event times of events over
  the offsets at risk). Its logarithm is 0 where predictions are right (in the manner of Crowson,
  Atkinson and Therneau, Statistical Methods in Medical Research 2016, 25:1692).
- *Slope*: the coefficient of log(-log(survival)) in a Cox model of the new patients. 1 is right;
  below 1 the predictions are too extreme, as of an overfitted model.
- *Groups*: patients by quantiles of predicted survival, its mean beside Kaplan-Meier's estimate.

The slope uses the whole follow-up and assumes proportional hazards over it; to judge the time up to
the horizon only, hand in times that were cut there. `horizon_calibration_curve` looks finer still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import (
    Floats,
    Survived,
    Undefined,
    column,
    survived,
)
from oncotrail.statistics.intervals import Estimate, normal_quantile
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_model import Ties
from oncotrail.statistics.survival.censoring import checked_horizon
from oncotrail.statistics.survival.horizon_estimates import ROUNDING, AtHorizon, undefined_at
from oncotrail.statistics.survival.kaplan_meier import Band, SurvivalCurve, kaplan_meier
from oncotrail.statistics.survival.quantile_groups import quantile_groups
from oncotrail.statistics.survival.tied_times import distinct_times, settled_times


@dataclass(frozen=True)
class GroupAtHorizon:
    """Patients of similar predictions: mean predicted survival, and Kaplan-Meier's with interval.

    `observed` is None where the group's follow-up ends before the horizon, and its interval where
    the band is undefined (nobody had the event, or everybody).
    """

    predicted: float
    observed: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int


def observed_expected_at(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    confidence: float = 0.95,
) -> AtHorizon:
    """Observed over mean predicted risk by the horizon; 1 is best, above 1 it was more.

    `survival` is the predicted chance, 0 to 1, to be free of the event beyond the horizon. None
    where follow-up ends before the horizon or nobody has any predicted risk; the interval also
    where nobody, or everybody, had the event.

    >>> found = observed_expected_at([1, 2, 3, 4], [1, 1, 0, 0], [0.4, 0.6, 0.7, 0.9], horizon=2)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (1.429, 0.536, 3.806)
    """
    patients = _settled(survived(times, events), horizon)
    predicted = column(survival, "survival", n=patients.n, low=0, high=1)
    curve = kaplan_meier(patients.times, patients.events, confidence=confidence)
    observed, error = _at(curve, curve.standard_error, horizon)
    found = undefined_at(patients, horizon, confidence, "Greenwood, log")
    expected = float((1 - predicted).mean())
    if observed is None or expected == 0:
        return found
    ratio = (1 - observed) / expected
    if error is None or error <= ROUNDING:
        return replace(found, value=ratio)
    relative = error / (1 - observed)
    factor = math.exp(normal_quantile(confidence) * relative)
    return replace(
        found,
        value=ratio,
        standard_error=ratio * relative,
        low=ratio / factor,
        high=ratio * factor,
    )


def calibration_in_the_large_at(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    confidence: float = 0.95,
) -> AtHorizon:
    """Log of observed over predicted cumulative hazard at the horizon; 0 is best.

    Above 0, hazards were predicted too low (0.7: by half). `survival` is as in
    `observed_expected_at`, and must be above 0 and below 1. Tied events as Breslow. None where
    nobody had the event by the horizon, or follow-up ends before it.

    >>> found = calibration_in_the_large_at([1, 2, 3, 4], [1, 1, 0, 0], [0.4, 0.6, 0.7, 0.9], 2)
    >>> round(found.value, 3)
    0.443
    """
    patients = _settled(survived(times, events), horizon)
    predicted = log_minus_log(survival, patients.n)
    moments, place = distinct_times(patients.times)
    number = np.bincount(place, patients.events)
    at_risk = np.bincount(place, np.exp(predicted))[::-1].cumsum()[::-1]
    counted = (moments <= horizon) & (number > 0)
    found = undefined_at(patients, horizon, confidence, "Breslow, log")
    if not counted.any() or moments[-1] < horizon:
        return found
    hazard = float((number[counted] / at_risk[counted]).sum())
    error = math.sqrt(float((number[counted] / at_risk[counted] ** 2).sum())) / hazard
    value, half = math.log(hazard), normal_quantile(confidence) * error
    return replace(found, value=value, standard_error=error, low=value - half, high=value + half)


def survival_calibration_slope(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    *,
    ties: Ties = "efron",
    confidence: float = 0.95,
) -> Estimate:
    """The slope of a linear predictor in a Cox model of these patients; 1 is best.

    `risk` is the model's linear predictor, or `log_minus_log` of its predicted survival at any
    horizon. One that is constant, or that orders all events perfectly, is refused.

    >>> times, events = [5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0]
    >>> round(survival_calibration_slope(times, events, [0.1, -0.4, 0.9, -0.6, 0.2, 0.3]).value, 3)
    2.001
    """
    fit = fit_cox(times, events, risk, ties=ties, names=["risk"])
    slope, error = float(fit.coefficients[0]), float(fit.standard_errors[0])
    half = normal_quantile(confidence) * error
    return Estimate(slope, slope - half, slope + half, confidence, fit.n, fit.events, "Cox, Wald")


def calibration_by_group_at(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    groups: int = 5,
    *,
    confidence: float = 0.95,
    band: Band = "log-log",
) -> tuple[GroupAtHorizon, ...]:
    """Predicted and observed survival at the horizon, by quantiles of predicted survival.

    The group with the lowest survival comes first; the cuts are type 7 quantiles, and ties that
    leave a group empty are refused. `band` is that of `kaplan_meier`.

    >>> found = calibration_by_group_at([1, 2, 3, 4], [1, 1, 0, 0], [0.2, 0.4, 0.7, 0.9], 2.5, 2)
    >>> [(round(group.predicted, 2), group.observed) for group in found]
    [(0.3, 0.0), (0.8, 1.0)]
    """
    patients = _settled(survived(times, events), horizon)
    predicted = column(survival, "survival", n=patients.n, low=0, high=1)
    place = quantile_groups(predicted, groups, on_whom="the patients judged").apply(predicted)
    return tuple(
        _group(
            Survived(patients.times[place == group], patients.events[place == group]),
            predicted[place == group],
            horizon,
            confidence,
            band,
        )
        for group in range(groups)
    )


def log_minus_log(survival: ArrayLike, n: int | None = None) -> Floats:
    """log(-log(survival)): the logarithm of the predicted cumulative hazard; higher is worse.

    Survival must be above 0 and below 1, where this is finite.

    >>> log_minus_log([0.9, 0.5]).round(3).tolist()
    [-2.25, -0.367]
    """
    found = column(survival, "survival", n=n, low=0, high=1)
    certain = np.flatnonzero((found == 0) | (found == 1))
    if certain.size:
        row = int(certain[0])
        raise Undefined(
            f"survival: found {found[row]:g} in row {row}; expected a chance above 0 and below 1, "
            "as no calibration on the scale of hazards can judge certainty."
        )
    return np.asarray(np.log(-np.log(found)))


def _settled(patients: Survived, horizon: float) -> Survived:
    """The patients, with times that are the horizon but for rounding at the horizon."""
    return Survived(settled_times(patients.times, checked_horizon(horizon)), patients.events)


def _group(
    patients: Survived, predicted: Floats, horizon: float, confidence: float, band: Band
) -> GroupAtHorizon:
    curve = kaplan_meier(patients.times, patients.events, confidence=confidence, band=band)
    return GroupAtHorizon(
        predicted=float(predicted.mean()),
        observed=_at(curve, curve.standard_error, horizon)[0],
        low=_at(curve, curve.low, horizon)[1],
        high=_at(curve, curve.high, horizon)[1],
        confidence=confidence,
        n=patients.n,
        events=int((patients.events & (patients.times <= horizon)).sum()),
    )


def _at(curve: SurvivalCurve, beside: Floats, horizon: float) -> tuple[float | None, float | None]:
    """Survival at the horizon and what stands beside it; None where unknown or undefined."""
    followed = curve.times[-1] >= horizon or curve.survival[-1] == 0
    if not followed:
        return None, None
    place = int(np.searchsorted(curve.times, horizon, side="right")) - 1
    value = 1.0 if place < 0 else float(curve.survival[place])
    found = np.nan if place < 0 else float(beside[place])
    return value, None if np.isnan(found) else found
