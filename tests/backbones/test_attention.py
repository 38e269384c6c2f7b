import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.attention import (
    AttentionPlan,
    AttentionPooling,
    attended,
    bags_of,
    pooling_recipe,
)
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import auc
from oncotrail.backbones.scoring import score
from tests.backbones.made import recipe

PLAN = AttentionPlan(width=4, hidden=8, classes=1)
HERE = OneDevice(precision="float64")


def made(seed: int = 0, classes: int = 1) -> AttentionPooling:
    torch.manual_seed(seed)
    return AttentionPooling(AttentionPlan(4, 8, classes)).double().eval()


def test_it_is_the_published_formula() -> None:
    pooling = made()
    pooling.mean.fill_(0.5)
    pooling.std.fill_(2.0)
    images = torch.rand(3, 4, dtype=torch.float64)
    row = torch.from_numpy(bags_of(images.numpy(), ["a"] * 3).rows)
    h = (images - 0.5) / 2
    gated = torch.tanh(pooling.tanh(h)) * torch.sigmoid(pooling.gate(h))
    weights = torch.softmax(gated @ pooling.to_weight.weight[0], dim=0)
    expected = (weights[:, None] * h).sum(dim=0)
    found = pooling(row)
    torch.testing.assert_close(pooling.weights(row)[0], weights)
    torch.testing.assert_close(found.embeddings[0], expected)
    torch.testing.assert_close(found.logits[0], pooling.to_logits(expected)[0])
    assert made(classes=2)(row).logits.shape == (1, 2)


@given(counts=some.lists(some.integers(1, 5), min_size=2, max_size=5), seed=some.integers(0, 99))
def test_neither_order_nor_other_patients_matter(counts: list[int], seed: int) -> None:
    """A patient's logit is the same alone, among others with more images, and shuffled."""
    random = np.random.default_rng(seed)
    patients = np.repeat([f"P{number}" for number in range(len(counts))], counts)
    embeddings = random.normal(size=(len(patients), 4))
    pooling = made()
    together = bags_of(embeddings, patients.tolist())
    logits = dict(
        zip(
            together.patients, pooling(torch.from_numpy(together.rows)).logits.tolist(), strict=True
        )
    )
    shuffled = random.permutation(len(patients))
    for patient, logit in logits.items():
        own = embeddings[shuffled][patients[shuffled] == patient]
        alone = torch.from_numpy(bags_of(own, [patient] * len(own)).rows)
        assert pooling(alone).logits.item() == pytest.approx(logit, abs=1e-12)


def needles(count: int, seed: int, name: str) -> Examples:
    """Of each patient's seven images one tells the outcome; the first number tells which one."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.normal(size=(count, 7, 4))
    telling = random.integers(0, 7, count)
    images[..., 0] = 0.0
    images[np.arange(count), telling, 0] = 3.0
    images[..., 1] *= 3.0
    images[np.arange(count), telling, 1] = np.where(labels, 2.0, -2.0)
    patients = tuple(f"{name}{number}" for number in range(count) for _ in range(7))
    return Examples(images.reshape(-1, 4), np.repeat(labels, 7), patients)


def test_it_finds_the_image_that_tells_the_outcome() -> None:
    """Which the mean over images hardly shows."""
    learns, chooses, others = needles(120, 1, "T"), needles(40, 2, "V"), needles(80, 3, "X")
    asked = pooling_recipe(recipe(batch_size=16), epochs=25, learning_rate=2e-2, decay=0.0)
    pooling = attended(PLAN, learns, chooses, asked, HERE)
    bags = bags_of(np.asarray(others.inputs), others.patients)
    labels = others.labels[::7] == 1
    by_attention = auc(score(pooling, bags.rows).logits, labels)
    by_mean = auc(np.asarray(others.inputs)[:, 1].reshape(-1, 7).mean(axis=1), labels)
    assert by_attention > 0.95
    assert by_mean < 0.8


def test_only_training_rows_scale_it() -> None:
    learns, chooses = needles(20, 1, "T"), needles(20, 2, "V")
    asked = pooling_recipe(recipe(), epochs=1, learning_rate=1e-3, decay=0.0)
    pooling = attended(PLAN, learns, chooses, asked, HERE)
    np.testing.assert_allclose(pooling.mean.numpy(), np.asarray(learns.inputs).mean(axis=0))
    np.testing.assert_allclose(pooling.std.numpy(), np.asarray(learns.inputs).std(axis=0))


def test_the_seed_decides_the_weights() -> None:
    learns, chooses = needles(20, 1, "T"), needles(20, 2, "V")
    asked = pooling_recipe(recipe(), epochs=2, learning_rate=1e-3, decay=0.0)
    one, two = (attended(PLAN, learns, chooses, asked, HERE).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_number_that_never_varies_is_left_as_it_is() -> None:
    learns, chooses = needles(20, 1, "T"), needles(20, 2, "V")
    flat = np.asarray(learns.inputs).copy()
    flat[:, 3] = 2.0
    asked = pooling_recipe(recipe(), epochs=1, learning_rate=1e-3, decay=0.0)
    pooling = attended(PLAN, Examples(flat, learns.labels, learns.patients), chooses, asked, HERE)
    assert pooling.std[3] == 1.0
