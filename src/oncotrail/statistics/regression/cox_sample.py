"""The patients of a Cox model: times, events, covariates, weights, strata and entry, checked once.

An event counts where the weight is above 0; a patient of weight 0 is not there, so nor is her
event. Observation from `entry` on (left truncation) means at risk from just after it. Times that
differ by rounding only, from each other or from an entry, are one time (`tied_times`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers
from oncotrail.statistics.regression.partial_likelihood import (
    PartialLikelihood,
    partial_likelihood,
)
from oncotrail.statistics.regression.risk_sets import risk_sets
from oncotrail.statistics.survival.tied_times import settled_times


@dataclass(frozen=True)
class CoxSample:
    """The checked patients of a fit, in the caller's order; strata are numbered from 0.

    `times` and `entry` are settled: what differs by rounding only is equal.
    """

    times: Floats
    events: Flags
    covariates: Floats
    weights: Floats
    strata: Integers
    entry: Floats | None

    @property
    def has_fractions(self) -> bool:
        """Whether a weight is no whole number: then it does not count patients."""
        return bool((self.weights % 1).any())

    def likelihood(self, covariates: Floats, ties: str) -> PartialLikelihood:
        """The partial likelihood, with `covariates` in place of the sample's own."""
        # A patient of weight 0 is not there, so nor is her event.
        sets = risk_sets(self.times, self.events & (self.weights > 0), self.strata, self.entry)
        return partial_likelihood(sets, covariates, self.weights, ties)


def cox_sample(
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> CoxSample:
    """Check everything about the patients of a fit; a refusal names the row.

    >>> cox_sample([2.0, 3.0], [1, 0], [[0.5], [1.5]]).covariates.shape
    (2, 1)
    """
    patients = arrays.survived(times, events)
    n = patients.n
    ended, began = _settled(patients.times, entry)
    sample = CoxSample(
        times=ended,
        events=patients.events,
        covariates=arrays.matrix(covariates, "covariates", n),
        weights=arrays.weights(weights, n),
        strata=np.zeros(n, dtype=np.int_) if strata is None else arrays.groups(strata, n, "strata"),
        entry=began,
    )
    if not (sample.events & (sample.weights > 0)).any():
        raise arrays.Undefined(f"found no event in {n} patients; a Cox model needs at least one.")
    return sample


def _settled(times: Floats, entry: ArrayLike | None) -> tuple[Floats, Floats | None]:
    """Times and entries on one set of moments, and each entry before its time."""
    if entry is None:
        return settled_times(times), None
    began = arrays.column(entry, "entry", n=times.size)
    ended, began = np.split(settled_times(np.concatenate([times, began])), 2)
    if (began >= ended).any():
        row = int(np.flatnonzero(began >= ended)[0])
        raise ValueError(
            f"entry: found {began[row]:g} in row {row}, whose time is {ended[row]:g}; "
            "expected entry before the end of follow-up."
        )
    return ended, began
