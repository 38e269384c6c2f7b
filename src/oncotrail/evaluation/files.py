"""The files of an evaluation: tables and figures for the study's folder, two small ones for git."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.errors import TableError
from oncotrail.evaluation import results
from oncotrail.evaluation.comparison import comparison_table
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.judged import JUDGES
from oncotrail.figures.drawing import save
from oncotrail.figures.history import history_figure
from oncotrail.figures.roc import NamedCurve, roc_figure
from oncotrail.statistics.discrimination.roc import roc_curve


def write_tables(done: Evaluated, baseline: pd.DataFrame, out: Path) -> list[Path]:
    """The tables of one evaluation."""
    fitted_on = tables.fitted_on_frame(done.fitted_on())
    tables.write(tables.FITTED_ON, fitted_on, out / "fitted_on.parquet")
    return [
        _csv(results.performance_table(done), out / "table.csv"),
        _csv(comparison_table(done.comparisons), out / "comparisons.csv"),
        _csv(baseline, out / "baseline.csv"),
        _json(results.thresholds(done), out / "thresholds.json"),
    ]


def write_results(done: Evaluated, folder: Path) -> None:
    """The small files that git holds."""
    _json(results.nested_figures(done), folder / "metrics.json")
    _json(results.areas(done), folder / "auc.json")
    _csv(results.roc_points(done, JUDGES), folder / "roc.csv")


def draw_roc(done: Evaluated, out: Path) -> list[Path]:
    """The fusions' curves on the test patients, as SVG and PNG."""
    among = done.judged[JUDGES]
    curves = [
        NamedCurve(
            name=done.short(each.model).replace("_", " "),
            curve=roc_curve(among.labels, among.scores[each.model]),
            auc=each.roles[JUDGES].auc,
        )
        for each in done.performances
        if each.model in done.fusions
    ]
    on_whom = f"{len(among.patients)} {JUDGES} patients, {among.events} with the outcome"
    paths = [out / "roc.svg", out / "roc.png"]
    save(roc_figure(curves, on_whom), *paths)
    return paths


def draw_histories(done: Evaluated, networks: Iterable[tuple[str, Path]], out: Path) -> list[Path]:
    """The learning curves of each (network, its folder)."""
    paths = []
    for network, folder in networks:
        name = done.short(network)
        path = out / f"history_{name}.svg"
        save(history_figure(read_history(folder / "history.csv"), f"Training of {name}"), path)
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


def _csv(frame: pd.DataFrame, path: Path) -> Path:
    """Figures to six digits, a blank where one is undefined."""
    frame.round(results.DIGITS).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return path


def _json(values: Mapping[str, Any], path: Path) -> Path:
    """Sorted keys; NaN, which JSON does not have, is an error."""
    text = json.dumps(values, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
