"""A scan's values -> black to white in 8 bits, at the size that a network reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan
from oncotrail.study.pixels import Window

WHITE = 255


def windowed(scan: Scan, window: Window | None) -> NDArray[np.uint8]:
    """`low` and below is black, `high` and above is white, linear between.

    Without a window, black and white are the ends of what the file's grey levels can hold: never
    this image's own least and greatest value, which would make two patients incomparable.
    """
    low, high = black_and_white(scan, window)
    steps = (scan.pixels - np.float32(low)) * np.float32(WHITE / (high - low))
    levels: NDArray[np.uint8] = np.rint(np.clip(steps, 0, WHITE)).astype(np.uint8)
    return levels


def resized(pixels: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Bilinear with antialiasing: each new pixel averages all the old ones that it covers.

    On 8 bits Pillow computes in integers, so every machine makes the same bytes.
    """
    if pixels.shape == (rows, columns):
        return pixels
    picture = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def black_and_white(scan: Scan, window: Window | None) -> tuple[float, float]:
    """The values that become black and white, or an `ImageFault` where the window does not fit."""
    if window is None:
        if scan.full_range is None:
            values = "Hounsfield units" if scan.modality == "CT" else "values of no known range"
            message = f"holds {values}; declare the view's window: {{low: ..., high: ...}}."
            raise ImageFault(message)
        return scan.full_range
    if scan.grey and scan.full_range and not _within(window, scan.full_range):
        low, high = scan.full_range
        message = (
            f"holds grey levels from {low:g} to {high:g}, and the view's window is {window.low:g} "
            f"to {window.high:g}; if that is Hounsfield units, write window: null for this view. "
            "Grey levels and Hounsfield units do not mix in one view: save all in one way."
        )
        raise ImageFault(message)
    return window.low, window.high


def _within(window: Window, full_range: tuple[float, float]) -> bool:
    return full_range[0] <= window.low and window.high <= full_range[1]
