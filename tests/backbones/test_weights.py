import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oncotrail.backbones.attention import AttentionPlan, AttentionPooling, bags_of
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.scoring import score
from oncotrail.backbones.sources import Source
from oncotrail.backbones.weights import BLUEPRINT, WEIGHTS, Blueprint, load_network, save_network
from oncotrail.errors import ImageFault, UserFault
from tests.backbones.made import tiny


@pytest.fixture
def blueprint(network: EmbeddingNetwork) -> Blueprint:
    made = {"window": {"low": -160.0, "high": 240.0}, "rows": 32, "columns": 32}
    return Blueprint("study-t4", "metastasis", "t4", made, Source("none"), network.architecture)


@pytest.fixture
def saved(network: EmbeddingNetwork, blueprint: Blueprint, tmp_path: Path) -> Path:
    save_network(network, blueprint, tmp_path)
    return tmp_path


def test_the_loaded_network_is_the_saved_one(
    saved: Path, network: EmbeddingNetwork, blueprint: Blueprint, validation: Examples
) -> None:
    loaded, expected = load_network(saved), score(network, np.asarray(validation.inputs))
    assert loaded.blueprint == blueprint
    np.testing.assert_allclose(
        loaded.scores(np.asarray(validation.inputs)), expected.scores, atol=1e-6
    )
    np.testing.assert_allclose(
        loaded.embeddings(np.asarray(validation.inputs)), expected.embeddings, atol=1e-6
    )


def test_a_network_in_double_precision_stays_so(
    training: Examples, blueprint: Blueprint, tmp_path: Path
) -> None:
    network = tiny(np.asarray(training.inputs), precision="float64")
    save_network(network, replace(blueprint, architecture=network.architecture), tmp_path)
    loaded, expected = load_network(tmp_path), score(network, np.asarray(training.inputs))
    assert loaded.network.dtype == torch.float64
    assert (loaded.embeddings(np.asarray(training.inputs)) == expected.embeddings).all()


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
    assert said["architecture"]["trunk"]["name"] == "densenet121"
    assert said["architecture"]["head"]["embedding"] == 10
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
    said["architecture"]["trunk"]["options"]["growth_rate"] = 6
    (saved / BLUEPRINT).write_text(json.dumps(said))
    with pytest.raises(UserFault, match=r"size mismatch"):
        load_network(saved)


def test_a_patient_has_the_mean_or_the_largest_of_the_images(
    saved: Path, validation: Examples
) -> None:
    loaded = load_network(saved)
    images = np.asarray(validation.inputs[:3])
    of_images = loaded.scores(images)
    embeddings = loaded.embeddings(images)
    by_mean = loaded.patients(embeddings, ["b", "a", "b"])
    assert by_mean == pytest.approx({"a": of_images[1], "b": of_images[[0, 2]].mean()}, abs=1e-6)
    largest = replace(loaded, blueprint=replace(loaded.blueprint, patient_by="max"))
    by_max = largest.patients(embeddings, ["b", "a", "b"])
    assert by_max == pytest.approx({"a": of_images[1], "b": of_images[[0, 2]].max()}, abs=1e-6)


def test_attention_is_saved_with_its_network(
    network: EmbeddingNetwork, blueprint: Blueprint, validation: Examples, tmp_path: Path
) -> None:
    torch.manual_seed(2)
    pooling = AttentionPooling(AttentionPlan(10, 4, 1)).eval()
    pooling.mean.fill_(0.3)
    save_network(network, blueprint, tmp_path, pooling=pooling)
    loaded = load_network(tmp_path)
    assert loaded.blueprint.attention == pooling.plan
    embeddings = loaded.embeddings(np.asarray(validation.inputs[:4]))
    bags = bags_of(embeddings, ["b", "a", "b", "b"])
    expected = dict(zip(bags.patients, score(pooling, bags.rows).scores.tolist(), strict=True))
    assert loaded.patients(embeddings, ["b", "a", "b", "b"]) == pytest.approx(expected)
