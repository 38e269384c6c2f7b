"""Logistic regression: how the odds of an outcome depend on covariates.

Each patient's log odds are a sum, offset + intercept + x b, and b maximises the likelihood: see
`binomial` for the climb, and `separation` for when there is no top. Standard errors are from the
inverse of the information there; Wald's intervals go that many errors to each side, and a profile
interval as far as the likelihood allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from oncotrail.statistics.arrays import Floats, Undefined, binary, column, column_names, matrix
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.intervals import Interval, normal_quantile
from oncotrail.statistics.regression.binomial import Binomial, maximum
from oncotrail.statistics.regression.odds_ratio import Coefficient, wald_coefficient


@dataclass(frozen=True)
class LikelihoodRatio:
    """Twice the gain in log-likelihood over the model without covariates, as chi-square.

    The p-value is None where the model has no covariates, so nothing to test.
    """

    chi_square: float
    degrees: int
    p_value: float | None


@dataclass(frozen=True)
class LogisticFit:
    """A fitted model. The intercept, if there is one, is the first coefficient.

    `null_log_likelihood` is of the intercept and the offset alone; `n` and `events` count the
    patients of weight above 0.
    """

    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    n: int
    events: int
    intercept: bool
    with_offset: bool
    names: tuple[str, ...]

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    def linear_predictor(
        self, covariates: ArrayLike | None, offset: ArrayLike | None = None
    ) -> Floats:
        """Log odds of each patient; higher is likelier. A model with an offset needs theirs."""
        if self.with_offset and offset is None:
            raise ValueError(
                "found no offset; the model was fitted with one, so predictions need it."
            )
        design = _design(covariates, None if offset is None else np.size(offset), self.intercept)
        if design.shape[1] != self.coefficients.size:
            raise ValueError(
                f"found {design.shape[1] - self.intercept} covariates; "
                f"the model has {self.coefficients.size - self.intercept}."
            )
        return design @ self.coefficients + _offset(offset, len(design))

    def predict(self, covariates: ArrayLike | None, offset: ArrayLike | None = None) -> Floats:
        """Probability of the outcome for each patient, 0 to 1."""
        return np.asarray(expit(self.linear_predictor(covariates, offset)))

    def wald(self, confidence: float = 0.95) -> tuple[Coefficient, ...]:
        """Each coefficient with interval, odds ratio and two-sided test."""
        rows = zip(self.names, self.coefficients, self.standard_errors, strict=True)
        return tuple(wald_coefficient(*row, confidence) for row in rows)

    def likelihood_ratio(self) -> LikelihoodRatio:
        """Test that no covariate matters."""
        from scipy.stats import chi2

        statistic = max(0.0, 2 * (self.log_likelihood - self.null_log_likelihood))
        degrees = self.coefficients.size - self.intercept
        p_value = float(chi2.sf(statistic, degrees)) if degrees else None
        return LikelihoodRatio(statistic, degrees, p_value)


def fit_logistic(
    labels: ArrayLike,
    covariates: ArrayLike | None,
    *,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    intercept: bool = True,
    names: Sequence[str] | None = None,
) -> LogisticFit:
    """Fit by maximum likelihood; labels are 0 or 1, covariates patients x columns (or None).

    `weights` count a patient as so many (a weight of 2 is the row twice; 0 leaves it out), `offset`
    is added to the log odds with a coefficient of 1, `names` call the covariates in messages and in
    the table. Where the maximum does not exist or is not unique (separation, a column that is a
    combination of others, one outcome only) a ValueError names the column. As R's glm(binomial).

    >>> fit = fit_logistic([0, 0, 1, 0, 1, 1], [1, 2, 3, 4, 5, 6])
    >>> round(fit.wald()[1].odds_ratio, 3), round(fit.likelihood_ratio().chi_square, 3)
    (3.367, 3.362)
    """
    patients = _checked(
        labels, covariates, weights=weights, offset=offset, intercept=intercept, names=names
    )
    best = maximum(patients)
    return LogisticFit(
        coefficients=best.coefficients,
        covariance=best.covariance,
        log_likelihood=best.log_likelihood,
        null_log_likelihood=_null(patients, intercept=intercept),
        n=patients.labels.size,
        events=int(patients.labels.sum()),
        intercept=intercept,
        with_offset=offset is not None,
        names=patients.names,
    )


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
    37:87). Exponentiate the ends for an odds ratio.

    >>> ends = profile_interval([0, 0, 1, 0, 1, 1], [1, 2, 3, 4, 5, 6], 1)
    >>> round(ends.low, 3), round(ends.high, 3)
    (-0.066, 4.159)
    """
    patients = _checked(labels, covariates, weights=weights, offset=offset, intercept=intercept)
    if not 0 <= place < len(patients.names):
        raise ValueError(f"found place {place}; expected 0 to {len(patients.names) - 1}.")
    best = maximum(patients)
    z = normal_quantile(confidence)
    others, moved = patients.without(place), patients.design[:, place]

    def excess(value: float) -> float:
        fixed = others.shifted(value * moved)
        found = (
            maximum(fixed).log_likelihood if others.names else fixed.log_likelihood(fixed.offset)
        )
        return 2 * (best.log_likelihood - found) - z**2

    centre, error = best.coefficients[place], math.sqrt(best.covariance[place, place])
    return Interval(_crossing(excess, centre, -z * error), _crossing(excess, centre, z * error))


