"""Batches to learn from: drawn, augmented, and shared among processes.

They are a type of their own. What a network is judged on are `inputs.EvaluationBatches`, which
cannot be given an augmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from oncotrail.backbones.accelerator import Process
from oncotrail.backbones.augmentation import Augmentation, Drawn, augmented, blended, draw
from oncotrail.backbones.inputs import CPU, Examples
from oncotrail.backbones.sampling import Sampler, drawn, parts


@dataclass(frozen=True)
class TrainingBatch:
    """What one step of training learns from, and from whom.

    `inputs` and the tensors beside it are this process's share of the batch; `patients` are all.
    """

    inputs: Tensor
    labels: Tensor  # integers
    weight: Tensor  # 1 for an image to learn from, 0 for one that only keeps a process in step
    patients: tuple[str, ...]
    all_labels: Tensor  # of the whole batch, on the CPU; likewise:
    all_shares: Tensor | None = None  # mixup: how much of each image is its own
    all_others: Tensor | None = None  # mixup: the labels of whom it is blended with
    share: Tensor | None = None
    other_labels: Tensor | None = None

    def pieces(self, count: int) -> list[TrainingBatch]:
        """The same in up to `count` pieces, none of them of one image: BatchNorm cannot learn."""
        most = max(1, min(count, len(self.labels) // 2))
        if most == 1:
            return [self]
        return [self._of(rows) for rows in torch.arange(len(self.labels)).tensor_split(most)]

    def first(self, count: int) -> TrainingBatch:
        """The first few images of this process's share."""
        return self._of(torch.arange(count))

    def _of(self, rows: Tensor) -> TrainingBatch:
        rows = rows.to(self.labels.device)
        return replace(
            self,
            inputs=self.inputs[rows],
            labels=self.labels[rows],
            weight=self.weight[rows],
            share=None if self.share is None else self.share[rows],
            other_labels=None if self.other_labels is None else self.other_labels[rows],
        )


@dataclass
class TrainingBatches:
    """Each epoch's images, in an order and with an augmentation that the generator decides."""

    examples: Examples
    size: int
    generator: torch.Generator
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampler: Sampler = "shuffled"
    device: torch.device = CPU
    process: Process = field(default_factory=Process)

    def __post_init__(self) -> None:
        self._labels = torch.from_numpy(np.asarray(self.examples.labels, dtype=np.int64))
        self._order = torch.empty(0, dtype=torch.int64)  # of the epoch that is under way
        self._done = 0  # batches of it

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(parts(torch.arange(len(self._labels)), self.size))

    @property
    def done(self) -> int:
        """Batches of this epoch that were given out."""
        return self._done

    def epoch(self) -> Iterator[TrainingBatch]:
        """One pass; one that a checkpoint interrupted goes on where it was."""
        if not len(self._order):
            self._order = drawn(self.sampler, self._labels, self.generator)
        given = parts(self._order, self.size)
        while self._done < len(given):
            chosen = given[self._done]
            self._done += 1
            yield self._batch(chosen)
        self._order, self._done = self._order[:0], 0

    def state(self) -> dict[str, Tensor]:
        """All that decides the batches to come."""
        done = torch.tensor(self._done)
        return {"order": self._order, "done": done, "generator": self.generator.get_state()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on where `state` was taken."""
        self._order, self._done = state["order"], int(state["done"])
        self.generator.set_state(state["generator"])

    def _batch(self, chosen: Tensor) -> TrainingBatch:
        chance = draw(self.augmentation, len(chosen), self.generator)
        own = self.process.share(torch.arange(len(chosen)))
        weight = torch.ones(len(own), device=self.device)
        if not len(own):  # more processes than images: keep step, and learn nothing
            own, weight = torch.zeros(1, dtype=torch.int64), torch.zeros(1, device=self.device)
        labels = self._labels[chosen]
        others = None if chance.partner is None else labels[chance.partner]
        return TrainingBatch(
            inputs=self._inputs(chosen, own, chance),
            labels=labels[own].to(self.device),
            weight=weight,
            patients=tuple(self.examples.patients[row] for row in chosen.tolist()),
            all_labels=labels,
            all_shares=chance.share,
            all_others=others,
            share=None if chance.share is None else chance.share[own].to(self.device),
            other_labels=None if others is None else others[own].to(self.device),
        )

    def _inputs(self, chosen: Tensor, own: Tensor, chance: Drawn) -> Tensor:
        if chance.partner is None or chance.share is None:
            return self._augmented(chosen, own, chance)
        needed, where = torch.unique(torch.cat([own, chance.partner[own]]), return_inverse=True)
        seen = self._augmented(chosen, needed, chance)
        mine, theirs = where.to(self.device).tensor_split(2)
        return blended(seen[mine], seen[theirs], chance.share[own])

    def _augmented(self, chosen: Tensor, places: Tensor, chance: Drawn) -> Tensor:
        read = torch.from_numpy(self.examples.inputs[chosen[places].numpy()])
        return augmented(read.to(self.device), self.augmentation, chance[places])
