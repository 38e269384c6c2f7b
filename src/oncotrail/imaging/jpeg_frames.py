"""Compressed frames of DICOM files: looked at before they are decoded, and by which decoder.

pydicom's own plugins leave JPEG of 12 bits, lossless JPEG and JPEG-LS to packages under the GPL or
with old parts in them (docs/decisions/0006). This module is one more plugin, over libjpeg-turbo and
CharLS in imagecodecs. A syntax has one decoder, whatever else is installed, so that every machine
makes the same pixels. Run lengths are left to pydicom's own: slower, and of three the only one that
neither panics nor breaks on damage. JPEG decoders fill what is missing with grey and say nothing,
so each frame is looked at first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder

from oncotrail.errors import ImageFault

DECODER_DEPENDENCIES = {
    uid.JPEGExtended12Bit: ("imagecodecs",),
    uid.JPEGLossless: ("imagecodecs",),
    uid.JPEGLosslessSV1: ("imagecodecs",),
    uid.JPEGLSLossless: ("imagecodecs",),
    uid.JPEGLSNearLossless: ("imagecodecs",),
}
PLUGIN = "imagecodecs"
JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
JPEG_2000 = (
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
)
JPEG = (
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    *JPEG_LS,
)
DECODED_BY = {
    uid.RLELossless: "pydicom",
    uid.JPEGBaseline8Bit: "pillow",
    **dict.fromkeys(JPEG_2000, "pylibjpeg"),
    **dict.fromkeys(DECODER_DEPENDENCIES, PLUGIN),
}

MARKER, START, END = 0xFF, b"\xff\xd8", b"\xff\xd9"
START_2000, SIZE_2000 = b"\xff\x4f", b"\xff\x51"
NO_FRAME = {0xC4, 0xC8, 0xCC}  # tables among the markers that start a frame
FRAMES = ({*range(0xC0, 0xD0)} - NO_FRAME) | {0xF7}  # F7: JPEG-LS
ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
BYTE = 8


@dataclass(frozen=True)
class Header:
    """What a coded frame says of itself."""

    rows: int
    columns: int
    samples: int


def is_available(syntax: str) -> bool:
    """Whether this plugin decodes a transfer syntax: part of pydicom's protocol for plugins."""
    return syntax in DECODER_DEPENDENCIES


def decode_frame(source: bytes, runner: DecodeRunner) -> bytearray:
    """Decode one frame; part of pydicom's protocol for plugins."""
    import imagecodecs

    if runner.transfer_syntax in JPEG_LS:
        values = imagecodecs.jpegls_decode(source)
        # Some writers code 12 bits as 16: the sign is where the file says, not the frame.
        runner.set_option("jls_precision", runner.bits_stored)
    else:
        kept = runner.samples_per_pixel == 1 or runner.transfer_syntax != uid.JPEGExtended12Bit
        values = imagecodecs.jpeg8_decode(source) if kept else _in_rgb(source, runner)
    runner.set_option("bits_allocated", BYTE * values.itemsize)
    runner.set_option("planar_configuration", 0)
    return bytearray(values.tobytes())  # pydicom writes into it


@cache
def add_plugin() -> None:
    """Tell pydicom of this plugin, once."""
    for syntax in DECODER_DEPENDENCIES:
        get_decoder(syntax).add_plugin(PLUGIN, (__name__, "decode_frame"))


def decoder_of(syntax: uid.UID) -> str:
    """The name of the one decoder of a syntax, for pydicom; "" for one that needs none."""
    if not syntax.is_encapsulated:
        return ""
    add_plugin()
    decoder = DECODED_BY.get(syntax, "")  # not a video's, nor that of a syntax nobody knows
    if not decoder or decoder not in get_decoder(syntax).available_plugins:
        raise ImageFault(
            f"is compressed as {syntax.name}, which no installed decoder reads",
            "write it uncompressed (for instance gdcmconv --raw, or dcmdjpeg)",
        )
    return decoder


def refuse_frames(dataset: Dataset, syntax: str, frames: int) -> None:
    """Refuse JPEG frames that end early, or that hold another picture than the file announces."""
    if syntax not in JPEG and syntax not in JPEG_2000:
        return
    found = 0
    for coded in generate_frames(dataset.PixelData, number_of_frames=frames):
        if not bytes(coded[-4:]).rstrip(b"\0").endswith(END):
            raise ImageFault("is cut short in the middle of a JPEG frame", "copy it again")
        _refuse_another_size(dataset, _header(bytes(coded), syntax))
        found += 1
    if found < frames:
        raise ImageFault(f"is cut short: {found} of {frames} frames", "copy it again")


def _refuse_another_size(dataset: Dataset, header: Header) -> None:
    said = Header(int(dataset.Rows), int(dataset.Columns), int(dataset.SamplesPerPixel))
    if header != said:
        raise ImageFault(
            f"announces {said.rows} x {said.columns} pixels of {said.samples} samples, and its "
            f"JPEG frame holds {header.rows} x {header.columns} of {header.samples}",
            "export it again",
        )


def _header(coded: bytes, syntax: str) -> Header:
    if syntax in JPEG_2000:
        if not coded.startswith(START_2000 + SIZE_2000):
            raise ImageFault("is damaged: its JPEG 2000 frame has no beginning", "copy it again")
        right, bottom, left, top = struct.unpack_from(">4I", coded, 8)
        (samples,) = struct.unpack_from(">H", coded, 40)
        return Header(bottom - top, right - left, samples)
    for marker, at in _segments(coded):
        if marker in FRAMES:
            rows, columns, samples = struct.unpack_from(">HHB", coded, at + 5)
            return Header(rows, columns, samples)
    raise ImageFault("is damaged: its JPEG frame says no size", "copy it again")


def _segments(coded: bytes) -> Iterator[tuple[int, int]]:
    """Each segment's marker and where it stands, up to the first scan."""
    at = len(START)
    while coded.startswith(START) and at + 4 <= len(coded) and coded[at] == MARKER:
        marker = coded[at + 1]
        if marker == MARKER:  # padding
            at += 1
            continue
        yield marker, at
        if marker in ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", coded, at + 2)
        at += 2 + length


def _in_rgb(source: bytes, runner: DecodeRunner) -> NDArray[Any]:
    """A lossy picture in colour; pydicom is told that nothing is left to convert."""
    import imagecodecs

    runner.set_option("photometric_interpretation", "RGB")
    values: NDArray[Any] = imagecodecs.jpeg8_decode(source, outcolorspace="RGB")
    return values
