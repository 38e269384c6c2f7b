"""Training batches: shuffled, flipped, and never of one image.

This is the only place in the library where pixels are augmented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oncotrail.backbones.network import Pixels
from oncotrail.errors import TrainingFault

Flip = Literal["horizontal_flip", "vertical_flip"]

_AXIS: dict[Flip, int] = {"vertical_flip": 1, "horizontal_flip": 2}  # of images x rows x columns


@dataclass(frozen=True)
class Examples:
    """Images, their labels (0 or 1), and whose they are."""

    pixels: Pixels
    labels: NDArray[np.int64]
    patients: tuple[str, ...]

    def check(self, role: str) -> None:
        """Refuse what cannot be learned from, or judged on."""
        positives = int(self.labels.sum())
        if not 0 < positives < len(self.labels):
            message = (
                f"of {len(self.labels)} {role} images {positives} are positive; both classes are "
                "needed. Choose another split seed or a larger cohort."
            )
            raise TrainingFault(message)


@dataclass(frozen=True)
class Batch:
    """What one step of training learns from, and from whom."""

    pixels: Tensor
    labels: Tensor
    patients: tuple[str, ...]


class TrainingBatches:
    """Every image once an epoch, in an order and with flips that the generator decides."""

    def __init__(
        self, examples: Examples, size: int, flips: Sequence[Flip], generator: torch.Generator
    ) -> None:
        self._examples = examples
        self._size = size
        self._flips = tuple(flips)
        self._generator = generator
        self._pixels = torch.from_numpy(np.require(examples.pixels, requirements="W"))
        self._labels = torch.from_numpy(examples.labels.astype(np.float32))

    def epoch(self) -> Iterator[Batch]:
        """One pass over the training images."""
        order = torch.randperm(len(self._labels), generator=self._generator)
        for chosen in _parts(order, self._size):
            yield Batch(
                self._flipped(self._pixels[chosen]),
                self._labels[chosen],
                tuple(self._examples.patients[row] for row in chosen.tolist()),
            )

    def _flipped(self, pixels: Tensor) -> Tensor:
        for flip in self._flips:
            heads = torch.rand(len(pixels), generator=self._generator) < 0.5  # noqa: PLR2004  a fair coin
            pixels = torch.where(heads.view(-1, 1, 1), pixels.flip(_AXIS[flip]), pixels)
        return pixels


def _parts(order: Tensor, size: int) -> list[Tensor]:
    """Parts of `size`; a last part of one joins its neighbour: BatchNorm cannot learn from one."""
    parts = [order[first : first + size] for first in range(0, len(order), size)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts
