"""How far a coefficient can go until a likelihood-ratio test refuses it.

At each value of the coefficient the others are fitted again; the interval holds the values at which
twice the loss in log-likelihood stays below the chi-squared quantile (Venzon and Moolgavkar,
Applied Statistics 1988, 37:87). Each end is found between two values that enclose it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.case_weights import counts
from oncotrail.statistics.intervals import Interval, normal_quantile
from oncotrail.statistics.regression.binomial import maximum
from oncotrail.statistics.regression.logistic_sample import logistic_sample


def profile_interval(
    labels: ArrayLike,
    covariates: ArrayLike,
    place: int,
    *,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    intercept: bool = True,
    confidence: float = 0.95,
) -> Interval:
    """Profile-likelihood interval of coefficient `place` (0: the intercept, if there is one).

    The values that a likelihood-ratio test does not reject, the other coefficients refitted at
    each; better than Wald's where events are few (Venzon and Moolgavkar, Applied Statistics 1988,
    37:87). Exponentiate the ends for an odds ratio. `weights` count patients; fractions, which do
    not, have no likelihood ratio and are refused.

    >>> ends = profile_interval([0, 0, 1, 0, 1, 1], [1, 2, 3, 4, 5, 6], 1)
    >>> round(ends.low, 3), round(ends.high, 3)
    (-0.066, 4.159)
    """
    counts(weights, np.size(labels))
    patients = logistic_sample(
        labels, covariates, weights=weights, offset=offset, intercept=intercept
    )
    if not 0 <= place < len(patients.names):
        raise ValueError(f"found place {place}; expected 0 to {len(patients.names) - 1}.")
    best = maximum(patients)
    z = normal_quantile(confidence)
    others, moved = patients.without(place), patients.design[:, place]
    last = np.delete(best.coefficients, place)

    def excess(value: float) -> float:
        nonlocal last
        fixed = others.shifted(value * moved)
        found = fixed.log_likelihood(fixed.offset)
        if others.names:
            refitted = maximum(fixed, near=last)
            last, found = refitted.coefficients, refitted.log_likelihood
        return 2 * (best.log_likelihood - found) - z**2

    centre, error = best.coefficients[place], math.sqrt(best.covariance[place, place])
    return Interval(_crossing(excess, centre, -z * error), _crossing(excess, centre, z * error))


def _crossing(excess: Callable[[float], float], centre: float, stride: float) -> float:
    """Where the profile falls to the critical value, on the side that `stride` points to."""
    from scipy.optimize import brentq

    reach = stride
    while excess(centre + reach) < 0:  # ends: without separation the likelihood falls everywhere
        reach *= 2
    return float(brentq(excess, centre, centre + reach, xtol=1e-12, rtol=1e-12))
