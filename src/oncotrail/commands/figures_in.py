"""A result file as named figures, and how far two versions of one figure are apart."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Steps = tuple[str, ...]  # where a figure stands: ("clinical_t4", "test", "auc", "low")
CURVE = ("false_positive_rate", "true_positive_rate")
_GRID = 1001


@dataclass(frozen=True)
class Curve:
    """Points of a curve on the unit square, in order."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Column:
    """A column of numbers, row by row."""

    values: tuple[float, ...]


Figure = str | float | bool | None | Curve | Column


def figures_in(name: str, text: str) -> dict[Steps, Figure]:
    """Every figure of a JSON or CSV file by its place; a `ValueError` if it is damaged.

    >>> figures_in("metrics.json", '{"clinical": {"test": {"auc": {"value": 0.8}}}}')
    {('clinical', 'test', 'auc', 'value'): 0.8}
    """
    if name.endswith(".csv"):
        return dict(_columns(_rows(text)))
    return dict(_leaves(json.loads(text), ()))


def distance(here: Figure, there: Figure) -> float:
    """How far two versions of a figure are apart; infinite where they cannot be compared.

    Numbers: the difference. Columns: the largest difference. Curves: the area between them, because
    one patient who changes places with another moves every later point of the list.
    """
    if here == there:
        return 0.0
    if isinstance(here, Curve) and isinstance(there, Curve):
        return _area_between(here, there)
    if isinstance(here, Column) and isinstance(there, Column):
        if len(here.values) != len(there.values):
            return math.inf
        return max(abs(a - b) for a, b in zip(here.values, there.values, strict=True))
    if isinstance(here, int | float) and isinstance(there, int | float):
        return abs(here - there)
    return math.inf


def _leaves(value: Any, steps: Steps) -> Iterator[tuple[Steps, Figure]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*steps, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*steps, str(index)))
    else:
        yield steps, value


def _rows(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text)))
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():  # how csv says too many cells, or too few
            message = f"row {number} has another number of cells than the header"
            raise ValueError(message)
    return rows


def _columns(rows: list[dict[str, str]]) -> Iterator[tuple[Steps, Figure]]:
    """Columns of numbers per group of rows; columns of words (model, role) name the group."""
    names = list(rows[0]) if rows else []
    numbers = [name for name in names if all(_reads_as_number(row[name]) for row in rows)]
    words = [name for name in names if name not in numbers]
    groups: dict[Steps, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in words), []).append(row)
    for group, members in groups.items():
        columns = {name: tuple(float(row[name]) for row in members) for name in numbers}
        if set(CURVE) <= set(columns):
            yield (*group, "curve"), Curve(columns[CURVE[0]], columns[CURVE[1]])
        else:
            for name, values in columns.items():
                yield (*group, name), Column(values)


def _area_between(one: Curve, other: Curve) -> float:
    import numpy as np

    grid = np.linspace(0, 1, _GRID)
    gap = np.interp(grid, one.x, one.y) - np.interp(grid, other.x, other.y)
    return float(np.abs(gap).mean())


def _reads_as_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True
