"""The training loop.

    for each epoch:
        for each batch of training images: one step of the optimiser
        score the validation images as they are, and judge them patient by patient
        remember the weights if this epoch is the best so far
        end early where nothing got better for a while
    put the best weights back

Where a moving average of the weights is kept, it is what is scored and remembered. What is to come
depends on what a snapshot holds and on nothing else, so a run that was killed and goes on from a
checkpoint ends with the same weights, to the bit.

Needs torch, timm and numpy alone, and knows no table, tracker or terminal.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from oncotrail.backbones.accelerator import Accelerator, OneDevice
from oncotrail.backbones.batches import TrainingBatches
from oncotrail.backbones.inputs import Examples, StoredRows
from oncotrail.backbones.judging import Epoch, Judged, best_of, exhausted, judge
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Moment, learning_rate
from oncotrail.backbones.scoring import Numbers, score
from oncotrail.backbones.snapshot import Progress, Snapshot, Tally, put_back, taken
from oncotrail.backbones.stepping import Learner
from oncotrail.compute import repeatable
from oncotrail.errors import TrainingFault

OnEpoch = Callable[[Epoch], object]
PrepareEpoch = Callable[[int], object]


class Checkpoints(Protocol):
    """Where a run that may be killed leaves itself, and finds itself again."""

    def latest(self) -> Snapshot | None:
        """The newest one that can be read, or None."""
        ...

    def due(self) -> bool:
        """Whether it is time for another."""
        ...

    def save(self, snapshot: Snapshot) -> None:
        """Keep this one, whole or not at all."""
        ...


@dataclass(frozen=True)
class Trained:
    """What training did. `drawn` counts the patients of the batches really learned from."""

    best: Epoch
    history: tuple[Epoch, ...]
    drawn: Counter[str]


def as_it_is(_: int) -> None:
    """Freeze and thaw nothing."""


def train(
    network: nn.Module,
    training: Examples,
    validation: Examples,
    recipe: Recipe,
    on_epoch: OnEpoch,
    *,
    accelerator: Accelerator | None = None,
    checkpoints: Checkpoints | None = None,
    prepare_epoch: PrepareEpoch = as_it_is,
) -> Trained:
    """Train `network` in place; it ends with the best epoch's weights, in evaluation mode.

    `network(inputs)` has `.logits`, (images,) or (images, classes). `on_epoch` hears of every epoch
    as it ends, and, after a kill, of those before it again. `prepare_epoch(number)` is called in
    training mode as an epoch starts or is resumed, to freeze and thaw weights by the number alone.
    """
    training.check("training")
    validation.check("validation")
    machine = accelerator or OneDevice()
    with repeatable(recipe.seed + machine.process.rank):
        run = _Run(network, training, validation, recipe, machine)
        run.resume(checkpoints)
        for epoch in run.progress.history:
            on_epoch(epoch)
        while not run.finished:
            on_epoch(run.epoch(checkpoints, prepare_epoch))
            run.save_if_due(checkpoints)
    network.load_state_dict(run.progress.best_weights)
    network.eval()
    history = tuple(run.progress.history)
    return Trained(best_of(history, recipe.best_epoch_by), history, run.progress.drawn)


@dataclass(frozen=True)
class _Told:
    """A step's loss and how many it got right, still on the device, and whom it was about."""

    figures: Tensor
    patients: tuple[str, ...]


