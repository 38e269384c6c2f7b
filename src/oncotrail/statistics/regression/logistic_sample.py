"""The patients of a logistic model: checked once, and those of weight 0 left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Undefined, binary, column, column_names, matrix
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.regression.binomial import Binomial


def logistic_sample(
    labels: ArrayLike,
    covariates: ArrayLike | None,
    *,
    weights: ArrayLike | None,
    offset: ArrayLike | None,
    intercept: bool,
    names: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
) -> Binomial:
    """Check everything about the patients of a fit, and leave out those of weight 0.

    >>> logistic_sample([0, 1], [3, 4], weights=None, offset=None, intercept=True).design.tolist()
    [[1.0, 3.0], [1.0, 4.0]]
    """
    outcome = binary(labels, "labels")
    design = with_intercept(covariates, outcome.size, intercept=intercept)
    shift, weight = offsets(offset, outcome.size), checked_weights(weights, outcome.size)
    kept = weight > 0
    group = None if clusters is None else numbered_clusters(clusters, outcome.size, kept)
    events, n = int(outcome[kept].sum()), int(kept.sum())
    if intercept and events in (0, n):
        raise Undefined(
            f"found {events} events in {n} patients; "
            "a logistic model needs patients of both outcomes."
        )
    called = column_names(names, design.shape[1] - intercept)
    called = ("intercept", *called) if intercept else called
    own = None if group is None else group[kept]
    return Binomial(design[kept], outcome[kept], weight[kept], shift[kept], called, own)


def with_intercept(covariates: ArrayLike | None, n: int | None, *, intercept: bool) -> Floats:
    """The columns of the linear predictor, a column of ones first if there is an intercept.

    >>> with_intercept([5.0, 6.0], 2, intercept=True).tolist()
    [[1.0, 5.0], [1.0, 6.0]]
    """
    if covariates is None:
        if not intercept or n is None:
            raise ValueError(
                "found no covariates; expected some, or an intercept and an offset to start from."
            )
        return np.ones((n, 1))
    found = matrix(covariates, "covariates", n)
    return np.column_stack([np.ones(len(found)), found]) if intercept else found


def offsets(offset: ArrayLike | None, n: int) -> Floats:
    """Each patient's offset; none means 0.

    >>> offsets(None, 2).tolist()
    [0.0, 0.0]
    """
    return np.zeros(n) if offset is None else column(offset, "offset", n=n)
