"""Small networks and images for these tests."""

import numpy as np

from oncotrail.backbones.batches import Examples
from oncotrail.backbones.network import EmbeddingNetwork, start
from oncotrail.compute import Precision

TINY = {"growth_rate": 4, "block_config": (1, 1, 1, 1)}


def tiny(pixels: np.ndarray, seed: int = 1, precision: Precision = "float32") -> EmbeddingNetwork:
    return start(
        "densenet121",
        TINY,
        10,
        weights="none",
        training=pixels,
        seed=seed,
        precision=precision,
    )


def squares(count: int, seed: int, name: str) -> Examples:
    """Noise, with a bright square in it where the label is 1."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 120, (count, 32, 32), dtype=np.uint8)
    labels = np.arange(count) % 2
    pixels[labels == 1, 8:24, 8:24] += 60
    return Examples(pixels, labels, tuple(f"{name}{number:03d}" for number in range(count)))
