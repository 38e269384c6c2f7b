"""One image on disk -> `Scan`, whatever its format, or one sentence that says what is wrong."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oncotrail.errors import ImageFault
from oncotrail.imaging import dicom, nifti, raster
from oncotrail.imaging.scan import Scan

Kind = Literal["DICOM", "PNG", "JPEG", "NIfTI"]

ENDINGS: dict[str, Kind] = {
    ".dcm": "DICOM",
    ".dicom": "DICOM",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".nii.gz": "NIfTI",
    ".nii": "NIfTI",
}
MOST_BYTES = 2**30

# Decoders log what they stumble over and quote it, perhaps a name. What we need we check ourselves.
for _decoder in ("PIL", "nibabel.global", "openjpeg", "pydicom"):
    logging.getLogger(_decoder).setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class ImageFile:
    """An image's bytes, and the kind that both its name and its content say."""

    kind: Kind
    data: bytes


def ending_of(name: str) -> str:
    """The ending by which a file says what it holds; none is DICOM's habit.

    >>> ending_of("P1.nii.gz"), ending_of("1.2.840.7")
    ('.nii.gz', '')
    """
    low = name.lower()
    return next((name[-len(ending) :] for ending in ENDINGS if low.endswith(ending)), "")


def read_scan(path: Path) -> Scan:
    """Read an image of any supported format; an `ImageFault` begins with the path."""
    try:
        return scan_of(load(path))
    except ImageFault as fault:
        message = f"{path} {fault}"
        raise ImageFault(message) from fault


def load(path: Path) -> ImageFile:
    """An image's bytes, checked to be what the name says; a fault's sentence begins with a verb."""
    if not path.is_file():
        message = "is missing; put the image there, or correct its name."
        raise ImageFault(message)
    if path.stat().st_size > MOST_BYTES:
        message = f"is larger than {MOST_BYTES:,} bytes; expected one slice."
        raise ImageFault(message)
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check its permissions and its disk."
        raise ImageFault(message) from None
    return ImageFile(_kind(path.name, data), data)


def scan_of(file: ImageFile) -> Scan:
    """Decode an image's bytes."""
    with decoding(file.kind):
        if file.kind == "DICOM":
            return dicom.scan_of(dicom.dataset_of(file.data))
        if file.kind == "NIfTI":
            return nifti.scan_of(file.data)
        return raster.scan_of(file.data, file.kind)


@contextmanager
def decoding(kind: Kind) -> Iterator[None]:
    """A damaged file can make a decoder raise anything; all of it becomes one `ImageFault`.

    It quotes nothing from the file, and a decoder's warnings, which do, are not shown.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except ImageFault:
        raise
    except Exception as error:
        message = f"is damaged ({kind}, {type(error).__name__}); copy or export it again."
        raise ImageFault(message) from error


def _kind(name: str, data: bytes) -> Kind:
    if not data:
        message = "is empty; copy or export it again."
        raise ImageFault(message)
    ending = ending_of(name)
    said: Kind = ENDINGS[ending.lower()] if ending else "DICOM"
    found = _kind_by_content(data)
    if found is None:
        message = f"is not a {said} file, nor any other that is read; export it again as {said}."
        raise ImageFault(message)
    if found != said:
        named = f"is named {ending}" if ending else "has no ending, as DICOM files have none,"
        message = f"{named} but holds {found}; rename or convert it."
        raise ImageFault(message)
    return found


def _kind_by_content(data: bytes) -> Kind | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[128:132] == b"DICM":
        return "DICOM"
    if data.startswith(nifti.GZIP) or data[344:347] == b"n+1" or data[4:7] == b"n+2":
        return "NIfTI"
    return None
