"""Cox's proportional hazards regression.

The hazard of a patient with covariates x is h0(t) exp(x' beta): beta is what maximises the partial
likelihood (see `partial_likelihood`: Efron or Breslow ties, case weights, strata, late entry) and
its covariance is the inverse information. The robust covariance (see `robust`) sums each patient's
influence instead, or each cluster's, and holds where weights are not counts, patients repeat, or
hazards are not quite proportional. The cumulative baseline hazard adds, at
every event time, the events over the risk that they were drawn from, by the same rule for ties.

We fit it ourselves because lifelines has Efron's ties only, no score test under strata, and takes
too long within a bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Undefined, column_names, one_of
from oncotrail.statistics.regression.cox_model import Baseline, CoxFit, Ties
from oncotrail.statistics.regression.cox_sample import CoxSample, cox_sample
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood, maximise
from oncotrail.statistics.regression.robust import is_robust, robust_covariance
from oncotrail.statistics.regression.score_residuals import score_residuals


def fit_cox(
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    *,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    robust: bool | None = None,
    clusters: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> CoxFit:
    """Fit hazard ratios of the columns of `covariates` (patients x columns).

    Times are 0 or above in any unit, and tied when they differ by rounding only (R's timefix);
    events are 1 (happened) or 0 (censored). Weights multiply a patient's part of the likelihood and
    may be fractions; 0 leaves her out. `entry` is when observation began (at risk from just after
    it). `offset` is added to the linear predictor with a coefficient of 1. `clusters` says
    whose, or which centre's, each row is. The covariance is robust if asked, with clusters,
    and, unless `robust=False`, where weights are fractions: as in R. A column that separates
    (monotone likelihood), or that others determine, is refused by name.

    R: survival::coxph. (Cox 1972; Efron 1977; Breslow 1974.)

    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0], names=["arm"])
    >>> [round(ratio.value, 3) for ratio in fit.hazard_ratios()]
    [3.411]
    """
    sample = cox_sample(
        times,
        events,
        covariates,
        weights=weights,
        strata=strata,
        entry=entry,
        clusters=clusters,
        offset=offset,
    )
    labels = column_names(names, sample.covariates.shape[1])
    return fit_sample(sample, labels, ties, robust=robust)


def fit_sample(
    sample: CoxSample, names: Sequence[str], ties: Ties = "efron", *, robust: bool | None = None
) -> CoxFit:
    """`fit_cox` of patients who are checked already; a name for every column.

    >>> sample = cox_sample([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> fit_sample(sample, ["arm"]).coefficients.round(3)
    array([1.227])
    """
    one_of(ties, get_args(Ties), "ties")
    by_influence = is_robust(robust, sample.weights, sample.clusters)
    middle, spread = _scale(sample, names)
    likelihood = sample.likelihood((sample.covariates - middle) / spread, ties)
    maximum = maximise(likelihood, names)
    start, end, beta = maximum.start, maximum.end, maximum.coefficients
    model = covariance = np.linalg.inv(end.information)
    if by_influence:
        influence = sample.weights[:, None] * score_residuals(likelihood, beta) @ model
        mean = sample.weights[sample.weights > 0].mean()
        covariance = robust_covariance(influence, sample.clusters, model * mean, names)
    centre, unit = _centre(sample, middle), np.outer(spread, spread)
    return CoxFit(
        names=tuple(names),
        coefficients=beta / spread,
        covariance=covariance / unit,
        model_covariance=model / unit,
        log_likelihood=end.value,
        null_log_likelihood=start.value,
        score_statistic=float(start.score @ np.linalg.solve(start.information, start.score)),
        centre=centre,
        baseline=_baseline(likelihood, beta, float((centre - middle) / spread @ beta), sample),
        ties=ties,
        robust=by_influence,
        iterations=maximum.iterations,
        sample=sample,
    )


def _scale(sample: CoxSample, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Weighted means and standard deviations: the climb is steadier on columns of one size."""
    covariates, weights = sample.covariates, sample.weights
    constant = np.ptp(covariates[weights > 0], axis=0) == 0
    if constant.any():
        place = int(np.flatnonzero(constant)[0])
        raise Undefined(
            f"column {names[place]!r} is {covariates[weights > 0][0, place]:g} in every patient; "
            "expected one that varies. Drop it."
        )
    share = weights / weights.sum()
    middle = share @ covariates
    return middle, np.sqrt(share @ (covariates - middle) ** 2)


def _centre(sample: CoxSample, middle: Floats) -> Floats:
    """R's: 0 for a column of only -1, 0, 1; the mean of others, a plain one with late entry."""
    mean = middle if sample.entry is None else sample.covariates.mean(axis=0)
    return np.where(np.isin(sample.covariates, (-1, 0, 1)).all(axis=0), 0.0, mean)


def _baseline(
    likelihood: PartialLikelihood, coefficients: Floats, shift: float, sample: CoxSample
) -> Baseline:
    sets = likelihood.sets
    hazard = likelihood.hazards(coefficients).full
    total = [hazard[a:b].cumsum() for a, b in pairwise(sets.event_blocks)]
    at_centre = np.log(np.concatenate(total)) + shift - likelihood.highest(coefficients)
    last = np.zeros(sets.event_blocks.size - 1)
    np.maximum.at(last, sample.strata, sample.times)
    return Baseline(sets.times, at_centre, sets.strata, last)
