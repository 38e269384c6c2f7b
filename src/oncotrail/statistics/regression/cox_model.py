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
from scipy.special import ndtr

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.regression.chi_squared import ChiSquared, chi_squared, joint_wald
from oncotrail.statistics.regression.cox_sample import CoxSample
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.tied_times import places_of

Ties = Literal["efron", "breslow"]


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


@result
class Baseline:
    """The cumulative hazard of a patient at `CoxFit.centre`, by stratum; it steps at `times`."""

    times: Floats
    log_cumulative_hazard: Floats
    strata: Integers
    last: Floats  # of each stratum: when its follow-up ends

    @property
    def cumulative_hazard(self) -> Floats:
        """At each of the times; infinite or 0 where that is beyond what a number holds."""
        return _exp(self.log_cumulative_hazard)


@result
class CoxFit:
    """A fitted model; `n` and `events` count patients (rows) of weight above 0.

    `covariance` is the robust one where `robust` says so; `model_covariance` always the inverse
    information. `centre` is R's: the weighted mean of a column (plain with late entry), or 0 where
    it holds only -1, 0, 1. The baseline is that of a patient there, whose offset is 0.
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
    ties: Ties
    robust: bool
    iterations: int
    sample: CoxSample = field(repr=False)

    @property
    def n(self) -> int:
        """How many patients were fitted on."""
        return self.sample.n

    @property
    def events(self) -> int:
        """How many of them had the event."""
        return self.sample.number_of_events

    @property
    def strata(self) -> tuple[Any, ...]:
        """The strata's names; (None,) where there are none."""
        return self.sample.strata_names

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 log likelihood + 2 coefficients; lower is better."""
        return -2 * self.log_likelihood + 2 * len(self.names)

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
                value=float(_exp(beta)),
                low=float(_exp(beta - z * error)),
                high=float(_exp(beta + z * error)),
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
        return joint_wald(self.coefficients, self.covariance, columns)

    def score_test(self) -> ChiSquared:
        """All coefficients 0? For one group indicator and Breslow's ties nearly the log-rank."""
        return chi_squared(self.score_statistic, len(self.names))

    def risk(self, covariates: ArrayLike, offset: ArrayLike | None = None) -> Floats:
        """The linear predictor of new patients, 0 at `centre`; higher is worse.

        R's predict(fit, newdata, type = "lp", reference = "sample"). A model that was fitted with
        an offset needs theirs, which is added as it is.
        """
        found = self._covariates(covariates)
        if (offset is None) != (self.sample.offset is None):
            raise ValueError(
                f"found {'no' if offset is None else 'an'} offset; the model was fitted "
                f"{'with' if offset is None else 'without'} one, so expected the same here."
            )
        shift = 0.0 if offset is None else arrays.column(offset, "offset", n=len(found))
        return (found - self.centre) @ self.coefficients + shift

    def cumulative_hazard(self, times: ArrayLike, stratum: Any = None) -> Floats:
        """Of a patient at `centre`, one per time; a time after the last follow-up is refused.

        `stratum` is one of `strata` and needed where there are several.
        """
        return _exp(self.log_cumulative_hazard(times, stratum))

    def log_cumulative_hazard(self, times: ArrayLike, stratum: Any = None) -> Floats:
        """Logarithm of `cumulative_hazard`, to which a risk is added; before any event -infinity.

        A number also where steep coefficients put the centre so far out that the hazard is none.
        """
        own = self.baseline.strata == self.stratum_number(stratum)
        total = np.append(-np.inf, self.baseline.log_cumulative_hazard[own])
        return total[self.steps_until(times, stratum)]

    def steps_until(self, times: ArrayLike, stratum: Any = None) -> Integers:
        """How many of the stratum's event times are at or before each time."""
        asked = arrays.column(times, "times", low=0)
        number = self.stratum_number(stratum)
        last = self.baseline.last[[number]]
        late = places_of(last, asked, side="before") > 0
        if late.any():
            raise arrays.Undefined(
                f"times: found {asked[late][0]:g}, but follow-up ended at {last[0]:g}; survival is "
                "not known after that."
            )
        own = self.baseline.times[self.baseline.strata == number]
        # With the last time, for a stratum without an event has no other.
        return np.asarray(np.minimum(places_of(np.append(own, last), asked), own.size))

    def survival(
        self,
        covariates: ArrayLike,
        times: ArrayLike,
        stratum: Any = None,
        offset: ArrayLike | None = None,
    ) -> Floats:
        """The chance of no event up to and including each time; patients x times, 0 to 1.

        exp(-H0(t) exp(risk)), as R's survfit(fit, newdata). Times after the last follow-up are
        refused: nothing is known there. `cox_curve` has it with intervals.
        """
        hazard = self.log_cumulative_hazard(times, stratum)
        return np.exp(-_exp(self.risk(covariates, offset)[:, None] + hazard))

    def likelihood(self) -> PartialLikelihood:
        """The partial likelihood of the fit, its covariates counted from `centre`."""
        return self.sample.likelihood(self.sample.covariates - self.centre, self.ties)

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


def _exp(values: Floats) -> Floats:
    with np.errstate(over="ignore"):  # what is beyond the largest number is infinite
        return np.asarray(np.exp(values))
