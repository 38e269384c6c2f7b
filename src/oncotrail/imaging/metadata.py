"""PNG, JPEG, TIFF and NIfTI bytes without what they say beside the picture.

Each function copies the parts that a decoder needs, byte for byte, and names those that it left
out. How a picture is turned is part of the picture: an EXIF orientation is written again, alone.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oncotrail.errors import ImageFault
from oncotrail.imaging import nifti, raster, tiff_metadata

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD"}
NIFTI_TEXT = ("descrip", "aux_file", "intent_name", "db_name", "data_type")
JPEG_MARKER, JPEG_SCAN, JPEG_END = 0xFF, 0xDA, 0xD9
JPEG_APP0, JPEG_APP1, JPEG_APP14, JPEG_APP15, JPEG_COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
JPEG_NEXT_SEGMENT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
JFIF_LENGTH, ADOBE_LENGTH = 14, 12
ORIENTATION_TAG, UPRIGHT = 0x0112, 1


@dataclass(frozen=True)
class Stripped:
    """The bytes that are left, the ending they go by, and the names of what was left out."""

    data: bytes
    ending: str
    removed: tuple[str, ...]


def strip_png(data: bytes) -> Stripped:
    """Keep the chunks that make the picture; text, times, EXIF and colour profiles go."""
    kept, removed = [PNG_SIGNATURE], []
    orientation = raster.orientation_of(data, "PNG")
    for name, chunk in _png_chunks(data):
        if name in PNG_KEPT or name in (b"IDAT", b"IEND"):
            kept.append(chunk)
        else:
            removed.append(name.decode("latin-1"))
        if name == b"IHDR" and orientation != UPRIGHT:
            kept.append(_png_chunk(b"eXIf", _exif(orientation)))
    return Stripped(b"".join(kept), ".png", _named_once(removed))


def strip_jpeg(data: bytes) -> Stripped:
    """Keep tables, frame and scans; of the APP segments JFIF's density and Adobe's transform."""
    kept, removed = [b"\xff\xd8"], []
    orientation = raster.orientation_of(data, "JPEG")
    if orientation != UPRIGHT:
        kept.append(_jpeg_segment(JPEG_APP1, b"Exif\0\0" + _exif(orientation)))
    for marker, body, scan in _jpeg_segments(data):
        needed = _needed_of_jpeg(marker, body)
        if needed is None:
            comment = marker == JPEG_COMMENT
            removed.append("COM" if comment else f"APP{marker - JPEG_APP0}")
        else:
            kept.append(_jpeg_segment(marker, needed) + scan)
    return Stripped(b"".join([*kept, b"\xff\xd9"]), ".jpg", _named_once(removed))


def _needed_of_jpeg(marker: int, body: bytes) -> bytes | None:
    """What a decoder needs of a segment; None, if nothing. A JFIF thumbnail is not needed."""
    if marker == JPEG_APP0 and body.startswith(b"JFIF\0"):
        return body[: JFIF_LENGTH - 2] + b"\0\0"
    if marker == JPEG_APP14 and body.startswith(b"Adobe"):
        return body[:ADOBE_LENGTH]
    beside_the_picture = JPEG_APP0 <= marker <= JPEG_APP15 or marker == JPEG_COMMENT
    return None if beside_the_picture else body


def strip_nifti(data: bytes) -> Stripped:
    """Blank the header's free text and drop its extensions; unpacked, since gzip's bytes vary."""
    import nibabel

    plain = nifti.unpacked(data)
    kind: Any = nibabel.Nifti2Header if plain[:4] in nifti.NIFTI_2 else nibabel.Nifti1Header
    after_header = kind.sizeof_hdr + 4  # four bytes say whether extensions follow: none do
    header = kind(plain[: kind.sizeof_hdr], check=False)
    begin = max(int(header["vox_offset"]), after_header)
    length = math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize
    values = plain[begin : begin + length]
    if len(values) < length:
        said = f"is cut short: {len(values)} of {length} bytes of values"
        raise ImageFault(said, "copy it again")
    fields = set(header.keys())
    told = [name for name in NIFTI_TEXT if name in fields and header[name].item()]
    for name in told:
        header[name] = b""
    header["vox_offset"] = after_header
    removed = (*told, "extensions") if begin > after_header else tuple(told)
    return Stripped(header.binaryblock + bytes(4) + values, ".nii", removed)


def strip_tiff(data: bytes) -> Stripped:
    """Keep the tags that make the picture; text, dates, EXIF and whatever a program added go."""
    left, removed = tiff_metadata.strip(data)
    return Stripped(left, ".tif", removed)


STRIP: Mapping[str, Callable[[bytes], Stripped]] = {
    "PNG": strip_png,
    "JPEG": strip_jpeg,
    "TIFF": strip_tiff,
    "NIfTI": strip_nifti,
}


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's name and whole bytes: length, name, body, checksum. What follows IEND is not."""
    at, name = len(PNG_SIGNATURE), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ImageFault("is cut short in the middle of a PNG chunk", "copy it again")
        yield name, data[at:end]
        at = end


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each segment's marker and body, and the coded scan that follows it where it starts one."""
    at = 2
    while True:
        if data[at] != JPEG_MARKER:
            raise ImageFault(
                "is damaged: a JPEG segment does not begin where one is due", "copy it again"
            )
        marker = data[at + 1]
        if marker == JPEG_MARKER:  # markers may be padded with more of the same byte
            at += 1
            continue
        if marker == JPEG_END:
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        after = at + 2 + length
        end = _end_of_scan(data, after) if marker == JPEG_SCAN else after
        yield marker, data[at + 4 : after], data[after:end]
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next segment begins: in a scan, FF 00 is a plain FF and FF D0-D7 restart it."""
    found = JPEG_NEXT_SEGMENT.search(data, at)
    if found is None:
        raise ImageFault("is cut short in the middle of a JPEG scan", "copy it again")
    return found.start()


def _jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", JPEG_MARKER, marker, len(body) + 2) + body


def _exif(orientation: int) -> bytes:
    """An EXIF block (a little TIFF file) that says how the picture is turned and nothing else."""
    header = struct.pack("<2sHIH", b"II", 42, 8, 1)
    return header + struct.pack("<HHIHHI", ORIENTATION_TAG, 3, 1, orientation, 0, 0)


def _named_once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
