"""Which weights learn, epoch by epoch: the head first, then the trunk's end, then all of it.

    head_epochs   the head alone, on a trunk as it was brought
    last_epochs   with it the trunk's last stages
    after that    everything

Each part has its share of the learning rate, from its first epoch to the last: the head all of it,
the last stages `last_factor`, the rest of the trunk `rest_factor`. What is frozen is frozen wholly:
its BatchNorm uses the statistics that it was brought with, and does not update them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from timm.models import group_parameters
from torch import nn

from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.errors import StudyFileError


@dataclass(frozen=True)
class Thawing:
    """How a network is unfrozen; epochs count from 1."""

    head_epochs: int | None = 0  # None: the trunk stays frozen
    last_stages: int = 1
    last_epochs: int = 0
    last_factor: float = 1.0
    rest_factor: float = 1.0


@dataclass(frozen=True)
class Thaw:
    """The loop's `prepare_epoch`: freezes and thaws a network's weights by the epoch alone."""

    network: EmbeddingNetwork
    plan: Thawing

    def __call__(self, epoch: int) -> None:
        """Prepare this epoch; the network is in training mode."""
        named = dict(self.network.trunk.named_parameters())
        learning = self._learning(epoch)
        for name, weight in named.items():
            weight.requires_grad_(name in learning)
        _keep_still(self.network.trunk)

    def factors(self) -> dict[str, float]:
        """The share of the learning rate of each weight that has not all of it, by its name."""
        last, rest = _parted(self.network.trunk, self.plan.last_stages)
        shares = dict.fromkeys(last, self.plan.last_factor)
        shares |= dict.fromkeys(rest, self.plan.rest_factor)
        return {f"trunk.{name}": share for name, share in shares.items() if share != 1.0}

    def _learning(self, epoch: int) -> set[str]:
        """The names of the trunk's weights that learn in this epoch."""
        head = self.plan.head_epochs
        if head is None or epoch <= head:
            return set()
        last, rest = _parted(self.network.trunk, self.plan.last_stages)
        return {*last} if epoch <= head + self.plan.last_epochs else {*last, *rest}


def stages_of(trunk: nn.Module) -> list[list[str]]:
    """The names of a trunk's weights in stages, from the image to the features.

    timm says which layers are a stage; of other trunks every part with weights is one. Norms at the
    very end belong to the stage that they follow.
    """
    matcher = getattr(trunk, "group_matcher", None)
    if matcher is None:
        named = [
            [f"{place}.{name}" for name, _ in part.named_parameters()]
            for place, part in _parts(trunk)
        ]
        found = [names for names in named if names]
    else:
        found = list(group_parameters(trunk, matcher(coarse=True)).values())
    shapes = {name: weight.ndim for name, weight in trunk.named_parameters()}
    stages: list[list[str]] = []
    for names in found:
        norms = all(shapes[name] <= 1 for name in names)
        if norms and stages:
            stages[-1].extend(names)
        else:
            stages.append(list(names))
    return stages


def _parted(trunk: nn.Module, last: int) -> tuple[list[str], list[str]]:
    stages = stages_of(trunk)
    if last > len(stages):
        message = (
            f"unfreezing.last_stages is {last}, and the trunk has {len(stages)} stages; take fewer."
        )
        raise StudyFileError(message)
    at = len(stages) - last
    return list(chain(*stages[at:])), list(chain(*stages[:at]))


def _parts(trunk: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts of a network that have weights; those of its `features` one by one."""
    for place, part in trunk.named_children():
        if place == "features":
            yield from ((f"{place}.{name}", of) for name, of in part.named_children())
        else:
            yield place, part


def _keep_still(part: nn.Module) -> None:
    """Put what has weights, and none that learn, into evaluation mode."""
    weights = list(part.parameters())
    if weights and not any(weight.requires_grad for weight in weights):
        part.eval()
        return
    for inner in part.children():
        _keep_still(inner)
