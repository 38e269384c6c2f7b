"""Choosing the threshold at which patients are called positive: on one role, for use on another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import two_classes


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The threshold with the highest sensitivity + specificity on these patients.

    It lies halfway between two neighbouring scores, so that it does not depend on which of these
    patients happened to score just above it. Of several equally good ones, the lowest: it misses
    fewest events.
    (Youden, Cancer 1950, 3:32.)

    >>> round(youden_threshold([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9]), 6)
    0.4
    """
    patients = two_classes(labels, scores)
    values, place = np.unique(patients.scores, return_inverse=True)
    positives = np.bincount(place[patients.labels], minlength=values.size)
    negatives = np.bincount(place[~patients.labels], minlength=values.size)
    # Called positive at the k-th value: everybody from k upwards. Counts stay integers, so that
    # equally good thresholds are equal: (tp / m - fp / n) m n.
    tp, fp = positives[::-1].cumsum()[::-1], negatives[::-1].cumsum()[::-1]
    youden = tp * int(negatives.sum()) - fp * int(positives.sum())
    best = int(np.argmax(youden))
    if best == 0:
        return float(values[0])
    below, above = float(values[best - 1]), float(values[best])
    halfway = below + (above - below) / 2
    return halfway if halfway > below else above
