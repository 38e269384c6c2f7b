"""How much a network's validation figures vary: from start to start, and from fold to fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oncotrail.cohort.folds import Part
from oncotrail.statistics.uncertainty.cross_validation import seed_interval, seed_spread

_FIGURES = "best_epoch/validation_"


def spread(figures: Mapping[Part, Mapping[str, float]], main: Part) -> dict[str, float]:
    """Mean and standard deviation over seeds and over folds, of the parts that left nobody out.

    Over the seeds of the fold that is kept, and over the first seed of the folds that have test
    patients. Folds share patients: their deviation is no standard error.
    """
    seeds = [part for part in figures if part == Part(main.outer_fold, seed=part.seed)]
    folds = [part for part in figures if part == Part(part.outer_fold) and part != main]
    return {
        **_over("seeds", [figures[part] for part in seeds]),
        **_over("folds", [figures[part] for part in folds]),
    }


def _over(what: str, figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    if len(figures) < 2:  # noqa: PLR2004  one has no spread
        return {}
    found = {}
    for name in (name for name in figures[0] if name.startswith(_FIGURES)):
        values, short = [of[name] for of in figures], name.removeprefix("best_epoch/")
        found[f"{what}/{short}_mean"] = seed_interval(values).value
        found[f"{what}/{short}_deviation"] = seed_spread(values).value
    return found
