"""The ROC curve: sensitivity against 1 - specificity over all thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Floats, column
from oncotrail.statistics.discrimination.steps import Steps, steps


@dataclass(frozen=True)
class RocCurve:
    """Points from (0, 0) to (1, 1); a patient is called positive at `score >= threshold`.

    The first threshold is infinite: nobody is positive.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """The ROC curve, without the points that lie on a straight line between their neighbours.

    >>> curve = roc_curve([0, 1, 0, 1], [0.1, 0.3, 0.3, 0.8])
    >>> curve.true_positive_rate.tolist(), curve.thresholds.tolist()
    ([0.0, 0.5, 1.0, 1.0], [inf, 0.8, 0.3, 0.1])
    """
    counted = steps(labels, scores)
    true, false = (np.append(0, part.cumsum()) for part in (counted.positives, counted.negatives))
    thresholds = np.append(np.inf, counted.scores)
    bends = _bends(false, true)
    return RocCurve(
        false_positive_rate=false[bends] / false[-1],
        true_positive_rate=true[bends] / true[-1],
        thresholds=thresholds[bends],
    )


def sensitivity_at(labels: ArrayLike, scores: ArrayLike, specificities: ArrayLike) -> Floats:
    """The curve's height at given specificities, straight between its points.

    Where the curve is vertical it is the highest point: the best sensitivity with that
    specificity.

    >>> sensitivity_at([0, 0, 1, 1], [1, 3, 2, 4], [1, 0.75, 0.5]).tolist()
    [0.5, 0.5, 1.0]
    """
    wanted = column(specificities, "specificities", low=0, high=1)
    return height(steps(labels, scores), wanted)


def height(counted: Steps, specificities: Floats) -> Floats:
    """`sensitivity_at` of patients already counted."""
    # A hair past a vertical piece, so that 1 - 1/3 finds the point at 2/3 and not the one below it.
    return np.interp(1e-12 - specificities, -counted.specificity, counted.sensitivity)


def _bends(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which points of a path of counts are its ends or change its direction; exact, in integers."""
    steps_x, steps_y = np.diff(x), np.diff(y)
    turn = steps_x[:-1] * steps_y[1:] - steps_y[:-1] * steps_x[1:]
    return np.concatenate([[True], turn != 0, [True]])
