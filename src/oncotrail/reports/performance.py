"""What the models are worth: tables with intervals, the publication beside them, the headline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oncotrail.reports.cells import Cell, Grid, decimals, undefined, with_interval, words
from oncotrail.reports.drawings import Forest, forest
from oncotrail.study.fusion import Fusion
from oncotrail.study.question import Published

FIGURES: Mapping[str, str] = {
    "auc": "AUC",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
# Why a figure may be undefined: it has no denominator.
UNDEFINED: Mapping[str, str] = {
    "auc": "only one outcome occurred",
    "accuracy": "nobody here",
    "sensitivity": "nobody had the outcome",
    "specificity": "everybody had the outcome",
    "ppv": "nobody was called positive",
    "npv": "nobody was called negative",
}
TITLES: Mapping[str, str] = {
    "external": "External test",
    "test": "Test",
    "validation": "Validation (flattered: epoch, threshold and best model were chosen on these)",
    "train": "Training",
}
JUDGING = ("external", "test")  # the strictest that there is


@dataclass(frozen=True)
class Model:
    """One model's name, what it reads, and its figures by role."""

    name: str
    reads: str
    by_role: Mapping[str, Mapping[str, Any]]
    threshold: float | None

    def figures(self, role: str) -> Mapping[str, Any]:
        """patients, events and an interval per figure; empty where nobody has this role."""
        return self.by_role.get(role, {})

    def interval(self, role: str, figure: str) -> tuple[float, float, float] | None:
        """(value, low, high), or None where the figure is undefined."""
        found = self.figures(role).get(figure) or {}
        ends = (found.get("value"), found.get("low"), found.get("high"))
        return None if None in ends else (float(ends[0]), float(ends[1]), float(ends[2]))


@dataclass(frozen=True)
class Publication:
    """Sentences on the publication, and its figures beside ours."""

    sentences: tuple[str, ...]
    grid: Grid | None


def models_of(
    study: str, metrics: Mapping[str, Mapping[str, Any]], fusion: Fusion, networks: Iterable[str]
) -> tuple[Model, ...]:
    """The study's models, fusions first; `metrics` as metrics.json has them."""
    reads = {name: _reads(study, columns.clinical, columns.networks) for name, columns in fusion.models.items()}
    reads |= {name.removeprefix(f"{study}-"): "the picture alone" for name in networks}
    return tuple(
        Model(
            name,
            what,
            {role: found for role, found in metrics[name].items() if role in TITLES},
            metrics[name].get("threshold"),
        )
        for name, what in reads.items()
    )


def strictest(models: Iterable[Model]) -> str:
    """The role that judges: external where there is one, else test."""
    roles = {role for model in models for role in model.by_role}
    return next((role for role in JUDGING if role in roles), "validation")


def tables(models: tuple[Model, ...], means: str, source: str) -> tuple[Grid, ...]:
    """A table per role that judges or chooses, the strictest first."""
    roles = [role for role in (*JUDGING, "validation") if any(model.figures(role) for model in models)]
    return tuple(_table(models, role, means, source) for role in roles)


def thresholds(models: tuple[Model, ...], rule: str, source: str) -> Grid:
    """Each model's threshold, and the patients whom it comes from."""
    rows = []
    for model in models:
        chosen_on = model.figures("validation")
        patients = f"{chosen_on.get('patients', 0)} validation patients"
        value = undefined("none") if model.threshold is None else Cell(decimals(model.threshold))
        rows.append((Cell(words(model.name)), value, Cell(rule, patients)))
    columns = ("Model", "Positive from a score of", "Chosen by")
    return Grid("Thresholds, from validation patients only", columns, tuple(rows), source)


def headline(best: Model, role: str, means: str, confidence: float) -> str:
    """The study's answer in a sentence."""
    figures, area = best.figures(role), best.interval(role, "auc")
    on = f"{figures['patients']} {_patients(role)}, {figures['events']} of them with {means}"
    if area is None:
        return f"On {on}, no AUC is defined: {UNDEFINED['auc']}."
    value, low, high = map(decimals, area)
    return (
        f"On {on}, the best model by validation, {words(best.name)} ({best.reads}), has an AUC of "
        f"{value} ({100 * confidence:g} % interval {low} to {high})."
    )


def overview(models: tuple[Model, ...], role: str, best: str) -> Forest | None:
    """The AUCs beneath each other; None where no model has one."""
    found = {words(model.name): model.interval(role, "auc") for model in models}
    known = {name: interval for name, interval in found.items() if interval is not None}
    if not known:
        return None
    return forest(f"AUC on {_patients(role)} with its interval, by model", known, words(best))


def beside(
    published: Published | None, models: tuple[Model, ...], role: str, *, invented: bool, source: str
) -> Publication:
    """The publication's table with ours beside it."""
    if published is None:
        return Publication(("The study file names no publication.",), None)
    sentences = [f"Published: {published.reference}, {published.patients} patients."]
    if invented:
        sentences.append(
            "The patients behind our figures never lived. Our rows show that the pipeline runs and how "
            "a comparison would look; they neither confirm nor refute the publication."
        )
    by_name = {model.name: model for model in models}
    rows = [
        row
        for name, figures in published.figures.items()
        for row in (_published_row(name, figures, published.patients), _our_row(by_name[name], role))
    ]
    columns = ("Model", *FIGURES.values())
    return Publication(tuple(sentences), Grid("Published and ours", columns, tuple(rows), source))


def _table(models: tuple[Model, ...], role: str, means: str, source: str) -> Grid:
    first = next(figures for model in models if (figures := model.figures(role)))
    caption = f"{TITLES[role]}: {first['patients']} patients, {first['events']} with {means}"
    rows = tuple((Cell(words(model.name), model.reads), *_cells(model, role)) for model in models)
    return Grid(caption, ("Model", *FIGURES.values()), rows, source)


def _cells(model: Model, role: str) -> tuple[Cell, ...]:
    figures = model.figures(role)
    return tuple(
        with_interval(*_ends(figures.get(name)), reason=UNDEFINED[name]) for name in FIGURES
    )


def _ends(found: Mapping[str, Any] | None) -> tuple[float | None, float | None, float | None]:
    known = found or {}
    return known.get("value"), known.get("low"), known.get("high")


def _published_row(name: str, figures: Mapping[str, float], patients: int) -> tuple[Cell, ...]:
    said = (
        Cell(decimals(figures[figure])) if figure in figures else undefined("not given")
        for figure in FIGURES
    )
    return (Cell(words(name), f"published, {patients} patients in all"), *said)


def _our_row(model: Model, role: str) -> tuple[Cell, ...]:
    judged = f"here, {model.figures(role).get('patients', 0)} {_patients(role)}"
    return (Cell(words(model.name), judged), *_cells(model, role))


def _patients(role: str) -> str:
    return "patients of held-out sites" if role == "external" else f"{role} patients"


def _reads(study: str, clinical: bool, networks: tuple[str, ...]) -> str:  # noqa: FBT001
    pictures = " and ".join(name.removeprefix(f"{study}-") for name in networks)
    parts = ["clinical record"] if clinical else []
    parts += [f"pictures {pictures}" if len(networks) > 1 else f"picture {pictures}"] if networks else []
    return " + ".join(parts)
