"""What dcurves says of decision curves, for tests/statistics/decision.

From the repository's root, in an environment of its own with dcurves (which brings pandas and
lifelines), on the tables that `python -m tests.reference.tables /some/folder` wrote:

    python tests/reference/decision_python.py /some/folder

writes tests/reference/decision_python.json. The risks are formulas of two columns, so that the rows
of real tables need not stand there. dcurves changes a risk of exactly 0 to one just below it, which
is treated at no threshold; none is 0 here.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dcurves import dca

COLUMNS = ("net_benefit", "net_intervention_avoided", "test_pos_rate")
FOLDER, THERE = Path(sys.argv[1]), Path("tests/reference")


def logistic(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def told(frame: pd.DataFrame, thresholds: list[float], **more: Any) -> dict[str, Any]:
    found = dca(frame, modelnames=["first", "second"], thresholds=thresholds, **more)
    models = {
        name: {column: numbers(found[found["model"] == name][column]) for column in COLUMNS}
        for name in ("first", "second", "all", "none")
    }
    return {"thresholds": thresholds, "prevalence": float(found["prevalence"].iloc[0]), **models}


def numbers(values: Any) -> list[float | None]:
    """None where dcurves divided by zero (a threshold of 0) or does not know."""
    return [float(value) if np.isfinite(value) else None for value in values.astype(float)]


def binary(frame: pd.DataFrame, thresholds: list[float], **more: Any) -> dict[str, Any]:
    return told(frame, thresholds, outcome="labels", **more)


def survival(frame: pd.DataFrame, thresholds: list[float], horizon: float) -> dict[str, Any]:
    found = told(frame, thresholds, outcome="events", time=horizon, time_to_outcome_col="times")
    return {"horizon": horizon, **found}


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv")


def breast() -> pd.DataFrame:
    d = read("breast")
    first, second = logistic((d.mean_radius - 14) / 1.5), logistic((d.mean_texture - 19) / 3)
    return pd.DataFrame({"labels": d.malignant, "first": first, "second": second})


def lung() -> pd.DataFrame:
    d = read("lung")
    first, second = logistic((d.age - 60) / 15), logistic((60 - d.age) / 8)
    return pd.DataFrame({"times": d.time, "events": d.status, "first": first, "second": second})


def gbsg2() -> pd.DataFrame:
    d = read("gbsg2")
    first, second = logistic(d.nodes / 8 - 1.5), logistic(d["size"] / 40 - 1.5)
    return pd.DataFrame({"times": d.time, "events": d.event, "first": first, "second": second})


def main() -> None:
    small = json.loads((THERE / "decision.json").read_text())
    rare = pd.DataFrame(small["binary"]["rare"]["table"])
    rare[["first", "second"]] = rare[["first", "second"]].clip(lower=1e-4)
    ties = pd.DataFrame(small["survival"]["ties"]["table"])
    wide = [0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.99]
    said = {
        "versions": {name: version(name) for name in ("dcurves", "lifelines", "pandas")},
        "binary": {
            "breast": binary(breast(), wide),
            "breast_at_another_prevalence": binary(breast(), wide, prevalence=0.05),
            "rare": binary(rare, [0.0, 0.005, 0.02, 0.3]),
        },
        "survival": {
            "lung": survival(lung(), [0.1, 0.3, 0.5, 0.7, 0.95], 365),
            "gbsg2": survival(gbsg2(), [0.1, 0.25, 0.4, 0.7, 0.999], 1095),
            "ties": survival(ties, [0.1, 0.4, 0.8], 12),
        },
    }
    target = THERE / "decision_python.json"
    target.write_text(json.dumps(said, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
