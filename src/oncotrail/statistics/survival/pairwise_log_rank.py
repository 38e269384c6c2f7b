"""The log-rank test of every two of k groups, with p-values that allow for how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.multiplicity import holm
from oncotrail.statistics.survival.log_rank import LogRank, log_rank


@dataclass(frozen=True)
class Pair:
    """Two of the groups compared, with Holm's p-value over all pairs."""

    first: Any
    second: Any
    test: LogRank
    adjusted_p_value: float | None


def pairwise(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> tuple[Pair, ...]:
    """`log_rank` of every two groups, on the patients of these two, with Holm's adjustment.

    >>> found = pairwise([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], list("aabbcc"))
    >>> [(pair.first, pair.second) for pair in found]
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    """
    patients = arrays.survived(times, events)
    place = arrays.groups(groups, patients.n)
    label = np.asarray(groups)
    stratum = None if strata is None else arrays.groups(strata, patients.n, "strata")
    pairs = []
    for first, second in combinations(range(int(place.max()) + 1), 2):
        kept = (place == first) | (place == second)
        test = log_rank(
            patients.times[kept],
            patients.events[kept],
            label[kept],
            strata=None if stratum is None else stratum[kept],
            rho=rho,
        )
        pairs.append(test)
    adjusted = holm([test.p_value for test in pairs])
    return tuple(
        Pair(test.groups[0].label, test.groups[1].label, test, p)
        for test, p in zip(pairs, adjusted, strict=True)
    )
