from dataclasses import dataclass, field
from pathlib import Path

from oncotrail.figures.drawing import save
from oncotrail.figures.search import figures_of, importance_figure, search_figure


@dataclass(frozen=True)
class Trial:
    number: int
    value: float | None


@dataclass(frozen=True)
class Found:
    objective: str = "validation_auc"
    importance: dict[str, float] = field(default_factory=lambda: {"batch_size": 0.2, "rate": 0.8})

    def of(self, state: str) -> list[Trial]:
        trials = {"complete": [(0, 0.6), (1, 0.5), (3, 0.8)], "pruned": [(2, 0.4), (4, None)]}
        return [Trial(*pair) for pair in trials[state]]

    def best_so_far(self) -> list[tuple[int, float]]:
        return [(0, 0.6), (1, 0.6), (3, 0.8)]


def test_every_trial_is_a_point_and_the_best_a_line() -> None:
    found = Found()
    complete = [(0, 0.6), (1, 0.5), (3, 0.8)]
    figure = search_figure(complete, [(2, 0.4)], found.best_so_far(), found.objective)
    best, points, crosses = figure.axes[0].get_lines()
    assert list(points.get_xdata()) == [0, 1, 3]
    assert list(best.get_ydata()) == [0.6, 0.6, 0.8]
    assert list(crosses.get_ydata()) == [0.4]
    assert figure.axes[0].get_ylabel() == "Validation AUC"


def test_the_most_important_setting_is_on_top() -> None:
    axes = importance_figure({"batch_size": 0.2, "rate": 0.8}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["batch_size", "rate"]


def test_a_search_drawn_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name, figure in figures_of(Found()).items():
            save(figure, tmp_path / folder / name)
    names = {"search_history.svg", "search_importance.svg"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_importance_that_cannot_be_told_is_not_drawn() -> None:
    assert set(figures_of(Found(importance={}))) == {"search_history.svg"}
