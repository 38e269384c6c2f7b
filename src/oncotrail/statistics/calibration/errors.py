"""A distance from perfect calibration, and how far other patients would carry it.

The intervals come from resamples of whole patients, each with all of its rows (images). They are
optional, for a curve fitted anew in each resample takes its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import (
    Flags,
    Floats,
    Scored,
    Undefined,
    binary,
    checked_confidence,
    probable,
)
from oncotrail.statistics.intervals import Interval
from oncotrail.statistics.uncertainty.endpoints import (
    basic_ends,
    defined_replicates,
    percentile_ends,
)
from oncotrail.statistics.uncertainty.resampling import Resamples

Reading = Literal["percentile", "basic"]


@dataclass(frozen=True)
class CalibrationError:
    """A distance from perfect calibration; lower is better.

    `value` is None where it is undefined on these patients. `low` and `high` are None where no
    resamples were given, where they do not differ, and where more than a twentieth of them have no
    such figure (`undefined` counts them); `method` says which it is. `n` and `events` count
    patients, one with the outcome in any of its rows being an event; without resamples, rows.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    undefined: int
    method: str


def judged_rows(labels: ArrayLike, probabilities: ArrayLike, resamples: Resamples | None) -> Scored:
    """Checked labels and probabilities, of the rows that the resamples (if any) are of.

    >>> judged_rows([0, 1], [0.2, 0.7], None).events
    1
    """
    binary(labels, "labels", None if resamples is None else resamples.clusters.rows)
    return probable(labels, probabilities)


def calibration_error(
    value: float,
    labels: Flags,
    resamples: Resamples | None,
    replicated: Floats,
    *,
    confidence: float,
    reading: Reading = "percentile",
    lowest: float = 0.0,
) -> CalibrationError:
    """Read the interval off one replicate for each resample; NaN where undefined.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> drawn = resample(["a", "a", "b"], generator=np.random.default_rng(1), number=99)
    >>> labels, replicated = np.array([True, False, False]), np.arange(1, 100) / 100
    >>> found = calibration_error(0.5, labels, drawn, replicated, confidence=0.9)
    >>> round(found.low, 3), round(found.high, 3), found.n, found.events
    (0.05, 0.95, 2, 1)
    """
    checked_confidence(confidence)
    there = None if np.isnan(value) else value
    if resamples is None:
        n, events = labels.size, int(labels.sum())
        return CalibrationError(there, None, None, confidence, n, events, 0, "no resamples")
    rows = resamples.clusters
    events = np.unique(rows.patient[labels]).size
    undefined, called = int(np.isnan(replicated).sum()), f"{reading} bootstrap, {resamples.number}"
    low = high = None
    try:
        kept = defined_replicates(replicated, confidence)
    except Undefined as why:
        called = f"{called}: {why}"
    else:
        if np.ptp(kept) == 0:
            called = f"{called}: the resamples do not differ"
        elif there is not None:
            ends = _ends(reading, there)(kept, confidence)
            low, high = (float(np.clip(end, lowest, 1)) for end in (ends.low, ends.high))
    return CalibrationError(there, low, high, confidence, rows.n, events, undefined, called)


def _ends(reading: Reading, value: float) -> Callable[[Floats, float], Interval]:
    return percentile_ends if reading == "percentile" else partial(basic_ends, value)
