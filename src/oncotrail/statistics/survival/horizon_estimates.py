"""Figures at a horizon, and over several, with intervals from the patients' influences.

The influence of a patient is by how much a figure moves, n times over, with the patient's weight;
influences sum to zero. The variance of the figure is that of their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Survived, checked_confidence, column
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.survival.censoring import Known
from oncotrail.statistics.survival.paired_difference import Difference, difference_between
from oncotrail.statistics.survival.tied_times import settled_times

ROUNDING = 1e-12  # a standard error below this is none: it would claim certainty


@dataclass(frozen=True)
class AtHorizon:
    """A figure at a horizon, in the unit of the times.

    `events` counts the patients known to have had the event by then, `controls` those known not
    to. `value` is None where the figure is undefined; the error and the interval also where the
    patients show no spread (a perfect or a constant marker).
    """

    horizon: float
    value: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    controls: int
    method: str


@dataclass(frozen=True)
class OverHorizons:
    """The mean of a figure over the horizons up to the last; None as for a single horizon.

    `events` counts the patients known to have had the event by the last horizon.
    """

    horizons: tuple[float, ...]
    value: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    method: str


@dataclass(frozen=True, eq=False)
class Influenced:
    """A figure, and each patient's influence on it."""

    value: float
    influence: Floats

    def error(self, n: int) -> float | None:
        """The standard error with `n` patients; None where there is no spread, or one patient.

        >>> import numpy as np
        >>> Influenced(0.5, np.array([1.0, -1.0])).error(n=2)
        1.0
        """
        error = math.sqrt(float((self.influence**2).sum()) / (n * max(n - 1, 1)))
        return error if error > ROUNDING else None


def undefined_at(patients: Survived, horizon: float, confidence: float, method: str) -> AtHorizon:
    """How many had the event by then and how many were free of it after; no figure as yet."""
    by_then = settled_times(patients.times, horizon) <= horizon
    return AtHorizon(
        horizon=float(horizon),
        value=None,
        standard_error=None,
        low=None,
        high=None,
        confidence=checked_confidence(confidence),
        n=patients.n,
        events=int((patients.events & by_then).sum()),
        controls=int((~by_then).sum()),
        method=method,
    )


def at_horizon(
    known: Known, figure: Influenced | None, confidence: float, lowest: float = 0.0
) -> AtHorizon:
    """A figure with its normal interval, cut at `lowest` and at 1."""
    value, error, low, high = _with_interval(figure, known.n, confidence, lowest)
    return AtHorizon(
        horizon=known.horizon,
        value=value,
        standard_error=error,
        low=low,
        high=high,
        confidence=confidence,
        n=known.n,
        events=int(known.cases.sum()),
        controls=int(known.controls.sum()),
        method=_method(known),
    )


def over_horizons(
    known: Sequence[Known], figure: Influenced | None, confidence: float, lowest: float = 0.0
) -> OverHorizons:
    """As `at_horizon`, for a mean over the horizons that `known` has in ascending order."""
    last = known[-1]
    value, error, low, high = _with_interval(figure, last.n, confidence, lowest)
    return OverHorizons(
        horizons=tuple(each.horizon for each in known),
        value=value,
        standard_error=error,
        low=low,
        high=high,
        confidence=confidence,
        n=last.n,
        events=int(last.cases.sum()),
        method=_method(last),
    )


def difference_at(
    known: Known, first: Influenced | None, second: Influenced | None, confidence: float
) -> Difference:
    """The first figure minus the second, of the same patients, with interval and test."""
    events = int(known.cases.sum())
    if first is None or second is None:
        return difference_between(None, None, None, confidence=confidence, n=known.n, events=events)
    difference = Influenced(first.value - second.value, first.influence - second.influence)
    return difference_between(
        first.value,
        second.value,
        difference.error(known.n),
        confidence=confidence,
        n=known.n,
        events=events,
    )


def weighted_sum(figures: Sequence[Influenced | None], shares: Floats) -> Influenced | None:
    """The figures times their shares; None where one that counts is undefined, or none counts."""
    value, influence = 0.0, None
    for figure, share in zip(figures, shares, strict=True):
        if share == 0:
            continue
        if figure is None:
            return None
        value += share * figure.value
        added = share * figure.influence
        influence = added if influence is None else influence + added
    return None if influence is None else Influenced(float(value), influence)


def trapezoid_shares(horizons: Floats) -> Floats:
    """What the value at each horizon counts in the mean from the first to the last.

    >>> trapezoid_shares(np.array([1.0, 2.0, 4.0])).tolist()
    [0.16666666666666666, 0.5, 0.3333333333333333]
    """
    if horizons.size == 1:
        return np.ones(1)
    gaps = np.diff(horizons)
    beside = np.append(gaps, 0.0) + np.append(0.0, gaps)
    return np.asarray(beside / (2 * gaps.sum()), dtype=np.float64)


def checked_horizons(horizons: ArrayLike) -> Floats:
    """Horizons above 0, in ascending order, no two the same."""
    found = column(horizons, "horizons", above=0)
    falling = np.flatnonzero(np.diff(found) <= 0)
    if falling.size:
        row = int(falling[0]) + 1
        raise ValueError(
            f"horizons: found {found[row]:g} in place {row}, after {found[row - 1]:g}; "
            "expected ascending times."
        )
    return found


def _with_interval(
    figure: Influenced | None, n: int, confidence: float, lowest: float
) -> tuple[float | None, float | None, float | None, float | None]:
    quantile = normal_quantile(confidence)
    if figure is None:
        return None, None, None, None
    value, error = figure.value, figure.error(n)
    if error is None:
        return value, None, None, None
    return value, error, max(lowest, value - quantile * error), min(1.0, value + quantile * error)


def _method(known: Known) -> str:
    suffix = "" if known.from_these_rows else ", weights as known"
    return f"influence function{suffix}"
