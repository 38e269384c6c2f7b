"""What is subtracted from pixels in [0, 1], and what they are then divided by.

The constants travel with the weights, or are those of the network's own training rows. No other
row can move them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oncotrail.backbones.inputs import Inputs
from oncotrail.backbones.trunks import COLOURS
from oncotrail.errors import UserFault

WHITE = 255
_AT_ONCE = 256  # images in memory


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation, one of each per channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, training: Inputs, channels: int = COLOURS) -> Normalisation:
        """From these images and no others: pass the network's own training rows.

        uint8, images x rows x columns [x 3]. Grey values are counted, so the constants are exact,
        whatever the order of the images, and memory does not grow with their number.
        """
        counts = _counted(training)
        if any(np.count_nonzero(of_channel) == 1 for of_channel in counts):
            message = (
                f"all {len(training)} training images are one flat grey; check the window in the "
                "study's decode section."
            )
            raise UserFault(message)
        figures = [_figures(of_channel) for of_channel in counts]
        if len(figures) == 1:
            figures = figures * channels
        return cls(tuple(mean for mean, _ in figures), tuple(std for _, std in figures))

    def of_one_channel(self) -> Normalisation:
        """The mean over the channels, where a trunk was made to see one."""
        return Normalisation((float(np.mean(self.mean)),), (float(np.mean(self.std)),))


def _counted(images: Inputs) -> list[NDArray[np.int64]]:
    """How often each grey value occurs, per channel."""
    colours = len(images.shape) == 4  # noqa: PLR2004  the channels are the last axis
    counts = [np.zeros(WHITE + 1, dtype=np.int64) for _ in range(COLOURS if colours else 1)]
    for first in range(0, len(images), _AT_ONCE):
        some = np.asarray(images[first : first + _AT_ONCE])
        planes = np.moveaxis(some, -1, 0) if colours else [some]
        for channel, plane in enumerate(planes):
            counts[channel] += np.bincount(np.ravel(plane), minlength=WHITE + 1)
    return counts


def _figures(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and standard deviation of v / 255, from whole numbers."""
    number = int(counts.sum())
    total = sum(value * int(count) for value, count in enumerate(counts))
    squares = sum(value * value * int(count) for value, count in enumerate(counts))
    variance = (number * squares - total * total) / (number * number)
    return total / number / WHITE, float(np.sqrt(variance)) / WHITE
