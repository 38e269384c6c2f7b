import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oncotrail.backbones.batches import Examples
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.scoring import score
from oncotrail.backbones.weights import BLUEPRINT, WEIGHTS, Blueprint, load_network, save_network
from oncotrail.errors import ImageFault, UserFault
from tests.backbones.made import tiny


@pytest.fixture
def blueprint(network: EmbeddingNetwork) -> Blueprint:
    made = {"window": {"low": -160.0, "high": 240.0}, "rows": 32, "columns": 32}
    return Blueprint("study-t4", "metastasis", "t4", made, "none", network.architecture)


@pytest.fixture
def saved(network: EmbeddingNetwork, blueprint: Blueprint, tmp_path: Path) -> Path:
    save_network(network, blueprint, tmp_path)
    return tmp_path


def test_the_loaded_network_is_the_saved_one(
    saved: Path, network: EmbeddingNetwork, blueprint: Blueprint, validation: Examples
) -> None:
    loaded, expected = load_network(saved), score(network, validation.pixels)
    assert loaded.blueprint == blueprint
    np.testing.assert_allclose(loaded.scores(validation.pixels), expected.scores, atol=1e-6)
    np.testing.assert_allclose(loaded.embeddings(validation.pixels), expected.embeddings, atol=1e-6)


def test_a_network_in_double_precision_stays_so(
    training: Examples, blueprint: Blueprint, tmp_path: Path
) -> None:
    network = tiny(training.pixels, precision="float64")
    save_network(network, replace(blueprint, architecture=network.architecture), tmp_path)
    loaded, expected = load_network(tmp_path), score(network, training.pixels)
    assert loaded.network.dtype == torch.float64
    assert (loaded.embeddings(training.pixels) == expected.embeddings).all()


def test_the_same_network_is_the_same_bytes(
    saved: Path, network: EmbeddingNetwork, blueprint: Blueprint, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    again.mkdir()
    save_network(network, blueprint, again)
    for name in (WEIGHTS, BLUEPRINT):
        assert (saved / name).read_bytes() == (again / name).read_bytes()


def test_nothing_half_written_is_left(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [BLUEPRINT, WEIGHTS]


def test_a_kill_while_writing_leaves_the_old_weights(
    saved: Path, network: EmbeddingNetwork, blueprint: Blueprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (saved / WEIGHTS).read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_network(network, blueprint, saved)
    assert (saved / WEIGHTS).read_bytes() == before


def test_the_blueprint_says_how_to_build_and_feed_it(saved: Path) -> None:
    said = json.loads((saved / BLUEPRINT).read_text())
    assert said["view"] == "t4"
    assert said["pixels"] == {"window": {"low": -160.0, "high": 240.0}, "rows": 32, "columns": 32}
    assert said["architecture"]["name"] == "densenet121"
    assert said["architecture"]["embedding"] == 10
    assert len(said["architecture"]["normalisation"]["mean"]) == 3


def test_pixels_of_another_size_are_refused(saved: Path) -> None:
    with pytest.raises(ImageFault, match=r"32 rows x 32 columns. Decode them as network.json says"):
        load_network(saved).scores(np.zeros((1, 32, 40), dtype=np.uint8))


@pytest.mark.parametrize("name", [WEIGHTS, BLUEPRINT])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(UserFault, match=rf"{name} is missing; run the train stage"):
        load_network(saved)


@pytest.mark.parametrize("name", [WEIGHTS, BLUEPRINT])
def test_a_damaged_file_is_one_sentence(saved: Path, name: str) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(
        UserFault, match=r"give no network .*; delete the folder and run make repro"
    ):
        load_network(saved)


def test_weights_of_another_architecture_are_refused(saved: Path) -> None:
    said = json.loads((saved / BLUEPRINT).read_text())
    said["architecture"]["options"]["growth_rate"] = 6
    (saved / BLUEPRINT).write_text(json.dumps(said))
    with pytest.raises(UserFault, match=r"size mismatch"):
        load_network(saved)
