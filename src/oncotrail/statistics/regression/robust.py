"""The robust (sandwich) covariance of coefficients, from what each patient does to them.

The model's covariance trusts the model: rows are independent, weights are counts. The robust one
adds up what is seen instead, V = sum over clusters of u u', where u is the sum of the influences of
a cluster's rows and the influence of a row is its score times the model's covariance: about how far
the coefficients would move without it (Huber 1967; White, Econometrica 1982, 50:1; Lin and Wei,
JASA 1989, 84:1074). Rows of one patient, or patients of one centre, are a cluster. It is too small
where clusters are few (below about 30).
"""

from __future__ import annotations

import numpy as np

from oncotrail.statistics.arrays import Floats, Integers


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
