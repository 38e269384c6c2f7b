"""A CT slice at the eleventh thoracic vertebra: organs in visceral fat.

Sizes are in millimetres, half axes where a shape has two. Only the visceral fat area matters for
the outcome; body fat follows BMI, the frame follows height, and the rest varies at random.
"""

# ruff: noqa: PLR2004 - an anatomy is a list of sizes, read where they stand
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
from oncotrail.demo.canvas import AIR, Canvas, Ellipse, Flags, Floats, rounded_box2

WALL = 10.0  # ribs and the muscles of the wall
LIVER, STOMACH, SPLEEN, VISCERAL_FAT = 108.0, 45.0, 122.0, FAT + 8  # Hounsfield units


def paint(canvas: Canvas, subject: Subject, rng: np.random.Generator) -> None:
    """Paint the slice on an empty canvas, from the skin inwards."""
    vary = rng.standard_normal(11).clip(-2, 2).tolist()
    belly = (subject.visceral_cm2 - 95) / 38
    width = 112 + 5 * belly + 2 * vary[0] + 3 * subject.frame
    depth = 76 + 4.5 * belly + 2 * vary[1] + 2 * subject.frame
    fat = max(15 + 6 * subject.fatness + vary[2], 5.0)
    couch(canvas, depth + 42 + fat)
    outline(
        canvas,
        rounded_box2(canvas.x, canvas.y - 12, width + WALL + fat + 3, depth + WALL + 14 + fat),
    )
    _back(canvas, width, depth)
    canvas.fill(rounded_box2(canvas.x, canvas.y, width + WALL, depth + WALL) < 1, MUSCLE)
    inside = rounded_box2(canvas.x, canvas.y, width, depth)
    angles = np.array([52, 76, 100, 124, 148, -50, -78, -102, -123, -146]) + rng.uniform(-7, 7, 10)
    lengths = rng.uniform(8, 17, 10)
    ribs(canvas, width + 5, depth + 5, angles.tolist(), lengths.tolist())
    lungs = _lung_bases(canvas, inside, depth)
    room = (inside < 1) & ~lungs & (Ellipse(0, 40, 30, 34).radius2(canvas.x, canvas.y) > 1)
    distance = _organs(canvas, room, vary)
    organs = canvas.hu.copy()
    _vessels(canvas)
    vertebra(canvas, 0.68 * depth, 1.0)
    distance += 0.09 * canvas.waves(rng, 60)
    still_organ = room & (canvas.hu == organs)
    canvas.paint_area(distance, still_organ, subject.visceral_cm2, VISCERAL_FAT)
    _inside_organs(canvas, vary, rng)


def _back(canvas: Canvas, width: float, depth: float) -> None:
    for side in (-1, 1):
        canvas.ellipse(Ellipse(side * 34, depth + 14, 31, 19, side * 8), MUSCLE)
        canvas.ellipse(Ellipse(side * 0.72 * width, depth - 6, 42, 9, side * -36), MUSCLE)


def _lung_bases(canvas: Canvas, inside: Floats, depth: float) -> Flags:
    """The recesses behind liver and spleen, still filled with lung."""
    lungs = (inside < 1) & (inside > 0.78) & (canvas.y > 0.25 * depth) & (np.abs(canvas.x) > 34)
    canvas.fill(lungs, LUNG)
    return lungs


def _organs(canvas: Canvas, room: Flags, vary: list[float]) -> Floats:
    """Liver, stomach and spleen fill the room; return how far each pixel is from all three.

    The fat then takes exactly its area where that distance is largest: with little fat the organs
    touch each other and the wall, with much they float in it.
    """
    shapes = (
        (Ellipse(-48 + 4 * vary[4], -6, 60 + 4 * vary[5], 52, -18), LIVER),
        (Ellipse(44 + 4 * vary[6], -34, 40 + 3 * vary[7], 24, 24), STOMACH),
        (Ellipse(76 + 3 * vary[8], 22, 20, 38 + 3 * vary[9], -16), SPLEEN),
    )
    distance = np.full_like(canvas.hu, np.inf)
    for shape, hu in shapes:
        own = shape.radius2(canvas.x, canvas.y)
        canvas.fill(room & (own < distance), hu)
        distance = np.minimum(distance, own)
    return distance


def _vessels(canvas: Canvas) -> None:
    canvas.ellipse(Ellipse(10, 32, 11, 11), VESSEL + 15)  # aorta, between the crura
    canvas.ellipse(Ellipse(-22, 14, 13, 9), VESSEL - 5)  # inferior vena cava


def _inside_organs(canvas: Canvas, vary: list[float], rng: np.random.Generator) -> None:
    """Gas, which rises in the stomach, and the vessels of the liver."""
    gas = Ellipse(46 + 4 * vary[6], -44, 22 + 4 * vary[10], 9, 8).radius2(canvas.x, canvas.y)
    canvas.fill((gas < 1) & (canvas.hu == STOMACH), AIR + 40)
    branches = np.abs(canvas.waves(rng, 34)) < 0.12
    canvas.fill(branches & (canvas.hu == LIVER), LIVER + 28)
