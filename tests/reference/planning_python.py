"""What the authors' own programs say of sample sizes, for tests/statistics/planning.

pmsampsize and pmvalsampsize are those of Ensor, Riley and others for Python. What is left out, and
why: pmsampsize does not solve its last criteria for times and for continuous outcomes (it takes the
first two's answer, or 234 patients and the parameters), and pmvalsampsize draws the linear
predictors, which are written out here so that ours are the same.

Both take 1.96 for the quantile: the tests ask for the confidence that has it.

From the repository's root, in an environment of its own with pmsampsize and pmvalsampsize (and
their statsmodels, pandas, scikit-learn, matplotlib, tabulate):

    python tests/reference/planning_python.py

writes tests/reference/planning_python.json.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pmsampsize.pmsampsize import cstat2rsq, pmsampsize
from pmvalsampsize.pmvalsampsize import pmvalsampsize
from scipy.stats import norm

SEED = 2021
DRAWN = 300  # linear predictors


def sizes(found: dict[str, Any], criteria: int) -> list[int]:
    """Patients by criterion, as far as the program solves them."""
    return [int(row[1]) for row in found["results_table"][:criteria]]


def binary(parameters: int, prevalence: float, cox_snell: float) -> dict[str, Any]:
    """All three criteria, and the largest R-squared."""
    found = pmsampsize("b", parameters, csrsquared=cox_snell, prevalence=prevalence, noprint=True)
    arguments = [parameters, prevalence, cox_snell]
    return {"arguments": arguments, "n": sizes(found, 3), "top": float(found["max_r2a"])}


def survival(parameters: int, cox_snell: float, rate: float, follow: float) -> dict[str, Any]:
    """The first two criteria, and the largest R-squared.

    It rounds up the events of 10,000 patients: the rates are such that these are whole.
    """
    found = pmsampsize(
        "s",
        parameters,
        csrsquared=cox_snell,
        rate=rate,
        timepoint=1,
        meanfup=follow,
        noprint=True,
    )
    arguments = [parameters, cox_snell, rate, follow]
    return {"arguments": arguments, "n": sizes(found, 2), "top": float(found["max_r2a"])}


def continuous(parameters: int, r_squared: float) -> dict[str, Any]:
    """The first two criteria."""
    found = pmsampsize("c", parameters, rsquared=r_squared, intercept=2, sd=1, noprint=True)
    return {"arguments": [parameters, r_squared], "n": sizes(found, 2)}


def validation(prevalence: float, auc: float, mean: float, deviation: float) -> dict[str, Any]:
    """Observed over expected, slope and area, for normal linear predictors."""
    found = pmvalsampsize(
        "b",
        prevalence=prevalence,
        cstatistic=auc,
        lpnormal=(mean, deviation),
        simobs=DRAWN,
        seed=SEED,
        oeseincrement=1e-6,
        noprint=True,
    )
    np.random.seed(SEED)  # noqa: NPY002 - as the program does
    drawn = norm.rvs(loc=mean, scale=deviation, size=DRAWN)
    return {
        "prevalence": prevalence,
        "auc": auc,
        "linear_predictors": drawn.tolist(),
        "n": sizes(found, 3),
    }


def explained(auc: float, prevalence: float) -> dict[str, float]:
    """R-squared from an area, by a simulation of a million patients."""
    found = cstat2rsq(auc, prevalence, SEED, noprint=True)["R2_coxsnell"]
    return {"auc": auc, "prevalence": prevalence, "value": float(found)}


def main() -> None:
    """Write the JSON beside this file."""
    packages = ("pmsampsize", "pmvalsampsize", "numpy", "scipy", "statsmodels")
    written = {
        "versions": {name: version(name) for name in packages},
        "binary": [
            binary(24, 0.174, 0.288),
            binary(36, 0.25, 0.288),
            binary(1, 0.5, 0.1),
            binary(10, 0.005, 0.02),
            binary(8, 0.97, 0.1),
            binary(60, 0.4, 0.5),
        ],
        "survival": [
            survival(30, 0.051, 0.065, 2),
            survival(40, 0.06, 0.08, 5),
            survival(5, 0.3, 0.2, 1),
            survival(12, 0.02, 0.005, 8),
        ],
        "continuous": [
            continuous(25, 0.2),
            continuous(50, 0.3),
            continuous(3, 0.9),
            continuous(10, 0.05),
        ],
        "validation": [
            validation(0.3, 0.8, -1.0, 1.2),
            validation(0.05, 0.7, -3.0, 0.8),
            validation(0.6, 0.92, 0.5, 2.0),
        ],
        "explained": [explained(0.89, 0.174), explained(0.7, 0.5), explained(0.6, 0.05)],
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(written) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
