"""One image in memory: pixels in the unit of the modality, and what the file says of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import ImageFault

MOST_PIXELS = 2**26  # 8192 x 8192: more than any detector, less than a laptop's memory


@dataclass(frozen=True)
class Scan:
    """A single slice or radiograph.

    `pixels` is rows x columns. `full_range` says which values are black and white where no window
    is declared; None, where the file cannot say (Hounsfield units, floats). `grey` says that the
    values are grey levels without a unit, so that a window in Hounsfield units would be a mistake.
    """

    pixels: NDArray[np.float32]
    row_spacing: float | None = None  # millimetres between rows
    column_spacing: float | None = None
    modality: str | None = None
    full_range: tuple[float, float] | None = None
    grey: bool = False
    manufacturer: str | None = None
    scanner: str | None = None
    series: str | None = None
    phase: str | None = None
    laterality: str | None = None


def refuse_size(rows: int, columns: int) -> None:
    """Refuse an absurd size before memory is asked for it."""
    if rows < 1 or columns < 1:
        message = f"has {rows} x {columns} pixels; expected an image."
        raise ImageFault(message)
    if rows * columns > MOST_PIXELS:
        message = (
            f"says it has {rows} x {columns} pixels, more than the {MOST_PIXELS:,} accepted; "
            "export the slice at its own size."
        )
        raise ImageFault(message)


def pixels_of_single_slice(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Decoded values as finite float32, rows x columns."""
    if values.ndim != 2:  # noqa: PLR2004
        shape = " x ".join(map(str, values.shape))
        message = f"holds an array of {shape}; expected one slice, rows x columns, in grey."
        raise ImageFault(message)
    refuse_size(*values.shape)
    pixels = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(pixels).all():
        message = "holds pixels that are not finite numbers; export it again."
        raise ImageFault(message)
    return pixels


def digest(pixels: NDArray[np.generic]) -> str:
    """The sha256 of pixels with their size: the same picture in any file has the same digest.

    >>> digest(np.zeros((2, 3), np.float32)) == digest(np.zeros((3, 2), np.float32))
    False
    """
    as_written = np.ascontiguousarray(pixels, dtype=np.dtype("<f4"))
    sha256 = hashlib.sha256("x".join(map(str, pixels.shape)).encode())
    sha256.update(as_written.tobytes())
    return sha256.hexdigest()
