"""One file of decoded pictures: a .npy file that is filled a picture at a time, and its journal.

    <key>.partial   the whole file's space, reserved; each picture is written to its own place
    <key>.journal   a line per image whose pictures are written, with their digests
    <key>.npy       the finished file
    <key>.index     its journal

The key is that of what the file will hold, so that half a file is only ever gone on with by
somebody who wants the same whole. After a kill (or a power cut) a line of the journal is believed
when the pictures in the file have the digests that it says.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import DiskFull
from oncotrail.imaging import journal
from oncotrail.imaging.journal import Journal, Places, Written
from oncotrail.imaging.scan import digest

Pixels = NDArray[np.uint8]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_RESERVED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)  # a file system that cannot


@dataclass(frozen=True)
class Layout:
    """What a pack holds: for each image `count` pictures of one shape, in the order of `keys`."""

    keys: tuple[str, ...]  # of the images: content and settings
    count: int
    shape: tuple[int, ...]  # of a picture

    @cached_property
    def key(self) -> str:
        """The name of the pack that holds this."""
        said = json.dumps([self.count, self.shape, self.keys])
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @cached_property
    def header(self) -> bytes:
        """The beginning of the .npy file."""
        buffer = io.BytesIO()
        shape = (len(self.keys) * self.count, *self.shape)
        described = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(buffer, described)
        return buffer.getvalue()

    @property
    def places(self) -> Places:
        """Where in the file each image's pictures stand."""
        return Places(len(self.header), self.count, self.shape)

    @property
    def bytes(self) -> int:
        """How large the file is."""
        return self.places.offset(len(self.keys))


@dataclass(frozen=True)
class Pack:
    """The files of one pack in a store."""

    store: Path
    layout: Layout

    @property
    def finished(self) -> Path:
        """The finished file."""
        return self.store / f"{self.layout.key}.npy"

    @property
    def index(self) -> Path:
        """What the finished file holds."""
        return self.store / f"{self.layout.key}.index"

    @property
    def partial(self) -> Path:
        """The file that is being filled."""
        return self.store / f"{self.layout.key}.partial"

    @property
    def journal(self) -> Path:
        """What the file that is being filled holds already."""
        return self.store / f"{self.layout.key}.journal"

    def whole(self) -> dict[int, Written] | None:
        """What the finished file holds; None where there is none, or it was written over."""
        said = journal.read(self.index)
        if said is None or not self.finished.is_file():
            return None
        if self.finished.stat().st_size == self.layout.bytes:
            found = still_there(self.finished, said)
            if len(found) == len(self.layout.keys):
                return found
        self.finished.unlink()
        self.index.unlink()
        return None

    def begin(self, label: str) -> dict[int, Written]:
        """Make the file ready to be filled; return what it holds already."""
        if self.index.exists():  # killed between the last two steps of `finish`
            self.index.replace(self.journal)
        said = journal.read(self.journal)
        if said is not None and self._is_reserved():
            journal.cut_torn_end(self.journal)
            return still_there(self.partial, said)
        self.journal.unlink(missing_ok=True)
        self._reserve(label)
        journal.begin(self.journal, label, self.layout.places)
        return {}

    def note(self, image: int, written: Written) -> None:
        """Remember that an image's pictures are in the file."""
        journal.note(self.journal, image, self.layout.keys[image], written)

    def finish(self) -> None:
        """Give the file its name: from here on it is whole."""
        for path in (self.partial, self.journal):
            _flush(path)
        self.journal.replace(self.index)
        self.partial.replace(self.finished)

    def _is_reserved(self) -> bool:
        if not self.partial.is_file() or self.partial.stat().st_size != self.layout.bytes:
            return False
        with self.partial.open("rb") as file:
            return file.read(len(self.layout.header)) == self.layout.header

    def _reserve(self, label: str) -> None:
        """Take the space before the work is done, so that a full disk is found now."""
        try:
            with self.partial.open("wb") as file:
                _allocate(file.fileno(), self.layout.bytes, self.store)
                journal.write_at(file.fileno(), self.layout.header, 0)
        except OSError as error:
            self.partial.unlink(missing_ok=True)
            if error.errno not in _FULL:
                raise
            message = (
                f"the pixels of {label} need {self.layout.bytes:,} bytes in {self.store}, and "
                "there is no space left for them; free some (oncotrail prune helps) and run make "
                "repro again."
            )
            raise DiskFull(message) from error


def write_pictures(path: Path, places: Places, image: int, pixels: Pixels) -> tuple[str, ...]:
    """Write an image's pictures to their place; return their digests.

    By pwrite: under a memory map a full disk would be a crash.
    """
    if pixels.dtype != np.uint8 or pixels.shape != (places.count, *places.shape):
        expected = (places.count, *places.shape)
        message = f"found pictures of {pixels.dtype} {pixels.shape}, expected uint8 {expected}"
        raise ValueError(message)
    descriptor = os.open(path, os.O_WRONLY)
    try:
        data = np.ascontiguousarray(pixels).tobytes()
        journal.write_at(descriptor, data, places.offset(image))
    finally:
        os.close(descriptor)
    return tuple(digest(picture) for picture in pixels)


def read_pictures(descriptor: int, places: Places, image: int) -> Pixels | None:
    """An image's pictures as they stand in an open file; None where it ends before them."""
    data = os.pread(descriptor, places.image_bytes, places.offset(image))
    if len(data) < places.image_bytes:
        return None
    return np.frombuffer(data, np.uint8).reshape(places.count, *places.shape)


def still_there(path: Path, said: Journal) -> dict[int, Written]:
    """Those of the images whose pictures in the file have the digests that the journal says."""
    with path.open("rb") as file:
        return {
            image: written
            for image, written in said.written.items()
            if same(read_pictures(file.fileno(), said.places, image), written.digests)
        }


def same(pixels: Pixels | None, digests: Sequence[str]) -> bool:
    """Whether these pictures have these digests."""
    return pixels is not None and tuple(digest(picture) for picture in pixels) == tuple(digests)


def _allocate(descriptor: int, size: int, store: Path) -> None:
    """Reserve; where the file system or the system cannot, compare with what is free."""
    try:
        if hasattr(os, "posix_fallocate"):  # not on macOS
            os.posix_fallocate(descriptor, 0, size)
            return
    except OSError as error:
        if error.errno not in _NOT_RESERVED:
            raise
    if shutil.disk_usage(store).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.ftruncate(descriptor, size)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
