"""A sample made ready for penalties, and the fits of a sequence of them.

A penalty compares coefficients, so columns must be of one size: they are centred and divided by
their standard deviations, weights are made to sum to 1, and ties are Breslow's, all as in glmnet. A
constant column becomes 0 and stays out of every model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from oncotrail.statistics.arrays import Floats, Undefined
from oncotrail.statistics.regression.cox_sample import CoxSample
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood
from oncotrail.statistics.regression.penalised_likelihood import (
    Penalised,
    maximise_penalised,
    saturated,
    slope,
)

COUNT = 100
SMALLEST = 1e-4  # of the largest penalty
SMALLEST_WIDE = 1e-2  # with more columns than patients


@dataclass(frozen=True, eq=False)
class Standardised:
    """A sample with standardised columns, weights that sum to 1, and how to mix penalties."""

    sample: CoxSample
    likelihood: PartialLikelihood
    scale: Floats
    mixing: float
    standardise: bool


def standardised(sample: CoxSample, mixing: float, *, standardise: bool) -> Standardised:
    """Centre by weighted means and, if `standardise`, divide by standard deviations (with n).

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 2, 3, 4], [1, 1, 0, 1], [3.0, 1.0, 3.0, 1.0])
    >>> standardised(sample, 1.0, standardise=True).likelihood.covariates.ravel()
    array([ 1., -1.,  1., -1.])
    """
    if not 0 <= mixing <= 1:
        raise ValueError(f"found mixing {mixing}; expected 0 (ridge) to 1 (lasso).")
    share = sample.weights / sample.weights.sum()
    centred = sample.covariates - share @ sample.covariates
    # A constant column is 0 after centring, up to rounding: exactly 0 keeps it out.
    constant = np.ptp(sample.covariates[sample.weights > 0], axis=0) == 0
    centred[:, constant] = 0
    spread = np.sqrt(share @ centred**2)
    scale = np.where(constant, 1.0, spread if standardise else 1.0)
    normal = replace(sample, weights=share)
    return Standardised(
        sample, normal.likelihood(centred / scale, "breslow"), scale, mixing, standardise
    )


def penalty_sequence(net: Standardised) -> Floats:
    """From the penalty that leaves nothing in (for the ridge: that of a mixing of 0.001) down.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 2, 3, 4], [1, 1, 0, 1], [3.0, 1.0, 3.0, 1.0])
    >>> limits = penalty_sequence(standardised(sample, 1.0, standardise=True))
    >>> limits.size, limits[:2].round(4).tolist()
    (100, [0.0833, 0.0759])
    """
    steepest = float(np.abs(slope(net.likelihood, np.zeros(net.scale.size))).max())
    if steepest == 0:
        raise Undefined("no column tells those with an event from others at risk; expected one.")
    patients, columns = net.sample.covariates.shape
    ratio = SMALLEST if patients >= columns else SMALLEST_WIDE
    return np.geomspace(1, ratio, COUNT) * (steepest / max(net.mixing, 0.001))


def fits(net: Standardised, limits: Floats) -> Iterator[Penalised]:
    """Fit one penalty after the other, largest first, each from the one before.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 2, 3, 4], [1, 1, 0, 1], [3.0, 1.0, 3.0, 1.0])
    >>> net = standardised(sample, 1.0, standardise=True)
    >>> [fit.coefficients.round(3).tolist() for fit in fits(net, np.array([1.0, 0.01]))]
    [[0.0], [0.153]]
    """
    start, before = np.zeros(net.scale.size), None
    for limit in limits.tolist():
        lasso = limit * net.mixing
        fitted = maximise_penalised(net.likelihood, lasso, limit * (1 - net.mixing), start, before)
        start, before = fitted.coefficients, lasso
        yield fitted


def deviance(net: Standardised, coefficients: Floats) -> float:
    """The deviance of any coefficients (of the standardised columns).

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 2], [1, 1], [3.0, 1.0])
    >>> round(deviance(standardised(sample, 1.0, standardise=True), np.zeros(1)), 4)
    1.3863
    """
    eta = net.likelihood.covariates @ coefficients
    alone = replace(net.likelihood, covariates=eta[:, None])
    return scaled_deviance(net, alone.at(np.ones(1)).value)


def scaled_deviance(net: Standardised, value: float) -> float:
    """Twice the distance from the saturated model, with weights whose mean is 1.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> net = standardised(cox_sample([1, 2], [1, 1], [3.0, 1.0]), 1.0, standardise=True)
    >>> scaled_deviance(net, saturated(net.likelihood))
    0.0
    """
    return 2 * net.sample.times.size * (saturated(net.likelihood) - value)
