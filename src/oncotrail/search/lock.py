"""One search per network at a time: the lock's file says who has it."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from oncotrail.errors import StageBusy


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold the lock, or be refused by name of who does; the kernel frees it however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _take(file, what)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        yield


def refuse_if_held(path: Path, what: str) -> None:
    """Raise where somebody searches `what` now."""
    if path.is_file():
        with path.open("r+", encoding="utf-8") as file:
            _take(file, what)


def _take(file: TextIO, what: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        message = f"{what} is being searched by {holder}; wait for it, or end it."
        raise StageBusy(message) from None
