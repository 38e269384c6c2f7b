"""What is left of each patient after a Cox fit.

A martingale residual is events seen minus events expected, the patient's share of the cumulative
hazard over the time that she was at risk; it shows the form of a covariate. The deviance residual
is the same made nearly symmetric; it shows who is badly predicted (Therneau, Grambsch and Fleming,
Biometrika 1990, 77:147). Dfbeta is how far a coefficient would move, about, without the patient. A
Schoenfeld residual belongs to an event: its covariates minus the mean of those at risk
(Schoenfeld, Biometrika 1982, 69:239). Efron's ties take the mean over the orders that he allows.
"""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.regression.score_residuals import mean_at_events, score_residuals
from oncotrail.statistics.results import result


@result
class Schoenfeld:
    """One row per event, by stratum and time; `patients` says whose."""

    times: Floats
    strata: Integers
    patients: Integers
    residuals: Floats


def martingale_residuals(fit: CoxFit) -> Floats:
    """Events seen minus expected, one per patient, at most 1; above 0: she failed early.

    R's residuals(fit, "martingale").

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> martingale_residuals(fit).round(2).tolist()
    [0.67, -0.33, 0.39, -1.14, 0.74, -0.33]
    """
    likelihood = fit.likelihood()
    sets, hazards = likelihood.sets, likelihood.hazards(fit.coefficients)
    lived = sets.accumulate(hazards.full)
    lived[sets.events] -= hazards.escaped[sets.event_group]
    found = np.empty_like(lived)
    found[sets.order] = lived * likelihood.ratio(fit.coefficients)
    return fit.sample.events - found


def deviance_residuals(fit: CoxFit) -> Floats:
    """Martingale residuals made nearly symmetric around 0, one per patient.

    sign(m) sqrt(-2 (m + event log(event - m))), R's residuals(fit, "deviance").

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> deviance_residuals(fit).round(2).tolist()
    [0.93, -0.82, 0.46, -0.87, 1.11, -0.82]
    """
    martingale = martingale_residuals(fit)
    events = fit.sample.events.astype(float)
    inside = martingale + xlogy(events, np.where(events > 0, events - martingale, 1))
    return np.asarray(np.sign(martingale) * np.sqrt(np.maximum(0, -2 * inside)))


def dfbeta(fit: CoxFit) -> Floats:
    """About how far each coefficient moves because of each patient; patients x columns.

    Her score residual, times her weight, times the model's covariance; R's
    residuals(fit, "dfbeta").

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> dfbeta(fit).round(2).ravel().tolist()
    [-0.5, 0.33, 0.22, -0.65, 0.26, 0.33]
    """
    influence = score_residuals(fit.likelihood(), fit.coefficients) @ fit.model_covariance
    return influence * fit.sample.weights[:, None]


def schoenfeld_residuals(fit: CoxFit) -> Schoenfeld:
    """Covariates at each event minus the mean of those at risk; R's residuals(fit, "schoenfeld").

    Weights enter the mean, and do not multiply the residual.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> found = schoenfeld_residuals(fit)
    >>> found.times.tolist(), found.residuals.round(2).ravel().tolist()
    ([2.0, 3.0, 5.0, 9.0], [0.23, 0.31, -0.53, 0.0])
    """
    likelihood = fit.likelihood()
    sets = likelihood.sets
    means = mean_at_events(likelihood, likelihood.means(fit.coefficients))
    return Schoenfeld(
        times=sets.times[sets.event_group],
        strata=sets.strata[sets.event_group],
        patients=sets.order[sets.events],
        residuals=likelihood.covariates[sets.events] - means[sets.event_group],
    )
