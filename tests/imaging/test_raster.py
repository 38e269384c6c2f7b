"""PNG, JPEG and TIFF: grey and colour, 8 and 16 bits, upright, pages as slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.deidentify import Alias, deidentified
from oncotrail.imaging.read import ImageFile, scan_of
from tests.imaging.formats import COLOUR, DEEP, NOISE, pages, raster

ALIAS = Alias("P-A", -1, b"k")
NAME = b"Xanthippe"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("picture", [NOISE, DEEP, COLOUR], ids=["grey", "16 bits", "colour"])
def test_lossless_pictures_are_read_as_they_are(kind: str, picture: NDArray[Any]) -> None:
    scan = scan_of(ImageFile(kind, raster(picture, kind)))
    assert np.array_equal(scan.pixels[0], picture)
    assert scan.full_range == (0, np.iinfo(picture.dtype).max)
    assert (scan.grey, scan.colour) == (True, picture.ndim == 3)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(compression: str | None) -> None:
    scan = scan_of(ImageFile("TIFF", raster(DEEP, "TIFF", compression=compression)))
    assert np.array_equal(scan.pixels[0], DEEP)


def test_pages_are_slices() -> None:
    scan = scan_of(ImageFile("TIFF", pages(NOISE, NOISE + 1, NOISE + 2)))
    assert np.array_equal(scan.pixels, np.stack([NOISE, NOISE + 1, NOISE + 2]))


def test_pages_of_different_sizes() -> None:
    with pytest.raises(ImageFault, match="holds pages of different sizes"):
        scan_of(ImageFile("TIFF", pages(NOISE, NOISE[:-1])))


def test_floats_have_no_known_range() -> None:
    scan = scan_of(ImageFile("TIFF", raster(NOISE.astype(np.float32) / 7, "TIFF")))
    assert (scan.full_range, scan.grey) == (None, False)
    assert np.array_equal(scan.pixels[0], NOISE.astype(np.float32) / 7)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_every_orientation_is_turned_upright_and_stays_so(kind: str, orientation: int) -> None:
    """PIL's own table of what each orientation does to the picture, written out."""
    turns = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).T,
        8: np.rot90,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    flat = np.repeat(np.repeat(NOISE[:4, :5], 8, axis=0), 8, axis=1)
    data = raster(flat, kind, exif=exif, **({"quality": 100} if kind == "JPEG" else {}))
    clean = deidentified(ImageFile(kind, data), ALIAS, checked_by_hand=False).file
    for file in (ImageFile(kind, data), clean):
        pixels = scan_of(file).pixels[0]
        assert np.abs(pixels - turns[orientation](flat)).max() <= (4 if kind == "JPEG" else 0)


def test_tiff_that_asks_for_absurd_memory() -> None:
    data = bytearray(raster(NOISE, "TIFF"))
    at = data.index(b"\x00\x01\x04\x00\x01\x00\x00\x00")
    data[at + 8 : at + 12] = (2**31 - 1).to_bytes(4, "little")
    with pytest.raises(ImageFault):
        scan_of(ImageFile("TIFF", bytes(data)))


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_is_stripped_of_what_stands_beside_the_picture(compression: str | None) -> None:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x9003] = NAME.decode()
    options: dict[str, Any] = {"exif": exif, "software": NAME.decode(), "compression": compression}
    data = pages(NOISE, NOISE[::-1], **options) + NAME
    assert data.count(NAME) > 3
    result = deidentified(ImageFile("TIFF", data), ALIAS, checked_by_hand=False)
    assert NAME not in result.file.data
    assert {"tag 270", "tag 305", "tag 315", "tag 36867"} <= {c.tag for c in result.changes}
    before, after = scan_of(ImageFile("TIFF", data)), scan_of(result.file)
    assert np.array_equal(before.pixels, after.pixels)


def test_a_tiff_with_jpeg_inside_is_refused() -> None:
    data = raster(NOISE, "TIFF", compression="jpeg")
    with pytest.raises(ImageFault, match="is a TIFF that holds JPEG; save it as JPEG, or as TIFF"):
        deidentified(ImageFile("TIFF", data), ALIAS, checked_by_hand=False)
