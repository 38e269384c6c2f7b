import dataclasses
import inspect

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import functional as torchvision

from oncotrail.backbones.augmentation import (
    Augmentation,
    Drawn,
    augmented,
    blended,
    draw,
)
from oncotrail.backbones.batches import TrainingBatches
from oncotrail.backbones.inputs import EvaluationBatches, Examples

EVERYTHING = Augmentation(
    flips=("horizontal_flip", "vertical_flip"),
    rotation=15,
    shear=5,
    translation=0.1,
    scale=(0.9, 1.2),
    brightness=0.1,
    contrast=0.2,
    gamma=0.3,
    noise=0.05,
    mixup=0.4,
)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 6, *more: int) -> Tensor:
    shape = (count, 20, 32, *more)
    return torch.randint(0, 256, shape, generator=seeded(0), dtype=torch.uint8)


def smooth(rows: int = 40, columns: int = 64) -> Tensor:
    """Waves: bilinear resampling of them is the same whoever does it."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (127 + 100 * torch.sin(x / 7) * torch.cos(y / 5)).to(torch.float32)


def test_flips_move_pixels_and_change_none() -> None:
    given = pictures(40)
    drawn = draw(Augmentation(flips=("vertical_flip",)), 40, seeded())
    found = augmented(given, Augmentation(flips=("vertical_flip",)), drawn)
    assert found.dtype == torch.uint8
    assert drawn.flips is not None
    for image, before, flipped in zip(found, given, drawn.flips[:, 0], strict=True):
        assert torch.equal(image, before.flip(0) if flipped else before)
    assert 0 < drawn.flips.sum() < 40


def test_what_is_switched_off_draws_nothing_and_does_nothing() -> None:
    generator = seeded()
    before = generator.get_state()
    drawn = draw(Augmentation(), 6, generator)
    assert torch.equal(generator.get_state(), before)
    given = pictures()
    assert augmented(given, Augmentation(), drawn) is given


@pytest.mark.parametrize("colour", [False, True])
def test_one_affine_map_per_image_is_torchvisions_one_by_one(*, colour: bool) -> None:
    amounts = [(0, 0, 1, 0, 0), (30, 0, 1, 0, 0), (0, 20, 1, 0, 0), (-25, 10, 1.3, 0.1, -0.05)]
    given = smooth().expand(len(amounts), -1, -1)
    given = torch.stack([given, 255 - given, given / 2], dim=-1) if colour else given
    columns = torch.tensor(amounts).double()
    theta = torch.stack([*torch.deg2rad(columns[:, :2]).unbind(1), columns[:, 2]], dim=1)
    found = augmented(given, Augmentation(rotation=1), Drawn(theta=theta, shift=columns[:, 3:]))
    for image, before, (angle, shear, scale, right, down) in zip(
        found, given, amounts, strict=True
    ):
        moved = [right * given.shape[2], down * given.shape[1]]
        expected = torchvision.affine(
            before.movedim(-1, 0) if colour else before[None],
            angle,
            moved,
            scale,
            [-shear, 0.0],
            interpolation=torchvision.InterpolationMode.BILINEAR,
        )
        expected = expected.movedim(0, -1) if colour else expected[0]
        torch.testing.assert_close(image, expected, atol=0.05, rtol=0)


def test_a_turned_oblong_picture_is_not_squeezed() -> None:
    """A disc stays a disc."""
    y, x = torch.meshgrid(torch.arange(40), torch.arange(100), indexing="ij")
    away = ((y - 19.5) ** 2 + (x - 49.5) ** 2).sqrt()
    disc = (away < 12).float()[None] * 255
    theta = torch.tensor([[0.8, 0.0, 1.0]])
    found = augmented(disc, Augmentation(rotation=1), Drawn(theta=theta, shift=torch.zeros(1, 2)))
    assert (found[0][away < 10.5] > 254).all()
    assert (found[0][away > 13.5] < 1).all()


def test_every_image_gets_its_own_map() -> None:
    given = smooth().expand(8, -1, -1)
    asked = Augmentation(rotation=20, translation=0.1)
    found = augmented(given, asked, draw(asked, 8, seeded()))
    assert len({image.sum().item() for image in found}) == 8


def tones(*, contrast: float = 1, brightness: float = 0, gamma: float = 1, noise: float = 0):  # noqa: ANN201
    values = torch.tensor([[contrast, brightness, gamma, noise]])
    return Drawn(tones=values, noise_seed=torch.tensor([7]))


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (tones(), [0.0, 51.0, 204.0, 255.0]),
        (tones(brightness=0.2), [51.0, 102.0, 255.0, 255.0]),
        (tones(contrast=0.5), [63.75, 89.25, 165.75, 191.25]),
        (tones(gamma=2.0), [0.0, 10.2, 163.2, 255.0]),
    ],
)
def test_intensity_by_hand(drawn: Drawn, expected: list[float]) -> None:
    given = torch.tensor([[[0, 51], [204, 255]]], dtype=torch.uint8)
    found = augmented(given, Augmentation(contrast=0.1), drawn)
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-3)


def test_noise_has_the_deviation_asked_for_and_is_the_seeds() -> None:
    given = torch.full((1, 200, 200), 128, dtype=torch.uint8)
    asked, drawn = Augmentation(noise=0.1), tones(noise=0.1)
    found = augmented(given, asked, drawn)
    assert found.std().item() == pytest.approx(25.5, rel=0.03)
    assert found.mean().item() == pytest.approx(128, abs=0.5)
    assert torch.equal(found, augmented(given, asked, drawn))


@given(seed=st.integers(0, 2**31))
def test_whatever_is_drawn_stays_between_black_and_white(seed: int) -> None:
    given = pictures()
    found = augmented(given, EVERYTHING, draw(EVERYTHING, 6, seeded(seed)))
    assert found.dtype == torch.float32
    assert found.shape == given.shape
    assert found.min() >= 0
    assert found.max() <= 255


def test_amounts_lie_within_their_bounds_and_reach_them() -> None:
    drawn = draw(EVERYTHING, 4000, seeded())
    assert drawn.theta is not None
    assert drawn.shift is not None
    assert drawn.tones is not None
    columns = torch.cat(
        [torch.rad2deg(drawn.theta[:, :2]), drawn.theta[:, 2:], drawn.shift, drawn.tones], dim=1
    )
    low = [-15, -5, 0.9, -0.1, -0.1, 0.8, -0.1, 1 / 1.3, 0]
    high = [15, 5, 1.2, 0.1, 0.1, 1.2, 0.1, 1.3, 0.05]
    assert columns.min(dim=0).values.tolist() == pytest.approx(low, rel=0.02, abs=2e-3)
    assert columns.max(dim=0).values.tolist() == pytest.approx(high, rel=0.02, abs=2e-3)


def test_an_image_is_augmented_the_same_in_whatever_company() -> None:
    """Processes that share a batch augment their own images alone."""
    given = pictures()
    drawn = draw(EVERYTHING, 6, seeded())
    whole = augmented(given, EVERYTHING, drawn)
    rows = torch.tensor([4, 1])
    torch.testing.assert_close(augmented(given[rows], EVERYTHING, drawn[rows]), whole[rows])


def test_mixup_blends_images_and_says_with_whom() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (9, 4, 4), dtype=np.uint8)
    examples = Examples(pixels, np.arange(9) % 3, tuple(f"P{n}" for n in range(9)))
    batches = TrainingBatches(examples, 9, seeded(), Augmentation(mixup=0.8))
    (batch,) = batches.epoch()
    assert batch.share is not None
    assert batch.other_labels is not None
    own = torch.tensor([int(patient[1]) for patient in batch.patients])
    assert torch.equal(batch.labels, own % 3)
    assert ((batch.share >= 0.5) & (batch.share <= 1)).all()
    for row in range(9):
        share = batch.share[row].item()
        blends = share * pixels[own[row]] + (1 - share) * pixels.astype(float)
        (partner,) = np.flatnonzero(np.isclose(blends, batch.inputs[row], atol=1e-3).all((1, 2)))
        assert partner % 3 == batch.other_labels[row]


def test_mixups_shares_are_a_folded_beta() -> None:
    share = draw(Augmentation(mixup=0.4), 20_000, seeded()).share
    assert share is not None
    theirs = np.random.default_rng(1).beta(0.4, 0.4, 20_000)
    theirs = np.maximum(theirs, 1 - theirs)
    quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]
    found = np.quantile(share.numpy(), quantiles)
    np.testing.assert_allclose(found, np.quantile(theirs, quantiles), atol=0.01)


def test_blending_by_hand() -> None:
    one, other = torch.full((1, 2, 2), 100), torch.full((1, 2, 2), 200)
    assert torch.equal(blended(one, other, torch.tensor([0.75])), torch.full((1, 2, 2), 125.0))


def test_evaluation_cannot_be_given_an_augmentation() -> None:
    asked = {field.name for field in dataclasses.fields(EvaluationBatches)}
    assert asked == {"inputs", "size", "device"}
    assert "Augmentation" not in inspect.getsource(EvaluationBatches)
    given = pictures(70).numpy()
    seen = torch.cat(list(EvaluationBatches(given, 16)))
    assert np.array_equal(seen.numpy(), given)
