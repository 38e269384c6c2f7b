"""What slices of a trunk have in common: tissues, outline, spine, ribs, the couch beneath.

Sizes are in millimetres. `standard` numbers are in spreads between patients.
"""

# ruff: noqa: PLR2004 - an anatomy is a list of sizes, read where they stand
from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, radians, sin
from typing import Final

from oncotrail.demo.canvas import Canvas, Ellipse, Floats

# Hounsfield units, with contrast medium in the vessels.
FAT: Final = -102.0
SKIN: Final = 60.0
MUSCLE: Final = 52.0
LUNG: Final = -850.0
VESSEL: Final = 125.0
MARROW: Final = 210.0
CORTEX: Final = 560.0
COUCH: Final = 60.0


@dataclass(frozen=True)
class Subject:
    """What a slice shows of one patient."""

    muscle_cm2: float  # pectoral muscles at T4, both sides
    visceral_cm2: float  # visceral fat at T11
    fatness: float  # BMI, standard
    frame: float  # height, standard


def outline(canvas: Canvas, body: Floats) -> None:
    """Paint skin and the fat under it where `body`, a squared radius, is below 1."""
    canvas.fill(body < 1, SKIN)
    canvas.fill(body < 0.955, FAT)


def vertebra(canvas: Canvas, y: float, size: float) -> None:
    """Paint a vertebra whose body's middle is at (0, y), from behind to the front."""
    canvas.ellipse(Ellipse(0, y + 47 * size, 4, 17 * size), CORTEX)  # spinous process
    for side in (-1, 1):
        canvas.ellipse(
            Ellipse(side * 21 * size, y + 24 * size, 17 * size, 5, side * -12), 0.8 * CORTEX
        )
        canvas.ellipse(
            Ellipse(side * 9 * size, y + 32 * size, 11 * size, 4.5, side * 35), 0.9 * CORTEX
        )
        canvas.ellipse(
            Ellipse(side * 12 * size, y + 16 * size, 5, 11 * size), 0.8 * CORTEX
        )  # pedicle
    canvas.ellipse(Ellipse(0, y, 19 * size, 15 * size), CORTEX)
    canvas.ellipse(Ellipse(0, y, 17.2 * size, 13.2 * size), MARROW)
    canvas.ellipse(
        Ellipse(0, y + 21 * size, 9 * size, 8.5 * size), FAT / 2
    )  # canal: fat round the cord
    canvas.ellipse(Ellipse(0, y + 21 * size, 6.5 * size, 5.5 * size), 38.0)


def ribs(
    canvas: Canvas, half_width: float, half_depth: float, angles: list[float], lengths: list[float]
) -> None:
    """Paint ribs, cut obliquely, on an ellipse; angles in degrees from the front."""
    for angle, length in zip(angles, lengths, strict=True):
        across, along = sin(radians(angle)), -cos(radians(angle))
        tangent = degrees(atan2(across * half_depth, -along * half_width))
        x, y = half_width * across, half_depth * along
        canvas.ellipse(Ellipse(x, y, length, 4.6, tangent), CORTEX)
        canvas.ellipse(Ellipse(x, y, length - 2.5, 2.6, tangent), MARROW)


def couch(canvas: Canvas, y: float) -> None:
    """Paint the couch that the patient lies on: a thin hollow shell, always level."""
    sag = y + 14 - 0.0006 * canvas.x**2
    canvas.fill((canvas.y > sag) & (canvas.y < sag + 4), COUCH)