def _checked(
    labels: ArrayLike,
    covariates: ArrayLike | None,
    *,
    weights: ArrayLike | None,
    offset: ArrayLike | None,
    intercept: bool,
    names: Sequence[str] | None = None,
) -> Binomial:
    outcome = binary(labels, "labels")
    design = _design(covariates, outcome.size, intercept)
    shift, weight = _offset(offset, outcome.size), checked_weights(weights, outcome.size)
    kept = weight > 0
    events, n = int(outcome[kept].sum()), int(kept.sum())
    if intercept and events in (0, n):
        raise Undefined(
            f"found {events} events in {n} patients; "
            "a logistic model needs patients of both outcomes."
        )
    called = column_names(names, design.shape[1] - intercept)
    called = ("intercept", *called) if intercept else called
    return Binomial(design[kept], outcome[kept], weight[kept], shift[kept], called)


def _design(covariates: ArrayLike | None, n: int | None, intercept: bool) -> Floats:
    if covariates is None:
        if not intercept or n is None:
            raise ValueError(
                "found no covariates; expected some, or an intercept and an offset to start from."
            )
        return np.ones((n, 1))
    found = matrix(covariates, "covariates", n)
    return np.column_stack([np.ones(len(found)), found]) if intercept else found


def _offset(offset: ArrayLike | None, n: int) -> Floats:
    return np.zeros(n) if offset is None else column(offset, "offset", n=n)


def _null(patients: Binomial, *, intercept: bool) -> float:
    if not intercept:
        return patients.log_likelihood(patients.offset)
    if not patients.offset.any():  # the prevalence
        share = float(patients.weights @ patients.labels / patients.weights.sum())
        return patients.log_likelihood(np.full(patients.labels.size, logit(share)))
    ones = patients.design[:, :1]
    alone = Binomial(ones, patients.labels, patients.weights, patients.offset, ("intercept",))
    return maximum(alone).log_likelihood


def _crossing(excess: Callable[[float], float], centre: float, stride: float) -> float:
    """Where the profile falls to the critical value, on the side that `stride` points to."""
    from scipy.optimize import brentq

    reach = stride
    while excess(centre + reach) < 0:  # ends: without separation the likelihood falls everywhere
        reach *= 2
    return float(brentq(excess, centre, centre + reach, xtol=1e-12, rtol=1e-12))
