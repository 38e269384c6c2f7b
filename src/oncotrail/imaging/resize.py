"""Pictures in 8 bits -> the size that a network reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import MOST_PIXELS

Levels = NDArray[np.uint8]
Spacing = tuple[float | None, float | None]  # millimetres between rows, between columns


def resized(picture: Levels, rows: int, columns: int) -> Levels:
    """Bilinear with antialiasing: each new pixel averages all the old ones that it covers.

    On 8 bits Pillow computes in integers, so every machine makes the same bytes.
    """
    if picture.shape[:2] == (rows, columns):
        return picture
    made = Image.fromarray(picture).resize((columns, rows), Image.Resampling.BILINEAR)
    return np.asarray(made)


def padded(picture: Levels, spacing: Spacing, rows: int, columns: int) -> Levels:
    """As large as fits, with its shape kept in millimetres, in the middle of black."""
    height, width = picture.shape[:2]
    row_spacing, column_spacing = spacing
    if row_spacing and column_spacing:
        tall, wide = height * row_spacing, width * column_spacing
    else:
        tall, wide = float(height), float(width)
    scale = min(rows / tall, columns / wide)
    inner = (min(rows, max(1, round(tall * scale))), min(columns, max(1, round(wide * scale))))
    return placed(resized(picture, *inner), rows, columns)


def at_spacing(picture: Levels, spacing: Spacing, millimetres: float) -> Levels:
    """The picture with pixels of this size, or an `ImageFault` where theirs is not known."""
    row_spacing, column_spacing = spacing
    if row_spacing is None or column_spacing is None:
        raise ImageFault(
            "does not say how far apart its pixels are, and the view is resampled to "
            f"{millimetres:g} mm",
            "export it as DICOM or NIfTI with its spacing, or remove the view's resample",
        )
    rows = max(1, round(picture.shape[0] * row_spacing / millimetres))
    columns = max(1, round(picture.shape[1] * column_spacing / millimetres))
    if rows * columns > MOST_PIXELS:
        raise ImageFault(
            f"would have {rows} x {columns} pixels of {millimetres:g} mm",
            "correct its spacing, or the view's resample",
        )
    return resized(picture, rows, columns)


def placed(picture: Levels, rows: int, columns: int) -> Levels:
    """The middle of the picture: cut where it is larger, in black where it is smaller.

    >>> placed(np.full((1, 4), 7, np.uint8), 2, 2).tolist()
    [[7, 7], [0, 0]]
    """
    made = np.zeros((rows, columns, *picture.shape[2:]), np.uint8)
    from_rows, to_rows = _middle(picture.shape[0], rows)
    from_columns, to_columns = _middle(picture.shape[1], columns)
    made[to_rows, to_columns] = picture[from_rows, from_columns]
    return made


def _middle(old: int, new: int) -> tuple[slice, slice]:
    """Which part of `old` goes to which part of `new`."""
    common = min(old, new)
    source, target = (old - common) // 2, (new - common) // 2
    return slice(source, source + common), slice(target, target + common)
