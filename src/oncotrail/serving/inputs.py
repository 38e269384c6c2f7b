"""New patients as somebody hands them over, checked: image paths by view, clinical columns.

Values may be blank where the study lets them be; a column may not be missing. A code may be written
as text or as a number: a table that went through a spreadsheet says 1, or 1.0, where it said "1".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oncotrail.errors import TableError
from oncotrail.serving.manifest import Manifest
from oncotrail.study.cohort import Category, Column, Number


def check_columns(manifest: Manifest, frame: pd.DataFrame) -> None:
    """All that the model reads is there."""
    needed = (*manifest.views, *manifest.clinical)
    missing = [name for name in needed if name not in frame]
    if missing:
        message = (
            f"{manifest.study}-{manifest.model} reads columns {list(needed)}; the table lacks "
            f"{missing}. Add them: a view is the path of an image, a clinical value may be blank."
        )
        raise TableError(message)
    if frame.empty:
        message = "the table has no rows; give one row per patient."
        raise TableError(message)


def image_paths(frame: pd.DataFrame, view: str) -> list[Path]:
    """The image of each patient."""
    blank = np.flatnonzero(frame[view].isna() | (frame[view].astype(str).str.strip() == ""))
    if len(blank):
        message = f"row {blank[0]}: no image of view {view}; give the path of one."
        raise TableError(message)
    return [Path(str(path)) for path in frame[view]]


def clinical_columns(clinical: Mapping[str, Column], frame: pd.DataFrame) -> pd.DataFrame:
    """The clinical columns with the types that the learner was fitted with."""
    return pd.DataFrame({name: _values(frame[name], c, name) for name, c in clinical.items()})


def _values(values: pd.Series, declared: Column, name: str) -> pd.Series:
    places = [f"row {row}: {name}" for row in range(len(values))]
    if isinstance(declared, Category):
        codes = [_code(v, declared, place) for v, place in zip(values, places, strict=True)]
        return pd.Series(codes, dtype="string")
    numbers = [_number(v, declared, place) for v, place in zip(values, places, strict=True)]
    return pd.Series(numbers, dtype="float64")


def _number(value: Any, declared: Number, where: str) -> float:
    if _is_blank(value):
        return np.nan
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not declared.minimum <= number <= declared.maximum:
        message = (
            f"{where} is {value!r}; expected a number from {declared.minimum:g} to "
            f"{declared.maximum:g} {declared.unit}, or a blank."
        )
        raise TableError(message)
    return number


def _code(value: Any, declared: Category, where: str) -> str | None:
    if _is_blank(value):
        return None
    text = str(value).strip()
    if text not in declared.levels:
        text = text.removesuffix(".0")
    if text not in declared.levels:
        known = ", ".join(f"{code} ({means})" for code, means in declared.levels.items())
        message = f"{where} is {value!r}; expected one of {known}, or a blank."
        raise TableError(message)
    return text


def _is_blank(value: Any) -> bool:
    return bool(pd.isna(value)) or str(value).strip() == ""
