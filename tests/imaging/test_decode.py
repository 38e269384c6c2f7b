"""From a file to a network's pixels, one at a time or a store of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.decode import fill, limited, pixels_of
from oncotrail.imaging.scan import digest
from oncotrail.study.pixels import ViewPixels, Window
from tests.imaging.dicom_files import make_dicom

CT = ViewPixels(window=Window(low=-160, high=240), rows=16, columns=24)


@pytest.fixture
def slices(tmp_path: Path) -> None:
    """Three CT slices, each brighter than the one before."""
    paths = [tmp_path / f"{name}.dcm" for name in "abc"]
    for step, path in enumerate(paths):
        path.write_bytes(make_dicom(np.full((20, 30), 900 + 100 * step)))
    return paths


def test_pixels_have_the_declared_size_and_window(slices: list[Path]) -> None:
    pixels = pixels_of(slices[1], CT)
    assert (pixels.shape, pixels.dtype) == ((16, 24), np.uint8)
    assert (pixels == round((1000 - 1024 + 160) / 400 * 255)).all()


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("L", (20, 20)).save(path)
    with pytest.raises(ImageFault, match=r"grey\.png holds grey levels"):
        pixels_of(path, CT)


def test_row_i_of_the_store_is_image_i(tmp_path: Path, slices: list[Path]) -> None:
    digests = fill(tmp_path / "t4.npy", slices, CT)
    store = np.load(tmp_path / "t4.npy", mmap_mode="r")
    for row, path in enumerate(slices):
        assert np.array_equal(store[row], pixels_of(path, CT))
        assert digests[row] == digest(store[row])


def test_the_store_is_the_same_bytes_twice(tmp_path: Path, slices: list[Path]) -> None:
    fill(tmp_path / "one.npy", slices, CT)
    fill(tmp_path / "two.npy", slices, CT)
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((300, 500), None, (300, 500)),
        ((300, 500), 500, (300, 500)),
        ((300, 500), 64, (32, 64)),
        ((400, 500), 64, (64, 64)),
        ((300, 500), 256, (160, 256)),
        ((20, 500), 64, (32, 64)),
        ((300, 500), 16, (32, 32)),
    ],
)
def test_a_capped_view_keeps_its_shape_in_steps_of_32(
    size: tuple[int, int], side: int | None, expected: tuple[int, int]
) -> None:
    view = limited(ViewPixels(window=None, rows=size[0], columns=size[1]), side)
    assert (view.rows, view.columns) == expected
