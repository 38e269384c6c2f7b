"""Calibration in bins: patients with similar probabilities, and how many of them had the outcome.

The expected calibration error is the mean over patients of |observed share - mean probability| of
the bin that they are in (Naeini et al., AAAI 2015, 29:2901). It depends on the bins, and chance
alone makes it positive: with few patients in a bin the observed share misses the true one. Its
interval is therefore the *basic* bootstrap, which reflects the resamples about the estimate (they
show how far chance carries it up, and so how far it has been carried up already); it may lie wholly
below the error itself. The debiased squared error subtracts from each bin's squared difference the
variance of its observed share, so it is 0 on average for a calibrated model, and may be negative
(Kumar et al., NeurIPS 2019, 32:3787). Rows of one patient vary together: with m patients in a bin
of n rows, the variance of its share s is m / (m - 1) times the sum over patients of the square of
(events - s rows) / n.

Both are functions of a few counts of each patient in each bin, so that resamples of patients are
matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Floats, Integers, Scored, one_of, probable
from oncotrail.statistics.calibration.errors import (
    CalibrationError,
    calibration_error,
    judged_rows,
)
from oncotrail.statistics.intervals import Estimate, wilson
from oncotrail.statistics.uncertainty.resampling import Resamples

Binning = Literal["width", "mass"]


@dataclass(frozen=True)
class Bin:
    """Patients with probabilities above `low` (from `low` in the first bin) to `high`.

    `predicted` is their mean probability, `observed` the share with the outcome (Wilson).
    """

    low: float
    high: float
    predicted: float
    observed: Estimate


def calibration_bins(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 10,
    by: Binning = "width",
    confidence: float = 0.95,
) -> tuple[Bin, ...]:
    """Bins of equal `width` on 0 to 1, or of equal `mass` between quantiles; empty ones left out.

    Equal probabilities always share a bin, so ties may leave bins of unequal mass, and fewer. The
    bins are those of scikit-learn's calibration_curve.

    >>> [(one.high, one.observed.n) for one in calibration_bins([0, 1, 1], [0.1, 0.6, 0.7], bins=2)]
    [(0.5, 1), (1.0, 2)]
    """
    patients = probable(labels, probabilities)
    edges, place = _binned(patients, bins, by)
    sizes, events, sums = _counted(patients, place, bins)
    return tuple(
        _bin(edges[b : b + 2], sums[b], int(events[b]), int(sizes[b]), confidence)
        for b in np.flatnonzero(sizes)
    )


def expected_calibration_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 10,
    by: Binning = "width",
    resamples: Resamples | None,
    confidence: float = 0.95,
) -> CalibrationError:
    """Expected calibration error, 0 to 1; lower is better, and 0 only by luck.

    Basic bootstrap interval over patients (`resamples`; None: no interval), in the sample's bins,
    cut at 0 and 1.

    >>> p = np.tile([0.2, 0.8], 50)
    >>> y = np.tile([0, 1, 0, 1, 0, 1, 0, 0], 13)[:100]
    >>> round(expected_calibration_error(y, p, resamples=None).value, 3)
    0.12
    """
    rows = judged_rows(labels, probabilities, resamples)
    table = _Table.of(rows, _binned(rows, bins, by)[1], bins, resamples)
    return calibration_error(
        float(table.error(table.everybody)[0]),
        rows.labels,
        resamples,
        _replicates(table.error, resamples),
        confidence=confidence,
        reading="basic",
    )


def debiased_squared_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 10,
    by: Binning = "mass",
    resamples: Resamples | None,
    confidence: float = 0.95,
) -> CalibrationError:
    """Mean squared calibration error of the bins without what chance adds; lower is better.

    On average 0 for a calibrated model, so it may be negative. `value` is None where a bin holds
    one patient only, whose variance is unknown: take fewer bins. Who is a patient, the resamples
    know; without them every row is one. Percentile interval over patients, in the sample's bins.

    >>> found = debiased_squared_error([0, 1, 1, 1], [0.2, 0.2, 0.6, 0.6], bins=2, resamples=None)
    >>> round(found.value, 4)
    0.0
    """
    rows = judged_rows(labels, probabilities, resamples)
    table = _Table.of(rows, _binned(rows, bins, by)[1], bins, resamples)
    return calibration_error(
        float(table.squared(table.everybody)[0]),
        rows.labels,
        resamples,
        _replicates(table.squared, resamples),
        confidence=confidence,
        lowest=-1.0,
    )


@dataclass(frozen=True, eq=False)
class _Table:
    """Rows, events, and events less their probabilities; patients x bins."""

    sizes: Floats
    events: Floats
    gaps: Floats

    @classmethod
    def of(cls, rows: Scored, place: Integers, bins: int, resamples: Resamples | None) -> _Table:
        patient = np.arange(rows.n) if resamples is None else resamples.clusters.patient
        cell, shape = patient * bins + place, (int(patient.max()) + 1, bins)

        def counted(amounts: Floats) -> Floats:
            found = np.bincount(cell, amounts, shape[0] * bins).reshape(shape)
            return np.asarray(found, dtype=np.float64)

        outcome = rows.labels.astype(np.float64)
        return cls(counted(np.ones(rows.n)), counted(outcome), counted(outcome - rows.scores))

    @property
    def everybody(self) -> Floats:
        return np.ones((1, len(self.sizes)))

    def error(self, counts: NDArray[Any]) -> Floats:
        """The expected error of each row of counts (resamples x patients)."""
        return np.asarray(
            np.abs(counts @ self.gaps).sum(axis=1) / (counts @ self.sizes).sum(axis=1)
        )

    def squared(self, counts: NDArray[Any]) -> Floats:
        """The debiased squared error of each row of counts; NaN where a bin holds one patient."""
        size, patients = counts @ self.sizes, counts @ (self.sizes > 0)
        used = np.maximum(size, 1)
        share = counts @ self.events / used
        spread = (
            counts @ self.events**2
            - 2 * share * (counts @ (self.events * self.sizes))
            + share**2 * (counts @ self.sizes**2)
        )
        freedom = np.where(patients == 1, np.nan, np.maximum(patients - 1, 1))
        chance = patients / freedom * spread / used**2
        each = size * ((counts @ self.gaps / used) ** 2 - chance)
        return np.asarray(each.sum(axis=1) / size.sum(axis=1))


def _replicates(figure: Callable[[NDArray[Any]], Floats], resamples: Resamples | None) -> Floats:
    if resamples is None:
        return np.empty(0)
    return np.concatenate([figure(counts) for counts in resamples.blocks()])


def _binned(patients: Scored, bins: int, by: Binning) -> tuple[Floats, Integers]:
    """The edges, and each patient's bin, from 0."""
    one_of(by, get_args(Binning), "by")
    if bins < 1:
        raise ValueError(f"found {bins} bins; expected at least 1.")
    even = np.linspace(0, 1, bins + 1)
    edges = even if by == "width" else np.quantile(patients.scores, even)
    return edges, np.searchsorted(edges[1:-1], patients.scores)


def _counted(patients: Scored, place: Integers, bins: int) -> tuple[Floats, Floats, Floats]:
    """Patients, events and summed probabilities of each bin."""
    sizes = np.bincount(place, minlength=bins).astype(float)
    events = np.bincount(place, patients.labels.astype(float), bins).astype(float)
    return sizes, events, np.bincount(place, patients.scores, bins).astype(float)


def _bin(edges: Floats, total: float, events: int, n: int, confidence: float) -> Bin:
    ends = wilson(events, n, confidence)
    observed = Estimate(events / n, ends.low, ends.high, confidence, n, events, "Wilson")
    return Bin(float(edges[0]), float(edges[1]), float(total / n), observed)
