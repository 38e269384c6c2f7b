"""The training loop: Adam, a step schedule, weighted cross-entropy, and the best epoch kept.

    for each epoch:
        for each shuffled, flipped batch of training images: one step of Adam
        score the validation images as they are
        remember the weights if this epoch is the best so far
    put the best weights back

The best epoch is the one with the highest validation accuracy or AUC, or the lowest validation
loss. Accuracy on a few dozen patients is coarse and ties are the rule, so among ties the lowest
validation loss decides, and among equal losses the earliest epoch.

Needs torch, timm and numpy alone, and knows no table, tracker or terminal.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from oncotrail.backbones.batches import Batch, Examples, Flip, TrainingBatches
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.scoring import Numbers, score
from oncotrail.compute import repeatable
from oncotrail.errors import TrainingFault


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, apart from what it is and what it sees."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    step_every: int  # epochs
    step_factor: float
    positive_weight: float  # a positive image counts this often
    flips: tuple[Flip, ...]
    best_epoch_by: Literal["validation_accuracy", "validation_loss", "validation_auc"]
    seed: int


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch. Training's are running means over its own (flipped) batches."""

    epoch: int  # from 1
    train_loss: float
    validation_loss: float
    train_accuracy: float
    validation_accuracy: float
    validation_auc: float
    learning_rate: float  # in force during the epoch


@dataclass(frozen=True)
class Trained:
    """What training did. `drawn` counts the patients of the batches really learned from."""

    best: Epoch
    history: tuple[Epoch, ...]
    drawn: Counter[str]


def train(
    network: EmbeddingNetwork,
    training: Examples,
    validation: Examples,
    recipe: Recipe,
    on_epoch: Callable[[Epoch], object],
) -> Trained:
    """Train `network` in place; it ends with the best epoch's weights, in evaluation mode."""
    training.check("training")
    validation.check("validation")
    weight = torch.tensor(recipe.positive_weight, dtype=torch.float64)
    loss_of = nn.BCEWithLogitsLoss(pos_weight=weight)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, recipe.step_every, recipe.step_factor)
    generator = torch.Generator().manual_seed(recipe.seed)
    batches = TrainingBatches(training, recipe.batch_size, recipe.flips, generator)
    drawn: Counter[str] = Counter()
    history: list[Epoch] = []
    best = _Best(recipe)
    with repeatable(recipe.seed):
        for number in range(1, recipe.epochs + 1):
            learning_rate = float(schedule.get_last_lr()[0])
            learned = _Tally()
            network.train()
            for batch in batches.epoch():
                learned.add(batch, *_step(network, batch, loss_of, optimizer, number))
                drawn.update(batch.patients)
            schedule.step()
            history.append(
                Epoch(
                    epoch=number,
                    train_loss=learned.loss / learned.images,
                    train_accuracy=learned.right / learned.images,
                    learning_rate=learning_rate,
                    **_judge(network, validation, loss_of, number),
                )
            )
            best.consider(history[-1], network)
            on_epoch(history[-1])
    network.load_state_dict(best.weights)
    network.eval()
    return Trained(history[best.epoch - 1], tuple(history), drawn)


@dataclass
class _Tally:
    """Running sums over an epoch's training batches."""

    loss: float = 0.0
    right: int = 0
    images: int = 0

    def add(self, batch: Batch, loss: float, right: int) -> None:
        self.loss += loss * len(batch.labels)
        self.right += right
        self.images += len(batch.labels)


class _Best:
    """The best epoch so far and its weights."""

    def __init__(self, recipe: Recipe) -> None:
        self._by = recipe.best_epoch_by
        self._rank = (-math.inf, -math.inf)
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def consider(self, epoch: Epoch, network: nn.Module) -> None:
        """Keep this epoch if it beats the best; a full tie leaves the earlier one."""
        figure = getattr(epoch, self._by)
        rank = (-figure if self._by == "validation_loss" else figure, -epoch.validation_loss)
        if rank > self._rank:
            self._rank, self.epoch = rank, epoch.epoch
            self.weights = copy.deepcopy(network.state_dict())


def _step(
    network: EmbeddingNetwork,
    batch: Batch,
    loss_of: nn.Module,
    optimizer: torch.optim.Optimizer,
    number: int,
) -> tuple[float, int]:
    """Learn from one batch; say its mean loss and how many it got right."""
    logits = network(batch.pixels).logits
    loss = loss_of(logits, batch.labels.to(logits.dtype))
    if not math.isfinite(loss.item()):
        message = (
            f"the loss is {loss.item()} in epoch {number}, on the batch of patients "
            f"{', '.join(batch.patients)}; lower optimizer.learning_rate, or look at their images."
        )
        raise TrainingFault(message)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item(), int(((logits > 0) == (batch.labels == 1)).sum())


def _judge(
    network: EmbeddingNetwork, validation: Examples, loss_of: nn.Module, number: int
) -> dict[str, float]:
    """The validation figures of one epoch."""
    logits = score(network, validation.pixels).logits
    loss = loss_of(torch.from_numpy(logits), torch.from_numpy(validation.labels.astype(float)))
    if not math.isfinite(loss.item()):
        message = (
            f"the validation loss is {loss.item()} after epoch {number}; lower "
            "optimizer.learning_rate, or look at the validation patients' images."
        )
        raise TrainingFault(message)
    return {
        "validation_loss": loss.item(),
        "validation_accuracy": float(np.mean((logits > 0) == (validation.labels == 1))),
        "validation_auc": _auc(logits, validation.labels == 1),
    }


def _auc(logits: Numbers, positive: np.ndarray) -> float:
    """How often a positive image scores above a negative one; a tie counts half."""
    differences = logits[positive][:, None] - logits[~positive][None, :]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))
