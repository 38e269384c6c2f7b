"""A model's folds and seeds in the shapes of results.py; nothing where it has one of each.

`auc_fold_average` is the mean over the outer folds, `auc_fold_0` that of one; `<metric>_seed_mean`
and `<metric>_seed_deviation` are over the seeds, `<metric>_seed_0` is that of the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oncotrail.evaluation.averaged import METHOD
from oncotrail.evaluation.figures import DIGITS, WithInterval, cells, ends, flattened
from oncotrail.evaluation.judged import JUDGES
from oncotrail.evaluation.performance import ModelPerformance
from oncotrail.evaluation.seeds import OverSeeds, Spread

AVERAGE = "fold_average"


def rows(each: ModelPerformance, spread: OverSeeds | None) -> Iterator[tuple[Any, ...]]:
    """Rows of table.csv, from the role on."""
    if each.averaged is not None:
        tested = each.roles[JUDGES]
        of_all = (tested.patients, tested.events)
        method = f"{METHOD}, {len(each.averaged.folds)} folds"
        mean = ends(each.averaged.mean).values()
        yield (JUDGES, f"auc_{AVERAGE}", *mean, *of_all, method)
        for number, area in each.averaged.folds.items():
            yield (JUDGES, f"auc_fold_{number}", *cells(area))
    for role, metric, of in _spreads(spread):
        yield from _rows_of_seeds(role, metric, of)


def nested(each: ModelPerformance, spread: OverSeeds | None) -> dict[str, Any]:
    """Sections `folds` and `seeds` of a model in metrics.json."""
    said: dict[str, Any] = {}
    if each.averaged is not None:
        of_folds = {
            str(number): {**ends(area), "patients": area.n, "events": area.events}
            for number, area in each.averaged.folds.items()
        }
        chosen = {
            str(number): round(threshold.value, DIGITS)
            for number, threshold in each.thresholds.items()
        }
        average = {**ends(each.averaged.mean), "each": of_folds}
        said["folds"] = {f"{JUDGES}_auc": average, "threshold": chosen}
    for role, metric, of in _spreads(spread):
        values = [round(figure.value, DIGITS) for figure in of.figures]
        of_seeds = {**ends(of.mean), "deviation": ends(of.deviation), "each": values}
        said.setdefault("seeds", {}).setdefault(role, {})[metric] = of_seeds
    return said


def area(each: ModelPerformance) -> dict[str, float]:
    """The mean over folds beside the pooled AUC, in auc.json."""
    if each.averaged is None:
        return {}
    return {f"{JUDGES}_{AVERAGE}": round(each.averaged.mean.value, DIGITS)}


def flat(each: ModelPerformance, spread: OverSeeds | None) -> dict[str, float]:
    """Figures of a model's page; a slash makes a section of its own there."""
    said: dict[str, float] = {}
    if each.averaged is not None:
        said |= flattened(f"{JUDGES}_auc_{AVERAGE}", each.averaged.mean)
        for number, one in each.averaged.folds.items():
            said |= flattened(f"over_folds/{JUDGES}_auc_{number}", one)
        for number, threshold in each.thresholds.items():
            said[f"over_folds/threshold_{number}"] = round(threshold.value, DIGITS)
    for role, metric, of in _spreads(spread):
        said |= flattened(f"over_seeds/{role}_{metric}_mean", of.mean)
        said |= flattened(f"over_seeds/{role}_{metric}_deviation", of.deviation)
        for seed, figure in enumerate(of.figures):
            said[f"over_seeds/{role}_{metric}_{seed}"] = round(figure.value, DIGITS)
    return said


def sentence(each: ModelPerformance, spread: OverSeeds | None, role: str) -> str:
    """What the terminal's line of a model goes on with."""
    parts = []
    if each.averaged is not None and role == JUDGES:
        folds = len(each.averaged.folds)
        parts.append(f"mean of {folds} folds {_with_interval(each.averaged.mean)}")
    if spread is not None:
        of = spread.roles[role]["auc"]
        parts.append(
            f"mean of {len(of.figures)} seeds {of.mean.value:.3f}, "
            f"deviation {of.deviation.value:.3f}"
        )
    return "".join(f"; {part}" for part in parts)


def _spreads(spread: OverSeeds | None) -> Iterator[tuple[str, str, Spread]]:
    if spread is not None:
        for role, metrics in spread.roles.items():
            for metric, of in metrics.items():
                yield role, metric, of


def _rows_of_seeds(role: str, metric: str, of: Spread) -> Iterator[tuple[Any, ...]]:
    first, seeds = of.figures[0], len(of.figures)
    on = (first.n, first.events)
    yield (role, f"{metric}_seed_mean", *ends(of.mean).values(), *on, f"t, {seeds} seeds")
    deviation = ends(of.deviation).values()
    yield (role, f"{metric}_seed_deviation", *deviation, *on, f"chi-squared, {seeds} seeds")
    for seed, figure in enumerate(of.figures):
        yield (role, f"{metric}_seed_{seed}", *cells(figure))


def _with_interval(figure: WithInterval) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f} (no interval: all are equal)"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
