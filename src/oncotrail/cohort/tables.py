"""The tables that flow through the pipeline, declared once and checked at every door.

Tables are joined by patient id, never by position: `join` is the only way the rest of the library
puts two tables side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from oncotrail.errors import TableError
from oncotrail.record import FittedOn

Kind = Literal["text", "number", "integer", "flag"]
ROLES = ("train", "validation", "test", "external")
MODES = ("honest", "as_published", "null")

_DTYPES: Mapping[Kind, str] = {
    "text": "string",
    "number": "float64",
    "integer": "Int64",
    "flag": "boolean",
}


@dataclass(frozen=True)
class ColumnOf:
    """One column: its kind, whether it may be blank, and what values are allowed."""

    kind: Kind
    blank: bool = False
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A declared table: its columns, and which of them together name a row."""

    name: str
    columns: Mapping[str, ColumnOf]
    one_row_per: tuple[str, ...]
    more: ColumnOf | None = (
        None  # further columns (clinical values, embeddings) are all of this kind
    )
    sort: bool = field(default=True)


_TEXT = ColumnOf("text")
_TEXT_OR_BLANK = ColumnOf("text", blank=True)
_NUMBER_OR_BLANK = ColumnOf("number", blank=True)
_COUNT = ColumnOf("integer", low=0)

EXCLUSIONS = Table(
    "exclusions",
    {
        "patient": _TEXT,
        "kind": ColumnOf("text", allowed=("data fault", "eligibility")),
        "reason": _TEXT,
    },
    one_row_per=("patient", "reason"),
)

IMAGES = Table(
    "images",
    {
        "image": _TEXT,
        "patient": _TEXT,
        "view": _TEXT,
        "path": _TEXT,
        "sha256": _TEXT,  # of the pixels with their size: the same picture in any file is the same
        "slices": ColumnOf("integer", blank=True, low=1),  # blank is 1: no volume
        "rows": ColumnOf("integer", low=1),
        "columns": ColumnOf("integer", low=1),
        "slice_spacing": ColumnOf("number", blank=True, low=0),  # millimetres
        "row_spacing": ColumnOf("number", blank=True, low=0),
        "column_spacing": ColumnOf("number", blank=True, low=0),
        "modality": _TEXT_OR_BLANK,
        "manufacturer": _TEXT_OR_BLANK,
        "scanner": _TEXT_OR_BLANK,
        "series": _TEXT_OR_BLANK,
        "phase": _TEXT_OR_BLANK,
        "laterality": _TEXT_OR_BLANK,
        "box": _TEXT_OR_BLANK,  # top left bottom right, in pixels from 0, the last two excluded
        "mask": _TEXT_OR_BLANK,  # the path of an image of the same size, not 0 inside
    },
    one_row_per=("image",),
)

DEIDENTIFICATION = Table(  # what was changed in each image, never what stood there
    "deidentification",
    {"image": _TEXT, "tag": _TEXT, "keyword": _TEXT, "action": _TEXT},
    one_row_per=("image", "tag"),
)

SPLIT = Table(
    "split",
    {
        "patient": _TEXT,
        "role": ColumnOf("text", allowed=ROLES),
        "fits": ColumnOf(
            "text", blank=True, allowed=("network", "fusion")
        ),  # of training patients: what may learn
        "outer_fold": _COUNT,
        "inner_fold": ColumnOf("integer", blank=True, low=0),  # of training patients
    },
    one_row_per=("patient", "outer_fold"),
)

PIXELS = Table(  # row i of <view>.npy is the image named here at `row` i
    "pixels",
    {
        "patient": _TEXT,
        "image": _TEXT,
        "view": _TEXT,
        "slice": _COUNT,  # of the image, from 0 in the order of position; 0 of a single slice
        "row": _COUNT,
        "sha256": _TEXT,
    },
    one_row_per=("image", "slice"),
)

FEATURES = Table(
    "features",
    {
        "patient": _TEXT,
        "image": _TEXT,
        "source": _TEXT,  # the network that made them
        "outer_fold": _COUNT,
        "seed": ColumnOf("integer"),
    },
    one_row_per=("image", "source", "outer_fold", "seed"),
    more=ColumnOf("number"),
)

