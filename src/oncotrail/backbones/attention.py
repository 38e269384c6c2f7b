"""A patient's images to one score: gated attention pooling (Ilse, Tomczak & Welling, ICML 2018).

    a_k = softmax_k( w' [ tanh(V h_k) * sigmoid(U h_k) ] )      how much image k counts
    z   = sum_k a_k h_k   ->   Linear(classes)                  the patient's logits

h_k are the embeddings of the patient's images or slices, scaled as the training rows' are. They are
kept, so the pooling is trained by the same loop as a network, on rows of numbers: a patient's row
holds all its embeddings one after another, each followed by 1, and zeros up to the longest row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.heads import Output
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import train
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.scoring import Numbers
from oncotrail.compute import drawn_in_double, repeatable


@dataclass(frozen=True)
class AttentionPlan:
    """All that is needed to build the pooling again, but for its weights."""

    width: int  # of an embedding
    hidden: int
    classes: int  # as the network's head has


@dataclass(frozen=True)
class Bags:
    """Patients in the order of their first images, and a row of numbers for each."""

    patients: tuple[str, ...]
    rows: Numbers


class AttentionPooling(nn.Module):
    """From patients' rows to logits; the embedding is the pooled one."""

    mean: Tensor
    std: Tensor

    def __init__(self, plan: AttentionPlan) -> None:
        super().__init__()
        self.plan = plan
        self.tanh = nn.Linear(plan.width, plan.hidden)
        self.gate = nn.Linear(plan.width, plan.hidden)
        self.to_weight = nn.Linear(plan.hidden, 1)
        self.to_logits = nn.Linear(plan.width, plan.classes)
        self.register_buffer("mean", torch.zeros(plan.width))
        self.register_buffer("std", torch.ones(plan.width))

    def forward(self, rows: Tensor) -> Output:
        """Of patients x (images * (width + 1))."""
        embeddings, present = self._opened(rows)
        weights = self._weights(embeddings, present)
        pooled = (weights.unsqueeze(-1) * embeddings).sum(dim=1)
        logits: Tensor = self.to_logits(pooled)
        return Output(logits.squeeze(1) if self.plan.classes == 1 else logits, pooled)

    def weights(self, rows: Tensor) -> Tensor:
        """How much each image counts, patients x images; a patient's sum to 1."""
        return self._weights(*self._opened(rows))

    def _opened(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        bags = rows.to(self.mean.dtype).view(len(rows), -1, self.plan.width + 1)
        return (bags[..., :-1] - self.mean) / self.std, bags[..., -1] > 0

    def _weights(self, embeddings: Tensor, present: Tensor) -> Tensor:
        gated = torch.tanh(self.tanh(embeddings)) * torch.sigmoid(self.gate(embeddings))
        scores = self.to_weight(gated).squeeze(-1)
        return torch.softmax(scores.masked_fill(~present, -torch.inf), dim=1)


def bags_of(embeddings: Numbers, patients: Sequence[str]) -> Bags:
    """Gather images x width by patient.

    >>> bags_of(np.array([[5.0], [6.0], [7.0]]), ["b", "a", "b"]).rows.tolist()
    [[5.0, 1.0, 7.0, 1.0], [6.0, 1.0, 0.0, 0.0]]
    """
    names = tuple(dict.fromkeys(patients))
    number = {name: place for place, name in enumerate(names)}
    whose = np.array([number[patient] for patient in patients])
    counts = np.bincount(whose, minlength=len(names))
    order = np.argsort(whose, kind="stable")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.empty(len(whose), dtype=np.int64)
    place[order] = np.arange(len(whose)) - np.repeat(first, counts)
    width = embeddings.shape[1]
    rows = np.zeros((len(names), int(counts.max()), width + 1))
    rows[whose, place, :width] = embeddings
    rows[whose, place, width] = 1.0
    return Bags(names, rows.reshape(len(names), -1))


def attended(
    plan: AttentionPlan, learns: Examples, chooses: Examples, recipe: Recipe, machine: OneDevice
) -> AttentionPooling:
    """Learn on the embeddings of training images; the validation patients choose the epoch."""
    known = np.asarray(learns.inputs)
    with repeatable(recipe.seed), drawn_in_double():
        pooling = AttentionPooling(plan)
    spread = known.std(axis=0)
    pooling.mean.copy_(torch.from_numpy(known.mean(axis=0)))
    pooling.std.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)))
    if machine.precision != "float64":
        pooling.to(torch.float32)
    machine = replace(machine, compile=False)
    training, validation = _of_patients(learns), _of_patients(chooses)
    train(pooling, training, validation, recipe, _unwatched, accelerator=machine)
    return pooling.cpu()


def pooling_recipe(network: Recipe, epochs: int, learning_rate: float, decay: float) -> Recipe:
    """The network's loss and seed, and a plain AdamW of its own."""
    return replace(
        network,
        epochs=epochs,
        optimizer=Optimizer("adamw", learning_rate, decay),
        schedule=Schedule("cosine"),
        augmentation=Augmentation(),
        accumulation=1,
        patience=None,
    )


def _of_patients(examples: Examples) -> Examples:
    bags = bags_of(np.asarray(examples.inputs, dtype=np.float64), examples.patients)
    label = dict(zip(examples.patients, examples.labels.tolist(), strict=True))
    labels: NDArray[np.int64] = np.array([label[patient] for patient in bags.patients])
    return Examples(bags.rows, labels, bags.patients)


def _unwatched(_: Epoch) -> None:
    """Its epochs are short, and the network's curves are the ones that are shown."""
