"""Whether a term (a factor, a spline, the curved part of one) belongs in a Cox model.

Its columns are tested jointly: twice the log likelihood that they add, or Wald's quadratic form in
their coefficients; both are compared with a chi-squared distribution with as many degrees of
freedom as columns. The likelihood ratio is the better one where a coefficient is large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from oncotrail.statistics.arrays import one_of
from oncotrail.statistics.regression.chi_squared import ChiSquared, chi_squared
from oncotrail.statistics.regression.cox import fit_sample
from oncotrail.statistics.regression.cox_model import CoxFit, Ties
from oncotrail.statistics.regression.cox_sample import CoxSample

By = Literal["likelihood ratio", "wald"]


def term_test(fit: CoxFit, columns: Sequence[int], by: By = "likelihood ratio") -> ChiSquared:
    """Test that the coefficients of these columns of a fit are jointly 0.

    For the columns of a spline after its first this is the test of non-linearity. The likelihood
    ratio fits again without them; where the fit is robust only Wald's test is allowed.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> round(term_test(fit, [0]).statistic, 3) == round(fit.likelihood_ratio_test().statistic, 3)
    True
    """
    one_of(by, get_args(By), "by")
    out = set(columns)
    if not out or len(out) != len(columns) or not out <= set(range(len(fit.names))):
        raise ValueError(
            f"found columns {list(columns)}; expected different numbers from 0 to "
            f"{len(fit.names) - 1}."
        )
    if by == "wald":
        return fit.wald_test(columns)
    if fit.robust:
        raise ValueError("the fit is robust, so it has no likelihood ratio; expected by='wald'.")
    kept = [place for place in range(len(fit.names)) if place not in out]
    without = fit.null_log_likelihood
    if kept:
        without = refit(fit, kept).log_likelihood
    return chi_squared(2 * (fit.log_likelihood - without), len(out))


def refit(fit: CoxFit, columns: Sequence[int]) -> CoxFit:
    """The same patients, ties, weights and strata, with some of the columns only.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> x = [[0, 1], [0, 3], [1, 2], [1, 5], [1, 0], [0, 4]]
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 1], x, names=["arm", "dose"])
    >>> refit(fit, [1]).names
    ('dose',)
    """
    return fit_columns(fit.sample, columns, fit.names, fit.ties, robust=fit.robust)


def fit_columns(
    sample: CoxSample,
    columns: Sequence[int],
    names: Sequence[str],
    ties: Ties,
    *,
    robust: bool | None = None,
) -> CoxFit:
    """Fit some of a checked sample's columns; `names` are those of all.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> x = [[0, 1], [0, 3], [1, 2], [1, 5], [1, 0], [0, 4]]
    >>> sample = cox_sample([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 1], x)
    >>> fit_columns(sample, [0], ["arm", "dose"], "efron").names
    ('arm',)
    """
    kept = list(columns)
    part = replace(sample, covariates=sample.covariates[:, kept])
    return fit_sample(part, [names[place] for place in kept], ties, robust=robust)
