"""Every supported format gives the pixels it holds; everything else gives one sentence."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from oncotrail.errors import ImageFault
from oncotrail.imaging import nifti
from oncotrail.imaging.read import ImageFile, load, read_scan, scan_of
from oncotrail.imaging.scan import Scan, digest
from tests.imaging.dicom_files import make_dicom

PICTURE = np.array([[0, 50, 100], [150, 200, 255]], dtype=np.uint8)


def written(picture: NDArray[Any], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def dicom(data: bytes) -> Scan:
    return scan_of(ImageFile("DICOM", data))


def test_ct_is_in_hounsfield_units_with_its_spacing() -> None:
    scan = dicom(make_dicom(np.array([[0, 1024], [1064, 2024]]), Manufacturer="Maker"))
    assert scan.pixels.tolist() == [[[-1024, 0], [40, 1000]]]
    assert scan.pixels.dtype == np.float32
    assert (scan.row_spacing, scan.column_spacing) == (0.5, 0.75)
    assert (scan.modality, scan.manufacturer, scan.full_range) == ("CT", "Maker", None)


def test_a_radiograph_in_monochrome1_is_turned_dark_is_low() -> None:
    stored = np.array([[0, 1000], [4095, 5]])
    data = make_dicom(
        stored, Modality="DX", PhotometricInterpretation="MONOCHROME1", RescaleIntercept=0
    )
    scan = dicom(data)
    assert scan.pixels[0].tolist() == (4095 - stored).tolist()
    assert scan.full_range == (0, 4095)


def test_hounsfield_units_stay_what_they_are_in_monochrome1() -> None:
    plain = dicom(make_dicom())
    inverted = dicom(make_dicom(PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(plain.pixels, inverted.pixels)


def test_signed_pixels_have_a_signed_range() -> None:
    scan = dicom(make_dicom(Modality="MR", PixelRepresentation=1, RescaleIntercept=0))
    assert scan.full_range == (-2048, 2047)


def test_a_radiograph_has_the_spacing_of_its_detector() -> None:
    scan = dicom(make_dicom(PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.2]))
    assert (scan.row_spacing, scan.column_spacing) == (0.1, 0.2)


def test_a_spacing_of_zero_is_no_spacing() -> None:
    assert dicom(make_dicom(PixelSpacing=[0, 0])).row_spacing is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_raster_has_the_grey_levels_it_holds(kind: str) -> None:
    scan = scan_of(ImageFile(kind, written(PICTURE, kind, quality=100)))
    assert np.abs(scan.pixels[0] - PICTURE).max() <= 2
    assert scan.full_range == (0, 255)
    assert scan.grey


def test_a_png_of_16_bits_keeps_them() -> None:
    deep = np.array([[0, 65535], [300, 40000]], dtype=np.uint16)
    scan = scan_of(ImageFile("PNG", written(deep, "PNG")))
    assert scan.pixels[0].tolist() == deep.tolist()
    assert scan.full_range == (0, 65535)


def test_colour_stays_colour() -> None:
    colour = np.zeros((4, 4, 3), dtype=np.uint8) + np.uint8([10, 20, 30])
    scan = scan_of(ImageFile("PNG", written(colour, "PNG")))
    assert scan.colour
    assert (scan.size, scan.full_range) == ((1, 4, 4), (0, 255))
    assert np.array_equal(scan.pixels[0], colour)


def test_exif_turns_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to see it upright
    data = written(PICTURE, "PNG", exif=exif)
    assert scan_of(ImageFile("PNG", data)).pixels[0].tolist() == np.rot90(PICTURE, -1).tolist()


def nifti_bytes(
    values: NDArray[Any], affine: NDArray[Any], kind: type = nibabel.Nifti1Image
) -> bytes:
    return kind(values, affine).to_bytes()


def test_an_axial_nifti_slice_lies_as_dicom_shows_it() -> None:
    """Patient's right at the left, front on top: RAS axes run the other way, along both."""
    values = np.zeros((4, 3, 1), dtype=np.int16)
    values[3, 2, 0] = 7  # the rightmost, foremost voxel
    scan = scan_of(ImageFile("NIfTI", nifti_bytes(values, np.diag([2.0, 0.5, 1, 1]))))
    assert scan.size == (1, 3, 4)
    assert scan.pixels[0, 0, 0] == 7
    assert (scan.row_spacing, scan.column_spacing) == (0.5, 2.0)


