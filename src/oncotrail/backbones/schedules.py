"""The learning rate, as a pure function of where training is and what it has seen.

    step       rate * factor, every `every` epochs once more
    cosine     from rate down to `minimum`, along half a cosine
    plateau    rate * factor, each time the validation loss has not improved for `patience` epochs
    constant   rate

Before any of them, the rate may climb linearly over `warm_up` epochs, batch by batch. A schedule
remembers nothing: training that is resumed asks again and gets the same rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

ScheduleKind = Literal["step", "cosine", "plateau", "constant"]

IMPROVEMENT = 1e-4  # a loss must fall by this share of itself to count: torch's default


@dataclass(frozen=True)
class Schedule:
    """Which schedule, and its constants; those that a kind does not use are ignored."""

    kind: ScheduleKind = "constant"
    every: int = 1  # epochs
    factor: float = 1.0
    patience: int = 10  # epochs
    minimum: float = 0.0  # a learning rate
    warm_up: int = 0  # epochs


@dataclass(frozen=True)
class Moment:
    """Where training is: epoch and batch from 0, of how many, and the validation losses so far."""

    epoch: int
    epochs: int
    batch: int
    batches: int  # of one epoch
    validation_losses: Sequence[float] = ()


def learning_rate(schedule: Schedule, rate: float, moment: Moment) -> float:
    """The learning rate of one batch.

    >>> halved = Schedule("step", every=2, factor=0.5)
    >>> [learning_rate(halved, 0.8, Moment(epoch, 6, 0, 1)) for epoch in range(6)]
    [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    """
    if moment.epoch < schedule.warm_up:
        steps = schedule.warm_up * moment.batches
        return rate * (moment.epoch * moment.batches + moment.batch + 1) / steps
    epoch = moment.epoch - schedule.warm_up
    if schedule.kind == "step":
        return _times(rate, schedule.factor, epoch // schedule.every)
    if schedule.kind == "cosine":
        share = epoch / max(1, moment.epochs - schedule.warm_up)
        return schedule.minimum + (rate - schedule.minimum) * (1 + math.cos(math.pi * share)) / 2
    if schedule.kind == "plateau":
        seen = moment.validation_losses[schedule.warm_up :]
        return max(schedule.minimum, _times(rate, schedule.factor, _falls(seen, schedule.patience)))
    return rate


def _times(rate: float, factor: float, times: int) -> float:
    """Multiplied one after another, as torch does it: a power would end in another last digit."""
    return reduce(lambda product, _: product * factor, range(times), rate)


def _falls(losses: Sequence[float], patience: int) -> int:
    """How often `patience` was exhausted."""
    best, waited, falls = math.inf, 0, 0
    for loss in losses:
        improved = loss < best * (1 - IMPROVEMENT)
        best, waited = (loss, 0) if improved else (best, waited + 1)
        if waited > patience:
            falls, waited = falls + 1, 0
    return falls
