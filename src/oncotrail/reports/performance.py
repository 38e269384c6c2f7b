"""What the models are worth: the headline, tables with intervals, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncotrail.reports.cells import Cell, Grid, decimals, words
from oncotrail.reports.drawings import Forest, forest
from oncotrail.reports.models import (
    CHOOSING,
    FIGURES,
    JUDGING,
    PATIENTS,
    PROBABILITIES,
    UNDEFINED,
    Model,
)

TITLES: Mapping[str, str] = {
    "external": "External test",
    "test": "Test",
    "validation": "Validation",
}


def performance(models: tuple[Model, ...], best: str, means: str, source: str) -> tuple[Grid, ...]:
    """A table per role that judges or chooses, the strictest first; the best model is marked."""
    return tuple(
        _table(models, role, best, means, source, figures=FIGURES, title=TITLES[role])
        for role in (*JUDGING, CHOOSING)
        if _all_judged(models, role)
    )


def probabilities(
    models: tuple[Model, ...], best: str, means: str, source: str
) -> tuple[Grid, ...]:
    """Whether scores are right as probabilities: a table per role that judges."""
    return tuple(
        _table(
            models,
            role,
            best,
            means,
            source,
            figures=PROBABILITIES,
            title=f"{TITLES[role]}, scores as probabilities",
        )
        for role in JUDGING
        if _all_judged(models, role)
    )


def thresholds(
    models: tuple[Model, ...], chosen: Mapping[str, Mapping[str, Any]], source: str
) -> Grid:
    """Each model's threshold, and whom it comes from; `chosen` by short name."""
    rows = []
    for model in models:
        one = chosen[model.name]
        on_whom = f"on {one['patients']} {PATIENTS[one['role']]}, {one['events']} events"
        rule = Cell(f"{words(one['rule']).capitalize()} index", on_whom)
        rows.append((Cell(model.title), Cell(decimals(one["threshold"])), rule))
    columns = ("Model", "Positive from", "Chosen by")
    return Grid("Thresholds, from validation patients only", columns, tuple(rows), source)


def headline(best: Model, role: str, means: str, confidence: float) -> str:
    """The study's answer in a sentence."""
    judged = best.roles[role]
    on = f"{judged.patients:,} {PATIENTS[role]}, {judged.events:,} of them with {means}"
    area = judged.figures.get("auc")
    if area is None:
        return f"On {on}, no AUC is defined: {UNDEFINED['auc']}."
    return (
        f"The best model by validation, {best.title} (reads {best.reads}), has an AUC of "
        f"{decimals(area.value)} ({100 * confidence:g} % interval {decimals(area.low)} to "
        f"{decimals(area.high)}) on {on}."
    )


def overview(models: tuple[Model, ...], role: str, best: str) -> Forest | None:
    """The AUCs beneath each other; None where no model has one."""
    found = {model.title: model.roles[role].figures.get("auc") for model in models}
    known = {name: (f.value, f.low, f.high) for name, f in found.items() if f is not None}
    if not known:
        return None
    return forest(f"AUC with its interval on {PATIENTS[role]}", known, words(best))


def _all_judged(models: tuple[Model, ...], role: str) -> bool:
    return all(role in model.roles for model in models)


def _table(
    models: tuple[Model, ...],
    role: str,
    best: str,
    means: str,
    source: str,
    *,
    figures: Mapping[str, str],
    title: str,
) -> Grid:
    first = models[0].roles[role]
    caption = f"{title}: {first.patients:,} patients, {first.events:,} with {means}"
    rows = tuple(
        (Cell(model.title, model.reads), *model.roles[role].cells(figures)) for model in models
    )
    marked = frozenset(place for place, model in enumerate(models) if model.name == best)
    return Grid(caption, ("Model", *figures.values()), rows, source, marked)
