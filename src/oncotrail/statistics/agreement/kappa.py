"""Agreement of two readers beyond chance: Cohen's kappa, weighted or not.

Count the patients by what each reader said (a square table of proportions p). Observed agreement is
the sum of w p, expected agreement the sum of w times the product of the two margins, where w is 1
on the diagonal and says how much a disagreement still counts (nothing, without weights). Kappa is
the part of the agreement that chance left over:

    kappa = (observed - expected) / (1 - expected)

Its large-sample variance is that of Fleiss, Cohen and Everitt (Psychological Bulletin 1969,
72:323): the general one for the interval, and the one under no agreement beyond chance for the
test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.agreement.beyond_chance import (
    ChanceErrors,
    Kappa,
    chance_corrected,
    read_kappa,
)
from oncotrail.statistics.agreement.ratings import coded
from oncotrail.statistics.arrays import Floats, checked_confidence, matrix, one_of
from oncotrail.statistics.intervals import normal_quantile

Weighting = Literal["none", "linear", "quadratic"]


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weighting: Weighting | ArrayLike = "none",
    categories: Sequence[Any] | None = None,
    confidence: float = 0.95,
) -> Kappa:
    """Kappa of two readers, one rating each per patient, of any type.

    `weighting` is "none", "linear" (1 - d / (k - 1) for categories d places apart), "quadratic"
    (1 - (d / (k - 1))^2), or a k x k table of agreement weights, 0 to 1 with 1 on the diagonal.
    The places are those of `categories`; without it, of the sorted ratings, so give it where a
    grade may be unused or the order is not alphabetical.

    >>> round(cohen_kappa([1, 1, 0, 0, 1], [1, 0, 0, 0, 1]).value, 4)
    0.6154
    """
    one, two = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != two.shape:
        raise ValueError(
            f"found ratings of shapes {one.shape} and {two.shape}; "
            "expected one per patient from each reader."
        )
    pair = coded(np.column_stack([_plain(one), _plain(two)]), categories)
    k = len(pair.categories)
    cells = np.bincount(pair.codes @ np.array([k, 1]), minlength=k * k).reshape(k, k)
    return _kappa(cells.astype(np.float64), weighting, pair.categories, confidence)


def kappa_of_table(
    table: ArrayLike,
    *,
    weighting: Weighting | ArrayLike = "none",
    confidence: float = 0.95,
) -> Kappa:
    """Kappa from a published k x k table of counts: rows the first reader, columns the second.

    >>> round(kappa_of_table([[20, 5], [10, 15]]).value, 4)
    0.4
    """
    cells = matrix(table, "table")
    counted = (cells >= 0).all() and (cells % 1 == 0).all() and cells.any()
    if cells.shape[0] != cells.shape[1] or not counted:
        raise ValueError(
            f"found a table of shape {cells.shape}; expected k x k whole counts, not all 0."
        )
    return _kappa(cells, weighting, tuple(range(len(cells))), confidence)


def _kappa(
    cells: Floats, weighting: Weighting | ArrayLike, names: tuple[Any, ...], confidence: float
) -> Kappa:
    weight, label = _weights(weighting, len(cells))
    p, n = cells / cells.sum(), int(cells.sum())
    observed = float((weight * p).sum())
    expected = float(p.sum(axis=1) @ weight @ p.sum(axis=0))
    value, errors = chance_corrected(observed, expected), ChanceErrors()
    if value is not None:
        error, null_error = _errors(p, weight, value, expected, n)
        half = None if error is None else normal_quantile(confidence) * error
        errors = ChanceErrors(error, null_error, half)
    return read_kappa(
        observed,
        expected,
        errors,
        confidence=checked_confidence(confidence),
        n=n,
        readers=2,
        categories=names,
        method=f"Cohen, weights {label}",
    )


def _errors(
    p: Floats, weight: Floats, value: float, expected: float, n: int
) -> tuple[float | None, float | None]:
    """For the interval, and under no agreement beyond chance."""
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    # How much each reader's category agrees, on average, with what the other one says.
    typical = (weight @ columns)[:, None] + rows @ weight
    spread = (p * (weight - typical * (1 - value)) ** 2).sum()
    spread -= (value - expected * (1 - value)) ** 2
    null_spread = (np.outer(rows, columns) * (weight - typical) ** 2).sum() - expected**2
    return _error(spread, expected, n), _error(null_spread, expected, n)


def _error(spread: float, expected: float, n: int) -> float | None:
    # A difference of two numbers of order 1: below their rounding it is 0.
    return math.sqrt(spread / n) / (1 - expected) if spread > 1e-14 else None


def _weights(weighting: Weighting | ArrayLike, k: int) -> tuple[Floats, str]:
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(k - 1, 1)
    if isinstance(weighting, str):
        named = {"none": (apart == 0).astype(float), "linear": 1 - apart, "quadratic": 1 - apart**2}
        one_of(weighting, get_args(Weighting), "weighting")
        return named[weighting], weighting
    given = np.asarray(weighting, dtype=np.float64)
    if given.shape != (k, k) or not _agreement(given):
        raise ValueError(
            f"found weights of shape {given.shape}; expected {k} x {k} weights of agreement, "
            "0 to 1, with 1 on the diagonal."
        )
    return given, "given"


def _agreement(given: Floats) -> bool:
    return bool(((given >= 0) & (given <= 1)).all() and (np.diag(given) == 1).all())


def _plain(ratings: Any) -> Any:
    """Objects, so that the readers' ratings of two types are not silently made text."""
    return ratings.astype(object)
