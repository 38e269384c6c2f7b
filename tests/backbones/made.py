"""Small networks and images for these tests."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.network import EmbeddingNetwork, start
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.sources import Wanted
from oncotrail.compute import WeightPrecision

TINY = {"growth_rate": 4, "block_config": (1, 1, 1, 1)}


def tiny(
    pixels: np.ndarray, seed: int = 1, precision: WeightPrecision = "float32"
) -> EmbeddingNetwork:
    return start(
        "densenet121",
        TINY,
        HeadPlan(10),
        weights=Wanted("none"),
        training=pixels,
        seed=seed,
        precision=precision,
    ).network


def squares(count: int, seed: int, name: str) -> Examples:
    """Noise, with a bright square in it where the label is 1."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 120, (count, 32, 32), dtype=np.uint8)
    labels = np.arange(count) % 2
    pixels[labels == 1, 8:24, 8:24] += 60
    return Examples(pixels, labels, tuple(f"{name}{number:03d}" for number in range(count)))


class Said(NamedTuple):
    """What a network says."""

    logits: Tensor
    embeddings: Tensor


class Small(nn.Module):
    """A network of milliseconds without BatchNorm: any inputs, any number of classes, dropout."""

    def __init__(
        self,
        features: int,
        classes: int = 1,
        *,
        dropout: float = 0.0,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(features)
        self.hidden = nn.Linear(features, 8, dtype=dtype)
        self.norm = nn.LayerNorm(8, dtype=dtype)
        self.out = nn.Linear(8, classes, dtype=dtype)
        self.dropout = nn.Dropout(dropout)
        for weight in self.parameters():
            weight.data = torch.rand(weight.shape, generator=generator, dtype=dtype) - 0.5

    def forward(self, inputs: Tensor) -> Said:
        scale = 255.0 if inputs.ndim > 2 else 1.0
        flat = inputs.to(self.hidden.weight.dtype).flatten(1) / scale
        embeddings = self.norm(self.hidden(self.dropout(flat)))
        logits = self.out(torch.relu(embeddings))
        return Said(logits[:, 0] if logits.shape[1] == 1 else logits, embeddings)


def rows(count: int, seed: int, name: str, classes: int = 2, features: int = 6) -> Examples:
    """Cached features whose first `classes` columns tell the class; two rows of each patient."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) // 2 % classes
    inputs = random.normal(size=(count, features))
    inputs[np.arange(count), labels] += 1.0
    return Examples(inputs, labels, tuple(f"{name}{number // 2:03d}" for number in range(count)))


def recipe(**changes: Any) -> Recipe:
    """A recipe of milliseconds."""
    asked: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 8,
        "loss": Loss("binary_cross_entropy"),
        "optimizer": Optimizer("adam", 1e-2),
        "seed": 5,
    }
    return Recipe(**{**asked, **changes})
