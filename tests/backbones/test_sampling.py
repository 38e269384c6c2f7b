import pytest
import torch
from torch.utils.data import WeightedRandomSampler

from oncotrail.backbones.sampling import drawn

LABELS = torch.tensor([0] * 90 + [1] * 8 + [2] * 2)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_shuffled_is_every_image_once() -> None:
    assert sorted(drawn("shuffled", LABELS, seeded()).tolist()) == list(range(100))


def test_weighted_draws_what_torchs_sampler_draws() -> None:
    weights = 1 / torch.bincount(LABELS).double()[LABELS]
    theirs = WeightedRandomSampler(weights.tolist(), 100, generator=seeded())
    assert drawn("weighted", LABELS, seeded()).tolist() == list(theirs)


def test_weighted_draws_the_classes_equally_often() -> None:
    generator = seeded()
    rows = torch.cat([drawn("weighted", LABELS, generator) for _ in range(100)])
    shares = torch.bincount(LABELS[rows]) / len(rows)
    assert shares.tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


@pytest.mark.parametrize("sampler", ["shuffled", "weighted"])
def test_the_draw_is_the_seeds(sampler: str) -> None:
    one, same, other = (drawn(sampler, LABELS, seeded(seed)) for seed in (1, 1, 2))  # type: ignore[arg-type]
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
