from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch

from oncotrail.backbones.network import EmbeddingNetwork, Normalisation, Pixels, build_trunk, start
from oncotrail.errors import StudyFileError, UserFault

TINY = {"growth_rate": 4, "block_config": (1, 1, 1, 1)}


def begun(pixels: Pixels, seed: int = 1, **changes: Any) -> EmbeddingNetwork:
    asked = {
        "name": "densenet121",
        "options": TINY,
        "embedding": 10,
        "weights": "none",
        "precision": "float32",
    }
    return start(**{**asked, **changes}, training=pixels, seed=seed)


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32), dtype=np.uint8)


def test_the_normalisation_is_the_training_rows_own() -> None:
    half_white = np.zeros((2, 4, 4), dtype=np.uint8)
    half_white[0] = 255
    assert Normalisation.of(half_white) == Normalisation((0.5,) * 3, (0.5,) * 3)


def test_flat_images_are_refused() -> None:
    with pytest.raises(
        UserFault, match=r"all 3 training images are one flat grey; check the window"
    ):
        Normalisation.of(np.full((3, 8, 8), 7, dtype=np.uint8))


def test_the_head_is_the_published_one(plain: EmbeddingNetwork, pixels: Pixels) -> None:
    """features -> 10 -> ReLU -> 1, and the embedding is what stands before the ReLU."""
    found = plain(torch.from_numpy(pixels))
    grey = torch.from_numpy(pixels)[:, None].repeat(1, 3, 1, 1).float() / 255
    features = plain.trunk((grey - 0.5) / 0.25)
    embeddings = features @ plain.to_embedding.weight.T + plain.to_embedding.bias
    logits = embeddings.clamp(min=0) @ plain.to_logit.weight.T + plain.to_logit.bias
    assert found.embeddings.shape == (6, 10)
    assert (found.embeddings < 0).any()
    torch.testing.assert_close(found.embeddings, embeddings)
    torch.testing.assert_close(found.logits, logits[:, 0])


def test_a_random_start_is_the_seeds(pixels: Pixels) -> None:
    one, same, other = begun(pixels), begun(pixels), begun(pixels, seed=2)
    weights = [network.trunk.features.conv0.weight for network in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(one.to_logit.weight, same.to_logit.weight)


def test_the_published_network_has_densenet121s_size(pixels: Pixels) -> None:
    assert begun(pixels, options={}).parameter_count() == 6_953_856 + 1024 * 10 + 10 + 10 + 1


def test_first_weights_do_not_depend_on_the_precision(pixels: Pixels) -> None:
    single, double = (begun(pixels, precision=precision) for precision in ("float32", "float64"))
    for one, other in zip(single.parameters(), double.parameters(), strict=True):
        assert (one.dtype, other.dtype) == (torch.float32, torch.float64)
        assert torch.equal(one, other.to(torch.float32))
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.usefixtures("no_hub")
def test_imagenet_without_a_network_or_a_file_is_an_error_and_no_random_start(
    pixels: Pixels,
) -> None:
    with pytest.raises(UserFault, match=r"ImageNet weights of densenet121") as fault:
        begun(pixels, options={}, weights="imagenet")
    for mend in ("hf download timm/densenet121.ra_in1k", "HF_HUB_OFFLINE=1", "weights: none"):
        assert mend in str(fault.value)


def test_imagenet_brought_as_a_file_gives_its_weights_and_its_constants(
    pixels: Pixels, no_hub: Path
) -> None:
    brought = timm.create_model("densenet121").state_dict()
    brought["features.conv0.weight"] = torch.full((64, 3, 7, 7), 0.25)
    commit = no_hub / "models--timm--densenet121.ra_in1k" / "snapshots" / ("0" * 40)
    commit.mkdir(parents=True)
    safetensors.torch.save_file(brought, commit / "model.safetensors")
    refs = commit.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text("0" * 40)
    network = begun(pixels, options={}, weights="imagenet")
    assert (network.trunk.features.conv0.weight == 0.25).all()
    assert network.architecture.normalisation.mean == (0.485, 0.456, 0.406)


def test_an_unknown_architecture_names_those_near_it() -> None:
    with pytest.raises(
        StudyFileError, match=r"'densnet121' is not one that timm knows; near it: .*densenet121"
    ):
        build_trunk("densnet121", {})


def test_options_that_the_architecture_has_not_are_an_error() -> None:
    with pytest.raises(StudyFileError, match=r"densenet121 cannot be built with .*grow_rate"):
        build_trunk("densenet121", {"grow_rate": 3})


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and no hub; the folder of the cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path
