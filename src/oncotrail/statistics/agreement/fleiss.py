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
from scipy.special import stdtrit

from oncotrail.statistics.agreement.beyond_chance import (
    ChanceErrors,
    Kappa,
    chance_corrected,
    read_kappa,
)
from oncotrail.statistics.agreement.ratings import coded
from oncotrail.statistics.arrays import Floats, matrix, one_of
from oncotrail.statistics.intervals import normal_quantile

IntervalKind = Literal["patients", "null"]
_METHODS = {"patients": "Fleiss; Gwet, t", "null": "Fleiss; Fleiss, Nee and Landis, null"}


@dataclass(frozen=True)
class CategoryKappa:
    """Agreement on one category against all others, at most 1; 0 is chance, higher is better.

    All figures are None where nobody, or everybody, used the category; error and interval (over
    patients, as that of `fleiss_kappa`) also where no spread shows.
    """

    category: Any
    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    null_standard_error: float | None
    z: float | None
    p_value: float | None
    confidence: float
    n: int


def fleiss_kappa(
    ratings: ArrayLike,
    *,
    categories: Sequence[Any] | None = None,
    confidence: float = 0.95,
    interval: IntervalKind = "patients",
) -> Kappa:
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
) -> Kappa:
    """Kappa from patients x categories: how many readers put the patient there.

    Every row must have the same sum (the readers), which need not be the same people throughout.

    >>> round(fleiss_kappa_of_counts([[0, 3], [2, 1], [3, 0], [1, 2]]).value, 4)
    0.3333
    """
    cells = _checked(counts)
    return _fleiss(cells, tuple(range(cells.shape[1])), confidence, interval)


def category_kappas(
    ratings: ArrayLike, *, categories: Sequence[Any] | None = None, confidence: float = 0.95
) -> tuple[CategoryKappa, ...]:
    """Fleiss' kappa of each category against all others, from ratings of patients x readers.

    >>> found = category_kappas([["a", "a"], ["a", "b"], ["c", "c"], ["b", "c"]])
    >>> [(one.category, round(one.value, 3)) for one in found]
    [('a', 0.467), ('b', -0.333), ('c', 0.467)]
    """
    found = coded(ratings, categories)
    return _categories(found.counts.astype(np.float64), found.categories, confidence)


def category_kappas_of_counts(
    counts: ArrayLike, *, confidence: float = 0.95
) -> tuple[CategoryKappa, ...]:
    """The same from counts of patients x categories; categories are numbered from 0.

    >>> found = category_kappas_of_counts([[2, 0, 0], [1, 1, 0], [0, 0, 2], [0, 1, 1]])
    >>> [(one.category, round(one.value, 3)) for one in found]
    [(0, 0.467), (1, -0.333), (2, 0.467)]
    """
    cells = _checked(counts)
    return _categories(cells, tuple(range(cells.shape[1])), confidence)


def _checked(counts: ArrayLike) -> Floats:
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
    return cells


def _fleiss(
    counts: Floats, names: tuple[Any, ...], confidence: float, interval: IntervalKind
) -> Kappa:
    one_of(interval, get_args(IntervalKind), "interval")
    n, readers = len(counts), int(counts[0].sum())
    share = counts.sum(axis=0) / (n * readers)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    observed, expected = float(agreeing.mean()), float((share**2).sum())
    value, z = chance_corrected(observed, expected), normal_quantile(confidence)
    errors = ChanceErrors()
    if value is not None:
        null_error = _null_error(share, n, readers)
        error = _error(counts / readers @ share, agreeing, expected, value)
        half = None if error is None else error * float(stdtrit(n - 1, (1 + confidence) / 2))
        errors = ChanceErrors(error, null_error, z * null_error if interval == "null" else half)
    return read_kappa(
        observed,
        expected,
        errors,
        confidence=confidence,
        n=n,
        readers=readers,
        categories=names,
        method=_METHODS[interval],
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


def _categories(
    counts: Floats, names: tuple[Any, ...], confidence: float
) -> tuple[CategoryKappa, ...]:
    return tuple(
        _category(name, used, counts[0].sum() - used, confidence)
        for name, used in zip(names, counts.T, strict=True)
    )


def _category(name: Any, used: Floats, others: Floats, confidence: float) -> CategoryKappa:
    """Fleiss' kappa of two categories: this one, and all others."""
    found = _fleiss(np.column_stack([used, others]), (name, None), confidence, "patients")
    return CategoryKappa(
        category=name,
        value=found.value,
        low=found.low,
        high=found.high,
        standard_error=found.standard_error,
        null_standard_error=found.null_standard_error,
        z=found.z,
        p_value=found.p_value,
        confidence=confidence,
        n=found.n,
    )
