"""New patients as somebody hands them over, checked: images by view, clinical columns.

Beside the image of view `t4`, `t4_box` or `t4_mask` marks its region of interest, as in images.csv:
blank, or no such column, where the view is not cut to one.

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
from oncotrail.imaging.decode import ImageSource
from oncotrail.serving.manifest import Manifest, columns_of
from oncotrail.study.cohort import Category, Column, Number
from oncotrail.study.pixels import ViewPixels


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


def image_sources(frame: pd.DataFrame, view: str, made: ViewPixels) -> list[ImageSource]:
    """Each patient's image of a view, with all that its network's pixels were made from.

    An image without its region is refused: the network never saw a whole one.
    """
    given = frame.reindex(columns=list(columns_of(view)))
    rows = given.itertuples(index=False, name=None)
    return [_source(row, view, made, f"row {number}") for number, row in enumerate(rows)]


def _source(row: tuple[Any, ...], view: str, made: ViewPixels, where: str) -> ImageSource:
    path, box, mask = (None if _is_blank(value) else str(value) for value in row)
    if path is None:
        message = f"{where}: no image of view {view}; give the path of one."
        raise TableError(message)
    fault = _fault_of_region(box, mask, view, made)
    if fault is not None:
        raise TableError(f"{where}: {fault}")
    return ImageSource(Path(path), box, None if mask is None else Path(mask))


def _fault_of_region(box: str | None, mask: str | None, view: str, made: ViewPixels) -> str | None:
    """What is wrong with the marks of an image, and what to do about it."""
    _, in_box, in_mask = columns_of(view)
    if box is not None and mask is not None:
        return f"{in_box} and {in_mask} are both given; keep the one that is meant."
    if mask is None and made.slices is not None and made.slices.choose == "largest":
        return (
            f"no {in_mask}, and the model looks at the slices of {view} on which the mask is "
            "largest; give the path of a mask of the same size."
        )
    if made.region is not None and box is None and mask is None:
        return (
            f"no region of interest, and the model has only seen {view} cut to one; give {in_box} "
            "(top left bottom right, in pixels from 0, the last two not included) or "
            f"{in_mask} (the path of an image of the same size, not 0 inside)."
        )
    return None


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
