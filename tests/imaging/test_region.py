"""A picture is cut to what somebody marked, and a mark that does not fit is a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.errors import ImageFault
from oncotrail.imaging.region import Box, box_of, cut, grown, marked_by_box, marked_by_mask
from oncotrail.imaging.scan import Scan
from oncotrail.study.pixels import Region

SCAN = Scan(np.zeros((1, 40, 60), np.float32), row_spacing=2.0, column_spacing=0.5)


def mask(*marked: tuple[int, int], rows: int = 40, columns: int = 60) -> Scan:
    pixels = np.zeros((1, rows, columns), np.float32)
    for row, column in marked:
        pixels[0, row, column] = 255
    return Scan(pixels)


@pytest.mark.parametrize(
    "text", ["1 2 3", "a b c d", "5 5 5 9", "9 1 3 4", "-1 0 4 4", "1.5 0 4 4"]
)
def test_what_is_no_box(text: str) -> None:
    with pytest.raises(ImageFault, match=r"has a box .*top left bottom right"):
        box_of(text)


def test_a_box_beyond_the_picture() -> None:
    assert marked_by_box("0 0 40 60", SCAN).box == Box(0, 0, 40, 60)
    with pytest.raises(ImageFault, match="has 40 x 60 pixels, and its box ends at 41 and 60"):
        marked_by_box("0 0 41 60", SCAN)


def test_a_mask_has_the_box_around_it() -> None:
    assert marked_by_mask(mask((3, 50), (20, 7)), SCAN).box == Box(3, 7, 21, 51)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (mask(), "is a mask that marks nothing"),
        (mask((1, 1), rows=39), "mask of 1 x 39 x 60 pixels, and its image has 1 x 40 x 60"),
        (Scan(np.ones((1, 40, 60, 3), np.float32)), "mask of colours"),
        (Scan(np.ones((1, 40, 60), np.float32), row_spacing=1.0), "pixels 1 mm apart.* has 2 mm"),
    ],
)
def test_a_mask_that_does_not_fit(wrong: Scan, sentence: str) -> None:
    with pytest.raises(ImageFault, match=sentence):
        marked_by_mask(wrong, SCAN)


@pytest.mark.parametrize(
    ("box", "region", "expected"),
    [
        (Box(10, 10, 20, 30), {}, Box(10, 10, 20, 30)),
        (Box(10, 10, 20, 30), {"margin": "5 px"}, Box(5, 5, 25, 35)),
        (Box(10, 10, 20, 30), {"margin": "4 mm"}, Box(8, 2, 22, 38)),
        (Box(2, 10, 39, 58), {"margin": "5 px"}, Box(0, 5, 40, 60)),
        (Box(10, 10, 20, 30), {"square": True}, Box(5, 10, 25, 30)),
        (Box(0, 10, 10, 30), {"square": True}, Box(0, 10, 20, 30)),
        (Box(35, 10, 40, 30), {"square": True}, Box(20, 10, 40, 30)),
        (Box(0, 0, 20, 50), {"square": True}, Box(-5, 0, 45, 50)),
    ],
)
def test_margin_and_square(box: Box, region: dict[str, object], expected: Box) -> None:
    assert grown(box, Region.model_validate(region), SCAN) == expected


def test_a_margin_in_millimetres_needs_a_spacing() -> None:
    with pytest.raises(ImageFault, match="does not say how far apart its pixels are"):
        grown(Box(0, 0, 9, 9), Region(margin="3 mm"), Scan(np.zeros((1, 40, 60), np.float32)))


@pytest.mark.parametrize("wrong", ["3", "3 cm", "-3 px", "mm"])
def test_a_margin_has_a_unit(wrong: str) -> None:
    with pytest.raises(ValueError, match="margin"):
        Region(margin=wrong)


@given(st.data())
def test_a_cut_is_as_large_as_its_box_and_holds_what_lies_in_it(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 30))
    picture = np.full((rows, columns), 9, np.uint8)
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    bottom, right = data.draw(st.integers(top + 1, rows)), data.draw(st.integers(left + 1, columns))
    square = data.draw(st.booleans())
    scan = Scan(np.zeros((1, rows, columns), np.float32))
    box = grown(Box(top, left, bottom, right), Region(square=square), scan)
    found = cut(picture, box)
    assert found.shape == (box.height, box.width)
    assert box.top <= top < bottom <= box.bottom
    assert box.left <= left < right <= box.right
    assert not square or box.height == box.width
    assert int((found == 9).sum()) == min(rows, box.height) * min(columns, box.width)


def test_beyond_the_picture_it_is_black() -> None:
    found = cut(np.full((2, 6, 3), 5, np.uint8), Box(-2, 0, 4, 6))
    assert found[:, 0, 0].tolist() == [0, 0, 5, 5, 0, 0]
