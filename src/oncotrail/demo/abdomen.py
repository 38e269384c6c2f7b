"""A CT slice at the eleventh thoracic vertebra: organs in visceral fat.

Sizes are in millimetres, half axes where a shape has two. Only the visceral fat area matters for
the outcome; body fat follows BMI, the frame follows height, and the rest varies at random.
"""

from __future__ import annotations

import numpy as np

from oncotrail.demo.anatomy import (
    FAT,
    LUNG,
    MUSCLE,
    VESSEL,
    Subject,
    couch,
    outline,
    ribs,
    vertebra,
)
from oncotrail.demo.canvas import AIR, Canvas, Flags, Floats, radius2, rounded_box2

WALL = 10.0  # ribs and the muscles of the wall


def paint(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Paint the slice on an empty canvas, from the skin inwards."""
    vary = rng.standard_normal(11).clip(-2, 2).tolist()
    belly = (subject.visceral_cm2 - 95) / 38
    width = 112 + 5 * belly + 2 * vary[0] + 3 * subject.frame
    depth = 76 + 4.5 * belly + 2 * vary[1] + 2 * subject.frame
    fat = max(15 + 6 * subject.fatness + vary[2], 5.0)
    couch(canvas, depth + 42 + fat)
    outline(canvas, rounded_box2(canvas.x, canvas.y - 12, width + WALL + fat + 3, depth + WALL + 14 + fat))
    _back(canvas, width, depth)
    canvas.fill(rounded_box2(canvas.x, canvas.y, width + WALL, depth + WALL) < 1, MUSCLE)
    inside = rounded_box2(canvas.x, canvas.y, width, depth)
    angles = np.array([52, 76, 100, 124, 148, -50, -78, -102, -123, -146]) + rng.uniform(-7, 7, 10)
    ribs(canvas, width + 5, depth + 5, angles, rng.uniform(8, 17, 10))
    lungs = _lung_bases(canvas, inside, depth)
    _organs(canvas, (inside < 1) & ~lungs, subject, vary, rng)
    vertebra(canvas, 0.68 * depth, 1.0)


def _back(canvas: Canvas, width: float, depth: float) -> None:
    for side in (-1, 1):
        canvas.ellipse(side * 34, depth + 14, 31, 19, MUSCLE, turn=side * 8)
        canvas.ellipse(side * 0.72 * width, depth - 6, 42, 9, MUSCLE, turn=side * -36)


def _lung_bases(canvas: Canvas, inside: Floats, depth: float) -> Flags:
    """The recesses behind liver and spleen, still filled with lung."""
    lungs = (inside < 1) & (inside > 0.78) & (canvas.y > 0.25 * depth) & (np.abs(canvas.x) > 34)
    canvas.fill(lungs, LUNG)
    return lungs


def _organs(
    canvas: Canvas, room: Flags, subject: Subject, vary: list[float], rng: np.random.Generator
) -> None:
    """Liver, stomach, spleen; the fat takes exactly its area where it is farthest from all three.

    With little fat the organs touch each other and the wall; with much, they float in it.
    """
    shapes = (  # middle x, y; half axes; turn; Hounsfield units
        (-48 + 4 * vary[4], -6.0, 60 + 4 * vary[5], 52.0, -18.0, 108.0),
        (44 + 4 * vary[6], -34.0, 40 + 3 * vary[7], 24.0, 24.0, 45.0),
        (76 + 3 * vary[8], 22.0, 20.0, 38 + 3 * vary[9], -16.0, 122.0),
    )
    distance = np.full_like(canvas.hu, np.inf)
    for x, y, half_width, half_depth, turn, hu in shapes:
        own = radius2(canvas.x - x, canvas.y - y, half_width, half_depth, turn)
        canvas.fill(room & (own < distance), hu)
        distance = np.minimum(distance, own)
    distance += 0.09 * canvas.waves(rng, 60)
    around_spine = radius2(canvas.x, canvas.y - 40, 30, 34) < 1
    canvas.fill(room & around_spine, MUSCLE)  # the crura of the diaphragm
    canvas.paint_area(distance, room & ~around_spine, subject.visceral_cm2, FAT + 8)
    canvas.ellipse(10, 32, 11, 11, VESSEL + 15)  # aorta
    canvas.ellipse(-22, 14, 13, 9, VESSEL - 5)  # inferior vena cava
    canvas.ellipse(46 + 4 * vary[6], -44, 22 + 4 * vary[10], 9, AIR + 40, turn=8)  # gas rises
    for x, y in rng.uniform((-78, -34), (-20, 22), (5, 2)):  # hepatic vessels
        canvas.ellipse(float(x), float(y), 5, 2.5, VESSEL + 25, turn=40)
