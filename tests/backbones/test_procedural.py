from itertools import pairwise

import numpy as np
import pytest

from oncotrail.backbones.procedural import ProceduralImages, kinds, picture

KINDS = kinds()


def test_a_picture_is_the_seeds_and_its_numbers_alone() -> None:
    """Whatever else is in the batch, and in whatever order."""
    images = ProceduralImages(60, 24, seed=3)
    every = images[:]
    assert np.array_equal(images[np.array([40, 7])], every[[40, 7]])
    assert np.array_equal(images[7], every[7])
    assert not np.array_equal(every, ProceduralImages(60, 24, seed=4)[:])
    assert every.shape == images.shape == (60, 24, 24)
    assert every.dtype == images.dtype == np.uint8


def test_all_kinds_are_equally_many() -> None:
    labels = ProceduralImages(3 * len(KINDS), 16, 1).labels
    assert np.bincount(labels).tolist() == [3] * len(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_varies_and_is_never_flat(name: str) -> None:
    drawn = [picture(KINDS[name], 32, np.random.default_rng(seed)) for seed in range(6)]
    assert min(of.std() for of in drawn) > 10
    assert all((one != other).mean() > 0.5 for one, other in pairwise(drawn))


def test_stripes_are_wider_where_there_are_fewer() -> None:
    """Changes of side along a line, of the mean of twenty pictures."""

    def crossings(name: str) -> float:
        drawn = [picture(KINDS[name], 64, np.random.default_rng(seed)) for seed in range(20)]
        rows = [of[32].astype(float) - of.mean() for of in drawn]
        return float(np.mean([(np.diff(np.sign(row)) != 0).sum() for row in rows]))

    assert crossings("grating_0_4") < crossings("grating_0_9")


def test_clouds_are_smoother_than_white_noise() -> None:
    def roughness(name: str) -> float:
        of = picture(KINDS[name], 64, np.random.default_rng(5)).astype(float)
        return float(np.abs(np.diff(of)).mean() / of.std())

    assert roughness("noise_2") < roughness("noise_1") < roughness("noise_0")
