"""The pixel store: pictures decoded once, kept outside the outputs that DVC deletes.

    fill(store, output, sources, view, ...)    images -> output, a .npy file of all their pictures
    open_pixels(path)                          that file, memory-mapped
    prune(store)                               remove what no output needs

`output` is a hard link to a pack of the store (or a copy, where links cannot be made). Another run
takes from other packs what has the same content and settings, and decodes the rest. Every
picture that is taken is compared with its digest: outputs can be written to by anybody.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oncotrail.errors import StageBusy, TableError
from oncotrail.imaging import journal
from oncotrail.imaging.content import key_of
from oncotrail.imaging.decode import ImageSource
from oncotrail.imaging.journal import Journal, Written
from oncotrail.imaging.pack import Layout, Pack, read_pictures, same, write_pictures
from oncotrail.imaging.workers import decoded
from oncotrail.study.pixels import ViewPixels

PLACE = Path(".oncotrail", "pixels")  # in the repository
KEPT = 2  # packs of one view: that of the present settings, and the one before
SUFFIXES = {".index": (".index", ".npy"), ".journal": (".journal", ".partial")}
BLOCK = 512  # bytes, of st_blocks
NOT_LINKED = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)


@dataclass(frozen=True)
class Filled:
    """What an output holds, in the order of the sources, and where it came from."""

    images: tuple[Written, ...]
    decoded: int  # images
    taken: int  # images whose pictures an earlier run had made

    def __str__(self) -> str:
        return f"{self.decoded} decoded, {self.taken} taken from the store"


@dataclass(frozen=True)
class Pruned:
    """What was removed from a store."""

    packs: int
    bytes: int


def fill(
    store: Path,
    output: Path,
    sources: Sequence[ImageSource],
    view: ViewPixels,
    *,
    label: str,
    processes: int = 1,
) -> Filled:
    """Write the pictures of `sources`, in their order, to `output`; the same bytes however made.

    `label` names the view for messages, and of one label the last packs are kept.
    """
    store.mkdir(parents=True, exist_ok=True)
    keys = tuple(key_of(source, view) for source in sources)
    pack = Pack(store, Layout(keys, view.count, view.shape))
    with _locked(store / "store.lock", shared=True), _locked(store / f"{pack.layout.key}.lock"):
        written, count = pack.whole(), 0
        if written is None:
            written, count = _made(pack, sources, view, label, processes)
        os.utime(pack.index)
        _link(pack.finished, output)
        _retire(store, label, pack.layout.key)
    images = tuple(written[image] for image in range(len(keys)))
    return Filled(images, count, len(keys) - count)


def open_pixels(path: Path) -> NDArray[np.uint8]:
    """The pictures of a view, images x rows x columns [x 3], memory-mapped and read-only."""
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}); delete its folder and run make repro."
        raise TableError(message) from None
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
        found = f"{path} holds {pixels.dtype} of shape {pixels.shape}"
        message = f"{found}, expected pictures in uint8; run the decode stage again."
        raise TableError(message)
    return pixels  # type: ignore[no-any-return]


def prune(store: Path) -> Pruned:
    """Remove the packs that no output links to, and what a stopped run left half-made."""
    if not store.is_dir():
        return Pruned(0, 0)
    with _locked(store / "store.lock", wait=False):
        linked = {path.stem for path in store.glob("*.npy") if path.stat().st_nlink > 1}
        doomed = [
            path
            for path in store.iterdir()
            if path.stem not in linked and path.name != "store.lock"
        ]
        packs = sum(path.suffix == ".npy" for path in doomed)
        freed = sum(path.stat().st_blocks * BLOCK for path in doomed)
        for path in doomed:
            path.unlink()
    return Pruned(packs, freed)


def _made(
    pack: Pack, sources: Sequence[ImageSource], view: ViewPixels, label: str, processes: int
) -> tuple[dict[int, Written], int]:
    """Fill the pack: what it held, what earlier packs hold, and the rest decoded."""
    written = pack.begin(label)
    for image, found in _from_others(pack, set(range(len(sources))) - set(written)):
        pack.note(image, found)
        written[image] = found
    missing = [image for image in range(len(sources)) if image not in written]
    for image, made in decoded(pack, [(i, sources[i]) for i in missing], view, processes):
        pack.note(image, made)
        written[image] = made
    pack.finish()
    return written, len(missing)


def _from_others(pack: Pack, wanted: set[int]) -> Iterator[tuple[int, Written]]:
    """Copy pictures of the same key from other packs, finished or not."""
    images: dict[str, list[int]] = {}
    for image in sorted(wanted):
        images.setdefault(pack.layout.keys[image], []).append(image)
    for suffix, holds in ((".index", ".npy"), (".journal", ".partial")):
        for path in sorted(pack.store.glob(f"*{suffix}")):
            said = journal.read(path) if images and path != pack.journal else None
            if said is not None:
                yield from _copied(pack, path.with_suffix(holds), said, images)


def _copied(
    pack: Pack, path: Path, said: Journal, images: dict[str, list[int]]
) -> Iterator[tuple[int, Written]]:
    places = pack.layout.places
    if (said.places.count, said.places.shape) != (places.count, places.shape):
        return
    try:
        file = path.open("rb")
    except FileNotFoundError:  # finished or retired since
        return
    with file:
        for row in sorted(said.written):
            if said.keys[row] not in images:
                continue
            pixels, found = read_pictures(file.fileno(), said.places, row), said.written[row]
            if pixels is None or not same(pixels, found.digests):
                continue
            for image in images.pop(said.keys[row]):
                write_pictures(pack.partial, places, image, pixels)
                yield image, found


def _link(pack: Path, output: Path) -> None:
    output.unlink(missing_ok=True)
    try:
        output.hardlink_to(pack)
    except OSError as error:
        if error.errno not in NOT_LINKED:
            raise
        shutil.copyfile(pack, output)


def _retire(store: Path, label: str, present: str) -> None:
    """Of one label keep the last packs and no halves; whoever is still at work keeps its own."""
    finished = [path for path in _of_label(store, ".index", label) if path.stem != present]
    newest_first = sorted(finished, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in (*newest_first[KEPT - 1 :], *_of_label(store, ".journal", label)):
        try:
            with _locked(path.with_suffix(".lock"), wait=False):
                for suffix in SUFFIXES[path.suffix]:
                    path.with_suffix(suffix).unlink(missing_ok=True)
        except StageBusy:
            continue


def _of_label(store: Path, suffix: str, label: str) -> list[Path]:
    said = {path: journal.read(path) for path in store.glob(f"*{suffix}")}
    return [path for path, found in said.items() if found is not None and found.label == label]


@contextmanager
def _locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[None]:
    """Hold a lock; the kernel frees it however the holder ends. Without `wait`, or `StageBusy`."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            message = f"{path.parent} is being filled by another process; wait for it to end."
            raise StageBusy(message) from None
        yield
