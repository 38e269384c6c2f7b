"""The robust (sandwich) covariance of coefficients, from what each patient does to them.

The model's covariance trusts the model: rows are independent, weights are counts. The robust one
adds up what is seen instead, V = sum over clusters of u u', where u is the sum of the influences of
a cluster's rows and the influence of a row is its score times the model's covariance: about how far
the coefficients would move without it (Huber 1967; White, Econometrica 1982, 50:1; Lin and Wei,
JASA 1989, 84:1074). Rows of one patient, or patients of one centre, are a cluster. It is too small
where clusters are few (below about 30).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oncotrail.statistics.arrays import Floats, Integers, Undefined
from oncotrail.statistics.case_weights import are_counts

_NO_SPREAD = 1e-12  # a robust variance below this share of the model's is rounding


def is_robust(asked: bool | None, weights: Floats, clusters: Integers | None) -> bool:
    """Whether a fit's covariance is the robust one: as asked, or else as the rows need it.

    They need it where they are not patients: clustered, or of weights that do not count any.

    >>> is_robust(None, np.array([0.5, 2.0]), None), is_robust(None, np.array([1.0, 2.0]), None)
    (True, False)
    """
    if asked is False and clusters is not None:
        raise ValueError(
            "found robust=False with clusters, which are for the robust covariance only; expected "
            "one or the other."
        )
    needed = clusters is not None or not are_counts(weights)
    return needed if asked is None else asked


def robust_covariance(
    influence: Floats, clusters: Integers | None, model: Floats, names: Sequence[str]
) -> Floats:
    """The `sandwich`; `Undefined` where rows show no spread, which would claim certainty.

    `model` is the model's covariance were the mean weight 1; `names` are the coefficients'.

    >>> robust_covariance(np.array([[0.5], [-0.5]]), None, np.array([[0.4]]), ["age"])
    array([[0.5]])
    """
    found = sandwich(influence, clusters)
    certain = np.flatnonzero(np.diag(found) <= _NO_SPREAD * np.diag(model))
    if certain.size:
        raise Undefined(
            f"the robust standard error of {names[int(certain[0])]!r} is 0: no row (or cluster) "
            "moves its coefficient, which does not mean that it is certain. Expected rows that "
            "differ; leave clusters out, and ask for robust=False."
        )
    return found


def sandwich(influence: Floats, clusters: Integers | None) -> Floats:
    """The covariance: rows x columns of influence, summed within clusters (each row if None).

    Without a factor for few clusters, as survival::coxph and rms::robcov have it.

    >>> sandwich(np.array([[1.0], [2.0], [3.0]]), np.array([0, 0, 1]))
    array([[18.]])
    """
    if clusters is not None:
        order = np.argsort(clusters, kind="stable")
        starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
        influence = np.add.reduceat(influence[order], starts, axis=0)
    return np.asarray(influence.T @ influence)
