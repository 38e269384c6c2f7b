"""What a publication reports, with our figures beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oncotrail.reports.cells import Cell, Grid, decimals, undefined, words
from oncotrail.reports.models import FIGURES, PATIENTS, Model
from oncotrail.study.question import Published

INVENTED = (
    "The patients behind our figures never lived. Our rows show how a comparison looks; they "
    "neither confirm nor refute the publication."
)


@dataclass(frozen=True)
class Publication:
    """Sentences on the publication, and its figures beside ours."""

    sentences: tuple[str, ...]
    grid: Grid | None


def beside(
    published: Published | None,
    models: tuple[Model, ...],
    role: str,
    *,
    invented: bool,
    source: str,
) -> Publication:
    """The publication's table, and beneath each of its rows ours on the patients of `role`."""
    if published is None:
        return Publication(("The study file names no publication.",), None)
    said = f"Published: {published.reference}, {published.patients:,} patients."
    rows = tuple(_rows(published, {model.name: model for model in models}, role))
    ours = frozenset(range(1, len(rows), 2))
    columns = ("Model", *FIGURES.values())
    grid = Grid("Published and ours (shaded)", columns, rows, source, ours)
    return Publication((said, INVENTED) if invented else (said,), grid)


def _rows(
    published: Published, models: Mapping[str, Model], role: str
) -> Iterator[tuple[Cell, ...]]:
    of_all = f"published, {published.patients:,} patients in all, no intervals"
    for name, figures in published.figures.items():
        yield (Cell(words(name), of_all), *_published_cells(figures))
        judged = models[name].roles[role]
        here = f"here, {judged.patients:,} {PATIENTS[role]}"
        yield (Cell(words(name), here), *judged.cells())


def _published_cells(figures: Mapping[str, float]) -> Iterator[Cell]:
    for name in FIGURES:
        yield Cell(decimals(figures[name])) if name in figures else undefined("not given")
