"""The part of the ROC curve that matters: its area over a range of specificities or sensitivities.

The curve is straight between its points, and its area is added up over the range only. The *raw*
area of the range a to b is at most b - a. The *corrected* one compares it with the least that is
not worse than chance, (b - a) (2 - a - b) / 2, and the most, b - a, on a scale where chance is 0.5
and a perfect marker 1 (McClish, Medical Decision Making 1989, 9:190).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, binary, one_of
from oncotrail.statistics.discrimination.resamples import percentiles
from oncotrail.statistics.discrimination.steps import Steps, resampled_steps, steps

Focus = Literal["specificity", "sensitivity"]


@dataclass(frozen=True)
class PartialArea:
    """The area over the range; `low` and `high` are None where no resamples were given.

    `value` is None where a corrected area is asked for and the curve lies below the diagonal on
    that range: the correction then has no meaning (its interval neither).
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    focus: Focus
    bounds: tuple[float, float]
    corrected: bool


def partial_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    bounds: tuple[float, float],
    *,
    focus: Focus = "specificity",
    corrected: bool = False,
    resamples: Iterable[ArrayLike] | None = None,
    confidence: float = 0.95,
) -> PartialArea:
    """Area of the ROC curve where the `focus` (specificity or sensitivity) is within `bounds`.

    Higher is better. `resamples` are rows of the table, as `resamples.stratified_resamples` draws
    them; the interval is of their percentiles.

    >>> partial_auc([0, 0, 1, 1], [1, 3, 2, 4], (0.5, 1)).value
    0.25
    >>> partial_auc([0, 0, 1, 1], [1, 3, 2, 4], (0, 1), corrected=True).value
    0.75
    """
    low, high = _checked(bounds, focus)
    outcome = binary(labels, "labels")
    value = _area(steps(outcome, scores), low, high, focus)
    undefined = corrected and value < _chance(low, high) - 1e-12
    ends = None
    if resamples is not None and not undefined:
        drawn = resampled_steps(outcome, scores, resamples)
        areas = np.array([_area(counted, low, high, focus) for counted in drawn])
        ends = percentiles(_scaled(areas, low, high, corrected=corrected), confidence)
    return PartialArea(
        value=None if undefined else float(_scaled(value, low, high, corrected=corrected)),
        low=None if ends is None else float(ends[0]),
        high=None if ends is None else float(ends[1]),
        confidence=confidence,
        n=outcome.size,
        events=int(outcome.sum()),
        focus=focus,
        bounds=(low, high),
        corrected=corrected,
    )


def _checked(bounds: tuple[float, float], focus: Focus) -> tuple[float, float]:
    one_of(focus, get_args(Focus), "focus")
    low, high = bounds
    if not 0 <= low < high <= 1:
        raise ValueError(f"found bounds {low} to {high}; expected 0 <= low < high <= 1.")
    return float(low), float(high)


def _area(counted: Steps, low: float, high: float, focus: Focus) -> float:
    """The area under the straight lines between points, over `low` to `high` of the focus."""
    sides = counted.specificity[::-1], counted.sensitivity[::-1]
    x, y = sides if focus == "specificity" else (sides[1][::-1], sides[0][::-1])
    width = np.diff(x)
    slope = np.divide(np.diff(y), width, out=np.zeros(width.size), where=width > 0)
    within = np.clip(x, low, high)  # a piece outside the range shrinks to nothing
    middle = (within[:-1] + within[1:]) / 2
    return float(np.diff(within) @ (y[:-1] + slope * (middle - x[:-1])))


def _chance(low: float, high: float) -> float:
    return (high - low) * (2 - low - high) / 2


def _scaled(area: Floats | float, low: float, high: float, *, corrected: bool) -> Floats:
    """As it is, or on the scale where chance is 0.5 and a perfect marker 1."""
    if not corrected:
        return np.asarray(area)
    chance, most = _chance(low, high), high - low
    return np.asarray((1 + (area - chance) / (most - chance)) / 2)
