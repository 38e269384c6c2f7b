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
    """The terms' means, averaged within each event time."""
    group, size = likelihood.terms.group, likelihood.sets.times.size
    starts = np.searchsorted(group, np.arange(size))
    count = np.bincount(group, minlength=size)
    return np.asarray(np.add.reduceat(means, starts, axis=0) / count[:, None])


def score_residuals(likelihood: PartialLikelihood, coefficients: Floats) -> Floats:
    """One row per patient in the caller's order, before her weight; one column per covariate."""
    sets, x = likelihood.sets, likelihood.covariates
    hazards, means = likelihood.hazards(coefficients), likelihood.means(coefficients)
    terms, rows, group = likelihood.terms, sets.events, sets.event_group
    starts = np.searchsorted(terms.group, np.arange(sets.times.size))
    each = terms.weight / likelihood.left(coefficients)
    drift = np.add.reduceat(means * each[:, None], starts, axis=0)
    spared = np.add.reduceat(means * (each * terms.fraction)[:, None], starts, axis=0)
    expected = x * sets.accumulate(hazards.full)[:, None] - sets.accumulate(drift)
    expected[rows] -= x[rows] * hazards.escaped[group][:, None] - spared[group]
    found = -np.exp(x @ coefficients)[:, None] * expected
    found[rows] += x[rows] - mean_at_events(likelihood, means)[group]
    unsorted = np.empty_like(found)
    unsorted[sets.order] = found
    return unsorted
