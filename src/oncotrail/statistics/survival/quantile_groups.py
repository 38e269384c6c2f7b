"""Groups of equal size, such as tertiles, whose cuts are learned on training rows only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Integers
from oncotrail.statistics.survival.cut_points import Learned


@dataclass(frozen=True, kw_only=True)
class QuantileGroups(Learned):
    """Cuts at quantiles of one marker, and on whom they were learned."""

    cuts: tuple[float, ...]

    def apply(self, values: ArrayLike) -> Integers:
        """The group of any patients: 0 up to the first cut, 1 above it up to the second..."""
        found = arrays.column(values, "values")
        return np.asarray(np.searchsorted(self.cuts, found, side="left"), dtype=np.int_)


def quantile_groups(values: ArrayLike, count: int, *, on_whom: str) -> QuantileGroups:
    """Cuts into `count` groups of equal size (3: tertiles), learned on training rows.

    The cuts are the type 7 quantiles of R and numpy; ties may make the groups unequal, and where
    they leave one without patients it is refused.

    >>> groups = quantile_groups([1, 2, 3, 4, 5, 6, 7], 3, on_whom="train")
    >>> groups.cuts, groups.apply([0, 3, 4, 99]).tolist()
    ((3.0, 5.0), [0, 0, 1, 2])
    """
    found = arrays.column(values, "values")
    if count < 2:
        raise ValueError(f"found count {count}; expected at least 2 groups.")
    cuts = np.quantile(found, np.arange(1, count) / count)
    groups = QuantileGroups(cuts=tuple(cuts.tolist()), on_whom=on_whom, n=found.size)
    if np.unique(groups.apply(found)).size < count:
        raise arrays.Undefined(
            f"found too few distinct values for {count} groups (cuts at "
            f"{', '.join(f'{cut:g}' for cut in cuts)}); expected patients in every group. "
            "Ask for fewer groups."
        )
    return groups
