from typing import Any

import numpy as np
import pytest
import torch

from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.network import EmbeddingNetwork, Pixels, start
from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.sources import Source, Wanted
from oncotrail.errors import ImageFault, StudyFileError
from tests.backbones.made import TINY


def begun(pixels: Pixels, seed: int = 1, **changes: Any) -> EmbeddingNetwork:
    asked = {
        "name": "densenet121",
        "options": TINY,
        "head": HeadPlan(10),
        "weights": Wanted("none"),
        "precision": "float32",
    }
    return start(**{**asked, **changes}, training=pixels, seed=seed).network


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32), dtype=np.uint8)


@pytest.fixture
def colours() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


def test_the_head_is_the_published_one(plain: EmbeddingNetwork, pixels: Pixels) -> None:
    """features -> 10 -> ReLU -> 1, and the embedding is what stands before the ReLU."""
    found = plain(torch.from_numpy(pixels))
    grey = torch.from_numpy(pixels)[:, None].repeat(1, 3, 1, 1).float() / 255
    features = plain.trunk((grey - 0.5) / 0.25)
    hidden, last = plain.head.to_embedding, plain.head.to_logits
    embeddings = features @ hidden.weight.T + hidden.bias
    logits = embeddings.clamp(min=0) @ last.weight.T + last.bias
    assert found.embeddings.shape == (6, 10)
    assert (found.embeddings < 0).any()
    torch.testing.assert_close(found.embeddings, embeddings)
    torch.testing.assert_close(found.logits, logits[:, 0])


def test_a_random_start_is_the_seeds(pixels: Pixels) -> None:
    one, same, other = begun(pixels), begun(pixels), begun(pixels, seed=2)
    weights = [network.trunk.features.conv0.weight for network in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(one.head.to_logits.weight, same.head.to_logits.weight)


def test_images_too_small_for_the_architecture_are_refused() -> None:
    small = np.arange(6 * 8 * 8, dtype=np.uint8).reshape(6, 8, 8)
    with pytest.raises(StudyFileError, match=r"densenet121 cannot see .* 8 rows x 8 columns") as it:
        begun(small)
    assert "Decode the view larger" in str(it.value)


def test_a_look_at_an_image_moves_nothing(pixels: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, chance = begun(pixels, options=TINY | {"drop_rate": 0.5}), torch.get_rng_state()
    monkeypatch.setattr("oncotrail.backbones.network._sees", lambda *_: None)
    torch.manual_seed(0)
    plain = begun(pixels, options=TINY | {"drop_rate": 0.5})
    torch.testing.assert_close(looked.state_dict(), plain.state_dict(), rtol=0, atol=0)
    assert all(module.training for module in looked.modules())
    assert looked.trunk.features.norm0.num_batches_tracked == 0
    monkeypatch.undo()
    torch.set_rng_state(chance)
    begun(pixels)
    assert torch.equal(torch.get_rng_state(), chance)


def test_the_published_network_has_densenet121s_size(pixels: Pixels) -> None:
    assert begun(pixels, options={}).parameter_count() == 6_953_856 + 1024 * 10 + 10 + 10 + 1


def test_first_weights_do_not_depend_on_the_precision(pixels: Pixels) -> None:
    single, double = (begun(pixels, precision=precision) for precision in ("float32", "float64"))
    for one, other in zip(single.parameters(), double.parameters(), strict=True):
        assert (one.dtype, other.dtype) == (torch.float32, torch.float64)
        assert torch.equal(one, other.to(torch.float32))
    assert torch.get_default_dtype() == torch.float32


def test_a_random_start_has_the_training_rows_constants(pixels: Pixels) -> None:
    built = start(
        "cifar",
        {},
        HeadPlan(None),
        weights=Wanted("none"),
        training=pixels,
        seed=1,
        precision="float32",
    )
    assert built.source == Source("none")
    assert built.network.architecture.normalisation == Normalisation.of(pixels)


def test_grey_in_three_equal_colours_is_grey(pixels: Pixels) -> None:
    network = begun(pixels, precision="float64").eval()
    grey = network(torch.from_numpy(pixels))
    repeated = network(torch.from_numpy(np.repeat(pixels[..., None], 3, axis=-1)))
    assert torch.equal(grey.logits, repeated.logits)


def test_a_network_of_one_channel_sees_grey_as_three_channels_would(pixels: Pixels) -> None:
    """With the same constants for all channels, summing the first layer changes nothing."""
    three = begun(pixels, precision="float64").eval()
    one = begun(pixels, precision="float64", channels=1).eval()
    assert one.trunk.features.conv0.weight.shape[1] == 1
    expected, found = (network(torch.from_numpy(pixels)).logits for network in (three, one))
    torch.testing.assert_close(found, expected)


def test_colours_matter_to_a_network_of_three_channels(colours: Pixels) -> None:
    network = begun(colours).eval()
    assert len(set(network.architecture.normalisation.mean)) == 3
    swapped = np.ascontiguousarray(colours[..., ::-1])
    one, other = (network(torch.from_numpy(given)).logits for given in (colours, swapped))
    assert not torch.allclose(one, other)


def test_colours_for_one_channel_are_refused(pixels: Pixels, colours: Pixels) -> None:
    with pytest.raises(StudyFileError, match=r"channels: 1 is for grey images"):
        begun(colours, channels=1)
    with pytest.raises(ImageFault, match=r"three colours, and the network was built for one"):
        begun(pixels, channels=1)(torch.from_numpy(colours))


def test_augmented_pixels_are_floats_of_the_same_scale(
    plain: EmbeddingNetwork, pixels: Pixels
) -> None:
    whole = torch.from_numpy(pixels)
    assert torch.equal(plain(whole).logits, plain(whole.to(torch.float32)).logits)
