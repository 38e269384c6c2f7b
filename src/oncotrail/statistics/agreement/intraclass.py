"""Agreement of readers who measure: the six intraclass correlations of Shrout and Fleiss.

Split the variance of patients x readers into mean squares: between patients (MSB), between readers
(MSJ), what is left (MSE), and within patients (MSW, the last two together). Then, with n patients
and k readers (Shrout and Fleiss, Psychological Bulletin 1979, 86:420):

    ICC(1,1) = (MSB - MSW) / (MSB + (k - 1) MSW)                     other readers each time
    ICC(2,1) = (MSB - MSE) / (MSB + (k - 1) MSE + k (MSJ - MSE) / n)  readers are a sample
    ICC(3,1) = (MSB - MSE) / (MSB + (k - 1) MSE)                     these are all readers

Kinds 1 and 2 are lowered where one reader measures higher than another (absolute agreement); kind 3
is not (consistency). ICC(., k) is the same for the mean of the k readers. F tests are against a
correlation of 0, and the intervals invert F; that of kind 2 has Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, fdtri

from oncotrail.statistics.arrays import Floats, Undefined, checked_confidence, matrix

_NONE = 1e-12  # a share of the numbers it is made of: nothing but their rounding


@dataclass(frozen=True)
class MeanSquares:
    """The analysis of variance of patients x readers."""

    patients: float
    readers: float
    residual: float
    within: float
    n: int
    number_of_readers: int


@dataclass(frozen=True)
class Correlation:
    """One intraclass correlation, at most 1; 0 is no agreement, higher is better; `kind` as above.

    `value` is None where its denominator is not above 0: where no patient and no reader differs,
    or where the readers differ less than chance would have them. F, p (one-sided) and interval are
    None where the error is 0 (readers who agree to the last digit would be claimed certain); the
    interval also where all patients have the same mean, which leaves it without width. One end
    of the interval is None where the denominator is not above 0 there.
    """

    kind: str
    value: float | None
    low: float | None
    high: float | None
    f: float | None
    df1: int
    df2: int
    p_value: float | None
    confidence: float
    n: int
    readers: int


@dataclass(frozen=True)
class IntraclassCorrelations:
    """All six, and the mean squares that they are made of."""

    one_way_single: Correlation
    random_single: Correlation
    fixed_single: Correlation
    one_way_average: Correlation
    random_average: Correlation
    fixed_average: Correlation
    mean_squares: MeanSquares


def intraclass_correlations(
    measurements: ArrayLike, confidence: float = 0.95
) -> IntraclassCorrelations:
    """ICC of patients x readers, any unit; every reader measures every patient once.

    Needs 2 patients and 2 readers. Intervals are two-sided.

    >>> found = intraclass_correlations([[9, 2, 5], [6, 1, 3], [8, 4, 6], [7, 1, 2]])
    >>> round(found.random_single.value, 3), round(found.fixed_single.value, 3)
    (0.168, 0.714)
    """
    checked_confidence(confidence)
    table = matrix(measurements, "measurements")
    if min(table.shape) < 2:
        raise Undefined(
            f"found measurements of shape {table.shape}; "
            "expected patients x readers, at least 2 of each."
        )
    squares = _mean_squares(table)
    one, one_k = _consistent(squares, "1", squares.within, confidence)
    two, two_k = _absolute(squares, confidence)
    three, three_k = _consistent(squares, "3", squares.residual, confidence)
    return IntraclassCorrelations(one, two, three, one_k, two_k, three_k, squares)


def _mean_squares(table: Floats) -> MeanSquares:
    n, k = table.shape
    centred = table - table.mean()
    patients, readers = centred.mean(axis=1), centred.mean(axis=0)
    left = centred - patients[:, None] - readers
    # Sums of squares this small are the rounding of numbers this large.
    smallest = table.size * (np.finfo(float).eps * 8 * np.abs(table).max()) ** 2
    sums = [float((part**2).sum()) for part in (patients, readers, left)]
    between, of_readers, residual = (
        part if part > smallest else 0.0 for part in (k * sums[0], n * sums[1], sums[2])
    )
    return MeanSquares(
        patients=between / (n - 1),
        readers=of_readers / (k - 1),
        residual=residual / ((n - 1) * (k - 1)),
        within=(of_readers + residual) / (n * (k - 1)),
        n=n,
        number_of_readers=k,
    )


def _consistent(
    squares: MeanSquares, kind: str, error: float, confidence: float
) -> tuple[Correlation, Correlation]:
    """Kinds 1 and 3: one error term, so the interval is that of a ratio of two variances."""
    n, k = squares.n, squares.number_of_readers
    df1, df2 = n - 1, n * (k - 1) if kind == "1" else (n - 1) * (k - 1)
    above, scale = squares.patients - error, squares.patients + k * error
    single = _ratio(above, squares.patients + (k - 1) * error, scale)
    average = _ratio(above, squares.patients, scale)
    ends: tuple[float | None, ...] = (None, None, None, None)
    if error and squares.patients > _NONE * scale:
        f, tail = squares.patients / error, (1 + confidence) / 2
        low, high = f / float(fdtri(df1, df2, tail)), f * float(fdtri(df2, df1, tail))
        ends = (
            (low - 1) / (low + k - 1),
            (high - 1) / (high + k - 1),
            1 - 1 / low if low else None,
            1 - 1 / high if high else None,
        )
    of = partial(_correlation, squares, error=error, df2=df2, confidence=confidence)
    return of(f"ICC({kind},1)", single, ends[:2]), of(f"ICC({kind},k)", average, ends[2:])


def _absolute(squares: MeanSquares, confidence: float) -> tuple[Correlation, Correlation]:
    """Kind 2: readers are a second source of error, so degrees of freedom are approximated."""
    n, k = squares.n, squares.number_of_readers
    between, of_readers, error = squares.patients, squares.readers, squares.residual
    rest = (of_readers - error) / n
    scale = between + of_readers + k * error
    single = _ratio(between - error, between + (k - 1) * error + k * rest, scale)
    average = _ratio(between - error, between + rest, scale)
    low = high = None
    df = _satterthwaite(squares, single) if error and single is not None else None
    if df is not None and between > _NONE * scale:
        tail = (1 + confidence) / 2
        upper, lower = float(fdtri(n - 1, df, tail)), float(fdtri(df, n - 1, tail))
        noise = k * of_readers + (k * n - k - n) * error
        low = n * (between - upper * error) / (upper * noise + n * between)
        high = n * (lower * between - error) / (noise + n * lower * between)
    ends = (low, high)
    ends_k = tuple(None if r is None else _ratio(k * r, 1 + r * (k - 1), 1.0) for r in ends)
    df2 = (n - 1) * (k - 1)
    of = partial(_correlation, squares, error=error, df2=df2, confidence=confidence)
    return of("ICC(2,1)", single, ends), of("ICC(2,k)", average, ends_k)


def _satterthwaite(squares: MeanSquares, single: float) -> float | None:
    """Degrees of freedom of the readers' and the residual variance together; None if both are 0."""
    n, k = squares.n, squares.number_of_readers
    f = squares.readers / squares.residual
    rest = n * (1 + (k - 1) * single) - k * single
    above = (k - 1) * (n - 1) * (k * single * f + rest) ** 2
    return _ratio(above, (n - 1) * k**2 * single**2 * f**2 + rest**2, n * k)


def _correlation(
    squares: MeanSquares,
    kind: str,
    value: float | None,
    ends: tuple[float | None, ...],
    *,
    error: float,
    df2: int,
    confidence: float,
) -> Correlation:
    n, k = squares.n, squares.number_of_readers
    f = squares.patients / error if error else None
    p_value = None if f is None else float(fdtrc(n - 1, df2, f))
    low, high = ends
    return Correlation(kind, value, low, high, f, n - 1, df2, p_value, confidence, n, k)


def _ratio(above: float, below: float, scale: float) -> float | None:
    """None where `below`, made of numbers as large as `scale`, is not above their rounding."""
    return above / below if below > _NONE * scale else None
