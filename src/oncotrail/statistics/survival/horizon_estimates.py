"""Figures at a horizon and over several, with intervals from the patients' influences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Survived, checked_confidence, column, matrix
from oncotrail.statistics.influence import Influenced, with_interval
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.survival.known_states import Known
from oncotrail.statistics.survival.paired_difference import difference_between
from oncotrail.statistics.survival.tied_times import settled_times


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


def undefined_at(patients: Survived, horizon: float, confidence: float, method: str) -> AtHorizon:
    """How many had the event by then and how many were free of it after; no figure as yet.

    >>> patients = Survived(np.array([0.1 + 0.2, 1.0]), np.array([True, True]))
    >>> found = undefined_at(patients, 0.3, 0.95, "none")
    >>> found.value, found.events, found.controls
    (None, 1, 1)
    """
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
    """A figure with its normal interval, cut at `lowest` and at 1.

    >>> from oncotrail.statistics.survival.known_states import known_by
    >>> known = known_by([1, 2, 3, 4], [1, 1, 0, 0], 2.5)
    >>> at_horizon(known, Influenced(0.9, np.array([0.2, -0.2, 0.0, 0.0])), 0.95).high
    1.0
    """
    value, error, low, high = with_interval(figure, confidence, lowest)
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
    last: Known,
    horizons: Floats,
    figure: Influenced | None,
    confidence: float,
    lowest: float = 0.0,
) -> OverHorizons:
    """As `at_horizon`, for a mean over ascending horizons; `last` is known at the last of them.

    >>> from oncotrail.statistics.survival.known_states import known_by
    >>> known = known_by([1, 2, 3, 4], [1, 1, 0, 0], 2.5)
    >>> over_horizons(known, np.array([1.0, 2.5]), None, 0.95).horizons
    (1.0, 2.5)
    """
    value, error, low, high = with_interval(figure, confidence, lowest)
    return OverHorizons(
        horizons=tuple(horizons.tolist()),
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
) -> Difference | None:
    """The first figure minus the second, of the same patients, with interval and test.

    None where one of them is undefined.

    >>> from oncotrail.statistics.survival.known_states import known_by
    >>> known, one = known_by([1, 2], [1, 0], 1), Influenced(0.9, np.array([0.1, -0.1]))
    >>> difference_at(known, one, one, 0.95).value
    0.0
    """
    return difference_between(
        first,
        second,
        confidence=confidence,
        n=known.n,
        events=int(known.cases.sum()),
        method=_method(known),
    )


def trapezoid_shares(horizons: Floats) -> Floats:
    """What the value at each horizon counts in the mean from the first to the last.

    >>> trapezoid_shares(np.array([1.0, 2.0, 4.0])).round(3).tolist()
    [0.167, 0.5, 0.333]
    """
    if horizons.size == 1:
        return np.ones(1)
    gaps = np.diff(horizons)
    beside = np.append(gaps, 0.0) + np.append(0.0, gaps)
    return np.asarray(beside / (2 * gaps.sum()), dtype=np.float64)


def checked_horizons(horizons: ArrayLike) -> Floats:
    """Horizons above 0, in ascending order, no two the same but for rounding.

    >>> checked_horizons([1, 2.5]).tolist()
    [1.0, 2.5]
    """
    found = column(horizons, "horizons", above=0)
    falling = np.flatnonzero(np.diff(settled_times(found)) <= 0)
    if falling.size:
        row = int(falling[0]) + 1
        raise ValueError(
            f"horizons: found {found[row]:g} in place {row}, after {found[row - 1]:g}; "
            "expected ascending times."
        )
    return found


def for_each_horizon(survival: ArrayLike, n: int, horizons: Floats) -> Floats:
    """Predicted survival, patients x horizons, 0 to 1; a single horizon may be one column.

    >>> for_each_horizon([0.2, 0.9], 2, np.array([1.0])).shape
    (2, 1)
    """
    found = matrix(survival, "survival", n=n)
    if found.shape[1] != horizons.size:
        raise ValueError(
            f"survival: found {found.shape[1]} columns; "
            f"expected {horizons.size}, one for each horizon."
        )
    for place in range(horizons.size):
        column(found[:, place], f"survival, column {place}", low=0, high=1)
    return found


def _method(known: Known) -> str:
    suffix = "" if known.from_these_rows else ", weights as known"
    return f"influence function{suffix}"
