"""DICOM in every transfer syntax, of one frame and of many, is the same numbers."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_voi_lut

from oncotrail.errors import ImageFault
from oncotrail.imaging import dicom
from oncotrail.imaging.read import ImageFile, scan_of
from oncotrail.imaging.scan import Scan
from oncotrail.imaging.window import windowed
from tests.imaging.dicom_files import (
    item,
    make_dicom,
    make_jpeg_dicom,
    make_multiframe,
)


def scan(data: bytes) -> Scan:
    return scan_of(ImageFile("DICOM", data))


def smooth(rows: int = 40, columns: int = 56) -> NDArray[np.uint16]:
    """A picture of 12 bits that lossy compression hardly changes."""
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(2000 + 900 * np.sin(x / 9) + 900 * np.cos(y / 7), dtype=np.uint16)


@pytest.mark.parametrize(
    "syntax",
    [
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    ],
)
def test_uncompressed_syntaxes_hold_the_same_pixels(syntax: str) -> None:
    stored = smooth()
    assert np.array_equal(scan(make_dicom(stored, syntax)).pixels[0], stored - 1024.0)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEG2000Lossless])
def test_syntaxes_that_pydicom_writes(syntax: str) -> None:
    stored = smooth()
    packed = make_dicom(stored, change=lambda dataset: dataset.compress(syntax))
    assert np.array_equal(scan(packed).pixels[0], stored - 1024.0)


@pytest.mark.parametrize(
    ("syntax", "error"),
    [
        (uid.JPEGExtended12Bit, 12),
        (uid.JPEGLossless, 0),
        (uid.JPEGLosslessSV1, 0),
        (uid.JPEGLSLossless, 0),
        (uid.JPEGLSNearLossless, 2),
    ],
)
def test_jpeg_syntaxes_of_twelve_bits(syntax: str, error: float) -> None:
    stored = smooth()
    found = scan(make_jpeg_dicom(stored, syntax)).pixels[0]
    assert np.abs(found - (stored - 1024.0)).max() <= error


def test_baseline_jpeg_of_eight_bits() -> None:
    stored = smooth() >> 4
    found = scan(make_jpeg_dicom(stored, uid.JPEGBaseline8Bit)).pixels[0]
    assert np.abs(found - (stored - 1024.0)).max() <= 3


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless])
def test_signed_pixels_in_lossless_jpeg(syntax: str) -> None:
    """JPEG knows no sign: twelve bits hold two's complement, and the file says how to read them."""
    stored = smooth().astype(np.int16) - 2048
    assert stored.min() < -1000
    coded = make_jpeg_dicom(stored & 0xFFF, syntax, PixelRepresentation=1)
    assert np.array_equal(scan(coded).pixels[0], stored - 1024.0)


def test_jpeg_of_several_frames() -> None:
    frames = np.stack([smooth() + 10 * number for number in range(3)])
    found = scan(make_jpeg_dicom(frames, uid.JPEGLSLossless)).pixels
    assert np.array_equal(found, frames - 1024.0)


def colour(interpretation: str, pixels: NDArray[np.uint8], **tags: Any) -> bytes:
    return make_dicom(
        pixels[..., 0],
        PhotometricInterpretation=interpretation,
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=pixels.tobytes(),
        Modality="XC",
        **tags,
    )


COLOURS = np.random.default_rng(5).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def test_red_green_and_blue() -> None:
    found = scan(colour("RGB", COLOURS))
    assert found.colour
    assert found.full_range == (0, 255)
    assert np.array_equal(found.pixels[0], COLOURS)


def test_colours_in_run_lengths() -> None:
    dataset = dcmread(io.BytesIO(colour("RGB", COLOURS)))
    dataset.compress(uid.RLELossless)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert np.array_equal(scan(buffer.getvalue()).pixels[0], COLOURS)


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEG2000Lossless])
def test_colours_in_jpeg(syntax: str) -> None:
    y, x = np.mgrid[:40, :48]
    smooth_colours = np.dstack([3 * x, 4 * y, 2 * x + y]).astype(np.uint8)
    dataset = dcmread(io.BytesIO(colour("RGB", smooth_colours)))
    if syntax == uid.JPEGBaseline8Bit:
        coded = imagecodecs.jpeg8_encode(smooth_colours, level=98, outcolorspace="YCBCR")
        dataset.PixelData = encapsulate([coded])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PhotometricInterpretation = "YBR_FULL_422"
    else:
        dataset.compress(syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert np.abs(scan(buffer.getvalue()).pixels[0] - smooth_colours).max() <= 9


def test_luminance_and_chrominance_become_red_green_and_blue() -> None:
    grey = np.full((6, 8, 3), [77, 128, 128], np.uint8)  # no chrominance
    assert (scan(colour("YBR_FULL", grey)).pixels == 77).all()


def test_a_palette_is_looked_up() -> None:
    def paint(dataset: Dataset) -> None:
        for name, factor in (("Red", 1), ("Green", 2), ("Blue", 3)):
            levels = np.arange(16, dtype=np.uint8) * factor
            setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [16, 0, 8])
            setattr(dataset, f"{name}PaletteColorLookupTableData", levels.tobytes())

    stored = np.arange(16, dtype=np.uint8).reshape(4, 4)
    eight_bits = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    data = make_dicom(
        stored,
        change=paint,
        PhotometricInterpretation="PALETTE COLOR",
        PixelData=stored.tobytes(),
        **eight_bits,
    )
    assert scan(data).pixels[0, 3, 3].tolist() == [15, 30, 45]


