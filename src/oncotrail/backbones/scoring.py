"""What a network says of images: evaluation mode, the pixels as they are.

There is no augmentation here to switch off: nothing in this module could flip an image. Training,
prediction and serving all score through `score`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from oncotrail.backbones.network import EmbeddingNetwork, Pixels
from oncotrail.errors import ImageFault

Numbers = NDArray[np.float64]

IMAGES_AT_ONCE = 64  # bounds memory; an image's score does not depend on its neighbours


@dataclass(frozen=True)
class Scored:
    """One row per image, in the order given."""

    logits: Numbers  # (images,)
    embeddings: Numbers  # (images, embedding), before the ReLU

    @property
    def scores(self) -> Numbers:
        """The probability of the outcome; higher means more likely."""
        return _numbers(torch.sigmoid(torch.from_numpy(self.logits)))


def score(network: EmbeddingNetwork, pixels: Pixels) -> Scored:
    """Score images (images x rows x columns, uint8). Leaves the network in evaluation mode."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3:  # noqa: PLR2004  images, rows, columns
        message = (
            f"found pixels of type {pixels.dtype} and shape {pixels.shape}; expected uint8, "
            "images x rows x columns."
        )
        raise ImageFault(message)
    network.eval()
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(np.array(pixels[first : first + IMAGES_AT_ONCE])))
            for first in range(0, len(pixels), IMAGES_AT_ONCE)
        ]
    return Scored(
        _numbers(torch.cat([part.logits for part in parts])),
        _numbers(torch.cat([part.embeddings for part in parts])),
    )


def _numbers(tensor: torch.Tensor) -> Numbers:
    return tensor.numpy().astype(np.float64)
