"""The files of an evaluation: tables and figures for the study's folder, two small ones for git."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.evaluation import results
from oncotrail.evaluation.comparison import comparison_table
from oncotrail.evaluation.decision import decision_table
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.figures import DIGITS
from oncotrail.evaluation.judged import JUDGES


def write_tables(done: Evaluated, baseline: pd.DataFrame, out: Path) -> list[Path]:
    """The tables of one evaluation."""
    fitted_on = tables.fitted_on_frame(done.fitted_on())
    tables.write(tables.FITTED_ON, fitted_on, out / "fitted_on.parquet")
    return [
        _csv(results.performance_table(done), out / "table.csv"),
        _csv(comparison_table(done.comparisons), out / "comparisons.csv"),
        _csv(_decisions(done), out / "decision.csv"),
        _csv(baseline, out / "baseline.csv"),
        _json(results.thresholds(done), out / "thresholds.json"),
    ]


def write_results(done: Evaluated, folder: Path) -> None:
    """The small files that git holds."""
    _json(results.nested_figures(done), folder / "metrics.json")
    _json(results.areas(done), folder / "auc.json")
    _csv(results.roc_points(done, JUDGES), folder / "roc.csv")


def _decisions(done: Evaluated) -> pd.DataFrame:
    among = done.judged[JUDGES]
    return decision_table(among, list(among.scores), done.asked.confidence)


def _csv(frame: pd.DataFrame, path: Path) -> Path:
    """Figures to six digits, a blank where one is undefined."""
    frame.round(DIGITS).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return path


def _json(values: Mapping[str, Any], path: Path) -> Path:
    """Sorted keys; NaN, which JSON does not have, is an error."""
    text = json.dumps(values, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
