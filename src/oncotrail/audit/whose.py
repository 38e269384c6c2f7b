"""Whom something was really fitted on: the patients of which a fit comes out the same.

A record that is not true leaves the question open. It is asked of every role, and of roles
together, the fewest first: faults take whole roles, as when scaling comes before the split.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from oncotrail.audit.finding import Violation

Fits = Callable[
    [frozenset[str]], bool
]  # whether a fit on these patients comes out as what is there


@dataclass(frozen=True)
class Group:
    """The patients of one role or of several; of training patients, those that fit one thing."""

    name: str
    patients: frozenset[str]


def groups(split: pd.DataFrame, among: Collection[str]) -> list[Group]:
    """Every union of roles, fewest roles first, of the patients `among` the split's."""
    known = split[split["patient"].isin(among)]
    kinds = known["fits"].fillna(known["role"]).astype(str)
    own = {str(kind): frozenset(rows.astype(str)) for kind, rows in known["patient"].groupby(kinds)}
    return [
        Group(" and ".join(names), frozenset().union(*(own[name] for name in names)))
        for size in range(1, len(own) + 1)
        for names in combinations(sorted(own), size)
    ]


def with_whose(wrong: Violation, among: list[Group], fits: Fits) -> Violation:
    """`wrong` says that a fit is not that of the patients whom it names; say also whose it is.

    Then it names those of them whom nobody admitted to.
    """
    group = next((group for group in among if fits(group.patients)), None)
    if group is None:
        return wrong
    says = f"{wrong.says}; it is that of the {len(group.patients)} {group.name} patients"
    unnamed = group.patients.difference(wrong.patients) or group.patients
    return replace(wrong, says=says, patients=tuple(sorted(unnamed)))