PREDICTIONS = Table(
    "predictions",
    {
        "patient": _TEXT,
        "model": _TEXT,
        "outcome": _TEXT,
        "horizon": _NUMBER_OR_BLANK,
        "role": ColumnOf("text", allowed=ROLES),
        "outer_fold": _COUNT,
        "inner_fold": ColumnOf("integer", blank=True, low=0),
        "seed": ColumnOf("integer"),
        "mode": ColumnOf("text", allowed=MODES),
        "reader": _TEXT_OR_BLANK,
        "seniority": _TEXT_OR_BLANK,
        "score": ColumnOf("number", blank=True, low=0, high=1),  # a probability, never a log-prob
        "risk": _NUMBER_OR_BLANK,  # higher is worse
    },
    one_row_per=("patient", "model", "outcome", "outer_fold", "seed", "mode"),
)

FITTED_ON = Table(
    "fitted_on",
    {
        "object": _TEXT,
        "kind": _TEXT,
        "outer_fold": _COUNT,
        "patient": _TEXT,
        "times": ColumnOf("integer", low=1),
        "synthetic": ColumnOf("flag"),
    },
    one_row_per=("object", "outer_fold", "patient", "synthetic"),
)


def cohort_table(
    labels: Iterable[str], times: Iterable[str], columns: Mapping[str, ColumnOf]
) -> Table:
    """The cohort table: `<label>`, `<outcome>_time` and `<outcome>_event`, clinical columns."""
    outcomes: dict[str, ColumnOf] = {label: ColumnOf("integer", low=0, high=1) for label in labels}
    for name in times:
        outcomes[f"{name}_time"] = ColumnOf("number", low=0)
        outcomes[f"{name}_event"] = ColumnOf("integer", low=0, high=1)
    declared = {"patient": _TEXT, "site": _TEXT, **outcomes, **columns}
    return Table("cohort", declared, one_row_per=("patient",))


def read(table: Table, path: Path) -> pd.DataFrame:
    """Read and check a table."""
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        message = (
            f"{path}: the {table.name} table is missing; run the stage that makes it (make repro)."
        )
        raise TableError(message) from None
    except (OSError, ValueError) as error:
        message = (
            f"{path}: the {table.name} table cannot be read ({error}); "
            "delete it and run make repro."
        )
        raise TableError(message) from None
    return checked(table, frame, str(path))


