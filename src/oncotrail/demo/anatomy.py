"""What slices of a trunk have in common: tissues, outline, spine, ribs, the couch beneath.

Sizes are in millimetres. `standard` numbers are in spreads between patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from oncotrail.demo.canvas import Canvas, Flags, Floats

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


def outline(canvas: Canvas, body: Floats) -> Flags:
    """Paint skin and the fat under it where `body`, a squared radius, is below 1."""
    canvas.fill(body < 1, SKIN)
    under_skin: Flags = body < 0.955  # noqa: PLR2004
    canvas.fill(under_skin, FAT)
    return under_skin


def vertebra(canvas: Canvas, y: float, size: float) -> None:
    """Paint a vertebra whose body's middle is at (0, y), from behind to the front."""
    canvas.ellipse(0, y + 47 * size, 4, 17 * size, CORTEX)  # spinous process
    for side in (-1, 1):
        canvas.ellipse(side * 21 * size, y + 24 * size, 17 * size, 5, 0.8 * CORTEX, turn=side * -12)
        canvas.ellipse(side * 9 * size, y + 32 * size, 11 * size, 4.5, 0.9 * CORTEX, turn=side * 35)
        canvas.ellipse(side * 12 * size, y + 16 * size, 5, 11 * size, 0.8 * CORTEX)  # pedicle
    canvas.ellipse(0, y, 19 * size, 15 * size, CORTEX)
    canvas.ellipse(0, y, 17.2 * size, 13.2 * size, MARROW)
    canvas.ellipse(0, y + 21 * size, 9 * size, 8.5 * size, FAT / 2)  # canal: fat round the cord
    canvas.ellipse(0, y + 21 * size, 6.5 * size, 5.5 * size, 38.0)


def ribs(
    canvas: Canvas, half_width: float, half_depth: float, angles: Floats, lengths: Floats
) -> None:
    """Paint ribs, cut obliquely, on an ellipse; angles in degrees from the front."""
    for angle, length in zip(angles, lengths, strict=True):
        across, along = np.sin(np.radians(angle)), -np.cos(np.radians(angle))
        tangent = np.degrees(np.arctan2(across * half_depth, -along * half_width))
        x, y = float(half_width * across), float(half_depth * along)
        canvas.ellipse(x, y, float(length), 4.6, CORTEX, turn=float(tangent))
        canvas.ellipse(x, y, float(length) - 2.5, 2.6, MARROW, turn=float(tangent))


def couch(canvas: Canvas, y: float) -> None:
    """Paint the couch that the patient lies on: a thin hollow shell, always level."""
    sag = y + 14 - 0.0006 * canvas.x**2
    canvas.fill((canvas.y > sag) & (canvas.y < sag + 4), COUCH)
