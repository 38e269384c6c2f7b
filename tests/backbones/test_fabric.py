"""Two processes (gloo, on the CPU) against one."""

from pathlib import Path

import pytest
import torch

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.fabric import train_together
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import Trained, train
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.processes import Work
from oncotrail.backbones.recipe import Recipe
from tests.backbones.made import Small, recipe, rows, squares

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:UserWarning:lightning_fabric"),
    pytest.mark.filterwarnings("ignore:.*:FutureWarning:lightning_fabric"),
]

WEIGHTED = recipe(
    loss=Loss("cross_entropy", class_weights=(1.0, 3.0, 0.5), flooding=0.9),
    sampler="weighted",
    batch_size=7,
    accumulation=2,
    clip_norm=0.5,
    average_decay=0.9,
)
AUGMENTED = recipe(
    epochs=2,
    batch_size=5,
    augmentation=Augmentation(flips=("horizontal_flip",), rotation=10, noise=0.05, mixup=0.4),
)


def told(_: Epoch) -> None:
    """Hear nothing."""


def nothing_said(_: str) -> None:
    """Say nothing."""


def both(network: Small, asked: Recipe, kind: str) -> tuple[dict[str, torch.Tensor], Trained]:
    """Train with two processes; the weights."""
    make = rows if kind == "rows" else squares
    options = {"classes": 3} if kind == "rows" else {}
    work = Work(
        network, make(31, 1, "T", **options), make(20, 2, "V", **options), asked, OneDevice()
    )
    done = train_together(work, told, processes=2, threads=1)
    return network.state_dict(), done


@pytest.mark.parametrize(
    ("asked", "kind", "features", "classes"),
    [(WEIGHTED, "rows", 6, 3), (AUGMENTED, "squares", 1024, 1)],
)
def test_two_processes_train_to_the_weights_of_one(
    asked: Recipe, kind: str, features: int, classes: int
) -> None:
    shared, together = both(Small(features, classes), asked, kind)
    make = rows if kind == "rows" else squares
    options = {"classes": 3} if kind == "rows" else {}
    alone = Small(features, classes)
    one = train(alone, make(31, 1, "T", **options), make(20, 2, "V", **options), asked, told)
    for name, weight in alone.state_dict().items():
        torch.testing.assert_close(shared[name], weight, rtol=0, atol=1e-7)
    assert together.drawn == one.drawn
    assert together.best.epoch == one.best.epoch
    assert together.best.train_loss == pytest.approx(one.best.train_loss, abs=1e-7)


class Thaw:
    """Freezes the hidden layer in the first epoch."""

    def __init__(self, network: Small) -> None:
        self.network = network

    def __call__(self, epoch: int) -> None:
        self.network.hidden.requires_grad_(requires_grad=epoch > 1)


@pytest.mark.slow
def test_weights_that_thaw_do_so_in_every_process() -> None:
    shared, alone = Small(6), Small(6)
    given = (rows(31, 1, "T"), rows(20, 2, "V"), recipe())
    work = Work(shared, *given, OneDevice(), prepare_epoch=Thaw(shared))
    train_together(work, told, processes=2, threads=1)
    train(alone, *given, told, prepare_epoch=Thaw(alone))
    for name, weight in alone.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], weight, rtol=0, atol=1e-7)


@pytest.mark.slow
def test_several_processes_go_on_from_a_checkpoint_to_the_same_bits(tmp_path: Path) -> None:
    """Stopped by its listener after two epochs of four, then again, with dropout in each."""
    asked = recipe(epochs=4)
    given = (rows(31, 1, "T"), rows(20, 2, "V"), asked, OneDevice())

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 3:
            raise KeyboardInterrupt

    def run(network: Small, folder: str, listener=told) -> Small:  # noqa: ANN001
        kept = FolderCheckpoints(tmp_path / folder, nothing_said, every_seconds=0)
        train_together(Work(network, *given, kept), listener, processes=2, threads=1)
        return network

    undisturbed = run(Small(6, dropout=0.3), "undisturbed").state_dict()
    with pytest.raises(KeyboardInterrupt):
        run(Small(6, dropout=0.3), "stopped", stop)
    again = run(Small(6, dropout=0.3), "stopped").state_dict()
    assert all(torch.equal(weight, undisturbed[name]) for name, weight in again.items())
