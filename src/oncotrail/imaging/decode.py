"""From a scan on disk to the pixels that a network sees.

    read -> choose slices -> window -> cut to the region -> resample or resize

`pictures_of` is the only way from a file to a network's pixels: training and serving share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import ImageFault
from oncotrail.imaging import region
from oncotrail.imaging.read import read_scan
from oncotrail.imaging.region import Marked
from oncotrail.imaging.resize import at_spacing, padded, placed, resized
from oncotrail.imaging.scan import Scan
from oncotrail.imaging.slices import chosen
from oncotrail.imaging.window import in_colour, in_grey, windowed
from oncotrail.study.pixels import ViewPixels

HALVINGS = 32  # a DenseNet, like a ResNet, halves its picture five times


@dataclass(frozen=True)
class ImageSource:
    """An image on disk, and what marks its region: the text of a box, or another image."""

    path: Path  # a file, or the folder of a series
    box: str | None = None
    mask: Path | None = None


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a network sees of one image, in 8 bits: 0 is black."""

    pixels: NDArray[np.uint8]  # pictures x rows x columns [x 3]
    slices: tuple[int, ...]  # of which slice each picture is


def pictures_of(source: ImageSource, view: ViewPixels) -> Pictures:
    """The image's pictures as the view declares them; an `ImageFault` begins with the path."""
    scan = read_scan(source.path)
    marked = _marked(source, scan)
    try:
        return pictures_in(scan, view, marked)
    except ImageFault as fault:
        raise fault.at(source.path) from fault


def pictures_in(scan: Scan, view: ViewPixels, marked: Marked | None) -> Pictures:
    """The pictures of a scan in memory; a fault's sentence begins with a verb."""
    slices = chosen(scan, view.slices, marked)
    box = None
    if view.region is not None:
        if marked is None:
            raise ImageFault(
                "has no region of interest, and the view is cut to one",
                "give it a box or a mask in images.csv, or remove the view's region",
            )
        box = region.grown(marked.box, view.region, scan)
    levels = windowed(scan, view.window, slices)
    if scan.colour and view.colour == "grey":
        levels = in_grey(levels)
    if not scan.colour and view.colour == "rgb":
        levels = in_colour(levels)
    cuts = levels if box is None else [region.cut(picture, box) for picture in levels]
    return Pictures(np.stack([_sized(picture, scan, view) for picture in cuts]), slices)


def limited(view: ViewPixels, image_side: int | None) -> ViewPixels:
    """The view with its longest side capped, its shape kept to the nearest multiple of 32.

    Each halving of an odd side drops a line at the border; of a picture of 48 rows a DenseNet would
    lose the lowest third at the last one. So both sides are multiples of 32. A view with a spacing
    gets a coarser one, and shows as much of the patient.

    >>> limited(ViewPixels(window=None, rows=300, columns=500), 64).rows
    32
    """
    longest = max(view.rows, view.columns)
    if image_side is None or image_side >= longest:
        return view
    scale = image_side / longest
    rows, columns = (max(1, round(side * scale / HALVINGS)) for side in (view.rows, view.columns))
    changed: dict[str, object] = {"rows": rows * HALVINGS, "columns": columns * HALVINGS}
    if view.resample is not None:
        coarser = view.resample.spacing * longest / (max(rows, columns) * HALVINGS)
        changed["resample"] = view.resample.model_copy(update={"spacing": coarser})
    return view.model_copy(update=changed)


def _marked(source: ImageSource, scan: Scan) -> Marked | None:
    place = source.path if source.mask is None else source.mask
    mask = None if source.mask is None else read_scan(source.mask)
    try:
        return region.marked_in(scan, source.box, mask)
    except ImageFault as fault:
        raise fault.at(place) from fault


def _sized(picture: NDArray[np.uint8], scan: Scan, view: ViewPixels) -> NDArray[np.uint8]:
    spacing = (scan.row_spacing, scan.column_spacing)
    if view.resample is not None:
        scaled = at_spacing(picture, spacing, view.resample.spacing)
        return placed(scaled, view.rows, view.columns)
    if view.keep_aspect == "pad":
        return padded(picture, spacing, view.rows, view.columns)
    return resized(picture, view.rows, view.columns)
