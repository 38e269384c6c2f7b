"""How a model of survival does in patients that it has never seen, in one call.

Everything that a report of external validation needs (Collins et al., BMJ 2024, 385:e078378,
TRIPOD+AI; McLernon et al., Annals of Internal Medicine 2023, 176:105): discrimination overall
(`concordance`) and at each horizon (`time_dependent`), overall error (`brier`), calibration from
coarse to fine (`horizon_calibration`, `horizon_calibration_curve`), and the curves of risk groups.

Nothing is fitted to the new patients but what describes them: survival, censoring, calibration. A
figure that cannot be had in these patients (no event by a horizon, too few of them for a curve) is
None, and `undefined` says why; the others stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Survived, Undefined, column, matrix, survived
from oncotrail.statistics.intervals import Estimate
from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.survival.brier import (
    brier_score,
    integrated_brier,
    scaled_brier,
    scaled_integrated_brier,
)
from oncotrail.statistics.survival.censoring import Censoring
from oncotrail.statistics.survival.concordance import Concordance, concordance, concordance_ipcw
from oncotrail.statistics.survival.horizon_calibration import (
    calibration_in_the_large_at,
    log_minus_log,
    observed_expected_at,
    survival_calibration_slope,
)
from oncotrail.statistics.survival.horizon_calibration_curve import (
    HorizonCalibration,
    flexible_calibration_at,
)
from oncotrail.statistics.survival.horizon_estimates import (
    AtHorizon,
    OverHorizons,
    checked_horizons,
)
from oncotrail.statistics.survival.kaplan_meier import SurvivalCurve, kaplan_meier_by_group
from oncotrail.statistics.survival.time_dependent import integrated_auc, time_dependent_auc


@dataclass(frozen=True)
class HorizonValidation:
    """The figures at one horizon; None where `undefined` of the whole says why."""

    horizon: float
    auc: AtHorizon
    brier: AtHorizon
    scaled_brier: AtHorizon
    observed_expected: AtHorizon
    in_the_large: AtHorizon | None
    slope: Estimate | None
    calibration: HorizonCalibration | None


@dataclass(frozen=True, eq=False)
class ExternalValidation:
    """A model in new patients. The integrated figures need two horizons, and are None with one.

    `curves` are Kaplan-Meier's of the risk groups, by name, where groups were given. `undefined`
    holds a sentence for each figure that is None because it could not be had.
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
    censoring: Censoring | None = None,
    risk_groups: ArrayLike | None = None,
    generator: np.random.Generator | None = None,
    resamples: int = 500,
    confidence: float = 0.95,
) -> ExternalValidation:
    """All figures of a model's predictions in these patients.

    `risk` is one number per patient, higher is worse, for the concordances. `survival` is the
    predicted chance to be free of the event beyond each of the ascending `horizons` (patients x
    horizons, 0 to 1); the area at a horizon judges 1 less that chance. Uno's concordance stops at
    the last horizon. `censoring`, where it comes from other patients (the training rows of the
    same cohort), is used for all weights. The calibration curve has intervals if a `generator` is
    given, from `resamples`.

    >>> times, events = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 1]
    >>> risk = [0.9, 0.2, 0.5, 0.6, 0.1, 0.3]
    >>> found = external_validation(times, events, risk, 1 - np.array(risk), [3.5])
    >>> round(found.harrell.value, 3), round(found.horizons[0].auc.value, 3)
    (0.727, 0.667)
    """
    patients = survived(times, events)
    outcome = patients.times, patients.events
    moments = checked_horizons(horizons)
    predicted = _predicted(survival, patients.n, moments)
    weighting: dict[str, Any] = {"censoring": censoring, "confidence": confidence}
    marker = column(risk, "risk", n=patients.n)
    several = moments.size > 1
    judged = [
        _at_horizon(patients, predicted[:, place], moment, weighting, (generator, resamples))
        for place, moment in enumerate(moments)
    ]
    return ExternalValidation(
        n=patients.n,
        events=patients.number_of_events,
        harrell=concordance(*outcome, marker, confidence=confidence),
        uno=concordance_ipcw(*outcome, marker, tau=moments[-1], **weighting),
        horizons=tuple(found for found, _ in judged),
        integrated_auc=(
            integrated_auc(*outcome, 1 - predicted, moments, **weighting) if several else None
        ),
        integrated_brier=(
            integrated_brier(*outcome, predicted, moments, **weighting) if several else None
        ),
        scaled_integrated_brier=(
            scaled_integrated_brier(*outcome, predicted, moments, **weighting) if several else None
        ),
        curves=(
            None
            if risk_groups is None
            else kaplan_meier_by_group(*outcome, risk_groups, confidence=confidence)
        ),
        undefined=tuple(reason for _, reasons in judged for reason in reasons),
    )


