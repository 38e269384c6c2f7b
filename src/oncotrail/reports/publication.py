"""What a publication reports, with our figures beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from oncotrail.reports.cells import Cell, Grid, decimals, undefined, words
from oncotrail.reports.models import FIGURES, OTHERS, PATIENTS, PROBABILITIES, Model
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
    columns = _columns(published)
    rows = tuple(_rows(published, {model.name: model for model in models}, role, columns))
    ours = frozenset(range(1, len(rows), 2))
    grid = Grid("Published and ours (shaded)", ("Model", *columns.values()), rows, source, ours)
    return Publication((said, INVENTED) if invented else (said,), grid)


def _columns(published: Published) -> dict[str, str]:
    """Our usual figures, and what else the publication gives."""
    given = {name for figures in published.figures.values() for name in figures}
    others = {name: title for name, title in {**PROBABILITIES, **OTHERS}.items() if name in given}
    return {**FIGURES, **others}


def _rows(
    published: Published, models: Mapping[str, Model], role: str, columns: Iterable[str]
) -> Iterator[tuple[Cell, ...]]:
    of_all = f"published, {published.patients:,} patients in all, no intervals"
    for name, figures in published.figures.items():
        yield (Cell(words(name), of_all), *_published_cells(figures, columns))
        judged = models[name].roles[role]
        here = f"here, {judged.patients:,} {PATIENTS[role]}"
        yield (Cell(words(name), here), *judged.cells(columns))


def _published_cells(figures: Mapping[str, float], columns: Iterable[str]) -> Iterator[Cell]:
    for name in columns:
        yield Cell(decimals(figures[name])) if name in figures else undefined("not given")
