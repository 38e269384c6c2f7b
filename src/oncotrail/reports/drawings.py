"""Small drawings as coordinates; the template makes SVG of them, in the page's own colours.

Drawn here and not with matplotlib, so that they follow the reader's light or dark page, scale to a
phone, and are the same bytes everywhere. Lengths are in the drawing's own units; y points down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """One curve: a name, the `points` attribute of an SVG polyline, and which colour it takes."""

    name: str
    points: str
    colour: int


@dataclass(frozen=True)
class Chart:
    """Curves over a common horizontal axis, inside a frame from (left, top) to (right, bottom)."""

    title: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    lines: tuple[Line, ...]
    mark: Tick | None = None  # a place on the horizontal axis that matters, e.g. the epoch kept


@dataclass(frozen=True)
class Whisker:
    """A value with its interval on a horizontal scale, at height `y`."""

    label: str
    y: float
    low: float
    value: float
    high: float
    text: str
    chosen: bool = False


@dataclass(frozen=True)
class Forest:
    """Intervals beneath each other, with a dashed line at the value that means nothing."""

    title: str
    width: float
    height: float
    left: float
    right: float
    ticks: tuple[Tick, ...]
    whiskers: tuple[Whisker, ...]
    nothing: float


def chart(
    title: str,
    series: Mapping[str, Points],
    across: str,
    *,
    mark: float | None = None,
    within: tuple[float, float] | None = None,
) -> Chart:
    """Curves of (x, y) points on one scale, that of `within` where it is given.

    `across` names the horizontal axis, and `mark` a place on it.
    """
    left, right, top, bottom = 44.0, 352.0, 10.0, 168.0
    points = [point for line in series.values() for point in line]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    ups = round_ticks(*(within or (min(ys), max(ys))))
    x_of = _scale(min(xs), max(xs), left, right)
    y_of = _scale(ups[0], ups[-1], bottom, top)
    return Chart(
        title=title,
        width=360.0,
        height=200.0,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        across=tuple(Tick(x_of(x), f"{x:g}") for x in whole_ticks(min(xs), max(xs))),
        up=tuple(Tick(y_of(y), f"{y:g}") for y in ups),
        lines=tuple(
            Line(name, " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line), colour)
            for colour, (name, line) in enumerate(series.items())
        ),
        mark=None if mark is None else Tick(x_of(mark), f"{across} {mark:g} is kept"),
    )


def forest(
    title: str,
    intervals: Mapping[str, tuple[float, float, float]],
    chosen: str,
    nothing: float = 0.5,
) -> Forest:
    """(value, low, high) by name, in the given order, on a scale that holds them and `nothing`."""
    left, right, row = 10.0, 350.0, 34.0
    lows = [low for _, low, _ in intervals.values()]
    highs = [high for _, _, high in intervals.values()]
    ticks = round_ticks(min([*lows, nothing]), max([*highs, nothing]))
    x_of = _scale(ticks[0], ticks[-1], left, right)
    return Forest(
        title=title,
        width=360.0,
        height=row * len(intervals) + 28.0,
        left=left,
        right=right,
        ticks=tuple(Tick(x_of(tick), f"{tick:g}") for tick in ticks),
        whiskers=tuple(
            Whisker(
                label=name,
                y=row * (i + 0.72),
                low=x_of(low),
                value=x_of(value),
                high=x_of(high),
                text=f"{value:.3f} ({low:.3f} to {high:.3f})",
                chosen=name == chosen,
            )
            for i, (name, (value, low, high)) in enumerate(intervals.items())
        ),
        nothing=x_of(nothing),
    )


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers, about `about` of them, that hold [low, high].

    >>> round_ticks(0.42, 0.93)
    [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    """
    size = max(abs(low), abs(high)) or 1.0
    span = high - low if high - low > 1e-6 * size else size  # a flat curve has no span of its own
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(
        power * factor for factor in (1, 2, 2.5, 5, 10) if span / (power * factor) <= about + 1
    )
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{step * i:.10g}") for i in range(first, max(last, first + 1) + 1)]


def whole_ticks(low: float, high: float) -> list[int]:
    """At most six whole numbers within [low, high].

    >>> whole_ticks(1, 16)
    [1, 4, 7, 10, 13, 16]
    """
    step = max(1, math.ceil((high - low) / 5))
    return list(range(math.ceil(low), math.floor(high) + 1, step))


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    return _Scale(low, (end - start) / ((high - low) or 1.0), start)


@dataclass(frozen=True)
class _Scale:
    low: float
    factor: float
    start: float

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) * self.factor, 2)
