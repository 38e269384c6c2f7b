"""The images table -> what the pixel store is asked for; what it made -> the pixels table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.errors import DataFault
from oncotrail.imaging.decode import ImageSource
from oncotrail.imaging.journal import Written


def of_view(images: pd.DataFrame, view: str) -> pd.DataFrame:
    """The images of one view, by name: the order of their pictures in the file."""
    here = images[images["view"] == view].sort_values("image")
    if here.empty:
        known = ", ".join(sorted(images["view"].unique()))
        message = f"no patient has an image of the view {view!r}; the images are of: {known}."
        raise DataFault(message)
    return here


def sources(images: pd.DataFrame, acquired: Path) -> list[ImageSource]:
    """Where each image, its box and its mask are."""
    return [source(row, acquired) for row in images.to_dict("records")]


def source(row: Mapping[Hashable, Any], acquired: Path) -> ImageSource:
    """One row of the images table -> where the image, its box and its mask are."""
    box, mask = (None if pd.isna(row[name]) else str(row[name]) for name in ("box", "mask"))
    return ImageSource(acquired / str(row["path"]), box, acquired / mask if mask else None)


def rows(images: pd.DataFrame, written: Sequence[Written]) -> pd.DataFrame:
    """The pixels table of these images: a row per picture, counted as in the file."""
    found = [
        (row["patient"], row["image"], row["view"], slice_, digest)
        for row, made in zip(images.to_dict("records"), written, strict=True)
        for slice_, digest in zip(made.slices, made.digests, strict=True)
    ]
    frame = pd.DataFrame(found, columns=["patient", "image", "view", "slice", "sha256"])
    return frame.assign(row=range(len(frame)))[list(tables.PIXELS.columns)]
