"""Rows counted at each distinct score: all that a curve over thresholds needs.

Rows of equal score are called positive together, so they are one step of every curve; to draw it
between them would reward their order in the file.

With weights, a step is a sum of them; for many weights of the same rows (`steps_of_each`) the rows
are sorted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Scored, two_classes
from oncotrail.statistics.arrays import weights as checked_weights


@dataclass(frozen=True, eq=False)
class Steps:
    """Distinct scores, highest first, and how much of each outcome has exactly that score.

    Counts of rows, or their weights.
    """

    scores: Floats
    positives: Floats
    negatives: Floats

    @property
    def sensitivity(self) -> Floats:
        """Share of positives called at `score >= threshold`; at first nobody is called."""
        called = np.append(0.0, np.cumsum(self.positives))
        return np.asarray(called / called[-1])

    @property
    def specificity(self) -> Floats:
        """Share of negatives not called, at the same thresholds."""
        # Of those not called, so that a whole share (27 of 30) is the number one types (0.9).
        below = np.append(np.cumsum(self.negatives[::-1])[::-1], 0.0)
        return np.asarray(below / below[0])


def present(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> tuple[Scored, Floats]:
    """The rows of weight above 0, of both outcomes, and their sampling weights (none: 1 each).

    >>> rows, weight = present([0, 1, 1], [0.2, 0.7, 0.4], [2, 1, 0])
    >>> rows.scores.tolist(), weight.tolist()
    ([0.2, 0.7], [2.0, 1.0])
    """
    rows = two_classes(labels, scores)
    weight = checked_weights(weights, rows.n)
    there = weight > 0
    if there.all():
        return rows, weight
    return two_classes(rows.labels[there], rows.scores[there]), weight[there]


def steps(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> Steps:
    """The steps of a table; a row of weight 0 is not there.

    >>> found = steps([0, 1, 1, 0], [0.2, 0.7, 0.2, 0.1])
    >>> found.positives.tolist(), found.negatives.tolist()
    ([1.0, 1.0, 0.0], [0.0, 1.0, 1.0])
    """
    rows, weight = present(labels, scores, weights)
    return next(steps_of_each(rows, weight[None, :]))


def steps_of_each(rows: Scored, weights: Floats) -> Iterator[Steps]:
    """The steps under each line of `weights` (lines x rows); a step may then be empty.

    >>> lines = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 0.0]])
    >>> found = steps_of_each(two_classes([0, 1, 1], [0.2, 0.7, 0.4]), lines)
    >>> [each.positives.tolist() for each in found]
    [[1.0, 1.0, 0.0], [2.0, 0.0, 0.0]]
    """
    order = np.argsort(-rows.scores, kind="stable")
    ordered = rows.scores[order]
    first = np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)
    labels, along = rows.labels[order], weights.take(order, axis=1)
    positives, negatives = (
        np.add.reduceat(along * side, first, axis=1) for side in (labels, ~labels)
    )
    for positive, negative in zip(positives, negatives, strict=True):
        yield Steps(ordered[first], positive, negative)
