"""The survival that a Cox model predicts for new patients, with its interval.

S(t | x) = exp(-H(t | x)) with H(t | x) = H0(t) exp(risk). The cumulative hazard H varies for two
reasons: the baseline's steps are estimated, and so are the coefficients. With dH the step at an
event time, E the mean covariates of those at risk there, and V the covariance of the coefficients,

    Var H(t | x) = exp(2 risk) [ sum dH / risk drawn from  +  a' V a ],   a = sum (x - E) dH

(Tsiatis, Annals of Statistics 1981, 9:93; ties as in the fit), sums over the event times up to t.
V is robust where the fit is. Intervals are normal for survival ("plain"), its logarithm -H ("log")
or log H ("log-log", which stays within 0 to 1).
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, column, matrix, one_of
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.kaplan_meier import Band

_MOST = 300.0


@result
class PredictedSurvival:
    """Survival, 0 to 1, patients x times, and its pointwise interval.

    `standard_error` is that of the cumulative hazard, which is also that of log survival. Before
    the stratum's first event survival is 1 with an error of 0, and so are both ends.
    """

    times: Floats
    survival: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    confidence: float
    band: Band


def predicted_survival(
    fit: CoxFit,
    covariates: ArrayLike,
    times: ArrayLike,
    *,
    stratum: Any = None,
    offset: ArrayLike | None = None,
    confidence: float = 0.95,
    band: Band = "log-log",
) -> PredictedSurvival:
    """`CoxFit.survival` of new patients with intervals; a time after the follow-up is refused.

    R's survfit(fit, newdata, conf.type = band), whose default is "log".

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> found = predicted_survival(fit, [0, 1], [1, 5])
    >>> found.low.round(2).tolist(), found.high.round(2).tolist()
    ([[1.0, 0.09], [1.0, 0.01]], [[1.0, 0.95], [1.0, 0.77]])
    """
    one_of(band, get_args(Band), "band")
    asked, risk = column(times, "times", low=0), fit.risk(covariates, offset)
    # A hazard of exp(_MOST) leaves nobody, so more of it need not be told apart.
    hazard = np.exp(np.minimum(risk[:, None] + fit.log_cumulative_hazard(asked, stratum), _MOST))
    error = hazard * _relative_error(fit, covariates, asked, stratum)
    low, high = _ends(hazard, normal_quantile(confidence) * error, band)
    return PredictedSurvival(asked, np.exp(-hazard), error, low, high, confidence, band)


def _relative_error(fit: CoxFit, covariates: ArrayLike, times: Floats, stratum: Any) -> Floats:
    """The standard error of H(t | x) over H(t | x), patients x times; 0 where H is still 0."""
    likelihood, beta = fit.likelihood(), fit.coefficients
    own = likelihood.sets.strata == fit.stratum_number(stratum)
    place = fit.steps_until(times, stratum)
    begun = place > 0
    log_hazard = fit.log_cumulative_hazard(times, stratum) + likelihood.highest(beta)
    log_hazard = np.where(begun, log_hazard, 0)
    each = likelihood.terms.weight / likelihood.left(beta)
    root = _root(fit.covariance)
    drawn = likelihood.by_event(likelihood.means(beta) * each[:, None])[own]
    drift = _until(drawn @ root, place) / np.exp(log_hazard)[:, None]
    away = (matrix(covariates, "covariates") - fit.centre) @ root
    steps = np.append(-np.inf, np.logaddexp.accumulate(_log_squares(likelihood, each)[own]))
    # Column by column, so that nothing larger than the answer is held.
    parts = (
        (own_away[:, None] - own_drift) ** 2
        for own_away, own_drift in zip(away.T, drift.T, strict=True)
    )
    alone = np.tile(np.exp(steps[place] - 2 * log_hazard), (len(away), 1))
    return np.asarray(np.where(begun, np.sqrt(sum(parts, start=alone)), 0))


def _log_squares(likelihood: PartialLikelihood, each: Floats) -> Floats:
    """Logarithm of each event time's sum of dH / risk: hazards are far apart, their squares more.

    `each` are the terms' dH.
    """
    step = likelihood.by_event(each)
    share = each / step[likelihood.terms.group]
    squares = likelihood.by_event(share**2 / likelihood.terms.weight)
    return np.asarray(np.log(squares) + 2 * np.log(step))


def _until(steps: Floats, place: Integers) -> Floats:
    """The sum of the first `place` steps."""
    return np.concatenate([np.zeros_like(steps[:1]), steps.cumsum(axis=0)])[place]


def _root(covariance: Floats) -> Floats:
    """A matrix R with R R' = covariance, which may be singular (few clusters)."""
    unit = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(unit, unit))
    return np.asarray(unit[:, None] * vectors * np.sqrt(np.maximum(values, 0)))


def _ends(hazard: Floats, half: Floats, band: Band) -> tuple[Floats, Floats]:
    """Survival's lower and upper end; `half` is of the cumulative hazard."""
    survival = np.exp(-hazard)
    if band == "plain":
        low, high = survival * (1 - half), survival * (1 + half)
    elif band == "log":
        low, high = np.exp(-hazard - half), np.exp(np.minimum(half - hazard, 0))
    else:
        with np.errstate(over="ignore"):  # beyond the largest number the end is 0
            factor = np.exp(half / np.where(hazard > 0, hazard, 1))
            low, high = np.exp(-hazard * factor), np.exp(-hazard / factor)
    return np.maximum(low, 0), np.minimum(high, 1)
