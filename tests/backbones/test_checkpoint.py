"""A run that is killed and started again ends as if nothing had happened, to the bit."""

import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch

from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import Trained, train
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.snapshot import Snapshot
from tests.backbones.made import Small, recipe, rows, squares, tiny

EVERYTHING = recipe(
    epochs=6,
    loss=Loss("binary_cross_entropy", positive_weight=2.0, flooding=0.1),
    optimizer=Optimizer("adamw", 3e-3, 0.01, decays="matrices"),
    schedule=Schedule("plateau", factor=0.5, patience=0, warm_up=1),
    augmentation=Augmentation(flips=("horizontal_flip",), rotation=10, noise=0.05, mixup=0.3),
    sampler="weighted",
    average_decay=0.9,
    clip_norm=1.0,
    accumulation=2,
    patience=5,
)
MOMENTUM = recipe(epochs=4, optimizer=Optimizer("sgd", 0.02, momentum=0.9, nesterov=True))


@dataclass
class Ear:
    """Hears a run: its epochs, what its checkpoints say, and every opportunity to be killed."""

    epochs: list[Epoch] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    on_batch: Callable[[], object] = int


class Watched(Small):
    """Tells somebody of every batch that it learns from."""

    ear: Ear

    def forward(self, inputs: torch.Tensor):  # noqa: ANN201
        if self.training:
            self.ear.on_batch()
        return super().forward(inputs)


def examples() -> tuple[Examples, Examples]:
    return squares(21, 1, "T"), squares(12, 2, "V")


def small_run(asked: Recipe, folder: Path, ear: Ear, dtype: torch.dtype) -> tuple[Watched, Trained]:
    network = Watched(32 * 32, dropout=0.2, dtype=dtype)
    network.ear = ear
    kept = FolderCheckpoints(folder, ear.said.append, every_seconds=0, share_of_time=1e9)
    done = train(network, *examples(), asked, ear.epochs.append, checkpoints=kept)
    return network, done


