"""Pictures take the size that a network reads, without losing or inventing lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.errors import ImageFault
from oncotrail.imaging.resize import at_spacing, padded, placed, resized


def test_the_same_size_is_the_same_picture() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert resized(picture, 3, 4) is picture


def test_rows_and_columns_are_not_confused() -> None:
    assert resized(np.zeros((30, 20), np.uint8), 16, 40).shape == (16, 40)
    assert resized(np.zeros((30, 20, 3), np.uint8), 16, 40).shape == (16, 40, 3)


def test_smaller_pixels_are_averaged_and_not_skipped() -> None:
    """A fine chequerboard becomes grey; the nearest pixels would all be black."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = resized(board, 16, 16)
    assert np.abs(small.astype(int) - 127).max() <= 20


def test_a_flat_picture_stays_flat() -> None:
    assert (resized(np.full((7, 9), 93, np.uint8), 32, 64) == 93).all()


def test_a_circle_stays_one_where_its_shape_is_kept() -> None:
    """A disc of 40 mm, whose rows are twice as far apart as its columns."""
    y, x = np.mgrid[:40, :80]
    disc = ((((y - 19.5) * 2) ** 2 + (x - 39.5) ** 2 < 40**2) * 255).astype(np.uint8)
    found = padded(disc, (1.0, 0.5), 64, 128) > 127
    assert abs(int(found.any(axis=1).sum()) - int(found.any(axis=0).sum())) <= 1
    assert not found[:, :31].any()
    assert not found[:, 97:].any()


def test_a_known_spacing_makes_pixels_of_that_size() -> None:
    picture = np.zeros((60, 60), np.uint8)
    picture[15:45] = 255  # 30 rows of 2 mm
    found = at_spacing(picture, (2.0, 0.5), 1.0)
    assert found.shape == (120, 30)
    assert int((found[:, 0] > 127).sum()) == 60


@pytest.mark.parametrize("spacing", [(None, None), (1.0, None)])
def test_an_unknown_spacing(spacing: tuple[float | None, float | None]) -> None:
    with pytest.raises(ImageFault, match="does not say how far apart its pixels are"):
        at_spacing(np.zeros((4, 4), np.uint8), spacing, 1.0)


def test_an_absurd_spacing_takes_no_memory() -> None:
    with pytest.raises(ImageFault, match=r"would have 4000000 x 4000000 pixels of 0\.001 mm"):
        at_spacing(np.zeros((4, 4), np.uint8), (1e3, 1e3), 1e-3)


@given(*[st.integers(1, 40)] * 4)
def test_what_is_placed_keeps_its_middle(rows: int, columns: int, high: int, wide: int) -> None:
    picture = np.arange(1, rows * columns + 1).reshape(rows, columns).astype(np.uint16) % 255 + 1
    found = placed(picture.astype(np.uint8), high, wide)
    assert found.shape == (high, wide)
    assert int((found > 0).sum()) == min(rows, high) * min(columns, wide)
    if high >= rows and wide >= columns:
        assert sorted(found[found > 0].tolist()) == sorted(picture.ravel().tolist())
