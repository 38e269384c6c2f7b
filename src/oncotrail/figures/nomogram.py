"""A nomogram as rms draws it: a row per term, and rows that say what the total means.

Ticks stand where `Nomogram` says, at round values; a number that would touch its neighbour is left
out, and its tick is shorter. A level is never left out: it goes above the axis, or a line further.
A spline that turns is folded: its axis goes there and back, the way back labelled above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from oncotrail.figures.drawing import new_figure, styled
from oncotrail.statistics.regression.nomogram import (
    GRID,
    MOST_POINTS,
    MedianSurvival,
    Nomogram,
    Predicted,
    Scale,
)
from oncotrail.statistics.regression.terms import Levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.85  # inches: 174 mm, two columns of most journals
ROW = 0.42  # inches
LABELS = 0.22  # of the width, for the names at the left
LINE = 0.26  # of a row: between two lines of labels
GAP, LETTER = 0.012, 0.011  # of the axis: between two labels, and the width of a digit
CHANCES = (0.01, 0.02, 0.05, *(tenth / 10 for tenth in range(1, 10)), 0.95, 0.98, 0.99)


@dataclass(frozen=True)
class Tick:
    """A label (or none) at a place, 0 to 1 along the row; `line` counts away from the axis."""

    place: float
    label: str
    above: bool = False
    line: int = 0


@dataclass(frozen=True)
class Row:
    """One axis: its name, its ends from 0 to 1, and its ticks."""

    name: str
    low: float
    high: float
    ticks: tuple[Tick, ...]


def nomogram_figure(sheet: Nomogram, names: Mapping[str, str] | None = None) -> Figure:
    """The whole sheet; `names` are the words for terms, where their own are not for print."""
    rows = list(rows_of(sheet, names or {}))
    with styled():
        figure = new_figure(WIDTH, ROW * (len(rows) + 0.4))
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set(xlim=(-LABELS / (1 - LABELS), 1.02), ylim=(-len(rows) + 0.3, 0.7))
        for line, row in enumerate(rows):
            _draw(axes, row, -line)
    return figure


def rows_of(sheet: Nomogram, names: Mapping[str, str]) -> Iterator[Row]:
    """The rows from top to bottom: points, terms, total, and what the total means.

    >>> from oncotrail.statistics.regression.nomogram import Probability, nomogram
    >>> from oncotrail.statistics.regression.terms import Linear
    >>> risk = [Probability("risk")]
    >>> sheet = nomogram([Linear("age")], [0.02], {"age": (40, 90)}, risk, intercept=-2)
    >>> [row.name for row in rows_of(sheet, {"age": "Age, years"})]
    ['Points', 'Age, years', 'Total points', 'risk']
    """
    tens = np.arange(0, MOST_POINTS + 1, 10)
    yield _row("Points", tens / MOST_POINTS, [f"{ten:g}" for ten in tens])
    for scale in sheet.scales:
        yield _term(scale, names.get(scale.term.name, scale.term.name))
    most = sheet.most_points
    totals = _round_numbers(0, most)
    yield _row("Total points", totals / most, [f"{total:g}" for total in totals], (0, 1))
    for each in sheet.predicted:
        values = _round_values(each, sheet)
        places = sheet.total_points(each.linear_predictor(values)) / most
        yield _row(each.name, places, [f"{value:g}" for value in values])


def _term(scale: Scale, name: str) -> Row:
    if isinstance(scale.term, Levels):
        return _levels(name, scale)
    along = np.array(scale.axis, dtype=float)
    points = scale.points(along)
    values = _round_numbers(along[0], along[-1])
    turns = np.interp(values, along, np.gradient(points, along)) < 0
    folded = bool((np.diff(points) < 0).any() and (np.diff(points) > 0).any())
    labels = [f"{value:g}" for value in values]
    ends = (float(points.min() / MOST_POINTS), float(points.max() / MOST_POINTS))
    return _row(name, scale.points(values) / MOST_POINTS, labels, ends, turns & folded)


def _levels(name: str, scale: Scale) -> Row:
    """Every level keeps its name: those that would touch stand above, then further out."""
    labels = [str(level) for level in scale.axis]
    places = scale.points(labels) / MOST_POINTS
    edges: dict[tuple[bool, int], float] = {}
    ticks = []
    for place, label in sorted(zip(places.tolist(), labels, strict=True)):
        half = (GAP + LETTER * len(label)) / 2
        free = (
            (above, line)
            for line in range(len(labels))
            for above in (False, True)
            if edges.get((above, line), -np.inf) <= place - half
        )
        above, line = next(free)
        edges[above, line] = place + half
        ticks.append(Tick(place, label, above, line))
    return Row(name, float(places.min()), float(places.max()), tuple(ticks))


def _round_values(predicted: Predicted, sheet: Nomogram) -> np.ndarray:
    """Round values of what is predicted that totals from 0 to the highest reach."""
    reached = predicted.of(sheet.linear_predictor(np.linspace(0, sheet.most_points, GRID)))
    reached = reached[np.isfinite(reached)]  # a median may lie beyond the follow-up
    if not reached.size:
        return reached
    low, high = float(reached.min()), float(reached.max())
    among = (
        _round_numbers(low, high) if isinstance(predicted, MedianSurvival) else np.array(CHANCES)
    )
    return among[(among >= low) & (among <= high)]


def _row(
    name: str,
    places: np.ndarray,
    labels: Sequence[str],
    ends: tuple[float, float] | None = None,
    above: np.ndarray | None = None,
) -> Row:
    sides = np.zeros(len(labels), dtype=bool) if above is None else above
    ticks = [
        Tick(float(place), label, bool(side))
        for place, label, side in zip(places, labels, sides, strict=True)
    ]
    low, high = ends or (float(places.min(initial=1)), float(places.max(initial=0)))
    kept = [*_apart([t for t in ticks if not t.above]), *_apart([t for t in ticks if t.above])]
    return Row(name, low, high, tuple(kept))


def _apart(ticks: Sequence[Tick]) -> Iterator[Tick]:
    """From left to right; a label that touches the last one kept is dropped."""
    edge = -np.inf
    for tick in sorted(ticks, key=lambda tick: tick.place):
        half = (GAP + LETTER * len(tick.label)) / 2
        touches = tick.place - half < edge
        edge = edge if touches else tick.place + half
        yield Tick(tick.place, "" if touches else tick.label, tick.above)


def _draw(axes: Axes, row: Row, y: float) -> None:
    axes.text(-LABELS / (1 - LABELS), y, row.name, va="center", ha="left", fontsize=8)
    axes.plot([row.low, row.high], [y, y], color="black", linewidth=0.8, solid_capstyle="butt")
    for tick in row.ticks:
        side = 1 if tick.above else -1
        length = 0.12 if tick.label else 0.07
        axes.plot([tick.place, tick.place], [y, y + length * side], color="black", linewidth=0.8)
        vertical = "bottom" if tick.above else "top"
        height = y + (0.16 + LINE * tick.line) * side
        axes.text(tick.place, height, tick.label, va=vertical, ha="center", fontsize=7)


def _round_numbers(low: float, high: float) -> np.ndarray:
    from matplotlib.ticker import MaxNLocator

    found = np.asarray(MaxNLocator(nbins=10, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    return found[(found >= low) & (found <= high)]
