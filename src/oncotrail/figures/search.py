"""How a search went: each trial's figure and the best so far; which settings mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from oncotrail.figures.drawing import COLOURS, COLUMN_WIDTH, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = Sequence[tuple[int, float]]  # trial, figure


class Trial(Protocol):
    """One trial, as far as it is drawn."""

    @property
    def number(self) -> int: ...
    @property
    def value(self) -> float | None: ...


class Search(Protocol):
    """What a search found, as far as it is drawn."""

    @property
    def objective(self) -> str: ...
    @property
    def importance(self) -> Mapping[str, float]: ...
    def of(self, state: Any) -> Sequence[Trial]: ...
    def best_so_far(self) -> Points: ...


def figures_of(found: Search) -> dict[str, Figure]:
    """A search's figures by file name; importance where it can be told."""
    points = {
        state: [(t.number, t.value) for t in found.of(state) if t.value is not None]
        for state in ("complete", "pruned")
    }
    history = search_figure(
        points["complete"], points["pruned"], found.best_so_far(), found.objective
    )
    figures = {"search_history.svg": history}
    if found.importance:
        figures["search_importance.svg"] = importance_figure(found.importance)
    return figures


def search_figure(complete: Points, pruned: Points, best: Points, figure_name: str) -> Figure:
    """Trials in their order; `best` is the best complete trial up to each, drawn as steps.

    A pruned trial is shown with the figure at which it was stopped.
    """
    with styled():
        figure = new_figure(COLUMN_WIDTH, 2.4)
        axes = figure.add_subplot()
        if best:
            axes.step(*_columns(best), where="post", color=COLOURS[1], label="best so far")
        axes.plot(*_columns(complete), "o", color=COLOURS[0], markersize=3.5, label="complete")
        if pruned:
            axes.plot(*_columns(pruned), "x", color="0.5", markersize=4, label="pruned")
        axes.set(xlabel="Trial", ylabel=_in_words(figure_name))
        axes.locator_params("x", integer=True)
        figure.legend(loc="outside lower left", ncols=3)
    return figure


def importance_figure(importance: Mapping[str, float]) -> Figure:
    """Bars, the most important on top; shares of the objective's variance among the trials."""
    with styled():
        figure = new_figure(COLUMN_WIDTH, 0.8 + 0.22 * len(importance))
        axes = figure.add_subplot()
        rising = sorted(importance.items(), key=lambda pair: (pair[1], pair[0]))
        bars = axes.barh([name for name, _ in rising], [share for _, share in rising])
        axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
        axes.set(xlim=(0, 1.1), xlabel="Share of the variance (fANOVA)")
    return figure


def _columns(points: Points) -> tuple[list[int], list[float]]:
    return [trial for trial, _ in points], [value for _, value in points]


def _in_words(name: str) -> str:
    """An axis's words.

    >>> _in_words("validation_auc")
    'Validation AUC'
    """
    return name.replace("_", " ").replace(" auc", " AUC").capitalize().replace("auc", "AUC")