def test_frames_lie_in_the_order_of_their_places_and_not_of_the_file() -> None:
    frames = np.stack([smooth(6, 8) + 100 * number for number in range(4)])
    found = scan(make_multiframe(frames, heights=[4, 0, 6, 2]))
    assert np.array_equal(found.pixels, frames[[1, 3, 0, 2]] - 1024.0)
    assert (found.slice_spacing, found.row_spacing, found.column_spacing) == (2, 0.5, 0.75)


def test_each_frame_is_scaled_by_its_own_slope() -> None:
    frames = np.full((3, 4, 4), 100)
    found = scan(make_multiframe(frames, heights=[0, 1, 2], slopes=[1, 2, 3]))
    assert found.pixels[:, 0, 0].tolist() == [-924, -824, -724]


def test_frames_without_places_keep_the_order_of_the_file() -> None:
    frames = np.stack([smooth(6, 8), smooth(6, 8)[::-1]])
    found = scan(make_dicom(frames, Modality="US"))
    assert np.array_equal(found.pixels, frames - 1024.0)
    assert found.slice_spacing is None


def test_two_frames_at_one_place() -> None:
    frames = np.stack([smooth(6, 8)] * 3)
    with pytest.raises(ImageFault, match="two lie at the same one; keep one reconstruction"):
        scan(make_multiframe(frames, heights=[0, 1, 1]))


def test_fewer_frames_than_announced() -> None:
    with pytest.raises(ImageFault, match="is cut short: 96 of 288 bytes"):
        scan(make_dicom(NumberOfFrames=3))


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGExtended12Bit])
def test_a_jpeg_frame_without_its_end_is_cut_short(syntax: str) -> None:
    """The decoder would fill the rest with grey and say nothing."""
    dataset = dcmread(io.BytesIO(make_jpeg_dicom(smooth(), syntax)))
    at = dataset.PixelData.rindex(b"\xff\xd9")
    dataset.PixelData = dataset.PixelData[:at] + b"\0\0" + dataset.PixelData[at + 2 :]
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(ImageFault, match="is cut short in the middle of a JPEG frame"):
        scan(buffer.getvalue())


def test_run_lengths_that_run_beyond_their_plane() -> None:
    """The plugin that pydicom would choose panics on some, which no `except Exception` catches.

    What is too long may be padding, and is cut off.
    """
    data = make_dicom(smooth(), change=lambda dataset: dataset.compress(uid.RLELossless))
    for place in range(len(data) - 1500, len(data) - 20, 7):
        damaged = bytearray(data)
        damaged[place] = 0x81  # this byte 128 times, or the value of a pixel
        with contextlib.suppress(ImageFault):
            assert scan(bytes(damaged)).size == (1, 40, 56)


def test_a_jpeg_frame_of_another_size_than_the_file_announces() -> None:
    data = make_jpeg_dicom(smooth(), uid.JPEGLSLossless, Rows=50)
    with pytest.raises(ImageFault, match=r"announces 50 x 56 pixels .* frame holds 40 x 56"):
        scan(data)


