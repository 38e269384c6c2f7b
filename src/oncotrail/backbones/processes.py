"""One training run, in this process or in several."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from oncotrail.backbones.accelerator import Accelerator, OneDevice
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.loop import Checkpoints, OnEpoch, PrepareEpoch, Trained, as_it_is, train
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

    def train(self, on_epoch: OnEpoch, accelerator: Accelerator | None = None) -> Trained:
        """Train in this process, which may be one of several: then with their accelerator."""
        return train(
            self.network,
            self.training,
            self.validation,
            self.recipe,
            on_epoch,
            accelerator=accelerator or self.machine,
            checkpoints=self.checkpoints,
            prepare_epoch=self.prepare_epoch,
        )


def train_as(compute: Compute, work: Work, on_epoch: OnEpoch) -> Trained:
    """Train `work.network` in place, with as many processes as this machine is to have."""
    if compute.processes > 1:
        from oncotrail.backbones.fabric import train_together

        threads = max(1, compute.threads // compute.processes)
        return train_together(work, on_epoch, processes=compute.processes, threads=threads)
    return work.train(on_epoch)
