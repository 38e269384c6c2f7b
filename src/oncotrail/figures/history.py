"""How a network learned: its loss and its other figures, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oncotrail.figures.drawing import COLUMN_WIDTH, line_style, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Panels from the left: what the vertical axis says, and how the names of its columns end.
PANELS = {"Loss": ("_loss",), "Accuracy, AUC": ("_accuracy", "_auc")}


def history_figure(history: Mapping[str, Sequence[float]], title: str) -> Figure:
    """The columns of history.csv: `epoch`, and figures named `<role>_loss`, `<role>_accuracy`, ...

    Columns of other names (the learning rate) are not drawn.
    """
    with styled():
        figure = new_figure(2 * COLUMN_WIDTH, 2.4)
        figure.suptitle(title, fontsize=8)
        for axes, (label, endings) in zip(
            figure.subplots(1, len(PANELS)), PANELS.items(), strict=True
        ):
            shown = [name for name in history if name.endswith(endings)]
            for place, name in enumerate(shown):
                axes.plot(
                    history["epoch"],
                    history[name],
                    label=name.replace("_", " ").replace(" auc", " AUC"),
                    marker="o" if len(history["epoch"]) == 1 else "",
                    **line_style(place),
                )
            axes.set(xlabel="Epoch", ylabel=label)
            axes.xaxis.get_major_locator().set_params(integer=True)
            if shown:
                axes.legend(handlelength=3.2)
    return figure
