"""Tests of several coefficients at once, by the chi-squared distribution.

Twice a gain in log likelihood, a score test, and Wald's quadratic form b' V^-1 b all have, if the
coefficients are 0 and patients many, that distribution with a degree of freedom per coefficient
(Wald, Transactions of the AMS 1943, 54:426).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from oncotrail.statistics.arrays import Floats, Undefined


@dataclass(frozen=True)
class ChiSquared:
    """A test that compares a statistic with a chi-squared distribution."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def chi_squared(statistic: float, degrees_of_freedom: int) -> ChiSquared:
    """The chance of a larger statistic under the null; rounding below 0 counts as 0.

    >>> round(chi_squared(3.841459, 1).p_value, 6)
    0.05
    """
    found = max(0.0, float(statistic))
    return ChiSquared(found, degrees_of_freedom, float(chdtrc(degrees_of_freedom, found)))


def joint_wald(
    coefficients: Floats, covariance: Floats, columns: Sequence[int] | None = None
) -> ChiSquared:
    """Test that these coefficients (all, unless columns are given) are jointly 0.

    Undefined where a robust covariance has fewer clusters than coefficients.

    >>> round(joint_wald(np.array([0.5, 1.0]), np.diag([0.25, 0.5])).statistic, 6)
    3.0
    """
    kept = np.arange(coefficients.size) if columns is None else np.asarray(columns)
    beta, spread = coefficients[kept], covariance[np.ix_(kept, kept)]
    # In standard errors, so that units do not decide what is singular.
    unit = np.sqrt(np.diag(spread))
    correlation = spread / np.outer(unit, unit)
    if np.linalg.matrix_rank(correlation, tol=1e-10) < kept.size:
        raise Undefined(
            f"the covariance of these {kept.size} coefficients is singular; expected more clusters "
            "than coefficients. Test fewer at once."
        )
    z = beta / unit
    return chi_squared(float(z @ np.linalg.solve(correlation, z)), kept.size)
