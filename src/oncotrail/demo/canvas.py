"""A slice being painted: Hounsfield units on a pixel grid, addressed in millimetres of the body.

x points to the patient's left (right in the image), y to her back (down in the image); the origin
is the middle of the body, which lies shifted and turned in the field of view. Shapes are painted
one over another, like paper on paper. Areas that matter are painted by `paint_area`, which gives a
tissue exactly the area asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, pi, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Single precision: only sums, products and roots happen here, and those are the same everywhere.
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

SIDE: Final = 256  # pixels
AIR: Final = -1000.0


@dataclass(frozen=True)
class Pose:
    """How the patient lies: shift of the body's middle in millimetres, turn in degrees."""

    right: float
    down: float
    turn: float


@dataclass(frozen=True)
class Ellipse:
    """An ellipse round (x, y), turned clockwise by `turn` degrees; millimetres."""

    x: float
    y: float
    half_width: float
    half_depth: float
    turn: float = 0.0

    def radius2(self, x: Floats, y: Floats) -> Floats:
        """The squared radius in units of the ellipse: below 1 inside, 1 on its rim."""
        across, along = x - self.x, y - self.y
        if self.turn:
            cosine, sine = cos(radians(self.turn)), sin(radians(self.turn))
            across, along = across * cosine + along * sine, along * cosine - across * sine
        return (across / self.half_width) ** 2 + (along / self.half_depth) ** 2


class Canvas:
    """Hounsfield units `hu` and body coordinates `x`, `y` of every pixel."""

    def __init__(self, spacing: float, pose: Pose) -> None:
        self.spacing = spacing
        self._cos, self._sin = cos(radians(pose.turn)), sin(radians(pose.turn))
        self._middle = (
            (SIDE - 1) / 2 + pose.down / spacing,
            (SIDE - 1) / 2 + pose.right / spacing,
        )
        down = ((np.arange(SIDE) - self._middle[0]) * spacing)[:, None]
        right = ((np.arange(SIDE) - self._middle[1]) * spacing)[None, :]
        self.x: Floats = (right * self._cos + down * self._sin).astype(np.float32)
        self.y: Floats = (down * self._cos - right * self._sin).astype(np.float32)
        self.hu: Floats = np.full((SIDE, SIDE), AIR, dtype=np.float32)

    def fill(self, where: Flags, hu: float | Floats) -> None:
        """Paint the pixels in `where`."""
        np.copyto(self.hu, hu, where=where)

    def ellipse(self, shape: Ellipse, hu: float) -> None:
        """Paint one ellipse; touches only its neighbourhood."""
        rows, columns = self._around(shape)
        inside = shape.radius2(self.x[rows, columns], self.y[rows, columns])
        np.copyto(self.hu[rows, columns], hu, where=inside < 1)

    def paint_area(
        self, preference: Floats, allowed: Flags, area_cm2: float, hu: float | Floats
    ) -> Flags:
        """Paint exactly `area_cm2` (to a pixel): the allowed pixels of highest preference."""
        pixels = round(area_cm2 * 100 / self.spacing**2)
        candidates = preference[allowed]
        if pixels > candidates.size:
            found = candidates.size * self.spacing**2 / 100
            message = f"the region has room for {found:.1f} cm2, but {area_cm2:.1f} were asked for."
            raise ValueError(message)
        least = np.partition(candidates, candidates.size - pixels)[candidates.size - pixels]
        chosen: Flags = allowed & (preference >= least)
        self.fill(chosen, hu)
        return chosen

    def waves(self, rng: np.random.Generator, wavelength: float, count: int = 8) -> Floats:
        """A smooth random field with mean 0 and variance 1: plane waves about this long (mm)."""
        places = np.arange(SIDE) * self.spacing
        field = np.zeros((SIDE, SIDE), dtype=np.float32)
        for direction, stretch, phase in rng.random((count, 3)):
            pace = 2 * pi / (wavelength * (0.7 + 0.6 * stretch))
            down = places * pace * sin(pi * direction) + 2 * pi * phase
            right = places * pace * cos(pi * direction)
            # sin(down + right), from rows and columns alone
            field += np.multiply.outer(_single(np.sin(down)), _single(np.cos(right)))
            field += np.multiply.outer(_single(np.cos(down)), _single(np.sin(right)))
        return field * np.float32((2 / count) ** 0.5)

    def _around(self, shape: Ellipse) -> tuple[slice, slice]:
        down = self._middle[0] + (shape.y * self._cos + shape.x * self._sin) / self.spacing
        right = self._middle[1] + (shape.x * self._cos - shape.y * self._sin) / self.spacing
        pixels = ceil(max(shape.half_width, shape.half_depth) / self.spacing) + 1
        return _span(down, pixels), _span(right, pixels)


def rounded_box2(x: Floats, y: Floats, half_width: float, half_depth: float) -> Floats:
    """As `Ellipse.radius2`, for a shape between an ellipse and a box: the cross-section of a trunk.

    With a and c the squared coordinates in units of the half axes, (a^2 + c^2 + a c)^(1/2): no
    other powers, because they differ between processors in their last digit.
    """
    across, along = (x / half_width) ** 2, (y / half_depth) ** 2
    norm: Floats = np.sqrt(across * across + along * along + across * along)
    return norm


def _span(middle: float, pixels: int) -> slice:
    low = min(max(int(middle) - pixels, 0), SIDE)
    return slice(low, min(max(int(middle) + pixels + 2, low), SIDE))


def _single(values: NDArray[np.float64]) -> Floats:
    return values.astype(np.float32)
