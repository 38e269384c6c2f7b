"""One patient's slice: her anatomy, as her hospital's scanner saw her lying that day."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from oncotrail.demo import abdomen, chest
from oncotrail.demo.anatomy import Subject
from oncotrail.demo.canvas import Canvas, Pose
from oncotrail.demo.people import HEIGHT_SPREAD, MEAN_HEIGHT, Body, standard_bmi
from oncotrail.demo.scanner import Scanner, acquire
from oncotrail.record import generator

PAINTERS: Final = {"t4": chest.paint, "t11": abdomen.paint}


def subjects(body: Body) -> list[Subject]:
    """What slices show of each patient."""
    values = zip(
        body.muscle,
        body.visceral,
        standard_bmi(body.bmi),
        (body.height - MEAN_HEIGHT) / HEIGHT_SPREAD,
        strict=True,
    )
    return [Subject(*(float(value) for value in row)) for row in values]


def anatomy(seed: int, place: int, view: str, subject: Subject, spacing: float) -> Canvas:
    """The slice before the scanner: Hounsfield units without noise."""
    rng = generator(seed, "demo", "anatomy", view, str(place))
    right, down, turn = rng.standard_normal(3).clip(-2, 2) * (4.0, 3.0, 2.0)
    canvas = Canvas(spacing, Pose(float(right), float(down), float(turn)))
    PAINTERS[view](canvas, subject, rng)
    return canvas


def stored(
    seed: int, place: int, view: str, subject: Subject, scanner: Scanner
) -> NDArray[np.int16]:
    """The slice as the scanner stores it."""
    seen = anatomy(seed, place, view, subject, scanner.spacing).hu
    return acquire(scanner, seen, generator(seed, "demo", "noise", view, str(place)))
