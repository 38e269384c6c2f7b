import numpy as np
import pytest

from oncotrail.backbones.normalisation import Normalisation
from oncotrail.errors import UserFault


def test_the_constants_are_the_training_rows_own() -> None:
    half_white = np.zeros((2, 4, 4), dtype=np.uint8)
    half_white[0] = 255
    assert Normalisation.of(half_white) == Normalisation((0.5,) * 3, (0.5,) * 3)
    assert Normalisation.of(half_white, channels=1) == Normalisation((0.5,), (0.5,))


def test_they_are_numpys_mean_and_deviation_of_each_colour() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (300, 5, 7, 3), dtype=np.uint8)
    pixels[..., 2] //= 2
    found, scaled = Normalisation.of(pixels), pixels / 255
    np.testing.assert_allclose(found.mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.std, scaled.std(axis=(0, 1, 2)), rtol=1e-12)


def test_the_order_of_the_images_changes_no_bit() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (600, 3, 3), dtype=np.uint8)
    assert Normalisation.of(pixels) == Normalisation.of(pixels[::-1])


def test_flat_images_are_refused() -> None:
    with pytest.raises(
        UserFault, match=r"all 3 training images are one flat grey; check the window"
    ):
        Normalisation.of(np.full((3, 8, 8), 7, dtype=np.uint8))


def test_one_channel_has_the_mean_of_three() -> None:
    three = Normalisation((0.1, 0.2, 0.6), (0.2, 0.3, 0.1))
    assert three.of_one_channel().mean == pytest.approx((0.3,))
    assert three.of_one_channel().std == pytest.approx((0.2,))
