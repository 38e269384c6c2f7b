"""The patients of a Cox model: times, events, covariates, weights, strata and entry, checked once.

An event counts where the weight is above 0; a patient of weight 0 is not there, so nor is her
event. Observation from `entry` on (left truncation) means at risk from just after it. Times that
differ by rounding only, from each other or from an entry, are one time (`tied_times`). A time of 0
is a time like others, at which everybody who did not enter later is at risk.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.regression.partial_likelihood import (
    PartialLikelihood,
    partial_likelihood,
)
from oncotrail.statistics.regression.risk_sets import risk_sets
from oncotrail.statistics.regression.robust import is_robust
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.tied_times import settled_entry, settled_times


@result
class CoxSample:
    """The checked patients of a fit, in the caller's order.

    `times` and `entry` are settled: what differs by rounding only is equal. Strata and clusters are
    numbered from 0; `strata_names` are what the caller called them, (None,) without strata.
    """

    times: Floats
    events: Flags
    covariates: Floats
    weights: Floats
    strata: Integers
    strata_names: tuple[Any, ...]
    entry: Floats | None
    clusters: Integers | None
    offset: Floats | None

    @property
    def n(self) -> int:
        """How many patients (rows) have a weight above 0."""
        return int((self.weights > 0).sum())

    @property
    def counted(self) -> Flags:
        """Who has an event and a weight above 0: nobody else's event is there."""
        return self.events & (self.weights > 0)

    @property
    def number_of_events(self) -> int:
        """How many of the `n` had the event."""
        return int(self.counted.sum())

    @property
    def needs_robust(self) -> bool:
        """Whether rows are not patients: they are clustered, or weights are no whole numbers."""
        return is_robust(None, self.weights, self.clusters)

    def rows(self, kept: Flags) -> CoxSample:
        """Some of the patients only; strata and clusters keep their numbers."""
        columns: dict[str, Any] = {
            name: each[kept] for name, each in vars(self).items() if isinstance(each, np.ndarray)
        }
        return replace(self, **columns)

    def likelihood(self, covariates: Floats, ties: str) -> PartialLikelihood:
        """The partial likelihood, with `covariates` in place of the sample's own."""
        sets = risk_sets(self.times, self.counted, self.strata, self.entry)
        return partial_likelihood(sets, covariates, self.weights, ties, self.offset)


def cox_sample(
    times: ArrayLike,
    events: ArrayLike,
    covariates: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> CoxSample:
    """Check everything about the patients of a fit; a refusal names the row.

    >>> cox_sample([2.0, 3.0], [1, 0], [[0.5], [1.5]]).covariates.shape
    (2, 1)
    """
    patients = arrays.survived(times, events)
    n, weight = patients.n, arrays.weights(weights, patients.n)
    ended, began = settled_times(patients.times), None
    if entry is not None:
        ended, began = settled_entry(patients.times, entry)
    sample = CoxSample(
        times=ended,
        events=patients.events,
        covariates=arrays.matrix(covariates, "covariates", n),
        weights=weight,
        strata=np.zeros(n, dtype=np.int_) if strata is None else arrays.groups(strata, n, "strata"),
        strata_names=(None,) if strata is None else tuple(np.unique(np.asarray(strata)).tolist()),
        entry=began,
        clusters=None if clusters is None else numbered_clusters(clusters, n, weight > 0),
        offset=None if offset is None else arrays.column(offset, "offset", n=n),
    )
    if not sample.counted.any():
        raise arrays.Undefined(f"found no event in {n} patients; a Cox model needs at least one.")
    return sample
