"""A fitted Cox model: hazard ratios, tests, and the survival that it predicts.

The hazard of a patient with covariates x is h0(t) exp(x' beta). Ratios and their intervals are
Wald's, on the log scale; risk is the linear predictor; survival is exp(-H0(t) exp(risk)) with the
cumulative baseline hazard H0 of Breslow or, where ties were Efron's, of Efron. Models are made by
`cox.fit_cox`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.regression.cox_sample import CoxSample
from oncotrail.statistics.survival.tied_times import SAME

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True)
class ChiSquared:
    """A test that compares a statistic with a chi-squared distribution."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True)
class HazardRatio:
    """By how much the hazard multiplies per unit of a column; above 1 is worse."""

    name: str
    value: float
    low: float
    high: float
    p_value: float
    coefficient: float
    standard_error: float
    z: float
    confidence: float
    n: int
    events: int


@dataclass(frozen=True)
class Baseline:
    """The cumulative hazard of a patient at `CoxFit.centre`, by stratum; it steps at `times`."""

    times: Floats
    cumulative_hazard: Floats
    strata: Integers
    last: Floats  # of each stratum: when its follow-up ends


@dataclass(frozen=True)
class CoxFit:
    """A fitted model; `n` and `events` count patients of weight above 0.

    `covariance` is the robust one where `robust` says so; `model_covariance` always the inverse
    information. `centre` is R's: the weighted mean of a column (plain with late entry), or 0 where
    it holds only -1, 0, 1.
    """

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    model_covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    score_statistic: float
    centre: Floats
    baseline: Baseline
    strata: tuple[Any, ...]
    ties: Ties
    robust: bool
    iterations: int
    n: int
    events: int
    sample: CoxSample = field(repr=False)

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients; robust ones where `robust`."""
        return np.sqrt(np.diag(self.covariance))

    def hazard_ratios(self, confidence: float = 0.95) -> tuple[HazardRatio, ...]:
        """One for each column, with Wald's interval and two-sided p."""
        z = normal_quantile(confidence)
        return tuple(
            HazardRatio(
                name=name,
                value=float(np.exp(beta)),
                low=float(np.exp(beta - z * error)),
                high=float(np.exp(beta + z * error)),
                p_value=float(2 * ndtr(-abs(beta / error))),
                coefficient=float(beta),
                standard_error=float(error),
                z=float(beta / error),
                confidence=confidence,
                n=self.n,
                events=self.events,
            )
            for name, beta, error in zip(
                self.names, self.coefficients, self.standard_errors, strict=True
            )
        )

    def likelihood_ratio_test(self) -> ChiSquared:
        """All coefficients 0? It assumes independent patients, as it knows no robust form."""
        return chi_squared(2 * (self.log_likelihood - self.null_log_likelihood), len(self.names))

    def wald_test(self, columns: Sequence[int] | None = None) -> ChiSquared:
        """Are these coefficients (all, unless columns are given) jointly 0? By `covariance`."""
        kept = np.arange(len(self.names)) if columns is None else np.asarray(columns)
        beta, spread = self.coefficients[kept], self.covariance[np.ix_(kept, kept)]
        return chi_squared(float(beta @ np.linalg.solve(spread, beta)), kept.size)

    def score_test(self) -> ChiSquared:
        """All coefficients 0? For one group indicator and Breslow's ties nearly the log-rank."""
        return chi_squared(self.score_statistic, len(self.names))

    def risk(self, covariates: ArrayLike) -> Floats:
        """The linear predictor of new patients, 0 at `centre`; higher is worse.

        R's predict(fit, newdata, type = "lp", reference = "sample").
        """
        return (self._covariates(covariates) - self.centre) @ self.coefficients

    def cumulative_hazard(self, times: ArrayLike, stratum: Any = None) -> Floats:
        """Of a patient at `centre`, one per time; a time after the last follow-up is refused.

        `stratum` is one of `strata` and needed where there are several.
        """
        asked = arrays.column(times, "times", low=0)
        number = self.stratum_number(stratum)
        # A time that is a patient's but for rounding is that patient's.
        rounding = SAME * float(self.sample.times.mean())
        late = asked > self.baseline.last[number] + rounding
        if late.any():
            raise arrays.Undefined(
                f"times: found {asked[late][0]:g}, but follow-up ended at "
                f"{self.baseline.last[number]:g}; survival is not known after that."
            )
        own = self.baseline.strata == number
        total = np.append(0.0, self.baseline.cumulative_hazard[own])
        return total[np.searchsorted(self.baseline.times[own], asked + rounding, side="right")]

    def survival(self, covariates: ArrayLike, times: ArrayLike, stratum: Any = None) -> Floats:
        """The chance of no event up to and including each time; patients x times, 0 to 1.

        exp(-H0(t) exp(risk)), as R's survfit(fit, newdata). Times after the last follow-up are
        refused: nothing is known there.
        """
        hazard = self.cumulative_hazard(times, stratum)
        return np.exp(-np.exp(self.risk(covariates))[:, None] * hazard)

    def stratum_number(self, stratum: Any = None) -> int:
        """Which stratum of the baseline this is; it need not be said where there is only one."""
        if stratum is None and len(self.strata) == 1:
            return 0
        if stratum not in self.strata:
            raise ValueError(f"found stratum {stratum!r}; expected one of {list(self.strata)}.")
        return self.strata.index(stratum)

    def _covariates(self, covariates: ArrayLike) -> Floats:
        found = arrays.matrix(covariates, "covariates")
        if found.shape[1] != len(self.names):
            raise ValueError(
                f"found {found.shape[1]} columns of covariates; expected the {len(self.names)} "
                f"that the model was fitted on: {', '.join(self.names)}."
            )
        return found


def chi_squared(statistic: float, degrees_of_freedom: int) -> ChiSquared:
    """The chance of a larger statistic under the null; rounding below 0 counts as 0.

    >>> round(chi_squared(3.841459, 1).p_value, 6)
    0.05
    """
    found = max(0.0, float(statistic))
    return ChiSquared(found, degrees_of_freedom, float(chdtrc(degrees_of_freedom, found)))
