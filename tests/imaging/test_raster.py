"""PNG, JPEG and TIFF: grey and colour, 8 and 16 bits, upright, pages as slices."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging.deidentify import Alias, deidentified
from oncotrail.imaging.read import ImageFile, scan_of
from oncotrail.imaging.scan import Scan
from tests.imaging.formats import COLOUR, DEEP, NOISE, TWELVE_BITS, pages, raster

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


def tiff(strips: list[bytes], bits: list[int], **tags: list[int]) -> bytes:
    """A TIFF of NOISE's size, written tag by tag; `tags` are named by their numbers: t262=0."""
    rows, columns = NOISE.shape
    entries: dict[int, list[int]] = {
        256: [columns],
        257: [rows],
        258: bits,
        259: [1],
        262: [1],
        273: [],
        277: [len(bits)],
        278: [rows],
        279: [len(strip) for strip in strips],
    }
    entries |= {int(name[1:]): value for name, value in tags.items()}
    place = 8
    body = b"".join(strips)
    for strip in strips:
        entries[273].append(place)
        place += len(strip)
    listed = struct.pack("<H", len(entries))
    beside, after = b"", place + 2 + 12 * len(entries) + 4
    for number, values in sorted(entries.items()):
        value = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            value, beside = struct.pack("<I", after + len(beside)), beside + value
        listed += struct.pack("<HHI", number, 4, len(values)) + value
    return b"II*\0" + struct.pack("<I", place) + body + listed + bytes(4) + beside


def _clean(data: bytes) -> bytes:
    return deidentified(ImageFile("TIFF", data), ALIAS, checked_by_hand=False).file.data


def read_tiff(data: bytes) -> Scan:
    return scan_of(ImageFile("TIFF", data))


@pytest.mark.parametrize("picture", [NOISE, DEEP], ids=["8 bits", "16 bits"])
def test_where_zero_is_white_light_and_dark_are_exchanged(picture: NDArray[Any]) -> None:
    plain = tiff([picture.tobytes()], [8 * picture.itemsize], t262=[0])
    deflated = tiff([zlib.compress(picture.tobytes())], [8 * picture.itemsize], t259=[8], t262=[0])
    for data in (plain, deflated, _clean(plain)):
        assert np.array_equal(read_tiff(data).pixels[0], np.iinfo(picture.dtype).max - picture)


def test_floats_of_which_zero_is_white_say_no_black() -> None:
    data = tiff([NOISE.astype("<f4").tobytes()], [32], t262=[0], t339=[3])
    with pytest.raises(ImageFault, match=r"says that 0 is white.*save it with black as 0"):
        read_tiff(data)


def test_colours_of_sixteen_bits_in_planes_are_refused() -> None:
    planes = [(plane.astype("<u2") * 257).tobytes() for plane in np.moveaxis(COLOUR, 2, 0)]
    with pytest.raises(ImageFault, match="each in a plane of its own; save it interleaved"):
        read_tiff(tiff(planes, [16, 16, 16], t262=[2], t284=[2]))


def test_other_colours_in_planes_or_of_sixteen_bits_are_read() -> None:
    planes = [plane.tobytes() for plane in np.moveaxis(COLOUR, 2, 0)]
    apart = tiff(planes, [8, 8, 8], t262=[2], t284=[2])
    together = tiff([(COLOUR.astype("<u2") * 257).tobytes()], [16, 16, 16], t262=[2])
    for data in (apart, together):
        assert np.array_equal(read_tiff(data).pixels[0], COLOUR)


@pytest.mark.parametrize(
    ("kind", "tags"), [("<u4", {}), ("<u4", {"t339": [1]}), ("<i4", {"t339": [2]})]
)
def test_whole_numbers_of_32_bits_have_a_sign_only_where_the_file_says_so(
    kind: str, tags: dict[str, list[int]]
) -> None:
    values = (NOISE.astype(np.uint32) << 24).view(kind)
    found = read_tiff(tiff([values.tobytes()], [32], **tags))
    assert np.array_equal(found.pixels[0], values)
    assert (found.pixels.min() < 0) == (kind == "<i4")
    assert found.full_range is None


def test_twelve_bits_are_white_at_4095() -> None:
    values = TWELVE_BITS.reshape(-1, 2)
    packed = np.stack(
        [values[:, 0] >> 4, (values[:, 0] & 15) << 4 | values[:, 1] >> 8, values[:, 1] & 255],
        axis=1,
    )
    found = read_tiff(tiff([packed.astype(np.uint8).tobytes()], [12]))
    assert np.array_equal(found.pixels[0], TWELVE_BITS)
    assert found.full_range == (0, 4095)
    assert read_tiff(tiff([DEEP.tobytes()], [16])).full_range == (0, 65535)