def weights(network: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: weight.numpy() for name, weight in network.state_dict().items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


class Stopped(Exception):
    """A run ends here."""


@pytest.mark.parametrize("asked", [EVERYTHING, MOMENTUM])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stopped_at_every_batch_in_turn_it_ends_the_same(
    tmp_path: Path, asked: Recipe, dtype: torch.dtype
) -> None:
    ear = Ear()
    undisturbed, expected = small_run(asked, tmp_path / "undisturbed", ear, dtype)
    batches: list[int] = []

    def stop_at_the_third() -> None:
        batches.append(1)
        if len(batches) == 3 * asked.accumulation:
            raise Stopped

    stops, done = 0, None
    while done is None:
        ear = Ear(on_batch=stop_at_the_third)
        batches.clear()
        try:
            network, done = small_run(asked, tmp_path / "stopped", ear, dtype)
        except Stopped:
            stops += 1
    assert stops > 4, "it was never stopped: the test shows nothing"
    assert same(weights(network), weights(undisturbed))
    assert done == expected
    assert tuple(ear.epochs) == expected.history, "those before the stop are told again"
    assert any("goes on after epoch" in line for line in ear.said)


def hear(_: Epoch) -> None:
    """Hear nothing."""


def child(folder: Path, precision: str, pipe: Connection) -> None:
    """A real network in a real process, which tells of its batches and, at the end, its weights."""
    torch.set_num_threads(1)
    training, validation = examples()
    network = tiny(np.asarray(training.inputs), precision=precision)  # type: ignore[arg-type]
    network.register_forward_pre_hook(
        lambda module, _: pipe.send("batch") if module.training else None
    )
    kept = FolderCheckpoints(folder, pipe.send, every_seconds=0, share_of_time=1e9)
    done = train(network, training, validation, EVERYTHING, hear, checkpoints=kept)
    pipe.send((weights(network), done))


def until_it_ends_or(folder: Path, precision: str, batches: int, wait: float):  # noqa: ANN201
    """Start the child; `kill -9` it a moment after this many batches. What it sent if it ended."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.backbones.test_checkpoint"])
    mine, its = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(folder, precision, its))
    process.start()
    its.close()
    seen = 0
    while isinstance(said := mine.recv(), str):
        seen += said == "batch"
        if seen == batches:
            mine.poll(wait)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            assert process.exitcode == -signal.SIGKILL
            return None
    process.join()
    return said


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_killed_with_signal_9_at_random_moments_it_ends_the_same(
    tmp_path: Path, precision: str
) -> None:
    expected, done = until_it_ends_or(tmp_path / "undisturbed", precision, -1, 0)
    chance = random.Random(precision)  # noqa: S311
    for _ in range(6):
        killed = tmp_path / "killed"
        assert (
            until_it_ends_or(killed, precision, chance.randint(2, 9), chance.random() / 50) is None
        )
    found, also_done = until_it_ends_or(tmp_path / "killed", precision, -1, 0)
    assert same(found, expected)
    assert also_done == done


def run_for(batches: int, folder: Path, said: list[str] | None = None) -> list[Path]:
    """Checkpoints of a run that was stopped at this batch, the newest last."""
    left = [batches]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Stopped

    ear = Ear(on_batch=count)
    with pytest.raises(Stopped):
        small_run(MOMENTUM, folder, ear, torch.float64)
    if said is not None:
        said += ear.said
    return sorted(folder.glob("*"))


def test_the_two_newest_are_kept_and_nothing_else(tmp_path: Path) -> None:
    kept = run_for(8, tmp_path / "key")
    assert [path.name[:8] for path in kept] == ["00000008", "00000009"], "batches and epochs"
    assert all(path.suffix == ".safetensors" for path in kept)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
@pytest.mark.parametrize("both", [False, True])
def test_a_damaged_checkpoint_falls_back_to_the_one_before_or_to_none(
    tmp_path: Path, damage: str, *, both: bool
) -> None:
    undisturbed, expected = small_run(MOMENTUM, tmp_path / "other", Ear(), torch.float64)
    kept = run_for(8, tmp_path / "key")
    for path in kept if both else kept[-1:]:
        content = bytearray(path.read_bytes())
        content[-9] ^= 1
        spoilt = {"cut": content[: len(content) // 2], "flipped": content, "empty": b""}
        path.write_bytes(bytes(spoilt[damage]))
    ear = Ear()
    network, done = small_run(MOMENTUM, tmp_path / "key", ear, torch.float64)
    assert "is damaged" in ear.said[0]
    assert any("goes on after" in line for line in ear.said) is not both
    assert same(weights(network), weights(undisturbed))
    assert done == expected


def test_another_runs_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    run_for(8, tmp_path / "key")
    (tmp_path / "key").rename(tmp_path / "another")
    said: list[str] = []
    assert FolderCheckpoints(tmp_path / "another", said.append).latest() is None
    assert "is another key's" in said[0]


def test_another_torchs_checkpoint_is_not_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_for(8, tmp_path / "key")
    monkeypatch.setattr(torch, "__version__", "99.0.0")
    said: list[str] = []
    assert FolderCheckpoints(tmp_path / "key", said.append).latest() is None
    assert "is another torch's" in said[0]


def test_a_kill_while_writing_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_for(8, tmp_path / "key")

    def killed(_: int) -> None:
        raise Stopped

    monkeypatch.setattr("oncotrail.backbones.checkpoint.os.fsync", killed)
    kept = FolderCheckpoints(tmp_path / "key", print)
    with pytest.raises(Stopped):
        kept.save(Snapshot({"one": torch.ones(1)}, {"history": []}))
    whole = sorted(path for path in before if path.exists())
    assert whole == before
    assert kept.latest() is not None


def test_a_checkpoint_is_tensors_and_json(tmp_path: Path) -> None:
    newest = run_for(8, tmp_path / "key")[-1]
    with safetensors.safe_open(newest, "pt") as opened:
        assert set(opened.metadata()) == {"facts"}
    assert b"pickle" not in newest.read_bytes()


def test_saving_is_as_rare_as_it_is_slow(tmp_path: Path) -> None:
    """Between two, at least a hundred times what one cost: a hundredth of the time."""
    now = [0.0]

    def clock() -> float:
        now[0] += 0.5
        return now[0]

    kept = FolderCheckpoints(tmp_path / "key", print, every_seconds=10, clock=clock)
    assert not kept.due()
    now[0] += 10
    assert kept.due()
    kept.save(Snapshot({"one": torch.ones(1)}, {"history": []}))  # it took half a second
    now[0] += 40
    assert not kept.due()
    now[0] += 10
    assert kept.due()


def test_rows_without_images_resume_too(tmp_path: Path) -> None:
    """The frozen route: the head alone, on cached features."""
    given = rows(31, 1, "T"), rows(20, 2, "V")
    kept = FolderCheckpoints(tmp_path / "key", print, every_seconds=0)

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        train(Small(6), *given, recipe(), stop, checkpoints=kept)
    one, other = Small(6), Small(6)
    train(one, *given, recipe(), print, checkpoints=kept)
    train(other, *given, recipe(), print)
    assert same(weights(one), weights(other))
