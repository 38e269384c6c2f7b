"""What statsmodels and irrCAC say of the ratings that agreement.R made, for tests/statistics.

irrCAC is by the author of the interval (Gwet 2008); statsmodels tests Cohen's kappa with the error
under no agreement (Fleiss, Cohen and Everitt 1969).

From the repository's root, after agreement.R, in an environment of its own with statsmodels and
irrCAC:

    python tests/reference/agreement_python.py

writes tests/reference/agreement_python.json.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from statsmodels.stats import inter_rater

HERE = Path(__file__).parent
DIGITS = 14  # irrCAC rounds what it returns


def cohen(answer: dict[str, Any]) -> dict[str, Any]:
    """Kappa and its test, with each of the weights of the tests."""
    pair = answer["table"]
    places = np.array([pair["first"], pair["second"]]) - 1
    cells = np.zeros((pair["k"], pair["k"]))
    np.add.at(cells, tuple(places), 1)
    # statsmodels weighs disagreement, up to any factor.
    weights = {
        "none": {},
        "linear": {"wt": "linear"},
        "quadratic": {"wt": "quadratic"},
        "given": {"weights": 1 - np.array(answer["weights"])},
    }
    return {name: tested(inter_rater.cohens_kappa(cells, **how)) for name, how in weights.items()}


def tested(found: Any) -> dict[str, float]:
    """Of a result of statsmodels, what our own has too."""
    return {
        "value": float(found.kappa),
        "null_standard_error": float(found.std_kappa0),
        "z": float(found.z_value),
        "p": float(found.pvalue_two_sided),
    }


def fleiss(answer: dict[str, Any]) -> dict[str, float]:
    """Kappa with Gwet's standard error and interval, and once more by statsmodels."""
    ratings = np.array(answer["ratings"])
    found = CAC(pd.DataFrame(ratings), digits=DIGITS).fleiss()["est"]
    low, high = found["confidence_interval"]
    table, _ = inter_rater.aggregate_raters(ratings)
    return {
        "value": float(found["coefficient_value"]),
        "standard_error": float(found["se"]),
        "low": float(low),
        "high": float(high),
        "statsmodels": float(inter_rater.fleiss_kappa(table, method="fleiss")),
    }


def main() -> None:
    """Write the JSON beside this file."""
    answers = json.loads((HERE / "agreement.json").read_text(encoding="utf-8"))
    written = {
        "versions": {name: version(name) for name in ("statsmodels", "irrCAC", "numpy", "scipy")},
        "kappa": {name: cohen(answer) for name, answer in answers["kappa"].items()},
        "fleiss": {name: fleiss(answer) for name, answer in answers["fleiss"].items()},
    }
    path = HERE / "agreement_python.json"
    path.write_text(json.dumps(written) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
