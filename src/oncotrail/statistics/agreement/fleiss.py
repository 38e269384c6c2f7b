"""Agreement of many readers beyond chance: Fleiss' kappa.

For each patient, the share of pairs of readers who agree; its mean over patients is the observed
agreement. The agreement expected by chance is that of readers who draw categories at random from
everybody's ratings together, the sum of their squared shares. Kappa is, as Cohen's,
(observed - expected) / (1 - expected); with two readers it is Scott's pi, not Cohen's kappa, for it
gives both the same margins. (Fleiss, Psychological Bulletin 1971, 76:378.)

Two standard errors are told apart. The test of no agreement beyond chance uses the one of Fleiss,
Nee and Landis (Psychological Bulletin 1979, 86:974), right only where there is none. An interval
needs another: kappa is a smooth function of means over patients, so its error is the spread of each
patient's contribution to it (Gwet, British Journal of Mathematical and Statistical Psychology 2008,
61:29), with n - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtrit

from oncotrail.statistics.agreement.ratings import coded
from oncotrail.statistics.arrays import Floats, checked_confidence, matrix, one_of
from oncotrail.statistics.intervals import normal_quantile

IntervalKind = Literal["patients", "null"]


@dataclass(frozen=True)
class CategoryKappa:
    """Agreement on one category against all others; None where nobody, or everybody, used it."""

    category: Any
    value: float | None
    null_standard_error: float
    z: float | None
    p_value: float | None


@dataclass(frozen=True)
class FleissKappa:
    """Fleiss' kappa, at most 1; 0 is chance, higher is better.

    `value` is None where all ratings are one category. `z` and `p_value` (two-sided) are against a
    kappa of 0. The interval is None where no spread between patients shows (one patient, or all
    alike).
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    null_standard_error: float | None
    z: float | None
    p_value: float | None
    observed: float
    expected: float
    confidence: float
    n: int
    readers: int
    categories: tuple[CategoryKappa, ...]
    method: str


def fleiss_kappa(
    ratings: ArrayLike,
    *,
    categories: Sequence[Any] | None = None,
    confidence: float = 0.95,
    interval: IntervalKind = "patients",
) -> FleissKappa:
    """Kappa of patients x readers, ratings of any type; every reader rates every patient.

    `interval="null"` takes the test's standard error for the interval too, as many programs do; it
    is too narrow wherever readers agree, and is here to reproduce published figures.

    >>> round(fleiss_kappa([[1, 1, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]]).value, 4)
    0.3333
    """
    found = coded(ratings, categories)
    return _fleiss(found.counts.astype(np.float64), found.categories, confidence, interval)


def fleiss_kappa_of_counts(
    counts: ArrayLike, *, confidence: float = 0.95, interval: IntervalKind = "patients"
) -> FleissKappa:
    """Kappa from patients x categories: how many readers put the patient there.

    Every row must have the same sum (the readers), which need not be the same people throughout.

    >>> round(fleiss_kappa_of_counts([[0, 3], [2, 1], [3, 0], [1, 2]]).value, 4)
    0.3333
    """
    cells = matrix(counts, "counts")
    readers = cells[0].sum()
    if (cells < 0).any() or (cells % 1 != 0).any():
        raise ValueError("counts: found negative or broken numbers; expected whole counts.")
    if readers < 2 or (cells.sum(axis=1) != readers).any():
        row = int(np.argmax(cells.sum(axis=1) != readers))
        raise ValueError(
            f"counts: found {cells[row].sum():g} ratings in row {row} and {readers:g} in row 0; "
            "expected the same number in every row, at least 2."
        )
    return _fleiss(cells, tuple(range(cells.shape[1])), confidence, interval)


def _fleiss(
    counts: Floats, names: tuple[Any, ...], confidence: float, interval: IntervalKind
) -> FleissKappa:
    one_of(interval, get_args(IntervalKind), "interval")
    n, readers = len(counts), int(counts[0].sum())
    share = counts.sum(axis=0) / (n * readers)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    observed, expected = float(agreeing.mean()), float((share**2).sum())
    value, error, null_error = None, None, None
    if np.count_nonzero(share) > 1:
        value = (observed - expected) / (1 - expected)
        null_error = _null_error(share, n, readers)
        error = _error(counts / readers @ share, agreeing, expected, value)
    half = _half(error, null_error, n, confidence, interval)
    z = value / null_error if value is not None and null_error is not None else None
    return FleissKappa(
        value=value,
        low=None if value is None or half is None else max(-1.0, value - half),
        high=None if value is None or half is None else min(1.0, value + half),
        standard_error=error,
        null_standard_error=null_error,
        z=z,
        p_value=None if z is None else float(2 * ndtr(-abs(z))),
        observed=observed,
        expected=expected,
        confidence=checked_confidence(confidence),
        n=n,
        readers=readers,
        categories=tuple(_category(name, counts[:, k], readers) for k, name in enumerate(names)),
        method="Gwet, t" if interval == "patients" else "Fleiss, Nee and Landis, null",
    )


def _null_error(share: Floats, n: int, readers: int) -> float:
    spread = (share * (1 - share)).sum()
    skew = (share * (1 - share) * (1 - 2 * share)).sum()
    return float(math.sqrt(2 * (spread**2 - skew) / (n * readers * (readers - 1))) / spread)


def _error(chance: Floats, agreeing: Floats, expected: float, value: float) -> float | None:
    """Gwet's: what each patient adds to kappa through observed and through expected agreement."""
    n = agreeing.size
    if n == 1:
        return None
    parts = (agreeing - expected - 2 * (1 - value) * (chance - expected)) / (1 - expected)
    spread = ((parts - value) ** 2).sum() / (n * (n - 1))
    return math.sqrt(spread) if spread > 1e-20 else None


def _half(
    error: float | None, null_error: float | None, n: int, confidence: float, interval: str
) -> float | None:
    z = normal_quantile(confidence)
    if interval == "null":
        return None if null_error is None else z * null_error
    return None if error is None else error * float(stdtrit(n - 1, (1 + confidence) / 2))


def _category(name: Any, used: Floats, readers: int) -> CategoryKappa:
    """The category against all others; with two categories the null error needs no shares."""
    n = used.size
    share = float(used.sum() / (n * readers))
    error = math.sqrt(2 / (n * readers * (readers - 1)))
    if used.sum() in (0, n * readers):
        return CategoryKappa(name, None, error, None, None)
    apart = float((used * (readers - used)).sum()) / (n * readers * (readers - 1))
    value = 1 - apart / (share * (1 - share))
    z = value / error
    return CategoryKappa(name, value, error, z, float(2 * ndtr(-abs(z))))
