"""One image in memory: pixels in the unit of the modality, and what the file says of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import ImageFault
from oncotrail.imaging.voi import Voi

MOST_PIXELS = 2**26  # 8192 x 8192: more than any detector, less than a laptop's memory
MOST_VOXELS = 2**29  # 512 x 512 x 2048, 2 GiB as float32
PLANES, COLOURS = 3, 4  # axes of a grey scan and of one in colour


@dataclass(frozen=True)
class Scan:
    """A slice, a radiograph, a picture in colour, or a volume.

    `pixels` is slices x rows x columns, and x 3 (red, green, blue) in colour; a picture is one
    slice. Slices run along the normal of their plane: feet to head for axial ones. Spacings are
    millimetres between neighbours, None where the file does not say.

    `full_range` says which values are black and white where no window is declared; None, where the
    file cannot say (Hounsfield units, floats). `grey` says that the values are grey levels without
    a unit, so that a window in Hounsfield units would be a mistake. `voi` is how the file itself
    wants each slice shown; empty, where it does not say.
    """

    pixels: NDArray[np.float32]
    row_spacing: float | None = None  # millimetres between rows
    column_spacing: float | None = None
    slice_spacing: float | None = None
    modality: str | None = None
    full_range: tuple[float, float] | None = None
    grey: bool = False
    voi: tuple[Voi, ...] = ()
    manufacturer: str | None = None
    scanner: str | None = None
    series: str | None = None
    phase: str | None = None
    laterality: str | None = None

    @property
    def size(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        slices, rows, columns = self.pixels.shape[:PLANES]
        return slices, rows, columns

    @property
    def colour(self) -> bool:
        """Whether each pixel is red, green and blue."""
        return self.pixels.ndim == COLOURS

    def sha256(self) -> str:
        """The digest of the picture, whatever file it came in: of a slice, without its axis."""
        return digest(self.pixels[0] if len(self.pixels) == 1 else self.pixels)


def refuse_size(rows: int, columns: int, slices: int = 1) -> None:
    """Refuse an absurd size before memory is asked for it."""
    if rows < 1 or columns < 1 or slices < 1:
        said = f"{slices} slices of {rows} x {columns}" if slices != 1 else f"{rows} x {columns}"
        raise ImageFault(f"has {said} pixels", "expected an image; export it again")
    if rows * columns > MOST_PIXELS:
        raise ImageFault(
            f"says it has {rows} x {columns} pixels, more than the {MOST_PIXELS:,} accepted",
            "export the slice at its own size",
        )
    if slices * rows * columns > MOST_VOXELS:
        raise ImageFault(
            f"says it has {slices} slices of {rows} x {columns} pixels, more than the "
            f"{MOST_VOXELS:,} accepted",
            "export the part that is meant",
        )


def as_pixels(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Decoded values as finite float32: slices x rows x columns [x 3]."""
    if values.ndim not in (PLANES, COLOURS) or values.shape[PLANES:] not in ((), (3,)):
        shape = " x ".join(map(str, values.shape))
        raise ImageFault(f"holds an array of {shape}", "expected slices of rows x columns")
    slices, rows, columns = values.shape[:PLANES]
    refuse_size(rows, columns, slices)
    pixels = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(pixels).all():
        raise ImageFault("holds pixels that are not finite numbers", "export it again")
    return pixels


def digest(pixels: NDArray[np.generic]) -> str:
    """The sha256 of pixels with their size: the same picture in any file has the same digest.

    >>> digest(np.zeros((2, 3), np.float32)) == digest(np.zeros((3, 2), np.float32))
    False
    """
    as_written = np.ascontiguousarray(pixels, dtype=np.dtype("<f4"))
    sha256 = hashlib.sha256("x".join(map(str, pixels.shape)).encode())
    sha256.update(as_written.data)
    return sha256.hexdigest()
