"""Our side of bench/training.py, and the limit: each trains until it is ended (bench.turns).

ours    the pixel store, the augmentation, `loop.train`, in the environment of a stage
limit   forward, backward and step on one batch that is in memory, normalised and laid out:
        plain torch, the same network, precision and layout, and nothing else
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.training_task import CLASSES, DECAY, JITTER, MOMENTUM, RATE, ZOOM, Task
from bench.turns import Turns

SEED = 1


def main() -> None:
    """Do what the command line says."""
    task = Task.read(sys.argv[1])
    if task.way != "limit":
        import pipelines  # noqa: F401  the environment of a stage, before torch is there

    from oncotrail.compute import use_threads

    use_threads(task.threads)
    _WAYS[task.way](task)


def ours(task: Task) -> None:
    """As the stage `train` does it."""
    from oncotrail.backbones import loop

    learns = examples(task)
    chooses = first(learns, 2)  # the least that can be judged: nobody's validation is measured
    network = started(task, learns.inputs)
    hook = _Hook(task, len(learns.labels))
    loop.train(
        network,
        learns,
        chooses,
        recipe(task, epochs=2**31),
        lambda _: None,
        accelerator=machine(task),
        checkpoints=hook,
    )


class _Hook:
    """The loop asks after every step whether a checkpoint is due, and once more after an epoch."""

    def __init__(self, task: Task, images: int) -> None:
        self._turns = Turns(wait_for(task.device))
        self._asked, self._in_epoch = 0, -(-images // task.batch) + 1

    def latest(self) -> None:
        """Nothing to go on from."""

    def due(self) -> bool:
        """Never, but a step is done."""
        self._asked += 1
        if self._asked % self._in_epoch:
            self._turns.step()
        return False

    def save(self, snapshot: Any) -> None:
        """Never asked for."""


def limit(task: Task) -> None:
    """Nothing but the arithmetic."""
    import torch

    network, computing = started(task, examples(task).inputs), machine(task)
    computing.place(network)
    network.train()
    inputs, labels = batch_in_memory(task, network)
    both = torch.nn.Sequential(network.trunk, network.head.to_logits)
    forward = torch.compile(both) if task.compile else both
    optimizer = plain_sgd(network)
    turns = Turns(wait_for(task.device))
    while True:
        optimizer.zero_grad(set_to_none=True)
        with computing.computing():
            logits = forward(inputs)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        turns.step()


def batch_in_memory(task: Task, network: Any) -> tuple[Any, Any]:
    """The first batch as the trunk sees it, and its labels."""
    import torch

    given = first(examples(task), task.batch)
    with torch.no_grad():
        inputs = network.normalised(torch.from_numpy(given.inputs[:]).to(task.device))
    return inputs, torch.from_numpy(given.labels).to(task.device)


def tune(task: Task) -> None:
    """Say what `tuned` finds, as JSON."""
    same_step(task)
    print(json.dumps(tuned(task)))


def tuned(task: Task) -> dict[str, str | bool]:
    """What `oncotrail doctor --tune-device` would write for this network."""
    from oncotrail.backbones import tune_device

    tune_device.WARM_UP, tune_device.STEPS = 1, 2  # of 2 and 5: ViT takes seconds a step
    given = first(examples(task), task.batch)
    network, how = started(task, given.inputs), recipe(task, epochs=1)
    found = tune_device.measure(network, given, how, tune_device.ways(task.device))
    best = tune_device.fastest(found).machine
    return {"precision": best.precision, "layout": best.layout, "compile": best.compile}


def same_step(task: Task) -> None:
    """Refuse to time two things that are not the same: one step of ours and one of plain torch."""
    import torch

    from oncotrail.backbones.batches import TrainingBatches
    from oncotrail.backbones.stepping import Learner

    plain = task.by("", precision="float32", layout="contiguous", compile=False)
    few = first(examples(plain), 4)
    mine, theirs = started(plain, few.inputs), started(plain, few.inputs)
    learner = Learner(mine.train(), recipe(plain, epochs=1, augmented=False), machine(plain))
    images = torch.Generator().manual_seed(SEED)
    (batch,) = TrainingBatches(few, 4, images, device=machine(plain).device).epoch()
    torch.manual_seed(SEED)  # for paths that are dropped at random
    learner.step(batch, RATE)
    machine(plain).place(theirs)
    optimizer = plain_sgd(theirs.train())
    torch.manual_seed(SEED)
    logits = theirs.head(theirs.trunk(theirs.normalised(batch.inputs))).logits
    torch.nn.functional.cross_entropy(logits, batch.labels).backward()
    optimizer.step()
    for (name, one), other in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        if not torch.allclose(one, other, rtol=1e-4, atol=1e-5):
            sys.exit(f"{task.network}: {name} is not the same after a step of ours and of torch's")


def plain_sgd(network: Any) -> Any:
    """The optimiser that the recipe asks for, from torch."""
    import torch

    return torch.optim.SGD(
        network.parameters(), lr=RATE, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY
    )


def examples(task: Task, most: int | None = None) -> Any:
    """The images, memory-mapped from the pixel store; all of them, or the first few."""
    import numpy as np

    from oncotrail.backbones.inputs import Examples, StoredRows
    from oncotrail.imaging.store import open_pixels

    pixels = open_pixels(Path(task.folder) / "pixels.npy")[:most]
    rows = np.arange(len(pixels))
    return Examples(StoredRows(pixels, rows), rows % CLASSES, tuple(map(str, rows)))


def first(given: Any, count: int) -> Any:
    """The first few of them, in memory."""
    from oncotrail.backbones.inputs import Examples

    return Examples(given.inputs[:count], given.labels[:count], given.patients[:count])


def started(task: Task, inputs: Any) -> Any:
    """The network as a study begins it; a linear classifier stands on the trunk, as timm's does."""
    from oncotrail.backbones.heads import HeadPlan
    from oncotrail.backbones.network import start
    from oncotrail.backbones.sources import Wanted

    head = HeadPlan(embedding=None, classes=CLASSES)
    return start(
        task.network,
        {},
        head,
        weights=Wanted("none"),
        training=inputs[:64],
        seed=SEED,
        precision="float32",
    ).network


def recipe(task: Task, epochs: int, *, augmented: bool = True) -> Any:
    """The same optimiser as the peers', and the same kinds of change to the images."""
    from oncotrail.backbones.augmentation import Augmentation
    from oncotrail.backbones.losses import Loss
    from oncotrail.backbones.optimisation import Optimizer
    from oncotrail.backbones.recipe import Recipe

    changed = Augmentation(
        flips=("horizontal_flip",),
        scale=(1.0, ZOOM),
        translation=0.1,
        brightness=JITTER,
        contrast=JITTER,
    )
    return Recipe(
        epochs=epochs,
        batch_size=task.batch,
        loss=Loss("cross_entropy"),
        optimizer=Optimizer("sgd", RATE, DECAY, MOMENTUM, nesterov=True),
        seed=SEED,
        augmentation=changed if augmented else Augmentation(),
    )


def machine(task: Task) -> Any:
    """Where and how it computes."""
    from oncotrail.backbones.accelerator import OneDevice

    return OneDevice(task.device, task.precision, task.layout, task.compile)


def wait_for(device: str) -> Any:
    """What waits until a device has done all that it was asked for."""
    import torch

    return torch.cuda.synchronize if device.startswith("cuda") else lambda: None


_WAYS = {"ours": ours, "limit": limit, "tune": tune}

if __name__ == "__main__":
    main()
    os._exit(0)
