"""A CT slice at the fourth thoracic vertebra: the pectoral muscles on the front of the rib cage.

Sizes are in millimetres, half axes where a shape has two. Only the muscle area matters for the
outcome; body fat follows BMI, the frame follows height, and the rest varies at random.
"""

# ruff: noqa: PLR2004 - an anatomy is a list of sizes, read where they stand
from __future__ import annotations

import numpy as np

from oncotrail.demo.anatomy import (
    CORTEX,
    FAT,
    LUNG,
    MARROW,
    MUSCLE,
    VESSEL,
    Subject,
    couch,
    outline,
    ribs,
    vertebra,
)
from oncotrail.demo.canvas import AIR, Canvas, Ellipse, rounded_box2

WALL = 9.0  # ribs and the muscles between them
LEAN = 1.0  # Hounsfield units per cm2 of pectoral muscle


def paint(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Paint the slice on an empty canvas, from the skin inwards."""
    vary = rng.standard_normal(8).clip(-2, 2).tolist()
    width, depth = 110 + 3 * vary[0] + 3 * subject.frame, 71 + 2 * vary[1] + 2 * subject.frame
    couch(canvas, depth + 60 + 4 * subject.fatness)
    _trunk(canvas, subject, width, depth)
    _back(canvas, width, depth)
    canvas.ellipse(Ellipse(0, 0, width + WALL, depth + WALL), MUSCLE)
    _lungs(canvas, width, depth, rng)
    _mediastinum(canvas, depth, vary)
    angles = np.array([33, 62, 90, 115, 141, -30, -60, -92, -117, -140]) + rng.uniform(-7, 7, 10)
    lengths = rng.uniform(8, 20, 10)
    ribs(canvas, width + 4.5, depth + 4.5, angles.tolist(), lengths.tolist())
    vertebra(canvas, 0.73 * depth, 0.92)
    _sternum(canvas, depth)
    _pectorals(canvas, subject, width + WALL, depth + WALL)
    _gland(canvas, depth, rng)


def _trunk(canvas: Canvas, subject: Subject, width: float, depth: float) -> None:
    """Skin and fat, with the upper part of the breasts."""
    fat, muscle = subject.fatness, (subject.muscle_cm2 - 34) / 5
    body = rounded_box2(
        canvas.x, canvas.y - 10, width + 56 + 6 * fat, depth + 37 + 5 * fat + muscle
    )
    for side in (-1, 1):
        breast = Ellipse(side * 74, -depth - 15 - muscle, 70 + 4 * fat, 28 + 5 * fat)
        body = np.minimum(body, breast.radius2(canvas.x, canvas.y))
    outline(canvas, body)


def _pectorals(canvas: Canvas, subject: Subject, width: float, depth: float) -> None:
    """Two plates on the ribs, from the sternum to the armpit: exactly the patient's muscle area.

    A plate is as thick as T * profile(s), s being the sine of the angle from the front; a pixel's
    `above_ribs / profile` is the T from which on it belongs to the plate, so the area decides T.
    """
    away = np.sqrt(canvas.x**2 + canvas.y**2) + 1e-9
    ribcage = Ellipse(0, 0, width, depth).radius2(canvas.x, canvas.y)
    above_ribs = away * (1 - 1 / np.sqrt(ribcage + 1e-9))
    along = (np.abs(canvas.x) / away - 0.14) / 0.82
    profile = np.maximum(along * (1 - along), 1e-9) * (0.55 + along)
    between = (above_ribs > 6.0) & (above_ribs < 7.6) & (along > 0.45)  # major and minor: fat
    room = (
        (canvas.hu == FAT)
        & (canvas.y < 0)
        & (along > 0)
        & (along < 1)
        & (above_ribs > 0)
        & ~between
    )
    lean = LEAN * (subject.muscle_cm2 - 34)  # wasted muscle is also fatty: less dense
    canvas.paint_area(-above_ribs / profile, room, subject.muscle_cm2, MUSCLE + lean)


def _gland(canvas: Canvas, depth: float, rng: np.random.Generator) -> None:
    """Strands of gland in the fat of the breasts."""
    breast = (np.abs(np.abs(canvas.x) - 74) < 38) & (canvas.y < -depth - 22)
    canvas.fill(breast & (canvas.hu == FAT) & (canvas.waves(rng, 16) > 1.15), 5.0)


def _back(canvas: Canvas, width: float, depth: float) -> None:
    """Shoulder blades with their muscles, the muscles beside the spine and along the flank."""
    for side in (-1, 1):
        canvas.ellipse(Ellipse(side * (width - 22), depth + 2, 50, 21, side * -38), MUSCLE)
        canvas.ellipse(Ellipse(side * (width + 22), 18, 8, 40, side * 8), MUSCLE)
        canvas.ellipse(Ellipse(side * (width - 16), depth + 2, 40, 3.6, side * -40), CORTEX)
        canvas.ellipse(Ellipse(side * (width - 16), depth + 2, 37, 1.8, side * -40), MARROW)
        canvas.ellipse(Ellipse(side * 30, depth + 19, 30, 13, side * 12), MUSCLE)


def _lungs(canvas: Canvas, width: float, depth: float, rng: np.random.Generator) -> None:
    """Both lungs, with vessels that are thicker towards the hilum."""
    cage = Ellipse(0, 0, width, depth).radius2(canvas.x, canvas.y)
    middle = Ellipse(0, -4, 40, 1.25 * depth).radius2(canvas.x, canvas.y)
    spine = Ellipse(0, 0.95 * depth, 36, 40).radius2(canvas.x, canvas.y)
    lungs = (cage < 1) & (middle > 1) & (spine > 1)
    canvas.fill((cage < 1) & ~lungs, FAT + 20)
    canvas.fill(lungs, LUNG + 25 * canvas.waves(rng, 30))
    canvas.fill(lungs & (canvas.waves(rng, 13) > 1.45 + 0.6 * cage), 15.0)


def _mediastinum(canvas: Canvas, depth: float, vary: list[float]) -> None:
    """Aortic arch, superior vena cava, windpipe, gullet, in fat."""
    canvas.ellipse(Ellipse(14 + 2 * vary[3], -8, 15, 34 + 2 * vary[4], -18), VESSEL)
    canvas.ellipse(Ellipse(-22 + 2 * vary[5], -20, 9, 11), VESSEL + 15)
    canvas.ellipse(Ellipse(0, -0.62 * depth, 22 + 2 * vary[6], 8), 20.0)  # thymic remnant
    canvas.ellipse(Ellipse(-3 + vary[7], 10, 10.5, 9.5), MUSCLE)
    canvas.ellipse(Ellipse(-3 + vary[7], 10, 9, 8), AIR + 15)
    canvas.ellipse(Ellipse(4, 27, 8, 6), MUSCLE - 15)


def _sternum(canvas: Canvas, depth: float) -> None:
    canvas.ellipse(Ellipse(0, -depth - 5, 27, 8.5), CORTEX - 100)
    canvas.ellipse(Ellipse(0, -depth - 5, 24.5, 6.2), MARROW - 60)
