"""Models that were made more than once: in the folds of a cross-validation, from several seeds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from oncotrail.reports.cells import Cell, Grid, decimals
from oncotrail.reports.comparisons import Difference, differences, row_of
from oncotrail.reports.models import JUDGING, PATIENTS, Figure, Model

TESTED = "test"
AVERAGE = "auc_fold_average"
OF_A_FOLD = re.compile(r"auc_fold_\d+")
OF_A_SEED = re.compile(r"auc_seed_\d+")
SEED_MEAN, SEED_DEVIATION = "auc_seed_mean", "auc_seed_deviation"
NO_INTERVAL = "no interval: all are equal"


@dataclass(frozen=True)
class Repeats:
    """Sentences and tables; none of either where everything was made once."""

    sentences: tuple[str, ...]
    grids: tuple[Grid, ...]


def repeats(models: Sequence[Model], found: Sequence[Difference], source: str) -> Repeats:
    """What folds and seeds say of these models; `found` are the differences over folds."""
    crossed = [model for model in models if AVERAGE in _tested(model)]
    seeded = [model for model in models if SEED_MEAN in _tested(model)]
    grids = [_folds(crossed, source)] if crossed else []
    grids += [_compared(found, source)] if crossed and found else []
    roles = [role for role in JUDGING if seeded and role in seeded[0].roles]
    grids += [_seeds(seeded, role, source) for role in roles]
    sentences = (*(_of_folds(crossed[0]) if crossed else ()), *(_of_seeds() if seeded else ()))
    return Repeats(sentences, tuple(grids))


def differences_over_folds(
    study: str, table: pd.DataFrame, order: Sequence[str]
) -> tuple[Difference, ...]:
    """As evaluate's comparisons.csv has them, the later model in `order` minus the earlier."""
    if "fold_difference" not in table:
        return ()
    named = {"fold_difference": "difference", "fold_low": "low", "fold_high": "high"}
    columns = ["role", "first", "second", *named, "fold_p_holm", "patients"]
    of_folds = table[columns].rename(columns={**named, "fold_p_holm": "p_holm"})
    return differences(study, of_folds, TESTED, order)


def _tested(model: Model) -> Mapping[str, Figure]:
    return model.roles[TESTED].figures


def _of_folds(model: Model) -> tuple[str, ...]:
    folds, judged = len(_each(_tested(model), OF_A_FOLD)), model.roles[TESTED]
    how = (
        f"Cross-validation: each of {judged.patients:,} patients was test once, in the one of "
        f"{folds} outer folds whose models did not learn from that patient, and was decided upon "
        "at the threshold that this fold's validation patients had chosen. The models that are "
        "kept learned from the whole cohort: the cross-validation says what to expect of them, "
        "and figures on validation and external patients are of the kept models themselves."
    )
    which = (
        "The pooled AUC also compares patients of different folds, so it falls short where the "
        "folds' models put their scores on different scales; its interval takes the scores as "
        "given. The mean over folds compares patients within a fold; its interval (Nadeau and "
        "Bengio's) also covers other training patients, and knows that the folds share theirs."
    )
    return how, which


def _of_seeds() -> tuple[str, ...]:
    said = (
        "Some networks were trained again from other seeds, on the same patients. Figures "
        "elsewhere on this page are of the first, which is the one that is served. Intervals over "
        "seeds cover other seeds on these patients, not other patients."
    )
    return (said,)


def _folds(models: Sequence[Model], source: str) -> Grid:
    rows = []
    for model in models:
        figures = _tested(model)
        each = _each(figures, OF_A_FOLD)
        ends = Cell(f"{decimals(min(each))} to {decimals(max(each))}", f"{len(each)} folds")
        mean = _with_interval(figures[AVERAGE])
        rows.append((Cell(model.title), figures["auc"].cell(), mean, ends))
    columns = ("Model", "Pooled", "Mean over folds", "Lowest to highest fold")
    return Grid("AUC of the cross-validation, pooled and by fold", columns, tuple(rows), source)


def _compared(found: Sequence[Difference], source: str) -> Grid:
    rows = tuple(row_of(each, "all folds differ by the same") for each in found)
    columns = ("Models", "Mean difference", "Adjusted p")
    return Grid("Differences in AUC, averaged over the folds", columns, rows, source)


def _seeds(models: Sequence[Model], role: str, source: str) -> Grid:
    rows = []
    for model in models:
        figures = model.roles[role].figures
        each = [decimals(value) for value in _each(figures, OF_A_SEED)]
        scatter = _with_interval(figures[SEED_DEVIATION])
        mean = _with_interval(figures[SEED_MEAN])
        rows.append((Cell(model.title, f"{len(each)} seeds"), Cell(", ".join(each)), mean, scatter))
    columns = ("Model", "AUC of each seed", "Mean", "Standard deviation")
    return Grid(f"AUC by seed, on {PATIENTS[role]}", columns, tuple(rows), source)


def _each(figures: Mapping[str, Figure], named: re.Pattern[str]) -> list[float]:
    return [figure.value for name, figure in figures.items() if named.fullmatch(name)]


def _with_interval(figure: Figure) -> Cell:
    if math.isnan(figure.low) or math.isnan(figure.high):
        return Cell(decimals(figure.value), NO_INTERVAL)
    return Cell(decimals(figure.value), f"{decimals(figure.low)} to {decimals(figure.high)}")
