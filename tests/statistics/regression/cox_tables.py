"""The tables of tests/reference/cox.R, as arguments for `fit_cox`, and what R said of them."""

from typing import Any

import numpy as np

from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_model import CoxFit
from tests.reference import tables
from tests.statistics.oracles import reference

MADE = (
    "untied",
    "heavy_ties",
    "weighted",
    "fractions",
    "stratified",
    "late",
    "clustered",
    "everything",
    "constant_in_stratum",
    "tiny",
    "one_event",
    "hidden_ties",
    "hidden_late",
    "at_zero",
    "at_zero_ties",
    "at_zero_late",
    "only_zero",
    "offset",
    "offset_everything",
)
REAL = ("rossi", "lung", "gbsg2", "larynx")
# One patient far out: a full step of Newton would overshoot.
FAR_OUT = [-3.1, -1.4, -26.2, 2.1, 4.1, 22.1, -821.6, 5.2, -3.4, 0.5, 4.1, 11.7]
THEIR_TIMES = [7, 6, 11, 1, 12, 4, 2, 5, 3, 9, 8, 10]
CASES = [(name, ties) for name in MADE + REAL for ties in ("efron", "breslow")]


def columns(name: str) -> dict[str, np.ndarray]:
    """Every column of a table; lung without the patients of blanks, as in R."""
    if name in MADE:
        table = reference("cox")["made"][name]["table"]
        made = {column: np.array(values) for column, values in table.items()}
        return made | _hidden(made) if name.startswith("hidden") else made
    frame = getattr(tables, name)()
    if name == "lung":
        kept = ["time", "status", "age", "sex", "ecog", "karnofsky", "loss"]
        frame = frame.dropna(subset=kept)
        frame = frame.assign(event=frame["status"] - (frame["status"].max() == 2))
    if name == "gbsg2":
        frame = frame.assign(stratum=frame["grade"])
    return {column: frame[column].to_numpy() for column in frame}


def _hidden(made: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Times that differ by rounding, which JSON has lost: 3 * 0.1 is not 3 / 10."""
    multiplied = made["multiplied"] == 1
    found = {"time": np.where(multiplied, made["tenths"] * 0.1, made["tenths"] / 10)}
    if "entry_tenths" in made:
        tenths = made["entry_tenths"]
        found["entry"] = np.where(multiplied, tenths / 10, tenths * 0.1)
    return found


def names(name: str) -> list[str]:
    """The columns that are covariates."""
    if name in REAL:
        return reference("cox")["real"][name]["x"]
    return [c for c in ("dose", "arm", "size") if c in reference("cox")["made"][name]["table"]]


def arguments(name: str) -> dict[str, Any]:
    """What `fit_cox` takes."""
    table = columns(name)
    return {
        "times": table["time"],
        "events": table["event"],
        "covariates": np.column_stack([table[c] for c in names(name)]).astype(float),
        "names": names(name),
        "weights": table.get("weight"),
        "strata": table.get("stratum"),
        "entry": table.get("entry"),
        "clusters": table.get("cluster"),
        "offset": table.get("offset"),
    }


def fitted(name: str, ties: Any) -> CoxFit:
    """Our fit of a table."""
    return fit_cox(**arguments(name), ties=ties)


def said(name: str, ties: str) -> dict[str, Any]:
    """R's answers."""
    kind = "made" if name in MADE else "real"
    return reference("cox")[kind][name]["answers"][ties]


def some(n: int) -> np.ndarray:
    """The rows that the script of R chose to write."""
    # From 1, as there: halves are rounded to even numbers.
    return np.unique(np.round(np.linspace(1, n, min(n, 5))).astype(int)) - 1


def small(seed: int, n: int = 40, p: int = 3) -> dict[str, Any]:
    """A random table with ties."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, p)).round(2)
    times = random.exponential(np.exp(-0.7 * x[:, 0])) + 0.01
    return {
        "times": np.ceil(8 * times),
        "events": (random.uniform(size=n) < 0.7).astype(int),
        "covariates": x,
    }
