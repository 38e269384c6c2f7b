"""Slices in space: in which order they lie, and whether they are one whole volume.

The order is that of ImagePositionPatient along the normal of the slices. File names and
InstanceNumber say in which order slices were made or sent, which is often another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from oncotrail.errors import ImageFault

POSITION, ORIENTATION = 3, 6
SAME_DIRECTION = 1e-3  # of direction cosines: a twentieth of a degree
SAME_PLACE = 0.01  # of the usual distance between slices
EVEN = 0.1  # of the usual distance: scanners round positions


@dataclass(frozen=True)
class Place:
    """Where a slice lies: its first pixel in millimetres, and the directions of row and column."""

    position: tuple[float, ...]
    orientation: tuple[float, ...]


@dataclass(frozen=True)
class Stack:
    """Which slice comes first, second, ... along the normal, and the millimetres between them."""

    order: tuple[int, ...]
    spacing: float | None


def place_of(position_in: Dataset, orientation_in: Dataset) -> Place | None:
    """A slice's place, or None where the file does not say it fully."""
    position = _numbers(position_in.get("ImagePositionPatient"), POSITION)
    orientation = _numbers(orientation_in.get("ImageOrientationPatient"), ORIENTATION)
    return Place(position, orientation) if position and orientation else None


def stacked(places: Sequence[Place]) -> Stack:
    """Sort slices along their normal; an `ImageFault` where they are not one whole volume."""
    normal = _normal(places)
    along = np.array([place.position for place in places]) @ normal
    order = np.argsort(along, kind="stable")
    if len(places) == 1:
        return Stack((0,), None)
    steps = np.diff(along[order])
    usual = float(np.median(steps))
    _refuse_same_place(steps, usual)
    _refuse_gaps(along[order], steps, usual)
    return Stack(tuple(order.tolist()), usual)


def _normal(places: Sequence[Place]) -> NDArray[np.float64]:
    directions = np.array([place.orientation for place in places])
    turned = np.abs(directions - directions[0]).max(axis=1) > SAME_DIRECTION
    if turned.any():
        raise ImageFault(
            f"holds slices in {_kinds(directions)} orientations ({int(turned.sum())} of "
            f"{len(places)} differ from the first)",
            "keep the slices of one orientation; a localiser often lies among them",
        )
    normal = np.cross(directions[0][:3], directions[0][3:])
    length = float(np.linalg.norm(normal))
    if not abs(length - 1) < EVEN:
        raise ImageFault("says that its rows and columns run the same way", "export it again")
    return np.asarray(normal / length)


def _kinds(directions: NDArray[np.float64]) -> int:
    return len(np.unique(np.round(directions, 2), axis=0))


def _refuse_same_place(steps: NDArray[np.float64], usual: float) -> None:
    doubled = int((steps <= SAME_PLACE * max(usual, 1)).sum())
    if doubled:
        raise ImageFault(
            f"holds {doubled} slices more than places: two lie at the same one",
            "keep one reconstruction, phase or copy of each slice",
        )


def _refuse_gaps(along: NDArray[np.float64], steps: NDArray[np.float64], usual: float) -> None:
    apart = int(np.argmax(np.abs(steps - usual)))
    if abs(steps[apart] - usual) > EVEN * usual:
        raise ImageFault(
            f"has slices {usual:g} mm apart, and {steps[apart]:g} mm between those at "
            f"{along[apart]:g} and {along[apart + 1]:g} mm",
            "bring the slices that are missing, or export the series again",
        )


def _numbers(value: Any, count: int) -> tuple[float, ...]:
    if value is None or value == "" or len(value) != count:
        return ()
    numbers = tuple(float(number) for number in value)
    return numbers if np.isfinite(numbers).all() else ()