def test_the_same_slice_stored_along_other_axes_is_the_same_picture() -> None:
    values = np.arange(12, dtype=np.int16).reshape(4, 3, 1)
    affine = np.diag([2.0, 0.5, 1, 1])
    flipped_affine = affine @ np.array([[-1, 0, 0, 3], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    one = scan_of(ImageFile("NIfTI", nifti_bytes(values, affine)))
    other = scan_of(ImageFile("NIfTI", nifti_bytes(values[::-1], flipped_affine)))
    assert np.array_equal(one.pixels, other.pixels)


def test_a_sagittal_nifti_slice_has_its_head_on_top() -> None:
    values = np.zeros((1, 4, 3), dtype=np.int16)
    values[0, 3, 2] = 7  # foremost and uppermost
    scan = scan_of(ImageFile("NIfTI", nifti_bytes(values, np.eye(4))))
    assert (scan.size, scan.pixels[0, 0, 0]) == ((1, 3, 4), 7)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nifti_of_two_axes_packed_or_not(kind: str, tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3) / 7
    data = nifti_bytes(values, np.eye(4), kind)
    (tmp_path / "a.nii").write_bytes(data)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(data))
    plain, packed = read_scan(tmp_path / "a.nii"), read_scan(tmp_path / "a.nii.gz")
    assert plain.size == (1, 3, 4)
    assert plain.sha256() == packed.sha256() == digest(plain.pixels[0])


def test_nifti_scales_its_stored_values() -> None:
    image = nibabel.Nifti1Image(np.array([[1, 2], [3, 4]], dtype=np.int16), np.eye(4))
    image.header.set_slope_inter(2.0, -10.0)
    scan = scan_of(ImageFile("NIfTI", image.to_bytes()))
    assert sorted(scan.pixels.ravel().tolist()) == [-8, -6, -4, -2]


def test_a_file_without_ending_is_dicom(tmp_path: Path) -> None:
    (tmp_path / "1.2.840.5").write_bytes(make_dicom())
    assert read_scan(tmp_path / "1.2.840.5").modality == "CT"


def huge_png() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageFault, match=r"P1\.dcm is missing; put the image there"):
        read_scan(tmp_path / "P1.dcm")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.dcm", b"", "is empty"),
        ("a.dcm", b"not an image at all" * 20, "is not a DICOM file"),
        ("a.png", written(PICTURE, "JPEG"), r"is named \.png but holds JPEG"),
        ("scan", written(PICTURE, "PNG"), "has no ending, as DICOM files have none, but holds PNG"),
        ("a.PNG", written(PICTURE, "PNG")[:50], r"is damaged \(PNG"),
        (
            "a.jpg",
            written(np.tile(PICTURE, (50, 50)), "JPEG")[:700],
            "is cut short: a JPEG scan has no end",
        ),
        ("a.png", huge_png(), "more pixels than any scan"),
        ("a.nii.gz", gzip.compress(b"nothing"), r"is damaged \(NIfTI"),
        (
            "a.png",
            written(np.dstack([PICTURE] * 3 + [PICTURE]), "PNG"),
            "has transparent pixels",
        ),
        ("a.tif", written(PICTURE, "PNG"), r"is named \.tif but holds PNG"),
        ("a.nii", nifti_bytes(np.zeros((4, 1, 1), np.int16), np.eye(4)), "is a line or a point"),
        ("a.nii", nifti_bytes(PICTURE * 1j, np.eye(4)), "holds complex numbers; save their magn"),
        ("a.nii", nifti_bytes(PICTURE, np.eye(4))[:-1], "is cut short: 5 of 6 bytes of values"),
        (
            "a.nii",
            nifti_bytes(np.full((4, 4), np.nan, np.float32), np.eye(4)),
            "pixels that are not finite",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageFault, match=sentence) as caught:
        read_scan(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"NumberOfFrames": 3}, "is cut short: 96 of 288 bytes"),
        ({"NumberOfFrames": 2**30}, "more than the 536,870,912 accepted"),
        ({"PhotometricInterpretation": "HSV"}, "holds HSV pixels; export it as one of MONO"),
        ({"Rows": 65535, "Columns": 65535}, "65535 x 65535 pixels, more than"),
        ({"Rows": 0}, "has 0 x 8 pixels"),
        ({"Rows": 600}, "is cut short: 96 of 9600 bytes"),
        ({"BitsAllocated": 13}, r"is cut short|is damaged"),
    ],
)
def test_dicom_that_cannot_be_used_is_one_sentence(tags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ImageFault, match=sentence):
        dicom(make_dicom(**tags))


def test_a_dicom_file_without_an_image() -> None:
    with pytest.raises(ImageFault, match="without an image"):
        dicom(make_dicom(change=lambda dataset: dataset.__delattr__("PixelData")))


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nifti, "MOST_BYTES", 1000)
    with pytest.raises(ImageFault, match="unpacks to more than 1,000 bytes"):
        nifti.unpacked(gzip.compress(bytes(100_000)))


def test_a_file_that_may_not_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(make_dicom())

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ImageFault, match="Permission denied"):
        load(path)
