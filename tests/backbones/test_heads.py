"""The heads of the published studies, and what every head promises."""

import pytest
import torch
from torch import nn

from oncotrail.backbones.heads import Activation, Head, HeadPlan

FEATURES = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))


def test_of_the_late_fusion_study() -> None:
    """2208 -> 256 -> ReLU -> dropout .4 -> 2 classes."""
    head = Head(HeadPlan(256, dropout=0.4, classes=2), 2208)
    shapes = {name: tuple(weight.shape) for name, weight in head.named_parameters()}
    assert shapes["to_embedding.weight"] == (256, 2208)
    assert shapes["to_logits.weight"] == (2, 256)
    assert head.dropout.p == 0.4
    assert head(torch.zeros(3, 2208)).logits.shape == (3, 2)


def test_of_the_bone_study() -> None:
    """One sigmoid node straight from the features: the embedding is the features."""
    head = Head(HeadPlan(None), 12)
    found = head(FEATURES)
    assert [name for name, _ in head.named_parameters()] == ["to_logits.weight", "to_logits.bias"]
    assert torch.equal(found.embeddings, FEATURES)
    expected = nn.functional.linear(FEATURES, head.to_logits.weight, head.to_logits.bias)
    assert torch.equal(found.logits, expected[:, 0])


@pytest.mark.parametrize(
    ("activation", "function"),
    [("relu", torch.relu), ("gelu", nn.functional.gelu), ("tanh", torch.tanh)],
)
def test_the_embedding_stands_before_the_activation(
    activation: Activation, function: object
) -> None:
    head = Head(HeadPlan(7, activation, classes=3), 12).eval()
    found = head(FEATURES)
    hidden = nn.functional.linear(FEATURES, head.to_embedding.weight, head.to_embedding.bias)
    assert torch.equal(found.embeddings, hidden)
    assert torch.equal(found.logits, head.to_logits(function(hidden)))  # type: ignore[operator]


def test_dropout_is_for_training_alone() -> None:
    head = Head(HeadPlan(50, dropout=0.5), 12)
    head.train()
    assert not torch.equal(head(FEATURES).logits, head(FEATURES).logits)
    head.eval()
    assert torch.equal(head(FEATURES).logits, head(FEATURES).logits)


def test_a_kept_embedding_gives_the_same_logits() -> None:
    head = Head(HeadPlan(7, "tanh", dropout=0.3, classes=2), 12).eval()
    found = head(FEATURES)
    assert torch.equal(head.logits_of(found.embeddings), found.logits)