class _Run:
    """One training run: everything that changes while it trains."""

    def __init__(
        self,
        network: nn.Module,
        training: Examples,
        validation: Examples,
        recipe: Recipe,
        machine: Accelerator,
    ) -> None:
        self._recipe, self._machine, self._validation = recipe, machine, validation
        self._learner = Learner(network, recipe, machine)
        self._batches = TrainingBatches(
            training,
            recipe.batch_size,
            torch.Generator().manual_seed(recipe.seed),
            recipe.augmentation,
            recipe.sampler,
            machine.device,
            machine.process,
        )
        self._told: _Told | None = None
        self.progress = Progress()

    @property
    def finished(self) -> bool:
        """All epochs done, or no better one for a while."""
        asked, history = self._recipe, self.progress.history
        return len(history) >= asked.epochs or exhausted(
            history, asked.best_epoch_by, asked.patience
        )

    def resume(self, checkpoints: Checkpoints | None) -> None:
        """Go on from the newest checkpoint, if there is one."""
        snapshot = None if checkpoints is None else checkpoints.latest()
        if snapshot is not None:
            put_back(snapshot, self._learner, self._batches, self.progress, self._machine)
        self._machine.agreed(opinion=True)  # nobody saves before everybody has read

    def epoch(self, checkpoints: Checkpoints | None, prepare_epoch: PrepareEpoch) -> Epoch:
        """One pass over the training images, or its rest, and what validation says after it."""
        number, batches = len(self.progress.history) + 1, len(self._batches)
        self._learner.network.train()
        prepare_epoch(number)
        for batch in self._batches.epoch():
            rate = self._rate(number, self._batches.done - 1, batches)
            figures = self._learner.step(batch, rate)
            self._hear(number)  # of the batch before: a GPU is not made to wait for each
            self._told = _Told(figures, batch.patients)
            self.progress.drawn.update(batch.patients)
            if self._machine.process.count == 1:  # several agree on it at the end of an epoch
                self.save_if_due(checkpoints)
        self._hear(number)
        return self._ended(number, self._rate(number, batches - 1, batches), self._judge(number))

    def save_if_due(self, checkpoints: Checkpoints | None) -> None:
        """Leave a checkpoint, if the first process finds that it is time."""
        if checkpoints is None or not self._machine.agreed(opinion=checkpoints.due()):
            return
        self._hear(len(self.progress.history) + 1)
        snapshot = taken(self._learner, self._batches, self.progress, self._machine)
        if self._machine.process.rank == 0:
            checkpoints.save(snapshot)

    def _rate(self, number: int, batch: int, batches: int) -> float:
        losses = [epoch.validation_loss for epoch in self.progress.history]
        moment = Moment(number - 1, self._recipe.epochs, batch, batches, losses)
        return learning_rate(self._recipe.schedule, self._recipe.optimizer.learning_rate, moment)

    def _hear(self, number: int) -> None:
        """Read the last step's figures; stop where its loss is not finite."""
        if self._told is None:
            return
        told, self._told = self._told, None
        loss, right = told.figures.tolist()
        if not math.isfinite(loss):
            message = (
                f"the loss is {loss} in epoch {number}, on the batch of patients "
                f"{', '.join(told.patients)}; lower optimizer.learning_rate, or look at their "
                "images."
            )
            raise TrainingFault(message)
        self.progress.tally.add(loss, right, len(told.patients))

    def _ended(self, number: int, rate: float, judged: Judged) -> Epoch:
        tally, history = self.progress.tally, self.progress.history
        epoch = Epoch(
            epoch=number,
            train_loss=tally.loss / tally.images,
            validation_loss=judged.loss,
            train_accuracy=tally.right / tally.images,
            validation_accuracy=judged.accuracy,
            validation_auc=judged.auc,
            learning_rate=rate,
        )
        self.progress.tally = Tally()
        history.append(epoch)
        if best_of(history, self._recipe.best_epoch_by) is epoch:
            self.progress.best_weights = copy.deepcopy(self._learner.judged.state_dict())
        return epoch

    def _judge(self, number: int) -> Judged:
        """The validation figures, from images that the processes share out among themselves."""
        given, asked = self._validation, self._recipe
        judged = judge(self._logits(), given.labels, given.patients, asked.loss, asked.patient_by)
        if not math.isfinite(judged.loss):
            message = (
                f"the validation loss is {judged.loss} after epoch {number}; lower "
                "optimizer.learning_rate, or look at the validation patients' images."
            )
            raise TrainingFault(message)
        return judged

    def _logits(self) -> Numbers:
        network, inputs = self._learner.judged, self._validation.inputs
        if self._machine.process.count == 1:
            return score(network, inputs, self._machine).logits
        self._machine.same(network)
        rows = self._machine.process.share(torch.arange(len(inputs)))
        own = score(network, StoredRows(inputs, rows.numpy()), self._machine).logits
        shared = self._machine.together(torch.from_numpy(own).to(self._machine.device))
        return np.asarray(shared.cpu())
