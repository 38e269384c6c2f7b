"""Groups of equal size, such as tertiles, whose cuts are chosen on training rows only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Integers
from oncotrail.statistics.chosen import Chosen, fingerprint, halfway


@dataclass(frozen=True, kw_only=True)
class QuantileGroups(Chosen):
    """Cuts at quantiles of one marker, and on whom they were chosen; `rows` are its values.

    `quantiles` are those of R and numpy (type 7). Each of `cuts` is halfway between the two values
    on the sides of its quantile, a value at the quantile itself being on the lower one: nobody who
    chose the cuts is at one.
    """

    quantiles: tuple[float, ...]
    cuts: tuple[float, ...]

    def apply(self, values: ArrayLike, *, role: str, apparent: bool = False) -> Integers:
        """The group of the patients of `role`: 0 below the first cut, 1 from it to the second...

        The role that chose the cuts, and the very same values under any name, are refused unless
        `apparent` permits it.
        """
        found = arrays.column(values, "values")
        self.is_apparent(role, fingerprint(found), apparent=apparent)
        return np.asarray(np.searchsorted(self.cuts, found, side="right"), dtype=np.int_)


def quantile_groups(values: ArrayLike, count: int, *, role: str) -> QuantileGroups:
    """Cuts into `count` groups of equal size (3: tertiles), chosen on training rows.

    Ties may make the groups unequal, and where they leave one without patients it is refused.

    >>> groups = quantile_groups([1, 2, 3, 4, 5, 6, 7], 3, role="train")
    >>> groups.quantiles, groups.cuts, groups.apply([0, 3, 4, 99], role="test").tolist()
    ((3.0, 5.0), (3.5, 5.5), [0, 0, 1, 2])
    """
    ordered = np.sort(arrays.column(values, "values"))
    if count < 2:
        raise ValueError(f"found count {count}; expected at least 2 groups.")
    # Whole numbers, as (n - 1) x 2 / 3 may be rounded to below the place it stands for.
    below = ordered[(ordered.size - 1) * np.arange(1, count) // count]
    place = np.searchsorted(ordered, below, side="right")
    quantiles = np.quantile(ordered, np.arange(1, count) / count)
    if place[-1] == ordered.size or np.unique(place).size < count - 1:
        raise arrays.Undefined(
            f"found too few distinct values for {count} groups (quantiles "
            f"{', '.join(f'{quantile:g}' for quantile in quantiles)}); expected patients in every "
            "group. Ask for fewer groups."
        )
    return QuantileGroups(
        chosen_on=role,
        n=ordered.size,
        rows=fingerprint(ordered),
        quantiles=tuple(quantiles.tolist()),
        cuts=tuple(map(halfway, below.tolist(), ordered[place].tolist())),
    )
