import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.backbones.augmentation import Augmentation, Flip
from oncotrail.backbones.batches import TrainingBatches
from oncotrail.backbones.inputs import Examples
from oncotrail.errors import TrainingFault


def numbered(count: int) -> Examples:
    """Images that carry their own number in a corner, so that one can see where they went."""
    pixels = np.zeros((count, 4, 6), dtype=np.uint8)
    pixels[:, 0, 0] = np.arange(count) + 1
    return Examples(pixels, np.arange(count) % 2, tuple(f"P{n}" for n in range(count)))


def batches(
    examples: Examples, size: int = 4, flips: tuple[Flip, ...] = (), seed: int = 0
) -> TrainingBatches:
    asked = Augmentation(flips=flips)
    return TrainingBatches(examples, size, torch.Generator().manual_seed(seed), asked)


@given(count=st.integers(2, 40), size=st.integers(2, 9))
def test_every_image_once_an_epoch_and_never_alone(count: int, size: int) -> None:
    epoch = list(batches(numbered(count), size).epoch())
    assert sorted(p for batch in epoch for p in batch.patients) == sorted(numbered(count).patients)
    assert all(2 <= len(batch.labels) <= size + 1 for batch in epoch)


def test_patients_labels_and_pixels_stay_together() -> None:
    for batch in batches(numbered(20)).epoch():
        numbers = batch.inputs[:, 0, 0].int() - 1
        assert batch.patients == tuple(f"P{number}" for number in numbers)
        assert torch.equal(batch.labels, (numbers % 2).long())


def test_the_order_is_the_generators_and_changes_between_epochs() -> None:
    one, same, other = batches(numbered(20)), batches(numbered(20)), batches(numbered(20), seed=9)
    first = [batch.patients for batch in one.epoch()]
    assert first == [batch.patients for batch in same.epoch()]
    assert first != [batch.patients for batch in other.epoch()]
    assert first != [batch.patients for batch in one.epoch()]


def test_without_flips_pixels_are_as_given() -> None:
    for batch in batches(numbered(20)).epoch():
        assert (batch.inputs[:, 0, 0] > 0).all()


@pytest.mark.parametrize(
    ("flips", "corners"),
    [
        (("horizontal_flip",), {(0, 0), (0, -1)}),
        (("vertical_flip",), {(0, 0), (-1, 0)}),
        (("horizontal_flip", "vertical_flip"), {(0, 0), (0, -1), (-1, 0), (-1, -1)}),
    ],
)
def test_each_image_is_flipped_for_itself(
    flips: tuple[Flip, ...], corners: set[tuple[int, int]]
) -> None:
    pixels = torch.cat([batch.inputs for batch in batches(numbered(60), flips=flips).epoch()])
    found = {corner: int((pixels[:, corner[0], corner[1]] > 0).sum()) for corner in corners}
    assert sum(found.values()) == 60
    assert min(found.values()) >= 60 / len(corners) / 3


def test_the_pixels_given_are_never_changed() -> None:
    examples = numbered(20)
    before = examples.inputs.copy()
    list(batches(examples, flips=("horizontal_flip", "vertical_flip")).epoch())
    assert np.array_equal(examples.inputs, before)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_refused(label: int) -> None:
    one_class = dataclasses.replace(numbered(5), labels=np.full(5, label))
    with pytest.raises(TrainingFault, match=r"of 5 validation images .* both classes are needed"):
        one_class.check("validation")
