"""How a model of survival does in patients that it has never seen, in one call.

Everything that a report of external validation needs (Collins et al., BMJ 2024, 385:e078378,
TRIPOD+AI; McLernon et al., Annals of Internal Medicine 2023, 176:105): discrimination overall
(`concordance`) and at each horizon (`time_dependent`), overall error (`brier`), calibration from
coarse to fine (`observed_at_horizon`, `horizon_calibration`, `horizon_calibration_curve`), and the
curves of risk groups. Each has its interval.

Nothing is fitted to the new patients but what describes them: survival, censoring, calibration. A
figure that cannot be had in these patients (no event by a horizon, too few of them for a curve) is
None, and `undefined` says why; the others stand.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.brier import integrated_brier, scaled_integrated_brier
from oncotrail.statistics.survival.censoring import Censoring
from oncotrail.statistics.survival.concordance import Concordance, concordance, concordance_ipcw
from oncotrail.statistics.survival.horizon_estimates import (
    OverHorizons,
    checked_horizons,
    for_each_horizon,
)
from oncotrail.statistics.survival.horizon_validation import HorizonValidation, NewPatients
from oncotrail.statistics.survival.kaplan_meier import SurvivalCurve, kaplan_meier_by_group
from oncotrail.statistics.survival.known_states import Weighing
from oncotrail.statistics.survival.time_dependent import integrated_auc
from oncotrail.statistics.uncertainty.resampling import Resamples


class Judging(Weighing, total=False):
    """How patients are judged, beside `Weighing`; each may be left out."""

    risk_groups: ArrayLike | None
    confidence: float


@result
class ExternalValidation:
    """A model in new patients. The integrated figures need two horizons, and are None with one.

    `n` patients (rows with a weight above 0) had `events`. `curves` are Kaplan-Meier's of the risk
    groups, by name, where groups were given. `undefined` holds a sentence for each figure that is
    None because it could not be had.
    """

    n: int
    events: int
    harrell: Concordance
    uno: Concordance
    horizons: tuple[HorizonValidation, ...]
    integrated_auc: OverHorizons | None
    integrated_brier: OverHorizons | None
    scaled_integrated_brier: OverHorizons | None
    curves: dict[Any, SurvivalCurve] | None
    undefined: tuple[str, ...]


def external_validation(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    survival: ArrayLike,
    horizons: ArrayLike,
    *,
    resamples: Resamples | None,
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    risk_groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> ExternalValidation:
    """All figures of a model's predictions in these patients.

    `risk` is one number per patient, higher is worse, for the concordances. `survival` is the
    predicted chance to be free of the event beyond each of the ascending `horizons` (patients x
    horizons, 0 to 1); the area at a horizon judges 1 less that chance. Uno's concordance stops at
    the last horizon.

    `competing` is 1 where another event came first (`survival` is then 1 less the predicted
    incidence). Areas and Brier scores know of it, the concordances take it for censoring (as of a
    cause-specific hazard), and what would be wrong with it is None.

    `resamples` (from `resample`, of the patients of the rows) give the calibration curves, ICI, E50
    and E90 their intervals; None leaves these without. `censoring`, where it comes from other
    patients (the training rows of the same cohort), is used for all weights against censoring.
    `weights` are as in `case_weights`, and `clusters` are rows that are not independent: each
    function tells what they do to its variance.

    >>> times, events = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 1]
    >>> risk, survival = [0.9, 0.2, 0.5, 0.6, 0.1, 0.3], [0.1, 0.8, 0.5, 0.4, 0.9, 0.7]
    >>> found = external_validation(times, events, risk, survival, [3.5], resamples=None)
    >>> round(found.harrell.value, 3), round(found.horizons[0].auc.value, 3)
    (0.727, 0.667)
    """
    moments = checked_horizons(horizons)
    predicted = for_each_horizon(survival, arrays.survived(times, events).n, moments)
    new = NewPatients(times, events, competing, weights, clusters, censoring, resamples, confidence)
    marker, tau = arrays.column(risk, "risk", n=len(predicted)), float(moments[-1])
    harrell = concordance(*new.outcome, marker, **new.rows)
    uno = concordance_ipcw(*new.outcome, marker, tau=tau, **new.weighing)
    _refuse_other_patients(resamples, clusters)
    reasons: list[str] = []
    judged = [
        new.at(float(moment), predicted[:, place], reasons) for place, moment in enumerate(moments)
    ]
    curves = None
    if risk_groups is not None:
        how: dict[str, Any] = {"weights": weights, "confidence": confidence}
        curves = new.had(
            lambda: kaplan_meier_by_group(*new.outcome, risk_groups, **how), "curves", reasons
        )
    return ExternalValidation(
        n=harrell.n,
        events=harrell.events,
        harrell=harrell,
        uno=uno,
        horizons=tuple(judged),
        integrated_auc=new.over(integrated_auc, 1 - predicted, moments),
        integrated_brier=new.over(integrated_brier, predicted, moments),
        scaled_integrated_brier=new.over(scaled_integrated_brier, predicted, moments),
        curves=curves,
        undefined=tuple(reasons),
    )


def external_validation_of_cox(
    fit: CoxFit,
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    horizons: ArrayLike,
    *,
    resamples: Resamples | None,
    offset: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    **judging: Unpack[Judging],
) -> ExternalValidation:
    """`external_validation` of a fitted Cox model: its own risk and survival in new patients.

    `covariates` has the columns of the fit, and `offset` the patients' own where the model has one.
    `strata` is each patient's stratum, or the one of them all. Where patients are of several,
    linear predictors cannot be compared, and the concordances judge the predicted risk by the last
    horizon. Horizons after the follow-up of the patients that the model was fitted on are refused.
    The rest (`judging`) is that of `external_validation`; note that with `competing` events a Cox
    model of one cause predicts no incidence.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0.4, 0.1, 0.3, 0.2, 0.9, 0.5])
    >>> new = [1, 2, 3, 4], [1, 1, 0, 1], [3, 1, 2, 0]
    >>> external_validation_of_cox(fit, *new, [3.5], resamples=None).harrell.value
    0.8
    """
    asked = checked_horizons(horizons)
    risk = fit.risk(covariates, offset)
    if strata is None or np.ndim(strata) == 0:  # one for all
        survival = fit.survival(covariates, asked, strata, offset)
    else:
        survival = _in_own_stratum(fit, risk, asked, strata)
        risk = 1 - survival[:, -1]
    return external_validation(times, events, risk, survival, asked, resamples=resamples, **judging)


def _in_own_stratum(fit: CoxFit, risk: Floats, horizons: Floats, strata: ArrayLike) -> Floats:
    """Predicted survival of patients of several strata; patients x horizons."""
    place = arrays.groups(strata, risk.size, "strata")
    names = np.unique(np.asarray(strata)).tolist()
    hazards = np.array([fit.cumulative_hazard(horizons, name) for name in names])
    return np.asarray(np.exp(-np.exp(risk)[:, None] * hazards[place]))


def _refuse_other_patients(resamples: Resamples | None, clusters: ArrayLike | None) -> None:
    if resamples is None or clusters is None:
        return
    patients = resamples.clusters.patient
    if not np.array_equal(arrays.groups(clusters, patients.size, "clusters"), patients):
        raise ValueError(
            "resamples: found other patients than those of clusters; expected resamples of them, "
            "as `resample(clusters, ...)` makes."
        )