def test_a_video_is_named() -> None:
    data = make_dicom(change=lambda dataset: dataset.compress(uid.RLELossless))
    dataset = dcmread(io.BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = uid.MPEG2MPML
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(ImageFault, match=r"compressed as MPEG2 .*gdcmconv --raw"):
        scan(buffer.getvalue())


def test_a_deflated_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_dicom(np.zeros((600, 600)), uid.DeflatedExplicitVRLittleEndian)
    assert len(data) < 10_000
    monkeypatch.setattr(dicom, "MOST_BYTES", 100_000)
    with pytest.raises(ImageFault, match="unpacks to more than 100,000 bytes"):
        scan(data)


@pytest.mark.parametrize("length", [None, 4])
def test_a_deflated_bomb_whose_meta_says_no_length_or_a_wrong_one(
    monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    """It is unpacked as any other, so it is refused as any other."""
    data = make_dicom(np.zeros((600, 600)), uid.DeflatedExplicitVRLittleEndian)
    said = b"\x02\x00\x00\x00UL\x04\x00"
    assert data[132:140] == said
    short = b"" if length is None else said + length.to_bytes(4, "little")
    changed = data[:132] + short + data[144:]
    assert scan(changed).size == (1, 600, 600)
    monkeypatch.setattr(dicom, "MOST_BYTES", 100_000)
    with pytest.raises(ImageFault, match="unpacks to more than 100,000 bytes"):
        scan(changed)


def remove(*names: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for name in names:
            delattr(dataset, name)

    return change


RESCALE = ("RescaleSlope", "RescaleIntercept")


@pytest.mark.parametrize("names", [RESCALE, RESCALE[:1], RESCALE[1:]])
def test_ct_that_does_not_say_its_hounsfield_units_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ImageFault, match=r"is CT and does not say how .*; export it again with"):
        scan(make_dicom(change=remove(*names)))
    assert scan(make_dicom(change=remove(*RESCALE), Modality="MR")).full_range == (0, 4095)


def test_ct_in_another_unit_is_refused() -> None:
    with pytest.raises(ImageFault, match="is CT in another unit than Hounsfield's; export it with"):
        scan(make_dicom(RescaleType="US"))
    for hounsfield in ("HU", "", None):
        assert scan(make_dicom(RescaleType=hounsfield)).full_range is None


@pytest.mark.parametrize("unit", ["HU", "OD"])
def test_the_unit_of_a_table_counts_as_that_of_a_slope(unit: str) -> None:
    levels = np.arange(4096, dtype="<u2")
    table = item(LUTDescriptor=[4096, 0, 16], LUTData=(levels // 2).tobytes(), ModalityLUTType=unit)
    data = make_dicom(change=remove(*RESCALE), ModalityLUTSequence=table)
    if unit == "HU":
        assert scan(data).pixels.max() == 47 * 40 // 2
    else:
        with pytest.raises(ImageFault, match="is CT in another unit"):
            scan(data)


def test_values_that_do_not_stand_in_the_lowest_bits_are_refused() -> None:
    with pytest.raises(ImageFault, match=r"has 12 bits a pixel, .* is bit 15 .* highest at 11"):
        scan(make_dicom(HighBit=15))
    assert scan(make_dicom(change=remove("HighBit"))).size == (1, 6, 8)


VOI = [
    {"WindowCenter": 40, "WindowWidth": 400},
    {"WindowCenter": [40, 300], "WindowWidth": [400, 90]},
    {"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": "LINEAR_EXACT"},
    {"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"},
    {"WindowCenter": 40, "WindowWidth": 1},
    {
        "VOILUTSequence": item(
            LUTDescriptor=[512, 100, 16], LUTData=(np.arange(512, dtype="<u2") * 128).tobytes()
        ),
        "RescaleIntercept": 0,
    },
]


@pytest.mark.parametrize("tags", VOI)
def test_the_file_is_shown_as_it_asks_to_be(tags: dict[str, Any]) -> None:
    """As pydicom shows it, stretched to 8 bits."""
    data = make_dicom(smooth() // 4, Modality="MR", **tags)
    dataset = dcmread(io.BytesIO(data))
    table = "VOILUTSequence" in tags
    values = scan(data).pixels[0]
    shown = apply_voi_lut(values.astype(np.int32) if table else values.astype(np.float64), dataset)
    low, high = (0, 65535) if table else (-1024, 4095 - 1024)
    expected = (shown - low) / (high - low) * 255
    assert np.abs(windowed(scan(data), "voi")[0] - expected).max() <= 0.51


def test_a_radiograph_in_monochrome1_is_shown_with_light_and_dark_exchanged() -> None:
    stored = smooth()
    tags = {"Modality": "DX", "RescaleIntercept": 0, "WindowCenter": 1000, "WindowWidth": 900}
    plain = windowed(scan(make_dicom(stored, **tags)), "voi")
    turned = make_dicom(stored, PhotometricInterpretation="MONOCHROME1", **tags)
    assert np.abs(255 - plain.astype(int) - windowed(scan(turned), "voi")).max() <= 1


def test_a_file_that_does_not_ask() -> None:
    with pytest.raises(ImageFault, match="does not say how it is to be shown"):
        windowed(scan(make_dicom()), "voi")
