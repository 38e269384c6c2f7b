"""The part of the ROC curve that matters: its area over a range of specificities or sensitivities.

The curve is straight between its points, and its area is added up over the range only. The *raw*
area of the range a to b is at most b - a. The *corrected* one compares it with the least that is
not worse than chance, (b - a) (2 - a - b) / 2, and the most, b - a, on a scale where chance is 0.5
and a perfect marker 1 (McClish, Medical Decision Making 1989, 9:190).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import checked_confidence, one_of
from oncotrail.statistics.discrimination.placements import placements
from oncotrail.statistics.discrimination.resampled_steps import on_steps
from oncotrail.statistics.discrimination.steps import Steps, steps
from oncotrail.statistics.uncertainty.bootstrap import bootstrap
from oncotrail.statistics.uncertainty.resampling import Resamples

Focus = Literal["specificity", "sensitivity"]
_ROUNDING = 1e-9  # on the corrected scale, where a narrow range is stretched


@dataclass(frozen=True)
class PartialArea:
    """The area over the range; `low` and `high` are None where no resamples were given.

    They are also None where the resamples do not differ (a perfect marker), which would claim
    certainty. `value` is None where a corrected area is asked for and the curve lies below the
    diagonal on that range: the correction then has no meaning (its interval neither).
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    method: str
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
    resamples: Resamples | None = None,
    confidence: float = 0.95,
    weights: ArrayLike | None = None,
) -> PartialArea:
    """Area of the ROC curve where the `focus` (specificity or sensitivity) is within `bounds`.

    Higher is better. `resamples` are drawn by the patients of the rows, best within the labels; the
    interval is of percentiles. `weights` are sampling weights.

    >>> partial_auc([0, 0, 1, 1], [1, 3, 2, 4], (0.5, 1)).value
    0.25
    >>> partial_auc([0, 0, 1, 1], [1, 3, 2, 4], (0, 1), corrected=True).value
    0.75
    """
    low, high = _checked(bounds, focus)
    checked_confidence(confidence)
    chance = (high - low) * (2 - low - high) / 2

    def area(counted: Steps) -> float:
        raw = _area(counted, low, high, focus)
        return (1 + (raw - chance) / (high - low - chance)) / 2 if corrected else raw

    value = area(steps(labels, scores, weights))
    undefined = corrected and value < 0.5 - _ROUNDING
    ends: tuple[float | None, float | None] = (None, None)
    method = "no interval"
    if resamples is not None and not undefined:
        drawn = on_steps(labels, scores, area, weights)
        found = bootstrap(drawn, resamples, confidence=confidence, method="percentile")
        ends, method = (found.low, found.high), f"bootstrap, {resamples.number}"
    whose = None if resamples is None else resamples.clusters.patient
    placed = placements(labels, scores, weights, whose)
    return PartialArea(
        value=None if undefined else value,
        low=ends[0],
        high=ends[1],
        confidence=confidence,
        n=placed.n,
        events=placed.positive.n,
        method=method,
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
