import os
from pathlib import Path

import numpy as np
import pytest
import torch

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.features import digest_of, kept_features, prune
from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import train
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.network import EmbeddingNetwork, start
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.sources import Wanted
from oncotrail.backbones.thawing import Thaw, Thawing
from oncotrail.compute import WeightPrecision
from tests.backbones.made import TINY, squares

HERE = OneDevice(precision="float64")


def late_fusion(images: Examples, precision: WeightPrecision) -> EmbeddingNetwork:
    """The published head of a frozen trunk, narrower."""
    return start(
        "densenet121",
        TINY,
        HeadPlan(16, dropout=0.4, classes=2),
        weights=Wanted("none"),
        training=images.inputs,
        seed=3,
        precision=precision,
    ).network


def ignore(epoch: Epoch) -> None:
    """Watch nothing."""


RECIPE = Recipe(
    epochs=5,
    batch_size=8,
    loss=Loss("negative_log_likelihood", flooding=0.1),
    optimizer=Optimizer("adam", 1e-2),
    sampler="weighted",
    seed=7,
)


@pytest.mark.parametrize(("precision", "most"), [("float64", 1e-12), ("float32", 1e-6)])
def test_the_head_on_kept_features_is_the_head_trained_the_slow_way(
    precision: WeightPrecision, most: float, tmp_path: Path
) -> None:
    """Its weights after every step of five epochs, with dropout, and each epoch's figures."""
    learns, chooses = squares(33, 1, "T"), squares(24, 2, "V")
    machine = OneDevice(precision=precision)
    slow = late_fusion(learns, precision)
    frozen = Thaw(slow, Thawing(head_epochs=None))
    slowly = train(slow, learns, chooses, RECIPE, ignore, accelerator=machine, prepare_epoch=frozen)
    fast = late_fusion(learns, precision)
    kept = [
        Examples(kept_features(fast, of.inputs, tmp_path, machine), of.labels, of.patients)
        for of in (learns, chooses)
    ]
    quickly = train(fast.head, *kept, RECIPE, ignore, accelerator=machine)
    for name, weight in fast.state_dict().items():
        torch.testing.assert_close(weight, slow.state_dict()[name], rtol=0, atol=most)
    assert quickly.best.epoch == slowly.best.epoch
    assert quickly.drawn == slowly.drawn
    losses = [[epoch.train_loss for epoch in done.history] for done in (quickly, slowly)]
    assert losses[0] == pytest.approx(losses[1], abs=10 * most)


def test_the_trunk_is_run_once(
    training: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = late_fusion(training, "float64")
    first = kept_features(network, training.inputs, tmp_path, HERE)
    monkeypatch.setattr(EmbeddingNetwork, "features", None)
    again = kept_features(network, training.inputs, tmp_path, HERE)
    assert np.array_equal(first, again)
    assert first.dtype == np.float64
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_features_are_the_trunks_of_each_image(training: Examples, tmp_path: Path) -> None:
    network = late_fusion(training, "float64")
    found = kept_features(network, training.inputs, tmp_path, HERE)
    with torch.inference_mode():
        one = network.features(torch.from_numpy(np.asarray(training.inputs[5:6])))
    np.testing.assert_allclose(found[5:6], one.numpy(), rtol=1e-12)


def test_the_name_says_all_that_the_features_depend_on(training: Examples) -> None:
    network = late_fusion(training, "float64")
    images = np.asarray(training.inputs)
    names = {digest_of(network, images, HERE)}
    changed = images.copy()
    changed[0, 0, 0] ^= 1
    names.add(digest_of(network, changed, HERE))
    names.add(digest_of(network, images[::-1], HERE))
    names.add(digest_of(network, images, OneDevice(precision="bfloat16")))
    with torch.no_grad():
        network.trunk.features.norm5.running_mean[0] += 1
    names.add(digest_of(network, images, HERE))
    assert len(names) == 5
    with torch.no_grad():
        network.head.to_logits.bias += 1
    assert digest_of(network, images, HERE) in names, "the head has no part in them"


def test_a_kill_while_writing_leaves_nothing_under_the_name(
    training: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = late_fusion(training, "float64")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        kept_features(network, training.inputs, tmp_path, HERE)
    assert list(tmp_path.iterdir()) == []


def test_the_store_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    for number, name in enumerate(["oldest", "older", "newest"]):
        path = tmp_path / f"{name}.npy"
        path.write_bytes(b"0" * 100)
        os.utime(path, (number, number))
    prune(tmp_path, 250)
    assert {path.stem for path in tmp_path.iterdir()} == {"older", "newest"}
    prune(tmp_path, 10)
    assert {path.stem for path in tmp_path.iterdir()} == {"newest"}
