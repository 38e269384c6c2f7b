"""What the models are worth: the headline, tables with intervals, comparisons, the publication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from oncotrail.reports.cells import Cell, Grid, decimals, signed, undefined, words
from oncotrail.reports.drawings import Forest, forest
from oncotrail.reports.models import (
    CHOOSING,
    FIGURES,
    JUDGING,
    PATIENTS,
    UNDEFINED,
    Model,
    short,
)
from oncotrail.study.question import Published

TITLES: Mapping[str, str] = {"external": "External test", "test": "Test", "validation": "Validation"}


@dataclass(frozen=True)
class Publication:
    """Sentences on the publication, and its figures beside ours."""

    sentences: tuple[str, ...]
    grid: Grid | None


@dataclass(frozen=True)
class Difference:
    """Two models' AUCs on the same patients: the first minus the second."""

    first: str
    second: str
    value: float
    low: float | None
    high: float | None
    p_holm: float | None
    patients: int

    def turned(self) -> Difference:
        """The second minus the first."""
        low = None if self.high is None else -self.high
        high = None if self.low is None else -self.low
        return Difference(self.second, self.first, -self.value, low, high, self.p_holm, self.patients)


def performance(models: tuple[Model, ...], means: str, source: str) -> tuple[Grid, ...]:
    """A table per role that judges or chooses, the strictest first."""
    roles = [role for role in (*JUDGING, CHOOSING) if all(role in model.roles for model in models)]
    return tuple(_table(models, role, means, source) for role in roles)


def thresholds(models: tuple[Model, ...], chosen: Mapping[str, Mapping[str, Any]], source: str) -> Grid:
    """Each model's threshold, and whom it comes from; `chosen` by short name."""
    rows = tuple(
        (
            Cell(model.title),
            Cell(decimals(chosen[model.name]["threshold"])),
            Cell(
                f"{words(str(chosen[model.name]['rule'])).capitalize()} index",
                f"on {chosen[model.name]['patients']} {PATIENTS[str(chosen[model.name]['role'])]}, "
                f"{chosen[model.name]['events']} events",
            ),
        )
        for model in models
    )
    columns = ("Model", "Called positive from a score of", "Chosen by")
    return Grid("Thresholds, from validation patients only", columns, rows, source)


def differences(study: str, table: pd.DataFrame, role: str) -> tuple[Difference, ...]:
    """The pairs that evaluate compared in this role."""
    rows = table[table["role"] == role].astype(object).where(table.notna(), None)
    return tuple(
        Difference(
            short(study, row["first"]),
            short(study, row["second"]),
            row["difference"],
            row["low"],
            row["high"],
            row["p_holm"],
            int(row["patients"]),
        )
        for row in rows.to_dict("records")
    )


def compared(found: tuple[Difference, ...], role: str, source: str) -> Grid:
    """The later model of each pair minus the earlier: what adding columns brings."""
    rows = []
    for difference in found:
        each = difference.turned()
        cell = _difference_cell(each)
        p = undefined("no variance") if each.p_holm is None else Cell(p_value(each.p_holm))
        rows.append((Cell(f"{words(each.first)} minus {words(each.second)}"), cell, p))
    caption = f"Differences in AUC on the same {PATIENTS[role]}"
    columns = ("Models", "Difference in AUC", "p (DeLong, adjusted by Holm)")
    return Grid(caption, columns, tuple(rows), source)


def headline(best: Model, role: str, means: str, confidence: float) -> str:
    """The study's answer in a sentence."""
    judged = best.roles[role]
    on = f"{judged.patients:,} {PATIENTS[role]}, {judged.events:,} of them with {means}"
    area = judged.figures.get("auc")
    if area is None:
        return f"On {on}, no AUC is defined: {UNDEFINED['auc']}."
    return (
        f"The best model by validation, {best.title} ({best.reads}), has an AUC of "
        f"{decimals(area.value)} ({100 * confidence:g} % interval {decimals(area.low)} to "
        f"{decimals(area.high)}) on {on}."
    )


def answer(best: str, plainest: str, found: tuple[Difference, ...], confidence: float) -> str | None:
    """What the best model adds to the plainest, in a sentence; None where they are one."""
    both = [each for each in found if {each.first, each.second} == {best, plainest}]
    if best == plainest or not both:
        return None
    each = both[0] if both[0].first == best else both[0].turned()
    said = f"Its AUC differs from that of {words(plainest)} by {signed(each.value)}"
    if each.low is None or each.high is None or each.p_holm is None:
        return f"{said}; the two rank the {each.patients} patients alike, so no interval exists."
    ends = f"{100 * confidence:g} % interval {signed(each.low)} to {signed(each.high)}"
    verdict = (
        "The interval holds zero: these patients do not show that the pictures add anything."
        if each.low <= 0 <= each.high
        else "The interval does not hold zero."
    )
    return f"{said} ({ends}, adjusted p {p_value(each.p_holm)}). {verdict}"


def overview(models: tuple[Model, ...], role: str, best: str) -> Forest | None:
    """The AUCs beneath each other; None where no model has one."""
    found = {model.title: model.roles[role].figures.get("auc") for model in models}
    known = {name: (f.value, f.low, f.high) for name, f in found.items() if f is not None}
    if not known:
        return None
    return forest(f"AUC with its interval on {PATIENTS[role]}", known, words(best))


def beside(
    published: Published | None, models: tuple[Model, ...], role: str, *, invented: bool, source: str
) -> Publication:
    """The publication's table with ours beside it."""
    if published is None:
        return Publication(("The study file names no publication.",), None)
    sentences = [f"Published: {published.reference}, {published.patients:,} patients."]
    if invented:
        sentences.append(
            "The patients behind our figures never lived. Our rows show how a comparison looks; they "
            "neither confirm nor refute the publication."
        )
    by_name = {model.name: model for model in models}
    rows = [
        row
        for name, figures in published.figures.items()
        for row in (
            _published_row(name, figures, published.patients),
            _our_row(by_name[name], role),
        )
    ]
    columns = ("Model", *FIGURES.values())
    return Publication(tuple(sentences), Grid("Published and ours", columns, tuple(rows), source))


def p_value(p: float) -> str:
    """A p-value to three decimals; none is ever zero.

    >>> p_value(0.00004), p_value(0.0312)
    ('< 0.001', '0.031')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - what three decimals can say


def _table(models: tuple[Model, ...], role: str, means: str, source: str) -> Grid:
    first = models[0].roles[role]
    caption = f"{TITLES[role]}: {first.patients:,} patients, {first.events:,} with {means}"
    rows = tuple((Cell(model.title, model.reads), *model.roles[role].cells()) for model in models)
    return Grid(caption, ("Model", *FIGURES.values()), rows, source)


def _difference_cell(each: Difference) -> Cell:
    if each.low is None or each.high is None:
        return Cell(signed(each.value), f"no interval: both rank the {each.patients} patients alike")
    return Cell(signed(each.value), f"{signed(each.low)} to {signed(each.high)}, n {each.patients:,}")


def _published_row(name: str, figures: Mapping[str, float], patients: int) -> tuple[Cell, ...]:
    said = (
        Cell(decimals(figures[figure])) if figure in figures else undefined("not given")
        for figure in FIGURES
    )
    return (Cell(words(name), f"published, {patients:,} patients in all"), *said)


def _our_row(model: Model, role: str) -> tuple[Cell, ...]:
    judged = model.roles[role]
    return (Cell(words(model.name), f"here, {judged.patients:,} {PATIENTS[role]}"), *judged.cells())
