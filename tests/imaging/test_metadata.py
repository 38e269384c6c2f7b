"""PNG, JPEG and NIfTI without what they say beside the picture."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from oncotrail.errors import ImageFault
from oncotrail.imaging.deidentify import Alias, deidentified
from oncotrail.imaging.metadata import strip_jpeg, strip_nifti, strip_png
from oncotrail.imaging.read import ImageFile, Kind, scan_of

NAME = "Xanthippe"
PICTURE = np.random.default_rng(3).integers(0, 256, (24, 40), dtype=np.uint8)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x013B] = NAME  # artist
    return tags


def png(orientation: int = 1) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", NAME)
    text.add_itxt("Description", NAME, zip=True)
    text.add(b"tIME", bytes([7, 228, 3, 1, 12, 0, 0]))
    buffer = io.BytesIO()
    image = Image.fromarray(PICTURE)
    image.save(buffer, "PNG", pnginfo=text, exif=exif(orientation), dpi=(300, 300))
    return buffer.getvalue() + NAME.encode()  # after the end, where nobody looks


def jpeg(orientation: int = 1, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(
        buffer, "JPEG", exif=exif(orientation), comment=NAME, dpi=(300, 300), **options
    )
    return buffer.getvalue() + NAME.encode()


def nifti(kind: type = nibabel.Nifti1Image) -> bytes:
    image = kind(PICTURE.astype(np.int16), np.diag([0.7, 0.8, 1, 1]))
    image.header["descrip"] = NAME.encode()
    image.header["aux_file"] = NAME.encode()
    image.header["intent_name"] = NAME.encode()
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", NAME.encode()))
    image.header.set_slope_inter(2.0, -5.0)
    return image.to_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "make"), [("PNG", png), ("JPEG", jpeg)])
def test_the_picture_stays_and_stays_upright(
    kind: str, make: Callable[[int], bytes], orientation: int
) -> None:
    strip = {"PNG": strip_png, "JPEG": strip_jpeg}[kind]
    data = make(orientation)
    left = strip(data).data
    assert NAME.encode() in data
    assert NAME.encode() not in left
    before, after = scan_of(ImageFile(kind, data)), scan_of(ImageFile(kind, left))
    assert np.array_equal(before.pixels, after.pixels)


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_blocks": 1}])
def test_a_jpeg_of_several_scans_or_restarts_stays_whole(options: dict[str, Any]) -> None:
    data = jpeg(**options)
    before, after = (scan_of(ImageFile("JPEG", these)) for these in (data, strip_jpeg(data).data))
    assert np.array_equal(before.pixels, after.pixels)


def test_a_colour_jpeg_keeps_its_colour_transform() -> None:
    colour = np.dstack([PICTURE, PICTURE.T.reshape(24, 40), 255 - PICTURE])
    buffer = io.BytesIO()
    Image.fromarray(colour).convert("CMYK").save(buffer, "JPEG")
    before, after = (
        np.asarray(Image.open(io.BytesIO(data)))
        for data in (buffer.getvalue(), strip_jpeg(buffer.getvalue()).data)
    )
    assert np.array_equal(before, after)


def test_what_was_left_out_is_named() -> None:
    assert set(strip_png(png()).removed) == {"tEXt", "iTXt", "tIME", "eXIf"}
    assert set(strip_jpeg(jpeg()).removed) == {"APP1", "COM"}
    assert set(strip_nifti(nifti()).removed) == {"descrip", "aux_file", "intent_name", "extensions"}


def test_a_thumbnail_goes() -> None:
    """EXIF keeps a small copy of the picture as it was before somebody cut the name away."""
    data = jpeg()
    jfif = data.index(b"JFIF\0")
    thumbnail = data[: jfif + 12] + bytes([1, 1]) + b"abc" + data[jfif + 14 :]
    longer = thumbnail.replace(b"\xff\xe0\x00\x10", b"\xff\xe0\x00\x13")
    assert b"abc" in longer
    assert strip_jpeg(longer).data == strip_jpeg(data).data


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nifti_keeps_values_scale_and_geometry(kind: str) -> None:
    data = nifti(kind)
    stripped = strip_nifti(gzip.compress(data))
    assert NAME.encode() in data
    assert NAME.encode() not in stripped.data
    before, after = kind.from_bytes(data), kind.from_bytes(stripped.data)
    assert np.array_equal(before.get_fdata(), after.get_fdata())
    assert np.array_equal(before.affine, after.affine)
    assert stripped.ending == ".nii"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("PNG", png()[:80]),
        ("JPEG", jpeg()[:600]),
        ("JPEG", jpeg().replace(b"\xff\xdb", b"\x00\x00", 1)),
        ("NIfTI", nifti()[:-10]),
    ],
)
def test_a_damaged_file_is_one_sentence(kind: Kind, data: bytes) -> None:
    alias = Alias("P-A", -1, b"k")
    with pytest.raises(ImageFault, match=r"is cut short|is damaged"):
        deidentified(ImageFile(kind, data), alias, checked_by_hand=False)
