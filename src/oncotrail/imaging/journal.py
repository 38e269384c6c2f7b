"""What a pack of pictures holds, written a line at a time: a kill loses no more than a line.

The first line says whose the pack is and where pictures stand in it, every other line that an
image's pictures are written. Each begins with a digest of itself, so that a torn line is seen.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Places:
    """Where in a file each image's pictures stand."""

    begin: int  # after the header
    count: int  # pictures of an image
    shape: tuple[int, ...]  # of a picture

    @property
    def image_bytes(self) -> int:
        """How many bytes the pictures of one image take."""
        return self.count * math.prod(self.shape)

    def offset(self, image: int) -> int:
        """Where the pictures of an image begin."""
        return self.begin + image * self.image_bytes


@dataclass(frozen=True)
class Written:
    """What is known of one image's pictures in a pack."""

    digests: tuple[str, ...]  # of each picture
    slices: tuple[int, ...]  # of which slice each picture is


@dataclass(frozen=True)
class Journal:
    """All that the whole lines of a journal say."""

    label: str  # of the view
    places: Places
    written: dict[int, Written]  # by the image's number in the pack
    keys: dict[int, str]  # of the same images: content and settings


def begin(path: Path, label: str, places: Places) -> None:
    """Start a journal."""
    append(path, {"label": label, **places.__dict__})


def note(path: Path, image: int, key: str, written: Written) -> None:
    """Say that an image's pictures are in the file."""
    append(path, [image, key, written.digests, written.slices])


def read(path: Path) -> Journal | None:
    """What a journal says, up to its torn end if it has one; None where it says nothing."""
    said, _ = _lines(path)
    if not said:
        return None
    first, *others = said
    places = Places(first["begin"], first["count"], tuple(first["shape"]))
    return Journal(
        first["label"],
        places,
        {image: Written(tuple(digests), tuple(slices)) for image, _, digests, slices in others},
        {image: key for image, key, _, _ in others},
    )


def cut_torn_end(path: Path) -> None:
    """Leave whole lines alone, so that the next one can be appended."""
    _, length = _lines(path)
    os.truncate(path, length)


def append(path: Path, said: dict[str, Any] | Sequence[Any]) -> None:
    """Append one line, in one write."""
    payload = json.dumps(said)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        write_at(descriptor, f"{_check(payload)} {payload}\n".encode(), None)
    finally:
        os.close(descriptor)


def write_at(descriptor: int, data: bytes, offset: int | None) -> None:
    """Write all of `data` at `offset`, or at the end of a file opened for appending."""
    left = memoryview(data)
    while left:
        if offset is None:
            count = os.write(descriptor, left)
        else:
            count = os.pwrite(descriptor, left, offset)
            offset += count
        left = left[count:]


def _lines(path: Path) -> tuple[list[Any], int]:
    """What the whole lines say, and how many bytes they are; nothing follows a broken one."""
    said: list[Any] = []
    length = 0
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return said, length
    for line in lines:
        check, _, payload = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
        if not line.endswith(b"\n") or check != _check(payload):
            break
        said.append(json.loads(payload))
        length += len(line)
    return said, length


def _check(payload: str) -> str:
    return hashlib.sha256(payload.encode()).hexdigest()[:16]
