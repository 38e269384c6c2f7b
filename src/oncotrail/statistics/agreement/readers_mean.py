"""The mean over readers of a figure that each of them has, when the cases are shared.

Two things make it uncertain. Other cases would have given other figures, together, since all
readers read the same ones: with J readers, the case part of the variance of the mean is
(Var + (J - 1) Cov) / J, with the mean variance and the mean covariance of the readers' figures. And
other readers would have been other people. If they are to be generalised to, the variance of the
mean is (MS(R) + J max(Cov, 0)) / J, where MS(R) is the variance between the figures, with
(MS(R) + J max(Cov, 0))^2 (J - 1) / MS(R)^2 degrees of freedom (Hillis, Statistics in Medicine 2007,
26:596).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr, stdtrit

from oncotrail.statistics.arrays import Floats, checked_confidence, column, matrix, one_of
from oncotrail.statistics.intervals import normal_quantile

Sampling = Literal["readers and cases", "cases", "readers"]


@dataclass(frozen=True)
class ReadersMean:
    """A mean over readers; `df` is infinite where only cases are sampled.

    Where the variance is 0 the error, the interval and the p-value (two-sided, against 0) are None.
    """

    value: float
    low: float | None
    high: float | None
    standard_error: float | None
    df: float | None
    p_value: float | None
    confidence: float
    readers: int


def mean_over_readers(
    figures: ArrayLike,
    covariance: ArrayLike,
    sampling: Sampling = "readers and cases",
    confidence: float = 0.95,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> ReadersMean:
    """The mean of the readers' figures, given the covariance that the cases give these.

    `sampling` says what may differ next time; `limits` are those of the figure, and the interval is
    cut there.

    >>> found = mean_over_readers([0.8, 0.9], [[0.004, 0.001], [0.001, 0.002]])
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.85, 0.59, 1.11)
    """
    checked_confidence(confidence)
    values = column(figures, "figures")
    table = _square(covariance, values.size)
    variance, df = _variance(values, table, sampling)
    value = float(values.mean())
    if variance <= 1e-24:
        return ReadersMean(value, None, None, None, None, None, confidence, values.size)
    error = math.sqrt(variance)
    half = t_tail(df, confidence) * error
    low, high = max(limits[0], value - half), min(limits[1], value + half)
    p_value = two_sided(value / error, df)
    return ReadersMean(value, low, high, error, df, p_value, confidence, values.size)


def t_tail(df: float, confidence: float) -> float:
    """Standard errors on each side: Student's quantile, the normal one where df is infinite.

    >>> round(t_tail(4, 0.95), 3), round(t_tail(math.inf, 0.95), 3)
    (2.776, 1.96)
    """
    normal = normal_quantile(confidence)
    return normal if math.isinf(df) else float(stdtrit(df, (1 + confidence) / 2))


def two_sided(t: float, df: float) -> float:
    """The p-value of Student's t, of a normal one where df is infinite.

    >>> round(two_sided(2.776, 4), 3), round(two_sided(-1.96, math.inf), 3)
    (0.05, 0.05)
    """
    return float(2 * (ndtr(-abs(t)) if math.isinf(df) else stdtr(df, -abs(t))))


def _variance(values: Floats, table: Floats, sampling: Sampling) -> tuple[float, float]:
    readers = values.size
    one_of(sampling, get_args(Sampling), "sampling")
    if sampling == "cases":
        return float(table.mean()), math.inf
    if readers < 2:
        raise ValueError(
            "found 1 reader; to generalise to other readers needs at least 2. "
            "For this reader alone, sample 'cases'."
        )
    between = float(values.var(ddof=1))
    apart = ~np.eye(readers, dtype=bool)
    shared = max(float(table[apart].mean()), 0.0) if sampling == "readers and cases" else 0.0
    total = between + readers * shared
    df = (readers - 1) * (total / between) ** 2 if between > 1e-24 else math.inf
    return total / readers, df


def _square(covariance: ArrayLike, readers: int) -> Floats:
    table = matrix(covariance, "covariance", readers)
    if table.shape != (readers, readers):
        raise ValueError(
            f"found a covariance of shape {table.shape}; expected {readers} x {readers}."
        )
    return table
