"""From a scan on disk to the pixels that a network sees, and the store that keeps them.

`pixels_of` is the only way from a file to a network's pixels: training and serving share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from oncotrail.errors import ImageFault
from oncotrail.imaging.read import read_scan
from oncotrail.imaging.scan import digest
from oncotrail.imaging.window import resized, windowed
from oncotrail.study.pixels import ViewPixels

HALVINGS = 32  # a DenseNet, like a ResNet, halves its picture five times


def pixels_of(path: Path, view: ViewPixels) -> NDArray[np.uint8]:
    """The image as the view declares it: rows x columns, 0 is black."""
    scan = read_scan(path)
    try:
        return resized(windowed(scan, view.window), view.rows, view.columns)
    except ImageFault as fault:
        message = f"{path} {fault}"
        raise ImageFault(message) from fault


def limited(view: ViewPixels, image_side: int | None) -> ViewPixels:
    """The view with its longest side capped, its shape kept to the nearest multiple of 32.

    Each halving of an odd side drops a line at the border; of a picture of 48 rows a DenseNet would
    lose the lowest third at the last one. So both sides are multiples of 32.

    >>> limited(ViewPixels(window=None, rows=300, columns=500), 64).rows
    32
    """
    longest = max(view.rows, view.columns)
    if image_side is None or image_side >= longest:
        return view
    scale = image_side / longest
    rows, columns = (max(1, round(side * scale / HALVINGS)) for side in (view.rows, view.columns))
    return view.model_copy(update={"rows": rows * HALVINGS, "columns": columns * HALVINGS})


def fill(store: Path, paths: Sequence[Path], view: ViewPixels) -> list[str]:
    """Write row i of `store` from the i-th path; return the digest of each row as stored.

    Rows go straight to the file: memory does not grow with the cohort, and a full disk is an error
    (under a map it would be a crash).
    One process: a 512 x 512 DICOM slice takes 2 ms, less than a worker would need to be started.
    """
    shape = (len(paths), view.rows, view.columns)
    begin = open_memmap(store, mode="w+", dtype=np.uint8, shape=shape).offset
    digests = []
    with store.open("r+b") as file:
        file.seek(begin)
        for path in paths:
            pixels = pixels_of(path, view)
            file.write(pixels.tobytes())
            digests.append(digest(pixels))
    return digests
