"""Pictures of many kinds, drawn from a seed: to pretrain on where ImageNet cannot be had.

    gratings       stripes, by their direction and spacing
    checkerboards  by their spacing and tilt
    noise          from white to cloudy, by how fast its spectrum falls
    blobs          soft discs on a ground, by their number and size
    polygons       of 3, 4 and 6 sides, and discs, filled or as an outline

A kind is a class. Within it everything else varies: place, phase, size, contrast, which of figure
and ground is brighter, a slope of brightness across the picture, and noise. Image i of a seed is
the same in every batch and on every machine that rounds alike, so no picture is ever stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]  # rows x columns, about 0 to 1
Random = np.random.Generator
Draw = Callable[[Random, Grey, Grey], Grey]  # from coordinates in [-1, 1], across and down

WHITE = 255.0


def kinds() -> dict[str, Draw]:
    """Every kind by name, in the order of their classes."""
    drawn: dict[str, Draw] = {}
    for degrees in (0, 45, 90, 135):
        for waves in (4, 9):
            drawn[f"grating_{degrees}_{waves}"] = partial(_grating, degrees, waves)
    for tilt in (0, 45):
        for waves in (3, 7):
            drawn[f"checkerboard_{tilt}_{waves}"] = partial(_checkerboard, tilt, waves)
    for slope in (0.0, 1.0, 2.0):
        drawn[f"noise_{slope:g}"] = partial(_noise, slope)
    for count in (3, 12):
        for radius in (0.1, 0.22):
            drawn[f"blobs_{count}_{radius}"] = partial(_blobs, count, radius)
    for sides in (3, 4, 6, 0):
        for outline in (False, True):
            name = f"polygon_{sides}" if sides else "disc"
            drawn[f"{name}_{'outline' if outline else 'filled'}"] = partial(
                _polygon, sides, outline
            )
    return drawn


@dataclass(frozen=True)
class ProceduralImages:
    """Images x rows x columns, uint8: the training loop's inputs, drawn when they are asked for."""

    count: int
    side: int
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        """As if they stood in memory."""
        return (self.count, self.side, self.side)

    @property
    def dtype(self) -> Any:
        """Of grey pixels."""
        return np.dtype(np.uint8)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each: all kinds in turn, so that they are equally many."""
        return np.arange(self.count, dtype=np.int64) % len(kinds())

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: Any, /) -> NDArray[np.uint8]:
        numbers = np.arange(self.count)[rows]
        draws = list(kinds().values())
        one_picture = numbers.ndim == 0
        drawn = [
            picture(
                draws[number % len(draws)], self.side, np.random.default_rng([self.seed, number])
            )
            for number in np.atleast_1d(numbers).tolist()
        ]
        return drawn[0] if one_picture else np.stack(drawn)


def picture(draw: Draw, side: int, random: Random) -> NDArray[np.uint8]:
    """One picture of a kind, with everything that does not make its kind drawn anew."""
    places = np.linspace(-1, 1, side)
    across, down = np.meshgrid(places, places)
    figure = draw(random, across, down)
    contrast = random.uniform(0.3, 0.9) * random.choice([-1, 1])
    slope = random.uniform(-0.15, 0.15, 2)
    ground = 0.5 - contrast / 2 + slope[0] * across + slope[1] * down
    noisy = ground + contrast * figure + random.normal(0, random.uniform(0.01, 0.08), figure.shape)
    return np.asarray(np.round(np.clip(noisy, 0, 1) * WHITE), dtype=np.uint8)


def _turned(degrees: float, across: Grey, down: Grey) -> tuple[Grey, Grey]:
    angle = np.deg2rad(degrees)
    return (
        np.cos(angle) * across + np.sin(angle) * down,
        np.cos(angle) * down - np.sin(angle) * across,
    )


def _grating(degrees: float, waves: float, random: Random, across: Grey, down: Grey) -> Grey:
    along, _ = _turned(degrees + random.uniform(-10, 10), across, down)
    spacing = np.pi * waves * random.uniform(0.85, 1.15)
    return np.asarray((1 + np.sin(spacing * along + random.uniform(0, 2 * np.pi))) / 2)


def _checkerboard(tilt: float, waves: float, random: Random, across: Grey, down: Grey) -> Grey:
    along, aside = _turned(tilt + random.uniform(-10, 10), across, down)
    spacing = np.pi * waves * random.uniform(0.85, 1.15)
    phases = random.uniform(0, 2 * np.pi, 2)
    same = np.sin(spacing * along + phases[0]) * np.sin(spacing * aside + phases[1]) > 0
    return np.asarray(same, dtype=np.float64)


def _noise(slope: float, random: Random, across: Grey, down: Grey) -> Grey:  # noqa: ARG001
    """White noise whose amplitudes fall with frequency to the power of `slope`."""
    rows, columns = across.shape
    waves = np.hypot(*np.meshgrid(np.fft.rfftfreq(columns), np.fft.fftfreq(rows)))
    waves[0, 0] = 1.0
    spectrum = np.fft.rfft2(random.normal(size=across.shape)) / waves**slope
    spectrum[0, 0] = 0.0
    values = np.fft.irfft2(spectrum, s=across.shape)
    return np.asarray(np.clip(0.5 + values / (4 * values.std()), 0, 1))


def _blobs(count: int, radius: float, random: Random, across: Grey, down: Grey) -> Grey:
    number = int(random.integers(count - count // 3, count + count // 3 + 1))
    places = random.uniform(-0.85, 0.85, (number, 2))
    widths = radius * random.uniform(0.8, 1.2, number)
    squares = (across - places[:, :1, None]) ** 2 + (down - places[:, 1:, None]) ** 2
    return np.asarray(np.exp(-squares / (2 * widths[:, None, None] ** 2)).max(axis=0))


def _polygon(sides: int, outline: bool, random: Random, across: Grey, down: Grey) -> Grey:
    """A regular polygon, or a disc of no sides: how far each place is from its edge decides."""
    centre = random.uniform(-0.3, 0.3, 2)
    along, aside = _turned(random.uniform(0, 360), across - centre[0], down - centre[1])
    radius = random.uniform(0.35, 0.6)
    if sides:
        normals = 2 * np.pi * np.arange(sides) / sides
        reach = along * np.cos(normals)[:, None, None] + aside * np.sin(normals)[:, None, None]
        distance = reach.max(axis=0) / np.cos(np.pi / sides) - radius
    else:
        distance = np.hypot(along, aside) - radius
    if outline:
        distance = np.abs(distance) - random.uniform(0.05, 0.09)
    return np.asarray(np.clip(0.5 - distance * along.shape[0] / 2, 0, 1))
