"""Logistic regression: how the odds of an outcome depend on covariates.

Each patient's log odds are a sum, offset + intercept + x b, and b maximises the likelihood: see
`binomial` for the climb, and `separation` for when there is no top. Standard errors are from the
inverse of the information there, or robust; Wald's intervals go that many errors to each side, and
the interval of `profile_likelihood` as far as the likelihood allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.regression.binomial import Binomial, maximum
from oncotrail.statistics.regression.chi_squared import ChiSquared, chi_squared, joint_wald
from oncotrail.statistics.regression.logistic_sample import logistic_sample, offsets, with_intercept
from oncotrail.statistics.regression.odds_ratio import Coefficient, wald_coefficient
from oncotrail.statistics.regression.robust import is_robust, robust_covariance
from oncotrail.statistics.results import result


@result
class LogisticFit:
    """A fitted model. The intercept, if there is one, is the first coefficient.

    `null_log_likelihood` is of the intercept and the offset alone; `n` and `events` count the
    patients (rows) of weight above 0. `covariance` is the robust one where `robust` says so;
    `model_covariance` always the inverse information.
    """

    coefficients: Floats
    covariance: Floats
    model_covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    n: int
    events: int
    intercept: bool
    with_offset: bool
    robust: bool
    names: tuple[str, ...]

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 log likelihood + 2 coefficients; lower is better."""
        return -2 * self.log_likelihood + 2 * self.coefficients.size

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients; robust ones where `robust`."""
        return np.sqrt(np.diag(self.covariance))

    def linear_predictor(
        self, covariates: ArrayLike | None, offset: ArrayLike | None = None
    ) -> Floats:
        """Log odds of each patient; higher is likelier. A model with an offset needs theirs."""
        if self.with_offset and offset is None:
            raise ValueError(
                "found no offset; the model was fitted with one, so predictions need it."
            )
        n = None if offset is None else np.size(offset)
        design = with_intercept(covariates, n, intercept=self.intercept)
        if design.shape[1] != self.coefficients.size:
            raise ValueError(
                f"found {design.shape[1] - self.intercept} covariates; "
                f"the model has {self.coefficients.size - self.intercept}."
            )
        return design @ self.coefficients + offsets(offset, len(design))

    def predict(self, covariates: ArrayLike | None, offset: ArrayLike | None = None) -> Floats:
        """Probability of the outcome for each patient, 0 to 1."""
        return np.asarray(expit(self.linear_predictor(covariates, offset)))

    def wald(self, confidence: float = 0.95) -> tuple[Coefficient, ...]:
        """Each coefficient with interval, odds ratio and two-sided test."""
        rows = zip(self.names, self.coefficients, self.standard_errors, strict=True)
        return tuple(wald_coefficient(*row, confidence) for row in rows)

    def likelihood_ratio_test(self) -> ChiSquared | None:
        """No covariate matters? None where there is no covariate.

        It assumes independent patients and weights that count them, as it knows no robust form.
        """
        degrees = self.coefficients.size - self.intercept
        gain = 2 * (self.log_likelihood - self.null_log_likelihood)
        return chi_squared(gain, degrees) if degrees else None

    def wald_test(self, columns: Sequence[int]) -> ChiSquared:
        """Are these coefficients (0 is the intercept, if any) jointly 0? By `covariance`."""
        return joint_wald(self.coefficients, self.covariance, columns)


def fit_logistic(
    labels: ArrayLike,
    covariates: ArrayLike | None,
    *,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    intercept: bool = True,
    robust: bool | None = None,
    clusters: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> LogisticFit:
    """Fit by maximum likelihood; labels are 0 or 1, covariates patients x columns (or None).

    Whole `weights` count patients (a weight of 2 is the row twice; 0 leaves it out), `offset` is
    added to the log odds with a coefficient of 1, `names` call the covariates in messages and in
    the table. `clusters` hold the same value for all rows of one patient or centre. The covariance
    is the robust one (see `robust`) if asked, with clusters, and, unless `robust=False`, where
    weights are fractions. Where the maximum does not exist or is not unique (separation, a column
    that is a combination of others, one outcome only) `Undefined` names the column.

    R: glm(binomial), sandwich::sandwich, rms::robcov. (Cox, JRSS B 1958, 20:215; Nelder and
    Wedderburn, JRSS A 1972, 135:370.)

    >>> fit = fit_logistic([0, 0, 1, 0, 1, 1], [1, 2, 3, 4, 5, 6])
    >>> round(fit.wald()[1].odds_ratio, 3), round(fit.likelihood_ratio_test().statistic, 3)
    (3.367, 3.362)
    """
    patients = logistic_sample(
        labels,
        covariates,
        weights=weights,
        offset=offset,
        intercept=intercept,
        names=names,
        clusters=clusters,
    )
    best = maximum(patients)
    covariance = best.covariance
    by_influence = is_robust(robust, patients.weights, patients.clusters)
    if by_influence:
        influence = patients.scores(best.coefficients) @ best.covariance
        covariance = robust_covariance(
            influence, patients.clusters, best.covariance * patients.weights.mean(), patients.names
        )
    return LogisticFit(
        coefficients=best.coefficients,
        covariance=covariance,
        model_covariance=best.covariance,
        log_likelihood=best.log_likelihood,
        null_log_likelihood=_null(patients, intercept=intercept),
        n=patients.labels.size,
        events=int(patients.labels.sum()),
        intercept=intercept,
        with_offset=offset is not None,
        robust=by_influence,
        names=patients.names,
    )


def _null(patients: Binomial, *, intercept: bool) -> float:
    if not intercept:
        return patients.log_likelihood(patients.offset)
    if not patients.offset.any():  # the prevalence
        share = float(patients.weights @ patients.labels / patients.weights.sum())
        return patients.log_likelihood(np.full(patients.labels.size, logit(share)))
    alone = replace(patients, design=patients.design[:, :1], names=("intercept",))
    return maximum(alone).log_likelihood
