"""All that a training run is, as tensors and plain values: what a checkpoint holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from oncotrail.backbones.accelerator import Accelerator
from oncotrail.backbones.batches import TrainingBatches
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.stepping import Learner


@dataclass(frozen=True)
class Snapshot:
    """A run between two batches. `facts` is JSON."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


@dataclass
class Tally:
    """Running sums over an epoch's training batches."""

    loss: float = 0.0
    right: float = 0.0
    images: int = 0

    def add(self, loss: float, right: float, images: int) -> None:
        """One batch more."""
        self.loss += loss * images
        self.right += right
        self.images += images


@dataclass
class Progress:
    """What training has seen so far."""

    history: list[Epoch] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def taken(
    learner: Learner, batches: TrainingBatches, progress: Progress, machine: Accelerator
) -> Snapshot:
    """The run as it is now; nothing that it does later changes what was taken."""
    average = learner.average
    parts: dict[str, Mapping[str, Tensor]] = {
        "network": learner.network.state_dict(),
        "average": {} if average is None else average.network.state_dict(),
        "best": progress.best_weights,
        "optimizer": _remembered(learner.optimizer),
        "batches": batches.state(),
        "random": _random(machine),
    }
    facts = {
        "history": [asdict(epoch) for epoch in progress.history],
        "drawn": dict(progress.drawn),
        "tally": asdict(progress.tally),
        "average_steps": 0 if average is None else average.steps,
    }
    tensors = {
        f"{part}/{name}": tensor.detach().to("cpu", copy=True).contiguous()
        for part, named in parts.items()
        for name, tensor in named.items()
    }
    return Snapshot(tensors, facts)


def put_back(
    snapshot: Snapshot,
    learner: Learner,
    batches: TrainingBatches,
    progress: Progress,
    machine: Accelerator,
) -> None:
    """Make everything as it was when the snapshot was taken."""
    learner.network.load_state_dict(part_of(snapshot, "network"))
    if learner.average is not None:
        learner.average.network.load_state_dict(part_of(snapshot, "average"))
        learner.average.steps = snapshot.facts["average_steps"]
    _remember(learner.optimizer, part_of(snapshot, "optimizer"))
    batches.restore(part_of(snapshot, "batches"))
    progress.history = [Epoch(**epoch) for epoch in snapshot.facts["history"]]
    progress.drawn = Counter(snapshot.facts["drawn"])
    progress.tally = Tally(**snapshot.facts["tally"])
    progress.best_weights = part_of(snapshot, "best")
    _set_random(machine, part_of(snapshot, "random"))


def part_of(snapshot: Snapshot, part: str) -> dict[str, Tensor]:
    """What was remembered of `network`, `average`, `best`, `optimizer`, `batches` or `random`."""
    names = [name for name in snapshot.tensors if name.startswith(f"{part}/")]
    return {name.removeprefix(f"{part}/"): snapshot.tensors[name] for name in names}


def _remembered(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Momenta and counters. Rates and decays are the recipe's, and not the optimiser's to keep."""
    state = optimizer.state_dict()["state"]
    return {
        f"{weight}/{name}": value
        for weight, named in state.items()
        for name, value in named.items()
        if value is not None
    }


def _remember(optimizer: torch.optim.Optimizer, remembered: Mapping[str, Tensor]) -> None:
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for place, saved in remembered.items():
        number, name = place.split("/")
        weight = weights[int(number)]
        # In the weight's own memory layout: another one may round in another order.
        like = torch.empty_like(weight) if saved.shape == weight.shape else torch.empty_like(saved)
        state.setdefault(int(number), {})[name] = like.detach().copy_(saved)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _random(machine: Accelerator) -> dict[str, Tensor]:
    """Torch's own generators (dropout), of every process in order."""
    own = {"cpu": torch.get_rng_state()}
    if machine.device.type == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(machine.device)
    return {
        name: machine.together(state[None].to(machine.device)).cpu() for name, state in own.items()
    }


def _set_random(machine: Accelerator, saved: Mapping[str, Tensor]) -> None:
    rank = machine.process.rank
    torch.set_rng_state(saved["cpu"][rank].clone())
    if machine.device.type == "cuda":
        torch.cuda.set_rng_state(saved["cuda"][rank].clone(), machine.device)
