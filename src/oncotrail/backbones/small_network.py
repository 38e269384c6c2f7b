"""A small network of three convolutions, after cuda-convnet's for CIFAR-10 (Krizhevsky, 2012).

    5 x 5 convolution, 32 -> largest of 3 x 3 -> ReLU
    5 x 5 convolution, 32 -> ReLU -> mean of 3 x 3
    5 x 5 convolution, 64 -> ReLU -> mean of 3 x 3
    means over a 4 x 4 grid -> Linear(64) -> ReLU

Of 32 px images the last map is 4 x 4 already, as published; of larger ones the grid makes it so,
and the fully connected layer stays as small. Batch normalisation, which the published network had
not (it had local response normalisation), is an option that trains more easily.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

GRID = (4, 4)


class EvenPooling(nn.Module):
    """Means over a grid of cells, as `nn.AdaptiveAvgPool2d`, whose gradient on a GPU varies.

    Cell i of n covers the rows from floor(i * rows / n) up to ceil((i + 1) * rows / n). A mean is a
    product with a matrix, on each side one, and that repeats to the bit on every device.
    """

    def __init__(self, grid: tuple[int, int]) -> None:
        super().__init__()
        self.grid = grid

    def forward(self, maps: Tensor) -> Tensor:
        """Images x channels x rows x columns, to the grid's rows and columns."""
        if maps.shape[2:] == self.grid:
            return maps
        down = _cells(maps.shape[2], self.grid[0]).to(maps)
        across = _cells(maps.shape[3], self.grid[1]).to(maps)
        return down @ maps @ across.T


class SmallNetwork(nn.Module):
    """Images x 3 x rows x columns to images x `num_features`."""

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (32, 32, 64),
        features: int = 64,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.num_features = features
        steps: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, width) in enumerate(zip((3, *widths), widths, strict=False), start=1):
            pool = _pooling(first=number == 1)
            norm = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
            after = [pool, nn.ReLU()] if number == 1 else [nn.ReLU(), pool]
            convolution = nn.Conv2d(before, width, 5, padding=2)
            steps[f"block{number}"] = nn.Sequential(convolution, norm, *after)
        steps["pool"] = EvenPooling(GRID)
        self.features = nn.Sequential(steps)
        self.fc = nn.Linear(widths[-1] * GRID[0] * GRID[1], features)

    def forward(self, images: Tensor) -> Tensor:
        """Features, never negative."""
        features: Tensor = self.fc(self.features(images).flatten(1))
        return torch.relu(features)


def _pooling(*, first: bool) -> nn.Module:
    """Halves both sides, rounding up as cuda-convnet does: 32, 16, 8, 4."""
    if first:
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return nn.AvgPool2d(3, stride=2, ceil_mode=True)


def _cells(length: int, count: int) -> Tensor:
    """Cells x length; each row has its cell's weights, which sum to 1."""
    places = torch.arange(length)[None]
    numbers = torch.arange(count)[:, None]
    inside = (places >= numbers * length // count) & (places < -(-(numbers + 1) * length // count))
    return inside.double() / inside.sum(dim=1, keepdim=True)
