"""Cox's proportional hazards regression.

The hazard of a patient with covariates x is h0(t) exp(x' beta): beta is what maximises the partial
likelihood (see `partial_likelihood`: Efron or Breslow ties, case weights, strata, late entry) and
its covariance is the inverse information. The robust covariance (Lin and Wei, JASA 1989, 84:1074)
sums each patient's influence instead, or each cluster's, and holds where weights are not counts,
patients repeat, or hazards are not quite proportional. The cumulative baseline hazard adds, at
every event time, the events over the risk that they were drawn from, by the same rule for ties.

We fit it ourselves because lifelines has Efron's ties only, no score test under strata, and takes
too long within a bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats, column_names
from oncotrail.statistics.regression.cox_model import Baseline, CoxFit, Ties
from oncotrail.statistics.regression.cox_sample import CoxSample, cox_sample
from oncotrail.statistics.regression.partial_likelihood import (
    PartialLikelihood,
    maximise,
)
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
    robust: bool | None = None,
    cluster: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> CoxFit:
    """Fit hazard ratios of the columns of `covariates` (patients x columns).

    Times are above 0 in any unit, and tied when they differ by rounding only (R's timefix); events
    are 1 (happened) or 0 (censored). Weights multiply a patient's part of the likelihood and may be
    fractions; 0 leaves her out. `entry` is when observation began (at risk from just after it).
    `cluster` holds the same value for all rows of one patient or centre. The covariance is robust
    if asked, with clusters, and, unless `robust=False`, where weights are fractions: as in R. A
    column that separates (monotone likelihood), or that others determine, is refused by name.

    R: survival::coxph. (Cox 1972; Efron 1977; Breslow 1974.)

    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0], names=["arm"])
    >>> [round(ratio.value, 3) for ratio in fit.hazard_ratios()]
    [3.411]
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"found ties {ties!r}; expected 'efron' or 'breslow'.")
    if cluster is not None and np.unique(np.asarray(cluster)).size == 1:
        raise ValueError(
            "cluster: found the same cluster in every row; clusters that vary show the spread, so "
            "expected at least two. Leave cluster out, or give each patient's own."
        )
    sample = cox_sample(times, events, covariates, weights=weights, strata=strata, entry=entry)
    labels = column_names(names, sample.covariates.shape[1])
    middle, spread = _scale(sample, labels)
    likelihood = sample.likelihood((sample.covariates - middle) / spread, ties)
    maximum = maximise(likelihood, labels)
    model = covariance = np.linalg.inv(maximum.end.information)
    robust = cluster is not None or (sample.has_fractions if robust is None else robust)
    if robust:
        influence = score_residuals(likelihood, maximum.coefficients) @ model
        covariance = _sandwich(influence, sample, cluster)
    beta, unit = maximum.coefficients / spread, np.outer(spread, spread)
    zero_one = np.isin(sample.covariates, (-1, 0, 1)).all(axis=0)
    # R's means are plain ones with late entry; the survival curves are the same.
    mean = middle if entry is None else sample.covariates.mean(axis=0)
    centre = np.where(zero_one, 0.0, mean)
    start = maximum.start
    return CoxFit(
        names=labels,
        coefficients=beta,
        covariance=covariance / unit,
        model_covariance=model / unit,
        log_likelihood=maximum.end.value,
        null_log_likelihood=start.value,
        score_statistic=float(start.score @ np.linalg.solve(start.information, start.score)),
        centre=centre,
        baseline=_baseline(
            likelihood, maximum.coefficients, float((centre - middle) @ beta), sample
        ),
        strata=(None,) if strata is None else tuple(np.unique(np.asarray(strata)).tolist()),
        ties=ties,
        robust=robust,
        iterations=maximum.iterations,
        n=int((sample.weights > 0).sum()),
        events=int((sample.events & (sample.weights > 0)).sum()),
        sample=sample,
    )


def _scale(sample: CoxSample, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Weighted means and standard deviations: the climb is steadier on columns of one size."""
    covariates, weights = sample.covariates, sample.weights
    constant = np.ptp(covariates[weights > 0], axis=0) == 0
    if constant.any():
        place = int(np.flatnonzero(constant)[0])
        raise arrays.Undefined(
            f"column {names[place]!r} is {covariates[0, place]:g} in every patient; "
            "expected one that varies. Drop it."
        )
    share = weights / weights.sum()
    middle = share @ covariates
    return middle, np.sqrt(share @ (covariates - middle) ** 2)


def _sandwich(influence: Floats, sample: CoxSample, cluster: ArrayLike | None) -> Floats:
    weighted = influence * sample.weights[:, None]
    if cluster is not None:
        group = arrays.groups(cluster, sample.times.size, "cluster")
        order = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[order], np.arange(int(group.max()) + 1))
        weighted = np.add.reduceat(weighted[order], starts, axis=0)
    return weighted.T @ weighted


def _baseline(
    likelihood: PartialLikelihood, coefficients: Floats, shift: float, sample: CoxSample
) -> Baseline:
    sets = likelihood.sets
    hazard = likelihood.hazards(coefficients).full * np.exp(shift)
    bounds = sets.event_blocks
    total = [hazard[a:b].cumsum() for a, b in pairwise(bounds)]
    last = np.zeros(bounds.size - 1)
    np.maximum.at(last, sample.strata, sample.times)
    return Baseline(sets.times, np.concatenate(total), sets.strata, last)
