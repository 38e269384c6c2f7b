"""A cut in one marker that was chosen because it separates an outcome best.

It has, on the patients it was chosen on, a p-value that is far too small: it is the best of many.
So the cut says on whom it was chosen, its p-value is that of the maximally selected statistic
(`maximal_statistic`), and `apply` takes it to other patients without looking at their outcome.

The cut lies halfway between two values, so that on the patients who chose it nobody is at it.
Elsewhere a value of at least the cut is above it, as with every threshold here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.chosen import Chosen, fingerprint
from oncotrail.statistics.maximal_statistic import Correction, Shares, maximal_statistic


@dataclass(frozen=True)
class Search:
    """How a cut is looked for: among which, and with which correction of its p-value.

    "permutation" needs a `generator`.
    """

    shares: Shares
    correction: Correction
    generator: np.random.Generator | None
    permutations: int


@dataclass(frozen=True, kw_only=True)
class CutPoint(Chosen):
    """A cut in one marker, and how it was chosen; `rows` are the values of the marker.

    `value` is halfway between `highest_below`, which maxstat calls the cut-point, and the next
    value. `statistic` is the standardised difference at the cut (2 is large for a cut fixed in
    advance), `p_value` its two-sided p-value corrected for the search, `naive_p_value` the one that
    ignores it and must not be reported. `higher_is_worse` says on which side the events were.
    """

    value: float
    highest_below: float
    events: int
    below: int
    above: int
    higher_is_worse: bool
    statistic: float
    p_value: float
    naive_p_value: float
    correction: Correction
    cuts_tried: int
    shares: Shares

    def apply(self, values: ArrayLike, *, role: str, apparent: bool = False) -> Flags:
        """Who of the patients of `role` is above the cut (`value` or more).

        The role that chose it, and the very same values under any name, are refused unless
        `apparent` permits it: groups made on them differ too much.
        """
        found = arrays.column(values, "values")
        self.is_apparent(role, fingerprint(found), apparent=apparent)
        return np.asarray(found >= self.value, dtype=bool)


def best_cut(marker: Floats, scores: Floats, search: Search, *, events: int, role: str) -> CutPoint:
    """The cut of `marker` that separates `scores` (higher is worse) best.

    >>> from oncotrail.statistics.maximal_statistic import TENTHS
    >>> marker, scores = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0])
    >>> search = Search(TENTHS, "Lau94", generator=None, permutations=0)
    >>> best_cut(marker, scores, search, events=2, role="train").value
    2.5
    """
    found = maximal_statistic(
        marker,
        scores,
        search.shares,
        search.correction,
        generator=search.generator,
        permutations=search.permutations,
    )
    statistic = abs(found.signed)
    return CutPoint(
        chosen_on=role,
        n=marker.size,
        rows=fingerprint(marker),
        value=found.cut,
        highest_below=found.highest_below,
        events=events,
        below=found.below,
        above=marker.size - found.below,
        higher_is_worse=found.signed < 0,
        statistic=statistic,
        p_value=found.p_value,
        naive_p_value=float(chdtrc(1, statistic**2)),
        correction=search.correction,
        cuts_tried=found.cuts_tried,
        shares=search.shares,
    )
