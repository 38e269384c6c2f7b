"""A scan's values -> black to white in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan
from oncotrail.study.pixels import HOUNSFIELD, NamedWindow, Percentiles, Window

WHITE = 255
Levels = NDArray[np.uint8]
ViewWindow = Window | Percentiles | NamedWindow | str | None
LUMINANCE = np.array([19595, 38470, 7471], dtype=np.int64)  # of 65536: ITU-R 601, as Pillow has it
HALF, SCALE_BITS = 2**15, 16


def windowed(scan: Scan, window: ViewWindow, slices: Sequence[int] | None = None) -> Levels:
    """These slices (or all) in 8 bits: `low` and below is black, `high` and above is white.

    Without a window, black and white are the ends of what the file's grey levels can hold: never
    this image's own least and greatest value, which would make two patients incomparable.
    """
    chosen = list(range(len(scan.pixels)) if slices is None else slices)
    if window == "voi":
        return _as_the_file_asks(scan, chosen)
    low, high = black_and_white(scan, window)
    steps = (scan.pixels[chosen] - np.float32(low)) * np.float32(WHITE / (high - low))
    levels: Levels = np.rint(np.clip(steps, 0, WHITE)).astype(np.uint8)
    return levels


def black_and_white(scan: Scan, window: ViewWindow) -> tuple[float, float]:
    """The values that become black and white, or an `ImageFault` where the window does not fit."""
    if window is None:
        return _full_range(scan)
    if isinstance(window, Percentiles):
        return _percentiles(scan, window.percentiles)
    if not isinstance(window, Window):
        return _named(scan, window)
    if scan.grey and scan.full_range and not _within(window, scan.full_range):
        low, high = scan.full_range
        raise ImageFault(
            f"holds grey levels from {low:g} to {high:g}, and the view's window is {window.low:g} "
            f"to {window.high:g}",
            "if that is Hounsfield units, write window: null for this view. Grey levels and "
            "Hounsfield units do not mix in one view: save all in one way",
        )
    return window.low, window.high


def in_grey(levels: Levels) -> Levels:
    """Colours -> how bright they look: slices x rows x columns x 3 -> slices x rows x columns."""
    return np.asarray((levels @ LUMINANCE + HALF) >> SCALE_BITS, dtype=np.uint8)


def in_colour(levels: Levels) -> Levels:
    """Grey -> red, green and blue, all the same."""
    return np.repeat(levels[..., np.newaxis], 3, axis=-1)


def _full_range(scan: Scan) -> tuple[float, float]:
    if scan.full_range is None:
        values = "Hounsfield units" if scan.modality == "CT" else "values of no known range"
        raise ImageFault(f"holds {values}", "declare the view's window: {low: ..., high: ...}")
    return scan.full_range


def _named(scan: Scan, name: str) -> tuple[float, float]:
    window = HOUNSFIELD[name]  # type: ignore[index]  # the settings allow no other name
    if scan.grey or scan.modality not in (None, "CT"):
        held = "grey levels" if scan.grey else f"values of {scan.modality}"
        raise ImageFault(
            f"holds {held}, and the view's window {name} is {window.low:g} to {window.high:g} "
            "Hounsfield units",
            "write window: null for this view, or {low: ..., high: ...} in the image's own unit",
        )
    return window.low, window.high


def _percentiles(scan: Scan, asked: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(value) for value in np.percentile(scan.pixels, asked))
    if not low < high:
        raise ImageFault(
            f"has the same value ({low:g}) at its percentiles {asked[0]:g} and {asked[1]:g}",
            "it may be blank; export it again, or declare percentiles further apart",
        )
    return low, high


def _as_the_file_asks(scan: Scan, slices: Sequence[int]) -> Levels:
    if len(scan.voi) != len(scan.pixels):
        raise ImageFault(
            "does not say how it is to be shown (no window or VOI table)",
            "declare the view's window: {low: ..., high: ...}",
        )
    shares = np.stack([scan.voi[number].shares(scan.pixels[number]) for number in slices])
    return np.asarray(np.rint(shares * WHITE), dtype=np.uint8)


def _within(window: Window, full_range: tuple[float, float]) -> bool:
    return full_range[0] <= window.low and window.high <= full_range[1]
