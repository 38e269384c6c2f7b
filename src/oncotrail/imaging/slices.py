"""Which slices of a volume become pictures."""

from __future__ import annotations

import numpy as np

from oncotrail.errors import ImageFault
from oncotrail.imaging.region import Marked
from oncotrail.imaging.scan import Scan
from oncotrail.study.pixels import Slices

ONE_SLICE = "save the slice that is meant, or declare the view's slices: {choose: middle}"


def chosen(scan: Scan, asked: Slices | None, marked: Marked | None) -> tuple[int, ...]:
    """The numbers of the slices, rising; of a single slice, itself."""
    found, rows, columns = scan.size
    if asked is None:
        if found > 1:
            said = f"is a volume of {found} slices of {rows} x {columns} pixels"
            raise ImageFault(said, ONE_SLICE)
        return (0,)
    if found < asked.count:
        raise ImageFault(
            f"holds {found} slices, and the view asks for {asked.count}",
            "export the whole volume, or ask for fewer",
        )
    if asked.choose == "middle":
        first = (found - asked.count) // 2
        return tuple(range(first, first + asked.count))
    if asked.choose == "largest":
        return _largest(asked.count, marked)
    return _evenly(found, asked.count, marked)


def _largest(count: int, marked: Marked | None) -> tuple[int, ...]:
    if marked is None or marked.mask is None:
        raise ImageFault(
            "has no mask, and the view takes the slices on which the mask is largest",
            "name its mask in images.csv, or let the view choose: middle",
        )
    areas = marked.mask.sum(axis=(1, 2))
    if int((areas > 0).sum()) < count:
        raise ImageFault(
            f"has a mask on {int((areas > 0).sum())} slices, and the view asks for {count}",
            "complete the mask, or ask for fewer slices",
        )
    by_area = np.lexsort((np.arange(len(areas)), -areas))
    return tuple(sorted(by_area[:count].tolist()))


def _evenly(found: int, count: int, marked: Marked | None) -> tuple[int, ...]:
    """The middles of `count` equal parts; of the whole volume, where the mask is too short."""
    first, length = 0, found
    if marked is not None and marked.mask is not None:
        covered = np.flatnonzero(marked.mask.any(axis=(1, 2)))
        if covered[-1] - covered[0] + 1 >= count:
            first, length = int(covered[0]), int(covered[-1] - covered[0] + 1)
    return tuple(first + (2 * part + 1) * length // (2 * count) for part in range(count))
