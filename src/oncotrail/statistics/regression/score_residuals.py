"""What each patient adds to the score of a partial likelihood.

At her event a patient adds her covariates minus the mean of those at risk. Against that stands,
over all the time that she was at risk, her share of the hazard times the same difference (Therneau,
Grambsch and Fleming, Biometrika 1990, 77:147). The sum over patients, times weights, is the score,
so 0 at its maximum. Efron's ties average over the orders in which those tied could have left.
"""

from __future__ import annotations

import numpy as np

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood


def mean_at_events(likelihood: PartialLikelihood, means: Floats) -> Floats:
    """The terms' means, averaged within each event time; event times x columns.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 1, 2], [1, 1, 0], [3.0, 1.0, 2.0])
    >>> likelihood = sample.likelihood(sample.covariates, "efron")
    >>> mean_at_events(likelihood, likelihood.means(np.zeros(1)))
    array([[2.]])
    """
    count = likelihood.by_event(np.ones(len(means)))
    return likelihood.by_event(means) / count[:, None]


def score_residuals(likelihood: PartialLikelihood, coefficients: Floats) -> Floats:
    """One row per patient in the caller's order, before her weight; one column per covariate.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 2, 3], [1, 1, 0], [3.0, 1.0, 2.0])
    >>> likelihood = sample.likelihood(sample.covariates, "efron")
    >>> score_residuals(likelihood, np.zeros(1)).round(3).tolist()
    [[0.667], [0.083], [-0.25]]
    """
    sets, x = likelihood.sets, likelihood.covariates
    hazards, means = likelihood.hazards(coefficients), likelihood.means(coefficients)
    terms, rows, group = likelihood.terms, sets.events, sets.event_group
    drawn = means * (terms.weight / likelihood.left(coefficients))[:, None]
    drift = likelihood.by_event(drawn)
    spared = likelihood.by_event(drawn * terms.fraction[:, None])
    expected = x * sets.accumulate(hazards.full)[:, None] - sets.accumulate(drift)
    expected[rows] -= x[rows] * hazards.escaped[group][:, None] - spared[group]
    found = -likelihood.ratio(coefficients)[:, None] * expected
    found[rows] += x[rows] - mean_at_events(likelihood, means)[group]
    unsorted = np.empty_like(found)
    unsorted[sets.order] = found
    return unsorted
