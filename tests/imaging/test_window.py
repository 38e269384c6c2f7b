"""Values become black to white as the window says, the same for every patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.scan import Scan
from oncotrail.imaging.window import black_and_white, in_colour, in_grey, windowed
from oncotrail.study.pixels import HOUNSFIELD, Percentiles, ViewPixels, Window

SOFT_TISSUE = Window(low=-160, high=240)


def scan(*values: float, **more: Any) -> Scan:
    return Scan(pixels=np.array([[values]], dtype=np.float32), **more)


def test_ends_of_the_window_are_black_and_white() -> None:
    found = windowed(scan(-1000, -160, 40, 240, 3000), SOFT_TISSUE)
    assert found.tolist() == [[[0, 0, 128, 255, 255]]]
    assert found.dtype == np.uint8


@given(st.lists(st.floats(-2000, 3000, width=32), min_size=2, max_size=20))
def test_a_higher_value_is_never_darker(values: list[float]) -> None:
    found = windowed(scan(*sorted(values)), SOFT_TISSUE)
    assert (np.diff(found.astype(int)) >= 0).all()


def test_without_a_window_the_range_of_the_file_counts_and_not_the_picture() -> None:
    dim = scan(10, 20, full_range=(0.0, 255.0), grey=True)
    assert windowed(dim, None).tolist() == [[[10, 20]]]


def test_hounsfield_units_need_a_window() -> None:
    with pytest.raises(ImageFault, match="Hounsfield units; declare the view's window"):
        windowed(scan(0, 40, modality="CT"), None)


def test_a_window_in_hounsfield_units_does_not_fit_grey_levels() -> None:
    with pytest.raises(ImageFault, match=r"grey levels from 0 to 255.*window: null"):
        windowed(scan(10, 20, full_range=(0.0, 255.0), grey=True), SOFT_TISSUE)


def test_grey_levels_may_have_a_window_of_their_own() -> None:
    grey = scan(10, 20, 30, full_range=(0.0, 255.0), grey=True)
    assert windowed(grey, Window(low=10, high=30)).tolist() == [[[0, 128, 255]]]


@pytest.mark.parametrize(
    ("name", "level", "width"),
    [("bone", 400, 1800), ("lung", -600, 1500), ("soft_tissue", 40, 400)],
)
def test_a_named_window_is_a_level_and_a_width(name: str, level: float, width: float) -> None:
    window = ViewPixels(window=name, rows=16, columns=16).window
    low, high = black_and_white(scan(0, modality="CT"), window)
    assert ((low + high) / 2, high - low) == (level, width)
    assert (HOUNSFIELD[name].low, HOUNSFIELD[name].high) == (low, high)


@pytest.mark.parametrize("more", [{"grey": True, "full_range": (0.0, 255.0)}, {"modality": "MR"}])
def test_a_named_window_is_in_hounsfield_units(more: dict[str, Any]) -> None:
    with pytest.raises(ImageFault, match="the view's window lung is -1350 to 150 Hounsfield"):
        windowed(scan(0, 3, **more), "lung")


def test_percentiles_are_the_images_own() -> None:
    values = np.random.default_rng(0).permutation(1001) * 3.0
    levels = windowed(scan(*values, modality="MR"), Percentiles(percentiles=(10, 90)))[0, 0]
    assert (levels[values <= 300] == 0).all()
    assert (levels[values >= 2700] == 255).all()
    assert 126 <= levels[values == 1500][0] <= 129


def test_a_blank_image_has_no_percentiles() -> None:
    with pytest.raises(ImageFault, match="has the same value"):
        windowed(scan(7, 7, 7), Percentiles(percentiles=(1, 99)))


@pytest.mark.parametrize("wrong", [(99, 1), (-1, 50), (0, 101)])
def test_percentiles_must_rise_from_0_to_100(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="two rising numbers"):
        Percentiles(percentiles=wrong)


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=30))
def test_colours_become_as_bright_as_pillow_makes_them(colours: list[tuple[int, ...]]) -> None:
    picture = np.array([colours], dtype=np.uint8)
    expected = np.asarray(Image.fromarray(picture).convert("L"))
    assert np.array_equal(in_grey(picture[np.newaxis])[0], expected)


def test_grey_as_colour_and_back_is_the_same() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert np.array_equal(in_grey(in_colour(levels)), levels)
