"""A figure of a curve's steps on every resample.

A resample is how often each row was drawn, so its steps are sums of weights: the rows are sorted
once, and every resample is summed along that order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, two_classes
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.discrimination.steps import Steps, steps, steps_of_each
from oncotrail.statistics.uncertainty.metrics import row_weights
from oncotrail.statistics.uncertainty.replication import Statistic


def on_steps(
    labels: ArrayLike,
    scores: ArrayLike,
    figure: Callable[[Steps], float | Floats],
    weights: ArrayLike | None = None,
) -> Statistic:
    """A figure of steps as a function of resampled weights (resamples x rows), for `replicates`.

    One figure for each resample, or a row of figures where `figure` gives several; NaN where one
    outcome was not drawn. Sampling `weights` are multiplied in: each patient keeps its own.

    >>> average = on_steps([0, 1, 1], [0.2, 0.7, 0.4], lambda steps: steps.positives[0])
    >>> average(np.array([[1, 1, 1], [1, 2, 0], [0, 2, 1]])).tolist()
    [1.0, 2.0, nan]
    """
    rows = two_classes(labels, scores)
    weight = checked_weights(weights, rows.n)
    undefined = np.full(np.shape(figure(steps(labels, scores, weights))), np.nan)

    def resampled(drawn: Floats) -> Floats:
        every = steps_of_each(rows, row_weights(drawn, rows.n) * weight)
        return np.array(
            [
                figure(each) if each.positives.any() and each.negatives.any() else undefined
                for each in every
            ]
        )

    return resampled
