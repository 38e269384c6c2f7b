"""Models against each other, on the same patients.

DeLong's test is paired by patient; in a cross-validation on the pooled test patients, each with the
scores of the own fold. There the difference is also averaged over the outer folds, with Nadeau and
Bengio's test, which knows that other training patients would have made other models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from oncotrail.evaluation.averaged import average_difference
from oncotrail.evaluation.folds import Judgement
from oncotrail.evaluation.judged import CHOOSES, JUDGES
from oncotrail.statistics.discrimination.area import paired_test
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.multiplicity import holm
from oncotrail.statistics.uncertainty.cross_validation import FoldTest

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


OVER_FOLDS = ("fold_difference", "fold_low", "fold_high", "fold_t", "fold_p", "fold_p_holm")


@dataclass(frozen=True)
class Comparison:
    """The tests of one pair in one role; those over folds only where there are folds.

    `p_holm` and `over_folds_p_holm` take account of all pairs compared in that role.
    """

    role: str
    first: str
    second: str
    test: Difference
    p_holm: float | None
    over_folds: FoldTest | None = None
    over_folds_p_holm: float | None = None


def comparisons(
    judgement: Judgement, models: Sequence[str], confidence: float
) -> tuple[Comparison, ...]:
    """Each pair of `models`, in every role but the one that chose their thresholds."""
    return tuple(
        comparison
        for role in judgement.roles
        if role != CHOOSES
        for comparison in _in_role(judgement, role, models, confidence)
    )


def comparison_table(found: Sequence[Comparison]) -> pd.DataFrame:
    """A row per pair and role; `difference` is the first AUC minus the second."""
    crossed = any(each.over_folds is not None for each in found)
    rows = [(*_cells(each), *(_cells_over_folds(each) if crossed else ())) for each in found]
    return pd.DataFrame(rows, columns=[*COLUMNS, *(OVER_FOLDS if crossed else ())])


def _in_role(
    judgement: Judgement, role: str, models: Sequence[str], confidence: float
) -> list[Comparison]:
    among = judgement.roles[role]
    pairs = list(combinations(models, 2))
    tests = [
        paired_test(among.labels, among.scores[first], among.scores[second], confidence)
        for first, second in pairs
    ]
    crossed = judgement.crossed if role == JUDGES else ()
    over_folds = [
        average_difference(crossed, *pair, confidence) if crossed else None for pair in pairs
    ]
    p_holm = holm([test.p_value for test in tests])
    over_folds_p_holm = holm([None if test is None else test.p_value for test in over_folds])
    return [
        Comparison(
            role, *pair, tests[place], p_holm[place], over_folds[place], over_folds_p_holm[place]
        )
        for place, pair in enumerate(pairs)
    ]


def _cells(each: Comparison) -> tuple[Any, ...]:
    test = each.test
    pair = (each.role, each.first, each.second)
    interval = (test.value, test.low, test.high)
    return (*pair, *interval, test.statistic, test.p_value, each.p_holm, test.n, test.events)


def _cells_over_folds(each: Comparison) -> tuple[Any, ...]:
    if each.over_folds is None:
        return (None,) * len(OVER_FOLDS)
    mean = each.over_folds.difference
    tested = (each.over_folds.t, each.over_folds.p_value, each.over_folds_p_holm)
    return (mean.value, mean.low, mean.high, *tested)
