"""What readers said of the same patients: rows are patients, columns are readers.

Ratings may be of any type (0 and 1, BI-RADS grades, "benign"). They are coded once, as places in
the list of categories. That list is what was found, sorted, unless it is given: a grade that nobody
used does not change an unweighted kappa, but it does change the distance between the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Floats, Integers, binary, groups, matrix


@dataclass(frozen=True, eq=False)
class Coded:
    """Each rating as a place in `categories`; patients x readers."""

    codes: Integers
    categories: tuple[Any, ...]

    @property
    def counts(self) -> Integers:
        """How many readers put each patient in each category; patients x categories."""
        patients, _ = self.codes.shape
        width = len(self.categories)
        flat = self.codes + width * np.arange(patients)[:, None]
        return np.bincount(flat.ravel(), minlength=patients * width).reshape(patients, width)


def coded(ratings: ArrayLike, categories: Sequence[Any] | None = None) -> Coded:
    """Check that every reader rated every patient, with known categories, and number these.

    >>> coded([["low", "high"], ["high", "high"]], ["low", "high"]).codes.tolist()
    [[0, 1], [1, 1]]
    """
    found = _table(ratings)
    for reader in range(found.shape[1]):
        groups(found[:, reader].tolist(), name=f"ratings of reader {reader}")
    values, codes = _numbered(found)
    if categories is None:
        return Coded(codes, tuple(values.tolist()))
    places = _places(values, codes, list(categories))
    return Coded(places[codes], tuple(categories))


def calls_of_readers(calls: ArrayLike, n: int) -> Floats:
    """Check calls (0 negative, 1 positive) of every reader on each of `n` patients.

    >>> calls_of_readers([[1, 0], [True, False]], 2).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    found = matrix(calls, "calls", n)
    for reader in range(found.shape[1]):
        binary(found[:, reader], f"calls of reader {reader}")
    return found


def score_table(scores: ArrayLike, n: int) -> Floats:
    """Check scores of modalities x patients x readers; one reader may come without its axis.

    >>> score_table([[0.1, 0.4], [0.2, 0.3]], 2).shape
    (2, 2, 1)
    """
    found = np.asarray(scores, dtype=np.float64)
    found = found[:, :, None] if found.ndim == 2 else found
    if found.ndim != 3 or 0 in found.shape:
        raise ValueError(
            f"found scores of shape {found.shape}; expected modalities x patients x readers."
        )
    return np.stack([matrix(one, f"scores of modality {i}", n) for i, one in enumerate(found)])


def _table(ratings: ArrayLike) -> NDArray[Any]:
    found = np.asarray(ratings)
    if found.ndim != 2 or found.shape[0] < 1 or found.shape[1] < 2:
        raise ValueError(
            f"found ratings of shape {found.shape}; expected patients x readers, "
            "with at least 1 patient and 2 readers."
        )
    return found


def _numbered(found: NDArray[Any]) -> tuple[NDArray[Any], Integers]:
    try:
        values, codes = np.unique(found, return_inverse=True)
    except TypeError:
        types = sorted({type(value).__name__ for value in found.ravel().tolist()})
        raise ValueError(
            f"found ratings of several types ({', '.join(types)}); expected one type throughout."
        ) from None
    return values, codes.reshape(found.shape)


def _places(values: NDArray[Any], codes: Integers, categories: list[Any]) -> Integers:
    if len(set(categories)) < len(categories):
        raise ValueError(f"found categories {categories}; expected each of them once.")
    for place, value in enumerate(values.tolist()):
        if value not in categories:
            row, reader = (int(axis[0]) for axis in np.nonzero(codes == place))
            raise ValueError(
                f"ratings: found {value!r} in row {row} of reader {reader}; "
                f"expected one of {categories}."
            )
    return np.array([categories.index(value) for value in values.tolist()], dtype=np.int_)
