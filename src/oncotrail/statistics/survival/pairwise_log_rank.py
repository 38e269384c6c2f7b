"""The log-rank test of every two of k groups, with p-values that allow for how many there are.

Each pair is a test of its own (`log_rank`), as survminer's pairwise_survdiff has it, and not a
contrast within one model of all groups. The p-values are then adjusted over all pairs (Holm,
Scandinavian Journal of Statistics 1979, 6:65; Benjamini and Hochberg, JRSS B 1995, 57:289).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.case_weights import case_weights
from oncotrail.statistics.multiplicity import benjamini_hochberg, holm
from oncotrail.statistics.survival.compared_groups import compared_groups, strata_of
from oncotrail.statistics.survival.log_rank import LogRank, log_rank

Adjustment = Literal["holm", "benjamini-hochberg"]


@dataclass(frozen=True)
class Pair:
    """Two of the groups compared, and the p-value adjusted over all pairs that can be tested.

    It is None where the pair has nobody at risk together at an event.
    """

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
    weights: ArrayLike | None = None,
    robust: bool | None = None,
    adjustment: Adjustment = "holm",
) -> tuple[Pair, ...]:
    """`log_rank` of every two groups, on the patients of these two; at least two groups.

    One rule of variance holds for all pairs. "holm" adjusts for the chance of any false finding,
    "benjamini-hochberg" for the share of false ones among the findings.

    >>> found = pairwise([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], list("aabbcc"))
    >>> [(pair.first, pair.second) for pair in found]
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    """
    arrays.one_of(adjustment, get_args(Adjustment), "adjustment")
    patients = arrays.survived(times, events)
    weight = case_weights(weights, patients.n, robust=robust)
    found, stratum = compared_groups(groups, weight.kept), strata_of(strata, weight.kept)
    columns = (patients.times, patients.events, np.asarray(groups))
    rows = [column[weight.kept] for column in columns]
    tests = []
    for pair in combinations(range(len(found.labels)), 2):
        here = np.isin(found.place, pair)
        tests.append(
            log_rank(
                *(column[here] for column in rows),
                strata=stratum[here],
                rho=rho,
                weights=weight.values[here],
                robust=weight.robust,
            )
        )
    return _adjusted(tests, adjustment)


def _adjusted(tests: list[LogRank], adjustment: Adjustment) -> tuple[Pair, ...]:
    adjust = holm if adjustment == "holm" else benjamini_hochberg
    adjusted = adjust([test.p_value for test in tests])
    return tuple(
        Pair(test.groups[0].label, test.groups[1].label, test, p)
        for test, p in zip(tests, adjusted, strict=True)
    )
