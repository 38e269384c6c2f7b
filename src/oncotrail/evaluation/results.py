"""Performances in the shapes that others read: rows, nested figures, flat figures, curves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from oncotrail.evaluation.judged import CHOOSES, Judged
from oncotrail.evaluation.performance import ModelPerformance, RolePerformance
from oncotrail.statistics.discrimination import roc_curve
from oncotrail.statistics.intervals import Estimate

DIGITS = 6  # of a figure in a file; thresholds keep all of theirs

TABLE = (
    "model",
    "role",
    "metric",
    "value",
    "low",
    "high",
    "patients",
    "events",
    "method",
)


def performance_table(found: Iterable[ModelPerformance]) -> pd.DataFrame:
    """A row per model, role and metric; an undefined figure is a row with blanks.

    `patients` and `events` are those that the figure rests on: for a sensitivity, the patients with
    the outcome.
    """
    rows = [
        (model.model, role.role, metric, *_cells(estimate))
        for model in found
        for role in model.roles.values()
        for metric, estimate in role.figures().items()
    ]
    return pd.DataFrame(rows, columns=list(TABLE))


def nested_figures(found: Iterable[ModelPerformance], study: str) -> dict[str, Any]:
    """metrics.json: model (without the study) -> role -> metric -> value, low, high."""
    return {
        short_name(model.model, study): {
            **{role: _nested(figures) for role, figures in model.roles.items()},
            "threshold": round(model.threshold, DIGITS),
        }
        for model in found
    }


def flat_figures(model: ModelPerformance) -> dict[str, float]:
    """`test_auc`, `test_auc_low`, `test_auc_high`, ...: those that are defined."""
    flat = {"threshold": round(model.threshold, DIGITS)}
    for role, performance in model.roles.items():
        for metric, estimate in performance.figures().items():
            if estimate is not None:
                for name, value in _ends(estimate).items():
                    suffix = "" if name == "value" else f"_{name}"
                    flat[f"{role}_{metric}{suffix}"] = value
    return flat


def thresholds(
    judged: Mapping[str, Judged], found: Iterable[ModelPerformance], rule: str
) -> dict[str, dict[str, Any]]:
    """thresholds.json: each model's threshold to the last digit, and whom it was chosen on."""
    chosen_on = judged[CHOOSES]
    return {
        model.model: {
            "threshold": model.threshold,
            "positive": "score >= threshold",
            "rule": rule,
            "role": CHOOSES,
            "patients": len(chosen_on.patients),
            "events": chosen_on.events,
        }
        for model in found
    }


def roc_points(among: Judged, models: Sequence[str], study: str) -> pd.DataFrame:
    """The bends of every model's ROC curve, by model, from (0, 0) to (1, 1)."""
    parts = []
    for model in sorted(models):
        curve = roc_curve(among.labels, among.scores[model])
        points = pd.DataFrame(
            {
                "model": short_name(model, study),
                "role": among.role,
                "false_positive_rate": curve.false_positive_rate.round(DIGITS),
                "true_positive_rate": curve.true_positive_rate.round(DIGITS),
            }
        )
        parts.append(points)
    return pd.concat(parts, ignore_index=True)


def short_name(model: str, study: str) -> str:
    """A model's name within its study.

    >>> short_name("breast_early_fusion-t4", "breast_early_fusion")
    't4'
    """
    return model.removeprefix(f"{study}-")


def as_json(values: Mapping[str, Any]) -> str:
    """Sorted, and an error on what JSON does not have (NaN)."""
    return json.dumps(values, indent=1, sort_keys=True, allow_nan=False) + "\n"


def as_csv(frame: pd.DataFrame) -> str:
    """Figures to six decimals, a blank where one is undefined."""
    return frame.round(DIGITS).to_csv(index=False, lineterminator="\n")


def _cells(estimate: Estimate | None) -> tuple[Any, ...]:
    if estimate is None:
        return (None, None, None, 0, 0, "")
    return (*_ends(estimate).values(), estimate.n, estimate.events, estimate.method)


def _nested(role: RolePerformance) -> dict[str, Any]:
    figures = {
        metric: None if estimate is None else _ends(estimate)
        for metric, estimate in role.figures().items()
    }
    return {"patients": role.patients, "events": role.events, **figures}


def _ends(estimate: Estimate) -> dict[str, float]:
    return {
        "value": round(estimate.value, DIGITS),
        "low": round(estimate.low, DIGITS),
        "high": round(estimate.high, DIGITS),
    }
