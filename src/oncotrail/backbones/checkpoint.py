"""Checkpoints on disk: safetensors with JSON in its header, never a pickle.

A folder per run, named by the run's key: the digest of its stage, settings and inputs. Another key
is another training, and never goes on from here. Each file is written beside its place, synced and
renamed, and named by the digest of its bytes, so a kill leaves a whole one and damage is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from oncotrail.backbones.snapshot import Snapshot

KEPT = 2  # the newest, and the one before in case it is damaged
_NAME = re.compile(r"(\d{8})-([0-9a-f]{16})\.safetensors")


@dataclass
class FolderCheckpoints:
    """The checkpoints of the run with this key, in a folder of its own."""

    folder: Path  # named by the run's key
    say: Callable[[str], object]
    every_seconds: float = 60.0  # at most so often, and less often where saving is slow
    share_of_time: float = 0.01  # saving may cost this share of the time between two
    clock: Callable[[], float] = time.monotonic
    _saved: float = field(init=False)
    _cost: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._saved = self.clock()

    def latest(self) -> Snapshot | None:
        """The newest one that can be read; says what it does with those that cannot."""
        for path in _newest_first(self.folder):
            snapshot = self._read(path)
            if snapshot is not None:
                epochs = len(snapshot.facts["history"])
                self.say(f"goes on after epoch {epochs}, from a checkpoint of the same run")
                return snapshot
        return None

    def due(self) -> bool:
        """Whether enough time has passed since the last for its cost not to matter."""
        wait = max(self.every_seconds, self._cost / self.share_of_time)
        return self.clock() - self._saved >= wait

    def save(self, snapshot: Snapshot) -> None:
        """Write one, then remove those before the last two."""
        started = self.clock()
        self.folder.mkdir(parents=True, exist_ok=True)
        before = _newest_first(self.folder)
        number = _number(before[0]) + 1 if before else 1
        facts = {"key": self.folder.name, "torch": torch.__version__, **snapshot.facts}
        content = safetensors.torch.save(dict(snapshot.tensors), {"facts": json.dumps(facts)})
        _write(self.folder / f"{number:08d}-{_digest(content)}.safetensors", content)
        for path in before[KEPT - 1 :]:
            path.unlink()
        self._saved = self.clock()
        self._cost = self._saved - started

    def __getstate__(self) -> dict[str, Any]:
        """In another process: the same folder, and one voice is enough."""
        return {**self.__dict__, "say": _silent}

    def _read(self, path: Path) -> Snapshot | None:
        found = _NAME.fullmatch(path.name)
        if found is None or _digest_of(path) != found[2]:
            self.say(f"checkpoint {path.name} is damaged; an earlier one is taken, or none")
            return None
        with safetensors.safe_open(path, "pt") as opened:
            facts = json.loads(opened.metadata()["facts"])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  no mapping
        for what, here in (("key", self.folder.name), ("torch", torch.__version__)):
            if facts.pop(what) != here:
                self.say(f"checkpoint {path.name} is another {what}'s; it is not gone on from")
                return None
        return Snapshot(tensors, facts)


def _silent(_: str) -> None:
    """Say nothing."""


def _newest_first(folder: Path) -> list[Path]:
    return sorted(_checkpoints(folder), key=_number, reverse=True)


def _checkpoints(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.safetensors") if _NAME.fullmatch(path.name))


def _number(path: Path) -> int:
    return int(path.name[:8])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _write(path: Path, content: bytes) -> None:
    """Beside, to the disk, then renamed; then the folder, so that the name is on the disk too."""
    beside = path.with_name(".partial")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
