"""One image on disk -> `Scan`, whatever its format, or one sentence that says what is wrong.

An image is a file, or a folder with the DICOM slices of one series.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oncotrail.errors import ImageFault
from oncotrail.imaging import dicom, nifti, raster, series
from oncotrail.imaging.scan import Scan

Kind = Literal["DICOM", "PNG", "JPEG", "TIFF", "NIfTI"]

ENDINGS: dict[str, Kind] = {
    ".dcm": "DICOM",
    ".dicom": "DICOM",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".nii.gz": "NIfTI",
    ".nii": "NIfTI",
}
MOST_BYTES = 2**32
LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini", "dicomdir"}

# Decoders log what they stumble over and quote it, perhaps a name. What we need we check ourselves.
for _decoder in ("PIL", "nibabel.global", "openjpeg", "pydicom", "imagecodecs"):
    logging.getLogger(_decoder).setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class ImageFile:
    """An image's bytes, and the kind that both its name and its content say."""

    kind: Kind
    data: bytes


@dataclass(frozen=True)
class ImageSeries:
    """The files of a folder, by name: DICOM slices of one series, if the folder is well."""

    names: tuple[str, ...]
    files: tuple[ImageFile, ...]


Image = ImageFile | ImageSeries


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
        raise fault.at(path) from fault


def load(path: Path) -> Image:
    """An image's bytes, checked to be what the names say; a fault's sentence begins with a verb."""
    if path.is_dir():
        return _load_series(path)
    return _load_file(path)


def files_of(path: Path) -> list[Path]:
    """The files that an image consists of: itself, or what lies in its folder, by name."""
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.iterdir()
        if not file.name.startswith(".") and file.name.lower() not in LEFT_BY_SYSTEMS
    )


def scan_of(image: Image) -> Scan:
    """Decode an image's bytes."""
    if isinstance(image, ImageSeries):
        with decoding("DICOM"):
            return series.scan_of([dicom.dataset_of(file.data) for file in image.files])
    with decoding(image.kind):
        if image.kind == "DICOM":
            return dicom.scan_of(dicom.dataset_of(image.data))
        if image.kind == "NIfTI":
            return nifti.scan_of(image.data)
        return raster.scan_of(image.data, image.kind)


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
        raise ImageFault(
            f"is damaged ({kind}, {type(error).__name__})", "copy or export it again"
        ) from error


def _load_file(path: Path) -> ImageFile:
    if not path.is_file():
        raise ImageFault("is missing", "put the image there, or correct its name")
    if path.stat().st_size > MOST_BYTES:
        raise ImageFault(f"is larger than {MOST_BYTES:,} bytes", "export the part that is meant")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageFault(
            f"cannot be read ({error.strerror})", "check its permissions and its disk"
        ) from None
    return ImageFile(_kind(path.name, data), data)


def _load_series(folder: Path) -> ImageSeries:
    paths = files_of(folder)
    if not paths:
        raise ImageFault("is an empty folder", "put the DICOM slices of one series into it")
    if any(path.is_dir() for path in paths):
        raise ImageFault("holds folders", "put the slices of one series into one folder")
    if sum(path.stat().st_size for path in paths) > MOST_BYTES:
        raise ImageFault(f"is larger than {MOST_BYTES:,} bytes", "export the part that is meant")
    files = []
    for path in paths:
        try:
            files.append(_load_file(path))
        except ImageFault as fault:
            raise ImageFault(f"holds {path.name}, which {fault.what}", fault.mend) from fault
        if files[-1].kind != "DICOM":
            raise ImageFault(
                f"holds {path.name}, which is {files[-1].kind}",
                "a folder is one DICOM series; put other images beside it, a file each",
            )
    return ImageSeries(tuple(path.name for path in paths), tuple(files))


def _kind(name: str, data: bytes) -> Kind:
    if not data:
        raise ImageFault("is empty", "copy or export it again")
    ending = ending_of(name)
    said: Kind = ENDINGS[ending.lower()] if ending else "DICOM"
    found = _kind_by_content(data)
    if found is None:
        raise ImageFault(
            f"is not a {said} file, nor any other that is read", f"export it again as {said}"
        )
    if found != said:
        named = f"is named {ending}" if ending else "has no ending, as DICOM files have none,"
        raise ImageFault(f"{named} but holds {found}", "rename or convert it")
    return found


def _kind_by_content(data: bytes) -> Kind | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[128:132] == b"DICM":
        return "DICOM"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    if data.startswith(nifti.GZIP) or data[344:347] == b"n+1" or data[4:7] == b"n+2":
        return "NIfTI"
    return None
