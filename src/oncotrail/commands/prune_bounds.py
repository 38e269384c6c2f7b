"""Which of several leftovers go: what was not used for so long, then what was not used longest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 512  # bytes, of st_blocks
DAY = 24 * 60 * 60
MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Bounds:
    """What nothing needs may stay for so many days, as long as all of it takes no more space."""

    days: float = 7
    gib: float = 20
    now: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Leftover:
    """A file or folder that nothing needs, though something may again."""

    path: Path
    bytes: int  # that its end gives back: a file that an output links to stays on the disk
    used: float  # when last

    @classmethod
    def at(cls, path: Path) -> Leftover:
        """As it lies there now."""
        found = [file.lstat() for file in _files(path)]
        freed = sum(said.st_blocks * BLOCK for said in found if said.st_nlink == 1)
        return cls(path, freed, max((said.st_mtime for said in found), default=0.0))


def doomed(leftovers: Iterable[Leftover], bounds: Bounds) -> list[Leftover]:
    """Those that go, the longest unused first."""
    gone, held = [], 0
    for leftover in sorted(leftovers, key=lambda found: found.used, reverse=True):
        held += leftover.bytes
        if leftover.used < bounds.now - bounds.days * DAY or held > bounds.gib * GIB:
            gone.append(leftover)
    return gone[::-1]


def size_of(count: int) -> str:
    """Bytes for a person.

    >>> size_of(3 * MIB)
    '3 MiB'
    """
    return f"{count / MIB:,.0f} MiB"


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (inner for inner in path.rglob("*") if not inner.is_dir())
    else:
        yield path
