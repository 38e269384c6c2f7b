"""Values become black to white as the window says, the same for every patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan
from oncotrail.imaging.window import resized, windowed
from oncotrail.study.pixels import Window

SOFT_TISSUE = Window(low=-160, high=240)


def scan(*values: float, **more: Any) -> Scan:
    return Scan(pixels=np.array([values], dtype=np.float32), **more)


def test_ends_of_the_window_are_black_and_white() -> None:
    found = windowed(scan(-1000, -160, 40, 240, 3000), SOFT_TISSUE)
    assert found.tolist() == [[0, 0, 128, 255, 255]]
    assert found.dtype == np.uint8


@given(st.lists(st.floats(-2000, 3000, width=32), min_size=2, max_size=20))
def test_a_higher_value_is_never_darker(values: list[float]) -> None:
    found = windowed(scan(*sorted(values)), SOFT_TISSUE)
    assert (np.diff(found.astype(int)) >= 0).all()


def test_without_a_window_the_range_of_the_file_counts_and_not_the_picture() -> None:
    dim = scan(10, 20, full_range=(0.0, 255.0), grey=True)
    assert windowed(dim, None).tolist() == [[10, 20]]


def test_hounsfield_units_need_a_window() -> None:
    with pytest.raises(ImageFault, match="Hounsfield units; declare the view's window"):
        windowed(scan(0, 40, modality="CT"), None)


def test_a_window_in_hounsfield_units_does_not_fit_grey_levels() -> None:
    with pytest.raises(ImageFault, match=r"grey levels from 0 to 255.*window: null"):
        windowed(scan(10, 20, full_range=(0.0, 255.0), grey=True), SOFT_TISSUE)


def test_grey_levels_may_have_a_window_of_their_own() -> None:
    grey = scan(10, 20, 30, full_range=(0.0, 255.0), grey=True)
    assert windowed(grey, Window(low=10, high=30)).tolist() == [[0, 128, 255]]


def test_the_same_size_is_the_same_picture() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert resized(picture, 3, 4) is picture


def test_rows_and_columns_are_not_confused() -> None:
    assert resized(np.zeros((30, 20), np.uint8), 16, 40).shape == (16, 40)


def test_smaller_pixels_are_averaged_and_not_skipped() -> None:
    """A fine chequerboard becomes grey; the nearest pixels would all be black."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = resized(board, 16, 16)
    assert np.abs(small.astype(int) - 127).max() <= 20


def test_a_flat_picture_stays_flat() -> None:
    assert (resized(np.full((7, 9), 93, np.uint8), 32, 64) == 93).all()
