"""The ROC curve: sensitivity against 1 - specificity over all thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import two_classes


@dataclass(frozen=True)
class RocCurve:
    """Points from (0, 0) to (1, 1); a patient is called positive at `score >= threshold`.

    The first threshold is infinite: nobody is positive.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """The ROC curve, without the points that lie on a straight line between their neighbours."""
    patients = two_classes(labels, scores)
    order = np.argsort(-patients.scores, kind="stable")
    ordered = patients.scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), patients.n - 1)
    true = np.append(0, np.cumsum(patients.labels[order])[last_of_tie])
    false = np.append(0, last_of_tie + 1) - true
    thresholds = np.append(np.inf, ordered[last_of_tie])
    bends = _bends(false, true)
    return RocCurve(
        false_positive_rate=false[bends] / false[-1],
        true_positive_rate=true[bends] / true[-1],
        thresholds=thresholds[bends],
    )


def _bends(x: NDArray[np.int_], y: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Which points of a path of counts are its ends or change its direction; exact, in integers."""
    steps_x, steps_y = np.diff(x), np.diff(y)
    turn = steps_x[:-1] * steps_y[1:] - steps_y[:-1] * steps_x[1:]
    return np.concatenate([[True], turn != 0, [True]])
