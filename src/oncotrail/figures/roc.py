"""ROC curves of several models in one square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oncotrail.figures.drawing import COLUMN_WIDTH, line_style, new_figure, styled
from oncotrail.statistics.discrimination.roc import RocCurve
from oncotrail.statistics.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class NamedCurve:
    """One model's curve with the name that the legend shows, and its area."""

    name: str
    curve: RocCurve
    auc: Estimate


def roc_figure(curves: Sequence[NamedCurve], patients: str) -> Figure:
    """The curves in the order given; `patients` says on whom, e.g. "126 test patients"."""
    with styled():
        figure = new_figure(COLUMN_WIDTH, COLUMN_WIDTH + 0.16 * len(curves) + 0.3)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="0.75", linewidth=0.8, zorder=0)  # chance
        for place, named in enumerate(curves):
            x, y = named.curve.false_positive_rate, named.curve.true_positive_rate
            axes.plot(x, y, label=_legend(named), clip_on=False, zorder=3, **line_style(place))
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set(xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity", title=patients)
        axes.title.set_fontsize(8)
        confidence = curves[0].auc.confidence if curves else 0
        figure.legend(
            loc="outside lower left",
            title=f"AUC ({100 * confidence:g} % confidence interval)",
            alignment="left",
            title_fontsize=7,
            handlelength=3.2,
        )
    return figure


def _legend(named: NamedCurve) -> str:
    """Name and area with its interval, an en dash between the ends as journals print it."""
    area = named.auc
    return f"{named.name}  {area.value:.3f} ({area.low:.3f}\N{EN DASH}{area.high:.3f})"
