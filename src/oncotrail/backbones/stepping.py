"""One step of training: a batch in pieces, its gradient, the optimiser, the moving average."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from oncotrail.backbones.accelerator import Accelerator
from oncotrail.backbones.batches import TrainingBatch
from oncotrail.backbones.judging import called
from oncotrail.backbones.losses import Loss, flooded_sign
from oncotrail.backbones.optimisation import MovingAverage, begun, clipped, set_learning_rate
from oncotrail.backbones.recipe import Recipe
from oncotrail.errors import TrainingFault

_CPU_ALLOCATOR = "DefaultCPUAllocator"


class Learner:
    """A network that learns from one batch after another, and what its optimiser remembers."""

    def __init__(self, network: nn.Module, recipe: Recipe, machine: Accelerator) -> None:
        self.network = network
        self._recipe, self._machine = recipe, machine
        self._forward = machine.place(network)
        self.optimizer = begun(recipe.optimizer, network)
        decay = recipe.average_decay
        self.average = None if decay is None else MovingAverage(network, decay)

    @property
    def judged(self) -> nn.Module:
        """The network that validation sees and that is kept: the average, where there is one."""
        return self.network if self.average is None else self.average.network

    def step(self, batch: TrainingBatch, rate: float) -> Tensor:
        """Learn from one batch; its mean loss, and how many images were right, as one tensor."""
        figures = self._gradient_or_fault(batch)
        if self._recipe.loss.flooding:
            sign = flooded_sign(figures[0], self._recipe.loss.flooding)
            for weight in self.network.parameters():
                if weight.grad is not None:
                    weight.grad.mul_(sign)
        if self._recipe.clip_norm is not None:
            clipped(self.network, self._recipe.clip_norm)
        set_learning_rate(self.optimizer, rate)
        self.optimizer.step()
        if self.average is not None:
            self.average.follow(self.network)
        return figures

    def _gradient_or_fault(self, batch: TrainingBatch) -> Tensor:
        try:
            return self._gradient(batch, batch.pieces(self._recipe.accumulation))
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
        # Out here the error and all that it held in memory are gone.
        raise TrainingFault(self._what_fits(batch))

    def _gradient(self, batch: TrainingBatch, pieces: list[TrainingBatch]) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        alone = len(pieces) == self._machine.process.count == 1 and batch.share is None
        divisor = None if alone else _divisor(self._recipe.loss, batch)
        figures = torch.zeros(2, dtype=torch.float64, device=self._machine.device)
        for number, piece in enumerate(pieces, start=1):
            with self._machine.last_piece(self._forward, last=number == len(pieces)):
                with self._machine.computing():
                    logits = self._forward(piece.inputs).logits
                logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
                self._recipe.loss.check(logits)
                loss = self._loss(logits, piece, divisor)
                self._machine.backward(loss)
            right = ((called(logits.detach()) == piece.labels) * piece.weight).sum()
            figures = figures + torch.stack([loss.detach().double(), right.double()])
        return self._machine.total(figures)

    def _loss(self, logits: Tensor, piece: TrainingBatch, divisor: float | None) -> Tensor:
        """A piece's part of the batch's mean; of a whole batch torch's own, to the last digit."""
        if divisor is None:
            return self._recipe.loss.mean(logits, piece.labels)
        return (_terms(self._recipe.loss, logits, piece) * piece.weight).sum() / divisor

    def _what_fits(self, batch: TrainingBatch) -> str:
        """Half as many images at once are tried, once, on the same device."""
        at_once = len(batch.pieces(self._recipe.accumulation)[0].labels)
        half = batch.first(max(1, at_once // 2))
        found = f"{at_once} images at once need more memory than {self._machine.device} has"
        self.optimizer.zero_grad(set_to_none=True)
        if self._machine.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            self._gradient(half, [half])
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            return (
                f"{found}, and so do {len(half.labels)}; set the network's batch_size to "
                f"{max(2, len(half.labels) // 2)} or less, or decode its view smaller."
            )
        return (
            f"{found}; {len(half.labels)} fitted. Set the network's accumulation to "
            f"{2 * self._recipe.accumulation} (the same steps, in smaller pieces), or its "
            f"batch_size to {len(half.labels)}."
        )


def _terms(loss: Loss, logits: Tensor, piece: TrainingBatch) -> Tensor:
    own = loss.terms(logits, piece.labels)
    if piece.share is None or piece.other_labels is None:
        return own
    share = piece.share.to(own.dtype)
    return share * own + (1 - share) * loss.terms(logits, piece.other_labels)


def _divisor(loss: Loss, batch: TrainingBatch) -> float:
    """What the terms of the whole batch, wherever they are computed, are divided by."""
    own = loss.weights(batch.all_labels)
    if batch.all_shares is None or batch.all_others is None:
        return float(own.sum())
    others = loss.weights(batch.all_others)
    return float((batch.all_shares * own + (1 - batch.all_shares) * others).sum())


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or _CPU_ALLOCATOR in str(error)
