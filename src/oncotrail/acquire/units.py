"""A column that mixes two units: most tumours in centimetres, some in millimetres.

On a logarithmic scale a wrong unit is a shift. So: cut the sorted logarithms in two wherever that
separates best; suspect two units if the two heaps stand apart by a known factor, are far apart
for their widths, and have a valley between them. One skewed heap has no valley, and a column that
really has two heaps at such a distance can be declared in `acquire.units_checked`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FACTORS: Mapping[float, str] = {
    2.2046: "pounds and kilograms",
    2.54: "inches and centimetres",
    10: "millimetres and centimetres, or percent and tenths",
    12: "months and years",
    30.4375: "days and months",
    100: "metres and centimetres, or percent and fractions",
    365.25: "days and years",
    1000: "grams and kilograms, or metres and millimetres",
}
FEWEST_VALUES = 30
FEWEST_DISTINCT = 8  # fewer are codes or doses
FEWEST_APART = 4
NEAR = 1.3  # the heaps' medians may miss the factor by this much
FAR_APART = 3.5  # Ashman's D; two halves of one normal heap have 2.7
PEAK = 0.15  # half the width, as a share of the distance, in which peak and valley are counted
TINY = 1e-12  # rounding in a variance
SHALLOW = 0.5  # the valley may hold this share of what the smaller peak holds
CERTAIN = 2.0  # and the difference must be so many standard errors of a count


@dataclass(frozen=True)
class MixedUnits:
    """Two heaps of values in one column."""

    factor: float
    meaning: str
    smaller: int  # how many values are in the smaller heap
    typical: tuple[float, float]  # the medians of the low heap and of the high one


def mixed_units(values: Sequence[float]) -> MixedUnits | None:
    """Two heaps a known factor apart, or None.

    >>> mixed_units([2.0, 2.5, 3.0, 3.5, 4.0] * 6 + [20.0, 25.0, 25.0, 30.0]).factor
    10
    """
    positive = np.sort(np.asarray([value for value in values if value > 0], dtype=float))
    if len(positive) < FEWEST_VALUES or len(np.unique(positive)) < FEWEST_DISTINCT:
        return None
    logs = np.log(positive)
    apart = _ashman(logs)
    cut = FEWEST_APART + int(np.argmax(apart))
    low, high = float(np.median(logs[:cut])), float(np.median(logs[cut:]))
    factor = min(FACTORS, key=lambda known: abs(np.log(known) - (high - low)))
    if abs(np.log(factor) - (high - low)) > np.log(NEAR):
        return None
    if apart.max() < FAR_APART or not _has_valley(logs, cut, low, high):
        return None
    smaller = min(cut, len(logs) - cut)
    return MixedUnits(factor, FACTORS[factor], smaller, (float(np.exp(low)), float(np.exp(high))))


def _ashman(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ashman's D of the two sides of every cut: their distance over their pooled width."""
    count = np.arange(FEWEST_APART, len(logs) - FEWEST_APART + 1)
    low_mean, low_variance = _running(logs, count)
    high_mean, high_variance = _running(logs[::-1], len(logs) - count)
    width = np.sqrt(low_variance + high_variance)
    distance: NDArray[np.float64] = np.sqrt(2) * np.abs(high_mean - low_mean)
    return np.divide(distance, width, out=np.full_like(width, np.inf), where=width > 0)


def _running(
    logs: NDArray[np.float64], count: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of the first `count` values, for every count at once."""
    centred = logs - logs.mean()
    mean = np.cumsum(centred)[count - 1] / count
    variance = np.cumsum(centred**2)[count - 1] / count - mean**2
    return mean, np.where(variance > TINY, variance, 0.0)


def _has_valley(logs: NDArray[np.float64], cut: int, low: float, high: float) -> bool:
    """Whether few values lie half-way, compared with those about the smaller heap's middle."""
    reach = PEAK * (high - low)
    centre = low if cut < len(logs) - cut else high

    def near(place: float) -> int:
        return int(np.count_nonzero(np.abs(logs - place) <= reach))

    valley, peak = near((low + high) / 2), near(centre)
    return valley <= SHALLOW * peak and peak - valley >= CERTAIN * np.sqrt(peak + valley)
