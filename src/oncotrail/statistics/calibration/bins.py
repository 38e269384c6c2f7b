"""Calibration in bins: patients with similar probabilities, and how many of them had the outcome.

The expected calibration error is the mean over patients of |observed share - mean probability| of
the bin that they are in (Naeini et al., AAAI 2015, 29:2901). It depends on the bins, and chance
alone makes it positive: with few patients in a bin the observed share misses the true one. Its
interval is therefore the *basic* bootstrap, which reflects the resamples about the estimate (they
show how far chance carries it up, and so how far it has been carried up already). The debiased
squared error subtracts from each bin's squared difference the variance of its observed share, so it
is 0 on average for a calibrated model, and may be negative (Kumar et al., NeurIPS 2019, 32:3787).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import (
    Floats,
    Integers,
    Scored,
    checked_confidence,
    one_of,
    probable,
)
from oncotrail.statistics.intervals import Estimate, wilson

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
    generator: np.random.Generator,
    *,
    bins: int = 10,
    by: Binning = "width",
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Estimate:
    """Expected calibration error, 0 to 1; lower is better, and 0 only by luck.

    Basic bootstrap interval over patients, in the sample's bins, cut at 0 and 1.

    >>> p = np.tile([0.2, 0.8], 50)
    >>> y = np.tile([0, 1, 0, 1, 0, 1, 0, 0], 13)[:100]
    >>> round(expected_calibration_error(y, p, np.random.default_rng(1)).value, 3)
    0.12
    """
    tail = (1 - checked_confidence(confidence)) / 2
    if resamples < 1:
        raise ValueError(f"found {resamples} resamples; expected at least 1, and 1000 are usual.")
    patients = probable(labels, probabilities)
    place = _binned(patients, bins, by)[1]
    value = _error(patients, place, bins)
    again = []
    for _ in range(resamples):
        rows = generator.integers(patients.n, size=patients.n)
        drawn = Scored(patients.labels[rows], patients.scores[rows])
        again.append(_error(drawn, place[rows], bins))
    low, high = np.clip(2 * value - np.quantile(again, [1 - tail, tail]), 0, 1).tolist()
    n, events = patients.n, patients.events
    return Estimate(value, low, high, confidence, n, events, f"basic bootstrap, {resamples}")


def debiased_squared_error(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, by: Binning = "mass"
) -> float | None:
    """Mean squared calibration error of the bins without what chance adds; lower is better.

    On average 0 for a calibrated model, so it may be negative. None where a bin holds one patient
    only, whose variance is unknown: take fewer bins.

    >>> round(debiased_squared_error([0, 1, 1, 1], [0.2, 0.2, 0.6, 0.6], bins=2), 4)
    0.0
    """
    patients = probable(labels, probabilities)
    sizes, events, sums = _counted(patients, _binned(patients, bins, by)[1], bins)
    kept = sizes > 0
    size, share = sizes[kept], events[kept] / sizes[kept]
    if (size == 1).any():
        return None
    chance = share * (1 - share) / (size - 1)
    return float(size @ ((share - sums[kept] / size) ** 2 - chance)) / patients.n


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


def _error(patients: Scored, place: Integers, bins: int) -> float:
    _, events, sums = _counted(patients, place, bins)
    return float(np.abs(events - sums).sum() / patients.n)


def _bin(edges: Floats, total: float, events: int, n: int, confidence: float) -> Bin:
    ends = wilson(events, n, confidence)
    observed = Estimate(events / n, ends.low, ends.high, confidence, n, events, "Wilson")
    return Bin(float(edges[0]), float(edges[1]), float(total / n), observed)
