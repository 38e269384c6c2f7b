"""What baycomp says of repeated cross-validation, for tests/statistics/uncertainty.

Its correlated t test (Corani and Benavoli 2015) has Nadeau and Bengio's t distribution for
posterior: mean, scale and degrees of freedom are those of the corrected resampled t test.

From the repository's root, in an environment of its own with numpy, scipy and baycomp:

    python tests/reference/uncertainty_python.py

writes tests/reference/uncertainty_python.json.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import baycomp
import numpy as np
from scipy import stats


def repeated(seed: int, repeats: int, folds: int) -> dict[str, Any]:
    """Differences of two models over repeats of k folds, and what baycomp makes of them."""
    random = np.random.default_rng(seed)
    differences = np.round(random.normal(0.015, 0.02, size=repeats * folds), 4)
    found = baycomp.CorrelatedTTest(
        np.zeros(differences.size), differences, runs=repeats
    )  # second - first
    scale = float(np.sqrt(found.var))
    low, high = stats.t.interval(0.95, found.df, found.mean, scale)
    return {
        "repeats": repeats,
        "folds": folds,
        "differences": differences.tolist(),
        "mean": float(found.mean),
        "standard_error": scale,
        "df": int(found.df),
        "low": float(low),
        "high": float(high),
        "p": float(2 * min(found.probs())),
    }


def main() -> None:
    """Write the JSON beside this file."""
    written = {
        "versions": {name: version(name) for name in ("baycomp", "numpy", "scipy")},
        "folds": [repeated(1, 1, 5), repeated(2, 5, 2), repeated(3, 10, 10)],
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(written) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
