"""The drawings of an evaluation: all fusions on the test patients, and how each network learned.

In a cross-validation the test patients are those of all folds, each with the scores of the own
fold, and one curve is drawn through them: a mean of five jagged curves would be nobody's. How a
network learned is shown of its main part, the one that is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from oncotrail.errors import TableError
from oncotrail.evaluation.calibration import curve
from oncotrail.evaluation.decision import decisions
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.judged import JUDGES, Judged
from oncotrail.evaluation.performance import ModelPerformance
from oncotrail.figures.calibration import CalibrationLine, calibration_figure
from oncotrail.figures.drawing import save
from oncotrail.figures.history import history_figure
from oncotrail.figures.net_benefit import DecisionLine, decision_figure
from oncotrail.figures.roc import NamedCurve, roc_figure
from oncotrail.statistics.decision.benefit import DecisionPoint
from oncotrail.statistics.discrimination.roc import roc_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(done: Evaluated, networks: Iterable[tuple[str, Path]], out: Path) -> list[Path]:
    """Every drawing; `networks` are names and the folders that train filled."""
    return [
        *draw_roc(done, out),
        *draw_calibration(done, out),
        *draw_net_benefit(done, out),
        *draw_histories(done, networks, out),
    ]


def draw_roc(done: Evaluated, out: Path) -> list[Path]:
    """The fusions' ROC curves, as SVG and PNG."""
    among = done.judged[JUDGES]
    curves = [
        NamedCurve(
            name=_name(done, each.model),
            curve=roc_curve(among.labels, among.scores[each.model]),
            auc=each.roles[JUDGES].auc,
        )
        for each in _fusions(done)
    ]
    return _saved(roc_figure(curves, _on_whom(done, among)), out, "roc")


def draw_calibration(done: Evaluated, out: Path) -> list[Path]:
    """The fusions' calibration curves; one that is undefined is left out, and says so."""
    among = done.judged[JUDGES]
    lines = [_calibration_line(done, each, among) for each in _fusions(done)]
    return _saved(calibration_figure(lines, _on_whom(done, among)), out, "calibration")


def draw_net_benefit(done: Evaluated, out: Path) -> list[Path]:
    """The fusions' decision curves, with treating everybody and nobody."""
    among = done.judged[JUDGES]
    found = decisions(among, done.fusions, done.asked.confidence)
    models = [_decision_line(_name(done, name), line) for name, line in found.models.items()]
    everybody = _decision_line("treat everybody", found.treat_all)
    figure = decision_figure(models, everybody, found.prevalence, _on_whom(done, among))
    return _saved(figure, out, "decision")


def draw_histories(done: Evaluated, networks: Iterable[tuple[str, Path]], out: Path) -> list[Path]:
    """The learning curves of each (network, its folder)."""
    paths = []
    for network, folder in networks:
        name = done.short(network)
        path = out / f"history_{name}.svg"
        history = read_history(folder / "history.csv")
        if not history["epoch"]:  # used off the shelf: nothing was trained
            continue
        save(history_figure(history, f"Training of {name}"), path)
        paths.append(path)
    return paths


def read_history(path: Path) -> dict[str, list[float]]:
    """The columns of history.csv, as train wrote them."""
    try:
        history = pd.read_csv(path)
    except (FileNotFoundError, pd.errors.EmptyDataError):
        raise TableError(f"{path} is missing or empty; run make repro.") from None
    if "epoch" not in history:
        raise TableError(f"{path} has columns {list(history)}; expected epoch and figures.")
    return {str(name): history[name].tolist() for name in history}


def _fusions(done: Evaluated) -> Iterator[ModelPerformance]:
    return (each for each in done.performances if each.model in done.fusions)


def _name(done: Evaluated, model: str) -> str:
    return done.short(model).replace("_", " ")


def _on_whom(done: Evaluated, among: Judged) -> str:
    folds = len(done.judgement.judging(among.role))
    pooled = f" of {folds} folds" if folds > 1 else ""
    return f"{len(among.patients)} {among.role} patients{pooled}, {among.events} with the outcome"


def _saved(figure: Figure, out: Path, name: str) -> list[Path]:
    paths = [out / f"{name}.svg", out / f"{name}.png"]
    save(figure, *paths)
    return paths


def _calibration_line(done: Evaluated, each: ModelPerformance, among: Judged) -> CalibrationLine:
    scores = among.scores[each.model]
    slope = each.roles[among.role].calibration.calibration_slope
    said = "slope undefined"
    if slope is not None:
        ends = f"{slope.low:.2f}\N{EN DASH}{slope.high:.2f}"
        said = f"slope {slope.value:.2f} ({ends})"
    return CalibrationLine(
        name=f"{_name(done, each.model)}  {said}",
        curve=curve(among.labels, scores, done.asked.confidence),
        labels=among.labels,
        probabilities=scores,
    )


def _decision_line(name: str, points: Iterable[DecisionPoint]) -> DecisionLine:
    known = [(p.threshold, p.net_benefit.value) for p in points if p.net_benefit is not None]
    return DecisionLine(name, *(list(column) for column in zip(*known, strict=True)))
