"""The made images are what the benchmarks say they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.images import AIR, write_ct, write_png
from oncotrail.imaging.decode import ImageSource, pictures_of
from oncotrail.imaging.read import read_scan
from oncotrail.study.pixels import ViewPixels, Window


def test_ct_files_hold_hounsfield_units_and_no_two_the_same(tmp_path: Path) -> None:
    files = write_ct(tmp_path, 70, seed=1, side=32)  # more than there are bodies
    assert len({path.read_bytes() for path in files}) == 70
    view = ViewPixels(window=Window(low=AIR - 24, high=AIR + 231), rows=32, columns=32)
    corners = [pictures_of(ImageSource(path), view).pixels[0, 0, 0] for path in files]
    assert np.asarray(corners, int) == pytest.approx(24, abs=3)  # air, 24 above black
    assert read_scan(files[0]).row_spacing == pytest.approx(0.7)


def test_png_files_stand_where_torchvision_looks_for_classes(tmp_path: Path) -> None:
    files = write_png(tmp_path, 4, seed=1, side=32)
    assert [path.parent.name for path in files] == ["0", "1", "0", "1"]
    assert len({path.read_bytes() for path in files}) == 4
    with Image.open(files[0]) as image:
        assert (image.size, image.mode) == ((32, 32), "L")
