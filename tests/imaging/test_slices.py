"""Of a volume, the slices that the view asks for become pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.errors import ImageFault
from oncotrail.imaging.region import Marked, marked_by_mask
from oncotrail.imaging.scan import Scan
from oncotrail.imaging.slices import chosen
from oncotrail.study.pixels import Slices

SCAN = Scan(np.zeros((9, 4, 10), np.float32))


def marked(*areas: int) -> Marked:
    """A mask with this many columns on each slice."""
    pixels = np.zeros((9, 4, 10), np.float32)
    for number, area in enumerate(areas):
        pixels[number, 2, :area] = 1
    return marked_by_mask(Scan(pixels), SCAN)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("middle", 1), (4,)),
        (("middle", 2), (3, 4)),
        (("middle", 9), tuple(range(9))),
        (("evenly", 1), (4,)),
        (("evenly", 3), (1, 4, 7)),
    ],
)
def test_slices_of_a_volume(asked: tuple[str, int], expected: tuple[int, ...]) -> None:
    slices = Slices(choose=asked[0], count=asked[1])
    assert chosen(SCAN, slices, None) == expected


def test_the_largest_are_those_of_the_mask_in_the_order_of_place() -> None:
    mask = marked(0, 1, 5, 2, 7, 5, 0, 0, 0)
    assert chosen(SCAN, Slices(choose="largest"), mask) == (4,)
    assert chosen(SCAN, Slices(choose="largest", count=2), mask) == (2, 4)


def test_evenly_is_over_the_mask_where_it_is_long_enough() -> None:
    mask = marked(0, 0, 1, 1, 1, 1, 1, 1, 0)
    assert chosen(SCAN, Slices(choose="evenly", count=3), mask) == (3, 5, 7)
    assert chosen(SCAN, Slices(choose="evenly", count=8), mask) == (0, 1, 2, 3, 5, 6, 7, 8)


@given(st.integers(1, 50), st.data())
def test_slices_rise_and_are_as_many_as_asked(found: int, data: st.DataObject) -> None:
    scan = Scan(np.zeros((found, 1, 1), np.float32))
    asked = Slices(
        choose=data.draw(st.sampled_from(["middle", "evenly"])),
        count=data.draw(st.integers(1, found)),
    )
    slices = chosen(scan, asked, None)
    assert len(set(slices)) == asked.count
    assert list(slices) == sorted(slices)
    assert 0 <= slices[0] <= slices[-1] < found


@pytest.mark.parametrize(
    ("asked", "mask", "sentence"),
    [
        (None, None, r"is a volume of 9 slices of 4 x 10 pixels; .*choose: middle"),
        (Slices(choose="middle", count=10), None, "holds 9 slices, and the view asks for 10"),
        (Slices(choose="largest"), None, "has no mask, and the view takes"),
        (Slices(choose="largest", count=3), marked(1, 1), "has a mask on 2 slices, and .* for 3"),
    ],
)
def test_what_cannot_be_chosen(asked: Slices | None, mask: Marked | None, sentence: str) -> None:
    with pytest.raises(ImageFault, match=sentence):
        chosen(SCAN, asked, mask)


def test_a_single_slice_needs_no_choice() -> None:
    assert chosen(Scan(np.zeros((1, 4, 4), np.float32)), None, None) == (0,)
