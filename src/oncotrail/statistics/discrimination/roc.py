"""The ROC curve: sensitivity against 1 - specificity over all thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.discrimination.steps import Steps, steps
from oncotrail.statistics.results import result


@result
class RocCurve:
    """Points from (0, 0) to (1, 1); a patient is called positive at `score >= threshold`.

    The first threshold is infinite: nobody is positive.
    """

    false_positive_rate: Floats
    true_positive_rate: Floats
    thresholds: Floats


def roc_curve(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> RocCurve:
    """The ROC curve, without the points that lie on a straight line between their neighbours.

    `weights` are sampling weights, at least 0. How certain the curve is, `bands` tells.

    >>> curve = roc_curve([0, 1, 0, 1], [0.1, 0.3, 0.3, 0.8])
    >>> curve.true_positive_rate.tolist(), curve.thresholds.tolist()
    ([0.0, 0.5, 1.0, 1.0], [inf, 0.8, 0.3, 0.1])
    """
    counted = steps(labels, scores, weights)
    true, false = (np.append(0, part.cumsum()) for part in (counted.positives, counted.negatives))
    thresholds = np.append(np.inf, counted.scores)
    bends = _bends(counted)
    return RocCurve(
        false_positive_rate=false[bends] / false[-1],
        true_positive_rate=true[bends] / true[-1],
        thresholds=thresholds[bends],
    )


def height(counted: Steps, specificities: Floats) -> Floats:
    """The curve's sensitivity at given specificities, straight between its points.

    Where the curve is vertical it is the highest point: the best sensitivity with that specificity.

    >>> height(steps([0, 0, 1, 1], [1, 3, 2, 4]), np.array([1, 0.75, 0.5])).tolist()
    [0.5, 0.5, 1.0]
    """
    # A hair past a vertical piece, so that 1 - 1/3 finds the point at 2/3 and not the one below it.
    return np.interp(1e-12 - specificities, -counted.specificity, counted.sensitivity)


def _bends(counted: Steps) -> Flags:
    """Which points are the curve's ends or change its direction; of counts, exactly."""
    up, right = counted.positives, counted.negatives
    steep, flat = right[:-1] * up[1:], up[:-1] * right[1:]
    turn = np.abs(steep - flat) > 1e-12 * (steep + flat)  # weights may differ by rounding only
    return np.concatenate([[True], turn, [True]])
