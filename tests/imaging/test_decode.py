"""From a file to a network's pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.decode import ImageSource, limited, pictures_of
from oncotrail.study.pixels import Resample, ViewPixels, Window
from tests.imaging.dicom_files import make_dicom, write_series
from tests.only_picture import only_picture

CT = ViewPixels(window=Window(low=-160, high=240), rows=16, columns=24)


def view(**settings: object) -> ViewPixels:
    asked = {"window": "soft_tissue", "rows": 32, "columns": 32, **settings}
    return ViewPixels.model_validate(asked)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Nine slices of 40 x 40 pixels, 2 mm x 1 mm, each brighter than the one below."""
    slices = np.stack([np.full((40, 40), 900 + 30 * number) for number in range(9)])
    heights = [5.0 * number for number in range(9)]
    return write_series(tmp_path / "series", slices, heights, PixelSpacing=[2, 1])


def level(number: int) -> int:
    """The level of the volume's slice in the window of soft tissue."""
    return round((900 + 30 * number - 1024 + 160) / 400 * 255)


def write_mask(path: Path, *boxes: tuple[int, int, int, int, int]) -> Path:
    """A mask of the volume: slice, top, left, bottom, right, as pages of a TIFF."""
    pages = np.zeros((9, 40, 40), np.uint8)
    for number, top, left, bottom, right in boxes:
        pages[number, top:bottom, left:right] = 1
    first, *others = (Image.fromarray(page) for page in pages)
    first.save(path, save_all=True, append_images=others)
    return path


def test_a_slice_is_windowed_and_then_resized_as_it_always_was(tmp_path: Path) -> None:
    """The demo's pixels: linear in the window, rounded, then Pillow's bilinear on 8 bits."""
    path = tmp_path / "a.dcm"
    stored = np.random.default_rng(2).integers(700, 1500, (300, 500))
    path.write_bytes(make_dicom(stored))
    declared = ViewPixels(window=Window(low=-160, high=240), rows=300, columns=500)
    units = stored.astype(np.float32) - 1024
    steps = (units - np.float32(-160)) * np.float32(255 / 400)
    levels = np.rint(np.clip(steps, 0, 255)).astype(np.uint8)
    small = Image.fromarray(levels).resize((64, 32), Image.Resampling.BILINEAR)
    assert np.array_equal(only_picture(path, declared), levels)
    assert np.array_equal(only_picture(path, limited(declared, 64)), np.asarray(small))


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("L", (20, 20)).save(path)
    with pytest.raises(ImageFault, match=r"grey\.png holds grey levels"):
        only_picture(path, CT)


def test_slices_of_a_volume_become_pictures(volume: Path) -> None:
    made = pictures_of(ImageSource(volume), view(slices={"choose": "evenly", "count": 3}))
    assert made.slices == (1, 4, 7)
    assert made.pixels.shape == (3, 32, 32)
    assert made.pixels[:, 0, 0].tolist() == [level(1), level(4), level(7)]


def test_a_volume_without_a_choice_is_one_sentence(volume: Path) -> None:
    with pytest.raises(ImageFault, match=r"series is a volume of 9 slices.*choose: middle"):
        only_picture(volume, view())


def test_the_mask_chooses_the_slice_and_the_region(volume: Path, tmp_path: Path) -> None:
    path = write_mask(tmp_path / "m.tif", (2, 10, 10, 12, 12), (6, 8, 6, 18, 26))
    asked = view(slices={"choose": "largest"}, region={"margin": "2 px"}, keep_aspect="pad")
    made = pictures_of(ImageSource(volume, mask=path), asked)
    assert made.slices == (6,)
    black = (made.pixels[0] == 0).all(axis=0)
    assert black.any()  # 14 rows of 2 mm and 24 columns of 1 mm are taller than wide
    assert (made.pixels[0][:, ~black] == level(6)).all()


def test_the_region_is_cut_out(tmp_path: Path) -> None:
    picture = np.zeros((64, 64), np.uint8)
    picture[16:48, 8:40] = 200
    Image.fromarray(picture).save(tmp_path / "a.png")
    source = ImageSource(tmp_path / "a.png", box="16 8 48 40")
    made = pictures_of(source, view(window=None, region={}))
    assert (made.pixels == 200).all()
    without = pictures_of(source, view(window=None))
    assert (without.pixels == 0).any()


def test_a_region_that_nobody_marked(tmp_path: Path) -> None:
    Image.new("L", (64, 64)).save(tmp_path / "a.png")
    with pytest.raises(ImageFault, match=r"a\.png has no region of interest"):
        pictures_of(ImageSource(tmp_path / "a.png"), view(window=None, region={}))


def test_a_fault_of_the_mask_names_the_mask(volume: Path, tmp_path: Path) -> None:
    path = write_mask(tmp_path / "m.tif")
    with pytest.raises(ImageFault, match=r"m\.tif is a mask that marks nothing"):
        pictures_of(ImageSource(volume, mask=path), view(slices={"choose": "middle"}))


def test_a_spacing_keeps_the_scale(volume: Path) -> None:
    """80 mm x 40 mm at 2 mm are 40 x 20 pixels, of which the rows are cut to 32."""
    asked = view(slices={"choose": "middle"}, resample={"spacing": 2})
    picture = pictures_of(ImageSource(volume), asked).pixels[0]
    assert (picture[:, 6:26] == level(4)).all()
    assert (picture[:, :6] == 0).all()
    assert (picture[:, 26:] == 0).all()


def test_colour_is_for_views_that_ask_for_it(tmp_path: Path) -> None:
    colour = np.zeros((32, 32, 3), np.uint8) + np.uint8([10, 20, 30])
    Image.fromarray(colour).save(tmp_path / "c.png")
    Image.new("L", (32, 32), 7).save(tmp_path / "g.png")
    grey, rgb = view(window=None), view(window=None, colour="rgb")
    assert (only_picture(tmp_path / "c.png", grey) == 18).all()
    assert np.array_equal(only_picture(tmp_path / "c.png", rgb), colour)
    assert (only_picture(tmp_path / "g.png", rgb) == 7).all()
    assert only_picture(tmp_path / "g.png", rgb).shape == (32, 32, 3)


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
    capped = limited(ViewPixels(window=None, rows=size[0], columns=size[1]), side)
    assert (capped.rows, capped.columns) == expected


def test_a_capped_view_shows_as_much_of_the_patient() -> None:
    declared = ViewPixels(window=None, rows=512, columns=512, resample=Resample(spacing=0.5))
    capped = limited(declared, 64)
    assert capped.resample is not None
    assert capped.resample.spacing * capped.columns == 0.5 * 512


def test_a_view_says_only_what_it_asks_for() -> None:
    assert ViewPixels(window=None, rows=32, columns=64).asked() == {
        "window": None,
        "rows": 32,
        "columns": 64,
    }
    assert ViewPixels.model_validate(view(region={}).asked()) == view(region={})
