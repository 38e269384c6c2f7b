"""Which groups there are, and who is in which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Integers


@dataclass(frozen=True, eq=False)
class Groups:
    """The labels in sorted order, as Python values, and the place of each patient's among them."""

    labels: list[Any]
    place: Integers

    @property
    def sizes(self) -> list[int]:
        """How many patients each group has."""
        return [int(size) for size in np.bincount(self.place, minlength=len(self.labels))]


def groups_of(labels: ArrayLike, kept: Flags) -> Groups:
    """The groups of those rows that are kept; a blank in any row is refused.

    >>> found = groups_of(["b", "a", "b", "c"], np.array([True, True, True, False]))
    >>> found.labels, found.place.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    arrays.groups(labels, kept.size)
    found, place = np.unique(np.asarray(labels)[kept], return_inverse=True)
    return Groups(found.tolist(), np.asarray(place, dtype=np.int_))


def compared_groups(labels: ArrayLike, kept: Flags) -> Groups:
    """`groups_of`, and at least two of them.

    >>> compared_groups(["b", "a", "b"], np.array([True, True, True])).sizes
    [1, 2]
    """
    found = groups_of(labels, kept)
    if len(found.labels) < 2:
        raise arrays.Undefined(
            f"found one group, {found.labels[0]!r}; expected at least two to compare."
        )
    return found


def strata_of(labels: ArrayLike | None, kept: Flags) -> Integers:
    """The stratum of those rows that are kept, numbered from 0; none: all are in one.

    >>> strata_of(None, np.array([True, True])).tolist()
    [0, 0]
    """
    if labels is None:
        return np.zeros(int(kept.sum()), dtype=np.int_)
    arrays.groups(labels, kept.size, "strata")
    return arrays.groups(np.asarray(labels)[kept])
