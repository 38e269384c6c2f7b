"""Calibration: what happened against what was predicted, for several models in one square.

Each model's smooth curve with its band, the diagonal where the two agree, and below it how many
patients were predicted what, apart for those with the outcome (up) and without it (down).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oncotrail.figures.drawing import COLUMN_WIDTH, line_style, new_figure, styled
from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.calibration.curve import CalibrationCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class CalibrationLine:
    """One model: where its curve runs, how sure that is, and whom it was made from."""

    name: str  # with its figures, as the legend shows it
    curve: CalibrationCurve | None  # where none is defined, the legend says so
    labels: Flags
    probabilities: Floats


def calibration_figure(lines: Sequence[CalibrationLine], patients: str) -> Figure:
    """The curves in the order given; `patients` says on whom, e.g. "126 test patients"."""
    with styled():
        figure = new_figure(COLUMN_WIDTH, COLUMN_WIDTH + 0.16 * len(lines) + 0.9)
        square, below = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
        square.plot([0, 1], [0, 1], color="0.75", linewidth=0.8, zorder=0)  # they agree
        for place, line in enumerate(lines):
            style = line_style(place)
            _curve(square, line, style)
            _counts(below, line, style["color"])
        square.set(xlim=(0, 1), ylim=(0, 1), ylabel="Observed share", title=patients)
        square.title.set_fontsize(8)
        below.axhline(0, color="black", linewidth=0.6)
        below.set(xlabel="Predicted probability", yticks=[], ylabel="Patients")
        below.spines["left"].set_visible(False)
        figure.legend(loc="outside lower left", alignment="left", handlelength=3.2)
    return figure


def _curve(axes: Axes, line: CalibrationLine, style: dict[str, Any]) -> None:
    found = line.curve
    if found is None:
        axes.plot([], [], label=f"{line.name} (no curve)", **style)
        return
    axes.plot(found.at, found.observed, label=line.name, **style)
    axes.fill_between(
        found.at, found.low, found.high, color=style["color"], alpha=0.12, linewidth=0
    )


def _counts(axes: Axes, line: CalibrationLine, colour: str) -> None:
    with_outcome, without = (
        np.histogram(line.probabilities[line.labels == happened], BINS)[0]
        for happened in (True, False)
    )
    axes.stairs(with_outcome, BINS, color=colour, linewidth=0.7)
    axes.stairs(-without, BINS, color=colour, linewidth=0.7)
