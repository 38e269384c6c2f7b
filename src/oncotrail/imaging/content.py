"""The key of an image's pictures: what it is made of, how, and by which code.

Two images with one key have the same pictures, so that those of an earlier run can be taken.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path

from oncotrail.errors import ImageFault
from oncotrail.imaging import read
from oncotrail.imaging.decode import ImageSource
from oncotrail.study import pixels
from oncotrail.study.pixels import ViewPixels

DECODERS = (
    "imagecodecs",
    "nibabel",
    "numpy",
    "pillow",
    "pydicom",
    "pylibjpeg",
    "pylibjpeg-openjpeg",
)


def key_of(source: ImageSource, view: ViewPixels) -> str:
    """The digest of an image's files, its box, its mask, the view's settings and the code."""
    made_of = {
        "image": _files(source.path),
        "box": source.box,
        "mask": None if source.mask is None else _files(source.mask),
        "view": view.asked(),
        "code": code(),
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


@cache
def code() -> str:
    """The digest of this room's code and of the decoders' versions.

    A change that changes no picture decodes all anew, which is cheap; a number that somebody must
    remember to raise would one day leave old pictures in place, which is not.
    """
    sha256 = hashlib.sha256()
    for file in (*sorted(Path(__file__).parent.glob("*.py")), Path(pixels.__file__)):
        sha256.update(file.read_bytes())
    for name in DECODERS:
        sha256.update(f"{name} {_version(name)}".encode())
    return sha256.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _files(path: Path) -> list[str]:
    """The digests of an image's files: names say nothing of a picture."""
    digests = []
    for file in read.files_of(path):
        try:
            with file.open("rb") as opened:
                digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
        except OSError as error:
            said = f"{file} cannot be read ({error.strerror})"
            raise ImageFault(said, "put the image there, or run make repro") from None
    return sorted(digests)
