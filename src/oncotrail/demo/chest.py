"""A CT slice at the fourth thoracic vertebra: the pectoral muscles on the front of the rib cage.

Sizes are in millimetres, half axes where a shape has two. Only the muscle area matters for the
outcome; body fat follows BMI, the frame follows height, and the rest varies at random.
"""

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
from oncotrail.demo.canvas import AIR, Canvas, Floats, radius2, rounded_box2

WALL = 9.0  # ribs and the muscles between them


def paint(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Paint the slice on an empty canvas, from the skin inwards."""
    vary = rng.standard_normal(8).clip(-2, 2).tolist()
    width, depth = 110 + 3 * vary[0] + 3 * subject.frame, 71 + 2 * vary[1] + 2 * subject.frame
    couch(canvas, depth + 60 + 4 * subject.fatness)
    under_skin = _trunk(canvas, subject, width, depth, rng)
    _pectorals(canvas, subject, under_skin, width + WALL, depth + WALL)
    _back(canvas, width, depth)
    canvas.fill(radius2(canvas.x, canvas.y, width + WALL, depth + WALL) < 1, MUSCLE)
    _lungs(canvas, width, depth, rng)
    _mediastinum(canvas, depth, vary)
    angles = np.array([33, 62, 90, 115, 141, -30, -60, -92, -117, -140]) + rng.uniform(-7, 7, 10)
    ribs(canvas, width + 4.5, depth + 4.5, angles, rng.uniform(8, 20, 10))
    vertebra(canvas, 0.73 * depth, 0.92)
    _sternum(canvas, depth)


def _trunk(
    canvas: Canvas, subject: Subject, width: float, depth: float, rng: np.random.Generator
) -> Floats:
    """Skin, fat and the breasts' upper part with strands of gland."""
    fat, muscle = subject.fatness, (subject.muscle_cm2 - 34) / 5
    body = rounded_box2(canvas.x, canvas.y - 10, width + 56 + 6 * fat, depth + 37 + 5 * fat + muscle)
    for side in (-1, 1):
        breast = radius2(
            canvas.x - side * 74, canvas.y + depth + 15 + muscle, 70 + 4 * fat, 28 + 5 * fat
        )
        body = np.minimum(body, breast)
    under_skin = outline(canvas, body)
    gland = (canvas.waves(rng, 16) > 1.15) & (np.abs(np.abs(canvas.x) - 74) < 38)
    canvas.fill(gland & under_skin & (canvas.y < -depth - 25 - muscle), 5.0)
    return under_skin


def _pectorals(
    canvas: Canvas, subject: Subject, under_skin: Floats, width: float, depth: float
) -> None:
    """Two plates on the ribs, from the sternum to the armpit: exactly the patient's muscle area.

    A plate is as thick as T * profile(s), s being the sine of the angle from the front; a pixel's
    `depth / profile` is the T from which on it belongs to the plate, so the area decides T.
    """
    away = np.sqrt(canvas.x**2 + canvas.y**2) + 1e-9
    above_ribs = away * (1 - 1 / np.sqrt(radius2(canvas.x, canvas.y, width, depth) + 1e-9))
    along = (np.abs(canvas.x) / away - 0.14) / 0.82
    profile = np.maximum(along * (1 - along), 1e-9) * (0.55 + along)
    between = (above_ribs > 6.0) & (above_ribs < 7.6) & (along > 0.45)  # major and minor: fat  # noqa: PLR2004
    room = under_skin & (canvas.y < 0) & (along > 0) & (along < 1) & (above_ribs > 0) & ~between
    lean = 6 * (subject.muscle_cm2 - 34) / 10  # wasted muscle is also fatty: less dense
    canvas.paint_area(-above_ribs / profile, room, subject.muscle_cm2, MUSCLE + lean)


def _back(canvas: Canvas, width: float, depth: float) -> None:
    """Shoulder blades with their muscles, the muscles beside the spine and along the flank."""
    for side in (-1, 1):
        canvas.ellipse(side * (width - 22), depth + 2, 50, 21, MUSCLE, turn=side * -38)
        canvas.ellipse(side * (width + 22), 18, 8, 40, MUSCLE, turn=side * 8)
        canvas.ellipse(side * (width - 16), depth + 2, 40, 3.6, CORTEX, turn=side * -40)
        canvas.ellipse(side * (width - 16), depth + 2, 37, 1.8, MARROW, turn=side * -40)
        canvas.ellipse(side * 30, depth + 19, 30, 13, MUSCLE, turn=side * 12)


def _lungs(canvas: Canvas, width: float, depth: float, rng: np.random.Generator) -> None:
    """Both lungs, with vessels that are thicker towards the hilum."""
    cage = radius2(canvas.x, canvas.y, width, depth)
    middle = radius2(canvas.x, canvas.y + 4, 40, 1.25 * depth)
    spine = radius2(canvas.x, canvas.y - 0.95 * depth, 36, 40)
    lungs = (cage < 1) & (middle > 1) & (spine > 1)
    canvas.fill((cage < 1) & ~lungs, FAT + 20)
    canvas.fill(lungs, LUNG + 25 * canvas.waves(rng, 30))
    canvas.fill(lungs & (canvas.waves(rng, 13) > 1.45 + 0.6 * cage), 15.0)


def _mediastinum(canvas: Canvas, depth: float, vary: list[float]) -> None:
    """Aortic arch, superior vena cava, windpipe, gullet, in fat."""
    canvas.ellipse(14 + 2 * vary[3], -8, 15, 34 + 2 * vary[4], VESSEL, turn=-18)
    canvas.ellipse(-22 + 2 * vary[5], -20, 9, 11, VESSEL + 15)
    canvas.ellipse(0, -0.62 * depth, 22 + 2 * vary[6], 8, 20.0)  # thymic remnant
    canvas.ellipse(-3 + vary[7], 10, 10.5, 9.5, MUSCLE)
    canvas.ellipse(-3 + vary[7], 10, 9, 8, AIR + 15)
    canvas.ellipse(4, 27, 8, 6, MUSCLE - 15)


def _sternum(canvas: Canvas, depth: float) -> None:
    canvas.ellipse(0, -depth - 5, 27, 8.5, CORTEX - 100)
    canvas.ellipse(0, -depth - 5, 24.5, 6.2, MARROW - 60)
