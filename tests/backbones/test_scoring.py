import inspect
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from oncotrail.backbones import scoring
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.scoring import score
from oncotrail.errors import ImageFault


def test_scores_are_the_logits_as_probabilities(
    network: EmbeddingNetwork, validation: Examples
) -> None:
    found = score(network, np.asarray(validation.inputs))
    assert found.logits.shape == (24,)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-found.logits)), rtol=1e-12)


def test_an_image_is_scored_alike_alone_and_among_others(
    network: EmbeddingNetwork, validation: Examples
) -> None:
    together = score(network, np.asarray(validation.inputs))
    alone = score(network, np.asarray(validation.inputs)[5:6])
    np.testing.assert_allclose(alone.scores, together.scores[5:6], atol=1e-6)
    np.testing.assert_allclose(alone.embeddings, together.embeddings[5:6], atol=1e-5)


def test_more_images_than_fit_at_once_come_back_in_order(
    network: EmbeddingNetwork, validation: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = score(network, np.asarray(validation.inputs))
    monkeypatch.setattr(scoring, "IMAGES_AT_ONCE", 7)
    np.testing.assert_allclose(
        score(network, np.asarray(validation.inputs)).logits, together.logits, atol=1e-5
    )


def test_scoring_moves_nothing_in_the_network(
    network: EmbeddingNetwork, validation: Examples
) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    score(network, np.asarray(validation.inputs))
    after = network.state_dict()
    assert not network.training
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_nothing_here_can_augment() -> None:
    """Evaluation takes a network and inputs: there is no switch that one could leave on."""
    assert list(inspect.signature(score).parameters) == ["network", "inputs", "accelerator"]


@pytest.mark.parametrize("wrong", [np.zeros((2, 32, 32)), np.zeros((32, 32), dtype=np.uint8)])
def test_pixels_of_another_kind_are_refused(network: EmbeddingNetwork, wrong: NDArray[Any]) -> None:
    with pytest.raises(ImageFault, match=r"expected uint8, images x rows x columns"):
        score(network, wrong)
