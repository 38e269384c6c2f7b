"""What moves the weights: SGD, Adam, AdamW; the clipped gradient; the moving average of weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

OptimizerKind = Literal["sgd", "adam", "adamw"]


@dataclass(frozen=True)
class Optimizer:
    """Which optimiser, and its constants; those that a kind does not use are ignored."""

    kind: OptimizerKind
    learning_rate: float
    weight_decay: float = 0.0
    momentum: float = 0.0  # sgd
    nesterov: bool = False  # sgd
    decays: Literal["all", "matrices"] = "all"  # matrices: neither biases nor what norms learn
    factors: Mapping[str, float] = field(default_factory=dict)  # shares of the rate, by weight


def begun(asked: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser of all of a network's weights, before its first step.

    Frozen ones are among them, and stay as they are: without a gradient nothing moves or decays
    them, so a stage of training that thaws them needs no other optimiser.
    """
    groups = _groups(asked, network)
    common: dict[str, Any] = {"lr": asked.learning_rate, "weight_decay": asked.weight_decay}
    if asked.kind == "sgd":
        return torch.optim.SGD(groups, momentum=asked.momentum, nesterov=asked.nesterov, **common)
    if asked.kind == "adam":
        return torch.optim.Adam(groups, **common)
    return torch.optim.AdamW(groups, **common)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step use this rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def clipped(network: nn.Module, most: float) -> Tensor:
    """Scale all gradients together so that their norm is at most this; the norm before."""
    return nn.utils.clip_grad_norm_(network.parameters(), most)


def _groups(asked: Optimizer, network: nn.Module) -> list[dict[str, Any]]:
    """The weights in groups that have the same share of the rate, and decay or do not."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        # Biases and the scales and shifts of normalisation are the weights of one dimension.
        decays = asked.decays == "all" or weight.ndim > 1
        groups.setdefault((asked.factors.get(name, 1.0), decays), []).append(weight)
    return [
        {"params": weights, "factor": factor, "weight_decay": asked.weight_decay if decays else 0.0}
        for (factor, decays), weights in groups.items()
    ]


class MovingAverage:
    """A network whose weights follow another's: average += (1 - decay) (weights - average).

    Early on the decay is lower, (1 + steps) / (10 + steps), or the random start would be most of
    the average for the first thousand steps. Buffers (BatchNorm's statistics) are copied.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(requires_grad=False).eval()
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Move towards the network's weights after one of its steps."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for average, weight in _pairs(self.network, network):
            average.lerp_(weight, 1 - decay)
        for copied, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            copied.copy_(buffer)


def _pairs(average: nn.Module, network: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(average.parameters(), network.parameters(), strict=True)
