"""Models against each other, on the same patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from oncotrail.evaluation.judged import CHOOSES, Judged
from oncotrail.statistics.discrimination.area import paired_test
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.multiplicity import holm

COLUMNS = (
    "role",
    "first",
    "second",
    "difference",
    "low",
    "high",
    "z",
    "p",
    "p_holm",
    "patients",
    "events",
)


@dataclass(frozen=True)
class Comparison:
    """DeLong's test of one pair; `p_holm` takes account of all pairs compared in that role."""

    role: str
    first: str
    second: str
    test: Difference
    p_holm: float | None


def comparisons(
    judged: Mapping[str, Judged], models: Sequence[str], confidence: float
) -> tuple[Comparison, ...]:
    """Each pair of `models`, in every role but the one that chose their thresholds."""
    return tuple(
        comparison
        for role, among in judged.items()
        if role != CHOOSES
        for comparison in _in_role(among, models, confidence)
    )


def comparison_table(found: Sequence[Comparison]) -> pd.DataFrame:
    """A row per pair and role; `difference` is the first AUC minus the second."""
    rows = [
        (
            each.role,
            each.first,
            each.second,
            each.test.value,
            each.test.low,
            each.test.high,
            each.test.statistic,
            each.test.p_value,
            each.p_holm,
            each.test.n,
            each.test.events,
        )
        for each in found
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _in_role(among: Judged, models: Sequence[str], confidence: float) -> list[Comparison]:
    pairs = list(combinations(models, 2))
    tests = [
        paired_test(among.labels, among.scores[first], among.scores[second], confidence)
        for first, second in pairs
    ]
    adjusted = holm([test.p_value for test in tests])
    return [
        Comparison(among.role, first, second, test, p_holm)
        for (first, second), test, p_holm in zip(pairs, tests, adjusted, strict=True)
    ]
