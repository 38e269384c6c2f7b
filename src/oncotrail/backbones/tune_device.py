"""Which precision, memory layout and compilation train one network fastest on this machine.

A few steps of each are timed. That is done once, when a person asks, and written into params.yaml:
a stopwatch inside a stage would make two machines, and two runs, compute differently.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from oncotrail.backbones.accelerator import Layout, OneDevice
from oncotrail.backbones.batches import TrainingBatches
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.stepping import Learner

WARM_UP = 2  # steps: the first allocate, choose algorithms and compile
STEPS = 5
_LAYOUTS: tuple[Layout, ...] = ("channels_last", "contiguous")


@dataclass(frozen=True)
class Measured:
    """How fast one way of computing was."""

    machine: OneDevice
    images_per_second: float  # of training; the median step's


def ways(device: str) -> list[OneDevice]:
    """What is worth trying; the first is what to keep where nothing is faster.

    Compiling is tried on GPUs alone: on processors it took minutes and gave nothing.
    """
    plain = [
        OneDevice(device, precision, layout)
        for precision in ("float32", "bfloat16")
        for layout in _LAYOUTS
    ]
    if not device.startswith("cuda"):
        return plain
    return plain + [OneDevice(one.name, one.precision, one.layout, compile=True) for one in plain]


def measure(
    network: nn.Module,
    examples: Examples,
    recipe: Recipe,
    machines: Iterable[OneDevice],
    clock: Callable[[], float] = time.perf_counter,
) -> list[Measured]:
    """Time a few steps of training a copy of the network in each way."""
    return [
        Measured(
            machine, _images_per_second(copy.deepcopy(network), examples, recipe, machine, clock)
        )
        for machine in machines
    ]


def fastest(measured: list[Measured], worth: float = 1.05) -> Measured:
    """The fastest; but the first, the plainest, unless another is faster by more than chance."""
    best = max(measured, key=lambda one: one.images_per_second)
    plain = measured[0]
    return best if best.images_per_second > worth * plain.images_per_second else plain


def _images_per_second(
    network: nn.Module,
    examples: Examples,
    recipe: Recipe,
    machine: OneDevice,
    clock: Callable[[], float],
) -> float:
    learner = Learner(network.train(), recipe, machine)
    batches = TrainingBatches(
        examples,
        recipe.batch_size,
        torch.Generator().manual_seed(recipe.seed),
        recipe.augmentation,
        device=machine.device,
    )
    seconds = []
    for _ in range(WARM_UP + STEPS):
        started = clock()
        (batch,) = batches.epoch()
        learner.step(batch, recipe.optimizer.learning_rate).tolist()  # waits for the device
        seconds.append(clock() - started)
    return len(examples.labels) / statistics.median(seconds[WARM_UP:])


def noise(images: int, rows: int, columns: int, seed: int) -> Examples:
    """One batch to measure with: how fast a network is does not depend on what it sees."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (images, rows, columns), dtype=np.uint8)
    return Examples(pixels, np.arange(images) % 2, tuple(map(str, range(images))))
