"""The region of interest of an image: its box or its mask, checked, and the picture cut to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan
from oncotrail.study.pixels import Region

BOX = "write box as four whole numbers: top left bottom right, from 0, the last two not included"
SAME_SPACING = 0.01  # relative: files round


@dataclass(frozen=True)
class Box:
    """Rows from `top` up to `bottom` and columns from `left` up to `right`, the ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """How many rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """How many columns."""
        return self.right - self.left


@dataclass(frozen=True, eq=False)
class Marked:
    """What somebody marked in an image: a box on all its slices, or a mask of its own size."""

    box: Box
    mask: NDArray[np.bool_] | None = None  # slices x rows x columns


def box_of(text: str) -> Box:
    """The box that images.csv names.

    >>> box_of("10 20 110 220")
    Box(top=10, left=20, bottom=110, right=220)
    """
    try:
        top, left, bottom, right = (int(number) for number in text.replace(",", " ").split())
    except ValueError:
        raise ImageFault(f"has a box {text!r}", BOX) from None
    if not (0 <= top < bottom and 0 <= left < right):
        raise ImageFault(f"has a box {text!r} that holds nothing", BOX)
    return Box(top, left, bottom, right)


def marked_by_box(text: str, scan: Scan) -> Marked:
    """The box, if it lies within the picture."""
    box, (_, rows, columns) = box_of(text), scan.size
    if box.bottom > rows or box.right > columns:
        raise ImageFault(
            f"has {rows} x {columns} pixels, and its box ends at {box.bottom} and {box.right}",
            BOX,
        )
    return Marked(box)


def marked_by_mask(mask: Scan, scan: Scan) -> Marked:
    """The mask, where it is not 0, if it is of the image's size and marks anything."""
    if mask.colour or mask.size != scan.size:
        found = "colours" if mask.colour else " x ".join(map(str, mask.size)) + " pixels"
        expected = " x ".join(map(str, scan.size))
        raise ImageFault(
            f"is a mask of {found}, and its image has {expected} (slices x rows x columns)",
            "draw the mask on the image as it was handed over",
        )
    _refuse_other_spacing(mask, scan)
    inside = mask.pixels != 0
    if not inside.any():
        raise ImageFault("is a mask that marks nothing", "draw it again, or take it off the list")
    rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    box = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return Marked(box, inside)


def marked_in(scan: Scan, box: str | None, mask: Scan | None) -> Marked | None:
    """What the mask or else the box marks; nothing, where there is neither."""
    if mask is not None:
        return marked_by_mask(mask, scan)
    return marked_by_box(box, scan) if box else None


def grown(box: Box, asked: Region, scan: Scan) -> Box:
    """The box with its margin and, where asked for, square.

    A square may reach beyond a picture that is too narrow for it; `cut` makes that part black.
    """
    _, rows, columns = scan.size
    down, across = _margin(asked, scan)
    box = Box(
        max(0, box.top - down),
        max(0, box.left - across),
        min(rows, box.bottom + down),
        min(columns, box.right + across),
    )
    if not asked.square:
        return box
    side = max(box.height, box.width)
    top, bottom = _widened(box.top, box.bottom, side, rows)
    left, right = _widened(box.left, box.right, side, columns)
    return Box(top, left, bottom, right)


def cut(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The part of rows x columns [x 3] in the box; black, where the box reaches beyond it."""
    rows, columns = picture.shape[:2]
    top, left = max(0, box.top), max(0, box.left)
    inside = picture[top : min(rows, box.bottom), left : min(columns, box.right)]
    if inside.shape[:2] == (box.height, box.width):
        return inside
    made = np.zeros((box.height, box.width, *picture.shape[2:]), np.uint8)
    above, before = top - box.top, left - box.left
    made[above : above + inside.shape[0], before : before + inside.shape[1]] = inside
    return made


def _refuse_other_spacing(mask: Scan, scan: Scan) -> None:
    pairs = (
        (mask.row_spacing, scan.row_spacing),
        (mask.column_spacing, scan.column_spacing),
        (mask.slice_spacing, scan.slice_spacing),
    )
    for of_mask, of_image in pairs:
        if of_mask and of_image and not math.isclose(of_mask, of_image, rel_tol=SAME_SPACING):
            raise ImageFault(
                f"is a mask with pixels {of_mask:g} mm apart, and its image has {of_image:g} mm",
                "draw the mask on the image as it was handed over",
            )


def _margin(asked: Region, scan: Scan) -> tuple[int, int]:
    """The margin in rows and in columns."""
    if not asked.in_millimetres:
        return round(asked.amount), round(asked.amount)
    if scan.row_spacing is None or scan.column_spacing is None:
        raise ImageFault(
            f"does not say how far apart its pixels are, and the margin is {asked.margin}",
            "export it with its spacing, or declare the margin in px",
        )
    return round(asked.amount / scan.row_spacing), round(asked.amount / scan.column_spacing)


def _widened(low: int, high: int, side: int, size: int) -> tuple[int, int]:
    """From `low` to `high` made `side` long around its middle, moved inside 0 to `size`."""
    begin = low - (side - (high - low)) // 2
    begin = (size - side) // 2 if side > size else min(max(0, begin), size - side)
    return begin, begin + side
