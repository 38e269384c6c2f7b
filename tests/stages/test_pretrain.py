"""The pretrain stage, and a network that begins with what it made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from oncotrail.backbones import plan
from oncotrail.backbones.procedural import ProceduralImages, kinds
from oncotrail.backbones.weights import load_network
from oncotrail.record import MemoryRun
from oncotrail.study.network import Network
from pipelines.pretrain import Settings, main
from tests import declared

SHAPES = {
    "architecture": "cifar",
    "architecture_options": {"batch_norm": True, "widths": [8, 16, 16]},
    "side": 24,
    "images": 800,
    "held_out": 200,
    "epochs": 3,
    "learning_rate": 1e-2,
}


def pretrained(root: Path, trunks: dict[str, Any], seed: int = 1) -> MemoryRun:
    run = MemoryRun(root, "study", "pretrain")
    compute = {"threads": 1, "precision": "float64"}
    values = {"seed": seed, "compute": compute, "pretrain": {"trunks": trunks}}
    main(Settings.model_validate(values), run)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return pretrained(tmp_path_factory.mktemp("pretrain"), {"shapes": SHAPES})


def test_it_learns_far_more_than_chance(run: MemoryRun) -> None:
    """On pictures of another seed; the whole interval is above three times chance."""
    figures = run.recorded_metrics
    assert figures["shapes/accuracy_low"] > 3 / len(kinds())
    assert figures["shapes/accuracy_low"] < figures["shapes/accuracy"]
    assert figures["shapes/accuracy"] < figures["shapes/accuracy_high"]


def test_the_saved_network_tells_the_pictures_apart(run: MemoryRun) -> None:
    loaded = load_network(run.out / "shapes")
    drawn = ProceduralImages(270, 24, seed=77)
    logits = loaded.score(drawn[:]).logits
    assert logits.shape == (270, len(kinds()))
    assert np.mean(logits.argmax(axis=1) == drawn.labels) > 3 / len(kinds())


def test_a_network_begins_with_it(run: MemoryRun) -> None:
    asked = declared.network(
        "study",
        architecture="cifar",
        architecture_options=SHAPES["architecture_options"],
        weights={"pretrain": "shapes"},
    )
    images = np.random.default_rng(0).integers(0, 256, (4, 40, 56), dtype=np.uint8)
    begun = plan.begin(Network.read(asked, "study"), images, 1, "float32", run.folder("pretrain"))
    expected = load_network(run.out / "shapes").network.trunk.state_dict()
    for name, weight in begun.network.trunk.state_dict().items():
        torch.testing.assert_close(weight, expected[name].to(weight.dtype))
    assert begun.source.kind == "pretraining"
    assert len(begun.source.sha256) == 64


def test_twice_is_the_same_bytes(run: MemoryRun, tmp_path: Path) -> None:
    again = pretrained(tmp_path, {"shapes": SHAPES})
    for name in ("weights.safetensors", "network.json"):
        assert (run.out / "shapes" / name).read_bytes() == (
            again.out / "shapes" / name
        ).read_bytes()


def test_a_study_may_pretrain_nothing(tmp_path: Path) -> None:
    run = pretrained(tmp_path, {})
    assert list(run.out.iterdir()) == []
    assert run.lines == ["the study pretrains nothing"]
