"""Lowess: loess' older sibling, with which rms draws its calibration curves.

At a patient, the `span` share of patients nearest to it (a run of the sorted values) is weighted by
(1 - (d / h)^3)^3, h the distance of the farthest, and a line is fitted to them; its height is the
curve (Cleveland, JASA 1979, 74:829). To save time the line is fitted only at patients at least
`gap` apart, and the curve is straight between. Outcomes are 0 or 1, so there are no outliers to
down-weight: the robustness iterations of the paper are left out, as rms does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, column

_NEAR, _FAR = 0.001, 0.999  # distances, of the farthest, within which weights are 1 and beyond 0
_FLAT = 0.001  # a spread of x, of its range, below which the local line is level


def lowess(
    x: ArrayLike, outcomes: ArrayLike, *, span: float = 2 / 3, gap: float | None = None
) -> Floats:
    """The curve of `outcomes` against `x`, at each patient, in the order given.

    `gap`, in the units of x, is a hundredth of x's range unless given; 0 fits around every distinct
    value. As R's lowess(x, outcomes, f = span, iter = 0, delta = gap). Equal values of x get equal
    heights.

    >>> lowess([1, 2, 3, 4, 5], [1, 3, 5, 7, 9]).round(6).tolist()
    [1.0, 3.0, 5.0, 7.0, 9.0]
    """
    found = column(x, "x")
    heights = column(outcomes, "outcomes", n=found.size)
    if not 0 < span <= 1 or (gap is not None and gap < 0):
        raise ValueError(
            f"found span {span} and gap {gap}; expected a span above 0 to 1, a gap of at least 0."
        )
    order = np.argsort(found, kind="stable")
    ordered = found[order]
    step = 0.01 * float(np.ptp(found)) if gap is None else gap
    anchors = _anchors(ordered, step)
    heights = heights[order]
    count = max(2, min(found.size, int(span * found.size + 1e-7)))
    # Twice the middle of each run of `count` patients.
    runs = ordered[: max(0, found.size - count)] + ordered[count:]
    fitted = [_height(ordered, heights, anchor, runs) for anchor in anchors]
    curve = np.empty_like(found)
    curve[order] = np.interp(ordered, ordered[anchors], fitted)
    return curve


def _anchors(ordered: Floats, gap: float) -> list[int]:
    """Where lines are fitted: from one, the farthest within the gap, or else the next value."""
    anchors, last = [0], 0
    while True:
        last = int(np.searchsorted(ordered, ordered[anchors[-1]], side="right")) - 1
        if last == ordered.size - 1:
            return anchors
        reached = int(np.searchsorted(ordered, ordered[last] + gap, side="right")) - 1
        anchors.append(max(last + 1, reached))


def _height(x: Floats, y: Floats, place: int, runs: Floats) -> float:
    """Of the line fitted around one patient; `x` ascends."""
    here = x[place]
    # The first run of patients that does not come nearer by moving up.
    left = int(np.searchsorted(runs, 2 * here))
    right = left + x.size - runs.size - 1
    reach = max(here - x[left], x[right] - here)
    # Equal values beyond the run count as well.
    near = slice(left, int(np.searchsorted(x, here + _FAR * reach, side="right")))
    distance = np.abs(x[near] - here)
    share = distance / reach if reach > 0 else distance
    tricube = _cube(1 - _cube(share))
    weight = np.where(share <= _NEAR, 1.0, tricube) * (share <= _FAR)
    weight /= weight.sum()
    centre = float((weight * x[near]).sum())
    off = x[near] - centre
    spread = float((weight * off * off).sum())
    if reach > 0 and math.sqrt(spread) > _FLAT * (x[-1] - x[0]):
        weight *= (here - centre) / spread * off + 1
    return float((weight * y[near]).sum())


def _cube(values: Floats) -> Floats:
    return values * values * values  # many times faster than a power