def external_validation_of_cox(
    fit: CoxFit,
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    horizons: ArrayLike,
    *,
    stratum: Any = None,
    censoring: Censoring | None = None,
    risk_groups: ArrayLike | None = None,
    generator: np.random.Generator | None = None,
    resamples: int = 500,
    confidence: float = 0.95,
) -> ExternalValidation:
    """`external_validation` of a fitted Cox model: its own risk and survival in new patients.

    `covariates` has the columns of the fit; horizons after the follow-up of the patients that the
    model was fitted on are refused. With strata, name the one whose baseline is to be judged.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0.4, 0.1, 0.3, 0.2, 0.9, 0.5])
    >>> found = external_validation_of_cox(fit, [1, 2, 3, 4], [1, 1, 0, 1], [3, 1, 2, 0], [3.5])
    >>> found.harrell.value
    0.8
    """
    asked = checked_horizons(horizons)
    return external_validation(
        times,
        events,
        fit.risk(covariates),
        fit.survival(covariates, asked, stratum),
        asked,
        censoring=censoring,
        risk_groups=risk_groups,
        generator=generator,
        resamples=resamples,
        confidence=confidence,
    )


def _at_horizon(
    patients: Survived,
    survival: Floats,
    horizon: float,
    weighting: dict[str, Any],
    smoothing: tuple[np.random.Generator | None, int],
) -> tuple[HorizonValidation, list[str]]:
    """The figures at one horizon, and why some of them are None."""
    outcome, confidence = (patients.times, patients.events), weighting["confidence"]
    reasons: list[str] = []
    found = HorizonValidation(
        horizon=float(horizon),
        auc=time_dependent_auc(*outcome, 1 - survival, horizon, **weighting),
        brier=brier_score(*outcome, survival, horizon, **weighting),
        scaled_brier=scaled_brier(*outcome, survival, horizon, **weighting),
        observed_expected=observed_expected_at(*outcome, survival, horizon, confidence=confidence),
        in_the_large=None,
        slope=None,
        calibration=None,
    )
    figures: dict[str, Any] = {}
    for field, (name, make) in _calibrations(
        patients, survival, horizon, confidence, smoothing
    ).items():
        try:
            figures[field] = make()
        except Undefined as error:
            reasons.append(f"{name} at {horizon:g}: {error}")
    return replace(found, **figures), reasons


def _calibrations(
    patients: Survived,
    survival: Floats,
    horizon: float,
    confidence: float,
    smoothing: tuple[np.random.Generator | None, int],
) -> dict[str, tuple[str, Callable[[], Any]]]:
    """What rests on hazards, so that it may be undefined: by field, its name and its making."""
    outcome = patients.times, patients.events

    def in_the_large() -> AtHorizon:
        return calibration_in_the_large_at(*outcome, survival, horizon, confidence=confidence)

    def slope() -> Estimate:
        risk = log_minus_log(survival)
        return survival_calibration_slope(*outcome, risk, confidence=confidence)

    def curve() -> HorizonCalibration:
        generator, resamples = smoothing
        again: dict[str, Any] = {
            "generator": generator,
            "resamples": resamples,
            "confidence": confidence,
        }
        return flexible_calibration_at(*outcome, survival, horizon, **again)

    return {
        "in_the_large": ("calibration in the large", in_the_large),
        "slope": ("calibration slope", slope),
        "calibration": ("calibration curve", curve),
    }


def _predicted(survival: ArrayLike, n: int, horizons: Floats) -> Floats:
    found = matrix(survival, "survival", n=n)
    if found.shape[1] != horizons.size:
        raise ValueError(
            f"survival: found {found.shape[1]} columns; "
            f"expected {horizons.size}, one for each horizon."
        )
    for place in range(horizons.size):
        column(found[:, place], f"survival, column {place}", low=0, high=1)
    return found
