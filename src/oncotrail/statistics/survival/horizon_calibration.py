"""Whether predicted survival at a horizon is what happens: slope, and groups of patients.

After the one number for all (`observed_at_horizon`), and before the curve for each predicted risk
(`horizon_calibration_curve`):

- *Slope*: the coefficient of log(-log(survival)) in a Cox model of the new patients. 1 is right;
  below 1 the predictions are too extreme, as of an overfitted model.
- *Groups*: patients by quantiles of predicted survival, its mean beside Kaplan-Meier's estimate.

The slope assumes proportional hazards over the time that it looks at: up to a horizon where one is
named (`follow_up`), else the whole follow-up. The scale and the slope are Cox's (Biometrika 1958,
45:562) carried over to hazards by van Houwelingen (Statistics in Medicine 2000, 19:3401); the
groups are those of Crowson, Atkinson and Therneau (Statistical Methods in Medical Research 2016,
25:1692).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Survived, Undefined, column, survived
from oncotrail.statistics.intervals import Estimate, normal_quantile
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_model import Ties
from oncotrail.statistics.survival.follow_up import followed_to
from oncotrail.statistics.survival.kaplan_meier import Band, SurvivalCurve, kaplan_meier
from oncotrail.statistics.survival.known_states import checked_horizon
from oncotrail.statistics.survival.quantile_groups import quantile_groups
from oncotrail.statistics.survival.tied_times import places_of, settled_times


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


def survival_calibration_slope(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    *,
    horizon: float | None = None,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The slope of a linear predictor in a Cox model of these patients; 1 is best.

    `risk` is the model's linear predictor, or `log_minus_log` of its predicted survival at any
    horizon. With a `horizon` the patients are followed up to it and no further; none: as long as
    they were. A risk that is constant, or orders all events perfectly, is refused. A weight of 2 is
    the patient twice (with Efron's ties nearly so), 0 not there; weights that are not whole, and
    `clusters` (rows that are not independent), make the variance robust, as in survival::coxph.

    >>> times, events = [5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0]
    >>> round(survival_calibration_slope(times, events, [0.1, -0.4, 0.9, -0.6, 0.2, 0.3]).value, 3)
    2.001
    """
    patients = survived(times, events)
    if horizon is not None:
        patients = followed_to(patients, checked_horizon(horizon))
    columns = (patients.times, patients.events, column(risk, "risk", n=patients.n))
    fit = fit_cox(*columns, ties=ties, weights=weights, clusters=clusters, names=["risk"])
    slope, error = float(fit.coefficients[0]), float(fit.standard_errors[0])
    half = normal_quantile(confidence) * error
    method = "Cox, robust Wald" if fit.robust else "Cox, Wald"
    return Estimate(slope, slope - half, slope + half, confidence, fit.n, fit.events, method)


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
    found = survived(times, events)
    patients = Survived(settled_times(found.times, checked_horizon(horizon)), found.events)
    predicted = column(survival, "survival", n=patients.n, low=0, high=1)
    cuts = quantile_groups(predicted, groups, role="judged")
    place = cuts.apply(predicted, role="judged", apparent=True)
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
    place = int(places_of(curve.times, horizon)) - 1
    value = 1.0 if place < 0 else float(curve.survival[place])
    found = np.nan if place < 0 else float(beside[place])
    return value, None if np.isnan(found) else found