def write(table: Table, frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Check, order and write a table; return it as written. Written beside, then renamed."""
    ordered = checked(table, frame, str(path))
    if table.sort:
        ordered = ordered.sort_values(list(table.one_row_per), kind="stable").reset_index(drop=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    ordered.to_parquet(beside, index=False)
    beside.replace(path)
    return ordered


def checked(table: Table, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """`frame` with the declared columns first and the declared types, or a `TableError`."""
    missing = [name for name in table.columns if name not in frame]
    extra = [name for name in frame if name not in table.columns]
    if missing or (extra and table.more is None):
        message = (
            f"{where}: the {table.name} table lacks columns {missing} and has undeclared {extra}; "
            f"expected {list(table.columns)}."
        )
        raise TableError(message)
    rules = {**table.columns, **{str(name): table.more for name in extra if table.more is not None}}
    typed = pd.DataFrame(
        {name: _typed(frame[name], rule, name, where) for name, rule in rules.items()}
    )
    for name, rule in rules.items():
        _check_values(typed, name, rule, where)
    _check_one_row_per(table, typed, where)
    return typed


def join(left: pd.DataFrame, right: pd.DataFrame, what: str) -> pd.DataFrame:
    """`left` with the columns of `right`, by patient id; all of `left` must be there, once."""
    repeated = right.loc[right["patient"].duplicated(), "patient"]
    if len(repeated):
        message = (
            f"{what}: patients {_some(repeated)} occur more than once; "
            "aggregate to one row per patient first."
        )
        raise TableError(message)
    both = sorted({*left.columns} & {*right.columns} - {"patient"})
    if both:
        raise TableError(f"{what}: both tables have {both}; take what you need of each first.")
    absent = left.loc[~left["patient"].isin(right["patient"]), "patient"]
    if len(absent):
        message = (
            f"{what}: {len(absent)} patients have no row, e.g. {_some(absent)}; "
            "no patient is dropped silently."
        )
        raise TableError(message)
    return left.merge(right, on="patient", how="left", validate="many_to_one")


def predictions_of(model: str, outcome: str, seed: int, scored: pd.DataFrame) -> pd.DataFrame:
    """The predictions table of one model's probabilities.

    `scored` has a patient's keys (patient, role, outer_fold, inner_fold) and the `score`.
    """
    said = scored.assign(model=model, outcome=outcome, seed=seed, mode="honest")
    blank = said.assign(horizon=np.nan, risk=np.nan, reader=None, seniority=None)
    return blank[list(PREDICTIONS.columns)]


def fitted_on_frame(records: Iterable[FittedOn]) -> pd.DataFrame:
    """The fitted-on table of these records."""
    parts = [
        pd.DataFrame(
            {
                "object": record.object,
                "kind": record.kind,
                "outer_fold": record.outer_fold,
                "patient": list(record.patients),
                "times": list(record.times or (1,) * len(record.patients)),
                "synthetic": list(record.synthetic or (False,) * len(record.patients)),
            }
        )
        for record in records
    ]
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=list(FITTED_ON.columns))
    )


def _typed(values: pd.Series, rule: ColumnOf, name: str, where: str) -> pd.Series:
    try:
        return pd.Series(values.astype(pd.api.types.pandas_dtype(_DTYPES[rule.kind])))
    except (ValueError, TypeError) as error:
        message = f"{where}: column {name} holds values that are no {rule.kind} ({error})."
        raise TableError(message) from None


def _check_values(frame: pd.DataFrame, name: str, rule: ColumnOf, where: str) -> None:
    for wrong, fault, mend in _faults(frame[name], rule):
        rows = np.flatnonzero(wrong.fillna(value=False).to_numpy(dtype=bool))
        if len(rows):
            first = frame.iloc[rows[0]]
            who = f"patient {first['patient']}, " if "patient" in frame else ""
            raise TableError(
                f"{where}: {name} {fault} in {len(rows)} rows, "
                f"first in row {rows[0]} ({who}value {first[name]}); {mend}."
            )


def _faults(values: pd.Series, rule: ColumnOf) -> Iterator[tuple[pd.Series, str, str]]:
    """Which rows break which part of the rule, and what to do about it."""
    blank = values.isna()
    if rule.kind == "text" and not rule.blank:
        blank |= values.str.strip().eq("").fillna(value=False)  # an empty name names nobody
    if not rule.blank:
        yield blank, "is blank", "fill it, or exclude the patient with a reason"
    if rule.kind == "number":
        finite = np.isfinite(values.to_numpy(dtype=float, na_value=0.0))
        yield ~blank & ~finite, "is not finite", "correct or blank it"
    if rule.allowed is not None:
        yield ~blank & ~values.isin(rule.allowed), f"is none of {list(rule.allowed)}", "correct it"
    if rule.low is not None:
        yield ~blank & (values < rule.low), f"is below {rule.low}", "correct it"
    if rule.high is not None:
        yield ~blank & (values > rule.high), f"is above {rule.high}", "correct it"


def _check_one_row_per(table: Table, frame: pd.DataFrame, where: str) -> None:
    twice = frame.duplicated(list(table.one_row_per))
    if twice.any():
        row = int(np.flatnonzero(twice.to_numpy())[0])
        key = {name: str(frame[name].iloc[row]) for name in table.one_row_per}
        rows = " x ".join(table.one_row_per)
        message = (
            f"{where}: the {table.name} table has one row per {rows}, "
            f"but {key} occurs again in row {row}."
        )
        raise TableError(message)


def _some(patients: pd.Series, most: int = 5) -> str:
    return ", ".join(sorted(set(patients.astype(str)))[:most])
