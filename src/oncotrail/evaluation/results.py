"""An evaluation in the shapes that others read: rows, nested figures, flat figures, curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.performance import ModelPerformance, RolePerformance
from oncotrail.statistics.discrimination.roc import roc_curve
from oncotrail.statistics.intervals import Estimate

DIGITS = 6  # of a figure in a file; thresholds keep all of theirs
TABLE = ("model", "role", "metric", "value", "low", "high", "patients", "events", "method")


def performance_table(done: Evaluated) -> pd.DataFrame:
    """table.csv: a row per model, role and metric; an undefined figure is a row with blanks.

    `patients` and `events` are those that the figure rests on: for a sensitivity, the patients with
    the outcome.
    """
    rows = [
        (each.model, role, metric, *_cells(estimate))
        for each in done.performances
        for role, performance in each.roles.items()
        for metric, estimate in performance.figures().items()
    ]
    return pd.DataFrame(rows, columns=list(TABLE))


def nested_figures(done: Evaluated) -> dict[str, Any]:
    """metrics.json: model (without the study) -> role -> metric -> value, low, high."""
    return {
        done.short(each.model): {
            **{role: _nested(performance) for role, performance in each.roles.items()},
            "threshold": round(each.threshold.value, DIGITS),
        }
        for each in done.performances
    }


def areas(done: Evaluated) -> dict[str, dict[str, float]]:
    """auc.json: model -> role -> AUC alone, which is as much as a terminal shows side by side."""
    return {
        done.short(each.model): {
            role: round(performance.auc.value, DIGITS) for role, performance in each.roles.items()
        }
        for each in done.performances
    }


def flat_figures(each: ModelPerformance) -> dict[str, float]:
    """`test_auc`, `test_auc_low`, `test_auc_high`, ..., where defined, and the threshold."""
    flat = {"threshold": round(each.threshold.value, DIGITS)}
    for role, performance in each.roles.items():
        for metric, estimate in performance.figures().items():
            if estimate is not None:
                ends = _ends(estimate)
                flat[f"{role}_{metric}"] = ends.pop("value")
                flat |= {f"{role}_{metric}_{end}": value for end, value in ends.items()}
    return flat


def counts(done: Evaluated) -> dict[str, float]:
    """How many patients and events judged, by role."""
    return {
        f"{role}_{what}": float(number)
        for role, among in done.judged.items()
        for what, number in (("patients", len(among.patients)), ("events", among.events))
    }


def thresholds(done: Evaluated) -> dict[str, dict[str, Any]]:
    """thresholds.json: each model's threshold to the last digit, and whom it was chosen on."""
    return {
        each.model: {
            "threshold": each.threshold.value,
            "positive": "score >= threshold",
            "rule": done.asked.threshold,
            "role": each.threshold.chosen_on,
            "patients": each.threshold.n,
            "events": each.threshold.events,
        }
        for each in done.performances
    }


def roc_points(done: Evaluated, role: str) -> pd.DataFrame:
    """roc.csv: the bends of every model's curve, by model, from (0, 0) to (1, 1)."""
    among = done.judged[role]
    parts = []
    for model in sorted(among.scores):
        curve = roc_curve(among.labels, among.scores[model])
        points = {
            "model": done.short(model),
            "role": role,
            "false_positive_rate": curve.false_positive_rate,
            "true_positive_rate": curve.true_positive_rate,
        }
        parts.append(pd.DataFrame(points))
    return pd.concat(parts, ignore_index=True)


def sentence(done: Evaluated, each: ModelPerformance, role: str) -> str:
    """One line for the terminal."""
    area = each.roles[role].auc
    interval = f"{area.low:.3f} to {area.high:.3f}"
    return f"{done.short(each.model)}: {role} AUC {area.value:.3f} ({interval})"


def _cells(estimate: Estimate | None) -> tuple[Any, ...]:
    if estimate is None:
        return (None, None, None, 0, 0, "")
    return (*_ends(estimate).values(), estimate.n, estimate.events, estimate.method)


def _nested(performance: RolePerformance) -> dict[str, Any]:
    figures: Mapping[str, Any] = {
        metric: None if estimate is None else _ends(estimate)
        for metric, estimate in performance.figures().items()
    }
    return {"patients": performance.patients, "events": performance.events, **figures}


def _ends(estimate: Estimate) -> dict[str, float]:
    return {
        "value": round(estimate.value, DIGITS),
        "low": round(estimate.low, DIGITS),
        "high": round(estimate.high, DIGITS),
    }
