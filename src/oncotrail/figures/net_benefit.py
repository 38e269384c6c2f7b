"""Decision curves: the net benefit of deciding by each model, over the risk at which one acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oncotrail.figures.drawing import COLUMN_WIDTH, line_style, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class DecisionLine:
    """One strategy: a model, or treating everybody."""

    name: str
    thresholds: Sequence[float]
    net_benefit: Sequence[float]


def decision_figure(
    models: Sequence[DecisionLine], everybody: DecisionLine, prevalence: float, patients: str
) -> Figure:
    """The models in the order given, with treating everybody and nobody; higher is better."""
    with styled():
        figure = new_figure(COLUMN_WIDTH, 2.6 + 0.16 * len(models))
        axes = figure.add_subplot()
        axes.axhline(0, color="0.4", linewidth=0.8, label="treat nobody")
        axes.plot(
            everybody.thresholds,
            everybody.net_benefit,
            color="0.7",
            linewidth=0.8,
            label=everybody.name,
        )
        for place, line in enumerate(models):
            axes.plot(line.thresholds, line.net_benefit, label=line.name, **line_style(place))
        # Treating everybody falls without end; what matters lies between 0 and the prevalence.
        axes.set(ylim=(-0.15 * prevalence, 1.1 * prevalence), xlim=(0, None))
        axes.set(xlabel="Risk at which one treats", ylabel="Net benefit", title=patients)
        axes.title.set_fontsize(8)
        figure.legend(loc="outside lower left", alignment="left", handlelength=3.2)
    return figure
