"""One training run, in this process or in several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import Checkpoints, PrepareEpoch, Trained, as_it_is, train
from oncotrail.backbones.recipe import Recipe
from oncotrail.study.computing import Compute


@dataclass(frozen=True)
class Work:
    """All that a process must know to take part in a training run."""

    network: nn.Module
    training: Examples
    validation: Examples
    recipe: Recipe
    machine: OneDevice  # what each process computes on, and how
    checkpoints: Checkpoints | None = None
    prepare_epoch: PrepareEpoch = as_it_is


def train_as(compute: Compute, work: Work, on_epoch: Callable[[Epoch], object]) -> Trained:
    """Train `work.network` in place, with as many processes as this machine is to have."""
    if compute.processes > 1:
        from oncotrail.backbones.fabric import train_together

        threads = max(1, compute.threads // compute.processes)
        return train_together(work, on_epoch, processes=compute.processes, threads=threads)
    return train(
        work.network,
        work.training,
        work.validation,
        work.recipe,
        on_epoch,
        accelerator=work.machine,
        checkpoints=work.checkpoints,
        prepare_epoch=work.prepare_epoch,
    )
