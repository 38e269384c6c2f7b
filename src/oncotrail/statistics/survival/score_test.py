"""How far scores that should be 0 are from 0, all together.

Scores of k groups that sum to 0 hold k - 1 numbers; with the covariance V of all but one of them,
s' V^-1 s is chi-squared with k - 1 degrees of freedom where the groups do not differ.
"""

from __future__ import annotations

import numpy as np

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.regression.chi_squared import ChiSquared, chi_squared

# Below this share of the largest eigenvalue a direction has no variance: nothing is known of it.
NOTHING = 1e-9


def score_test(scores: Floats, covariance: Floats) -> ChiSquared | None:
    """The test that k scores, which sum to 0, are all 0.

    `covariance` is k x k. None where it has no variance in k - 1 directions, or fewer than two
    groups are given.

    >>> found = score_test(np.array([2.0, -2.0]), np.array([[1.0, -1.0], [-1.0, 1.0]]))
    >>> found.statistic, found.degrees_of_freedom, round(found.p_value, 4)
    (4.0, 1, 0.0455)
    """
    degrees = scores.size - 1
    if degrees < 1:
        return None
    kept, spread = scores[:-1], covariance[:-1, :-1]
    size = np.linalg.eigvalsh(spread)
    if not size[0] > NOTHING * size[-1]:
        return None
    return chi_squared(float(kept @ np.linalg.solve(spread, kept)), degrees)
