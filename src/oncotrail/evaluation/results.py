"""An evaluation in the shapes that others read: rows, nested figures, flat figures, curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from oncotrail.cohort.folds import Part
from oncotrail.evaluation import repeats
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.figures import DIGITS, cells, ends, flattened
from oncotrail.evaluation.performance import ModelPerformance, RolePerformance
from oncotrail.statistics.classification.thresholds import Threshold
from oncotrail.statistics.discrimination.roc import roc_curve

TABLE = ("model", "role", "metric", "value", "low", "high", "patients", "events", "method")


def performance_table(done: Evaluated) -> pd.DataFrame:
    """table.csv: a row per model, role and metric; an undefined figure is a row with blanks.

    `patients` and `events` are those that the figure rests on: for a sensitivity, the patients with
    the outcome. After a model's own figures come those of its folds and its seeds, if it has any.
    """
    rows = [
        (each.model, *row)
        for each in done.performances
        for row in (*_rows(each), *repeats.rows(each, done.spread_of(each.model)))
    ]
    return pd.DataFrame(rows, columns=list(TABLE))


def nested_figures(done: Evaluated) -> dict[str, Any]:
    """metrics.json: model (without the study) -> role -> metric -> value, low, high."""
    return {
        done.short(each.model): {
            **{role: _nested(performance) for role, performance in each.roles.items()},
            "threshold": round(each.threshold.value, DIGITS),
            **repeats.nested(each, done.spread_of(each.model)),
        }
        for each in done.performances
    }


def areas(done: Evaluated) -> dict[str, dict[str, float]]:
    """auc.json: model -> role -> AUC alone, which is as much as a terminal shows side by side."""
    return {
        done.short(each.model): {
            **{role: round(of.auc.value, DIGITS) for role, of in each.roles.items()},
            **repeats.area(each),
        }
        for each in done.performances
    }


def flat_figures(done: Evaluated, each: ModelPerformance) -> dict[str, float]:
    """`test_auc`, `test_auc_low`, `test_auc_high`, ..., where defined, and the threshold.

    With folds `test_auc_fold_average` too; what each fold and seed says stands under `over_folds/`
    and `over_seeds/`.
    """
    flat = {"threshold": round(each.threshold.value, DIGITS)}
    for role, performance in each.roles.items():
        for metric, estimate in performance.figures().items():
            if estimate is not None:
                flat |= flattened(f"{role}_{metric}", estimate)
    return flat | repeats.flat(each, done.spread_of(each.model))


def counts(done: Evaluated) -> dict[str, float]:
    """How many patients and events judged, by role."""
    return {
        f"{role}_{what}": float(number)
        for role, among in done.judged.items()
        for what, number in (("patients", len(among.patients)), ("events", among.events))
    }


def thresholds(done: Evaluated) -> dict[str, dict[str, Any]]:
    """thresholds.json: each model's threshold to the last digit, and whom it was chosen on.

    It is that of the kept fold and the first seed; if there are others, `parts` has all of them.
    """
    return {
        each.model: {
            "threshold": each.threshold.value,
            "positive": "score >= threshold",
            "rule": done.asked.threshold,
            "role": each.threshold.chosen_on,
            "patients": each.threshold.n,
            "events": each.threshold.events,
            **_of_parts(done.thresholds(each.model)),
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
    said = f"{done.short(each.model)}: {role} AUC {area.value:.3f} ({interval})"
    return said + repeats.sentence(each, done.spread_of(each.model), role)


def _rows(each: ModelPerformance) -> Iterator[tuple[Any, ...]]:
    for role, performance in each.roles.items():
        for metric, estimate in performance.figures().items():
            yield (role, metric, *cells(estimate))


def _nested(performance: RolePerformance) -> dict[str, Any]:
    figures: Mapping[str, Any] = {
        metric: None if estimate is None else ends(estimate)
        for metric, estimate in performance.figures().items()
    }
    return {"patients": performance.patients, "events": performance.events, **figures}


def _of_parts(thresholds: Mapping[Part, Threshold]) -> dict[str, Any]:
    if len(thresholds) == 1:
        return {}
    parts = [
        {
            "outer_fold": part.outer_fold,
            "seed": part.seed,
            "threshold": threshold.value,
            "patients": threshold.n,
            "events": threshold.events,
        }
        for part, threshold in thresholds.items()
    ]
    return {"parts": parts}
