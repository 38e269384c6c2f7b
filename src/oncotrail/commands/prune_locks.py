"""Who is at work now: stages hold the locks of .oncotrail/locks as long as they run.

Prune holds those that it can have, so that no stage starts under its hands; a stage waits for its
lock longer than files take to remove.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from oncotrail.stage import WORK


@contextmanager
def idle_stages_held(root: Path) -> Iterator[list[str]]:
    """Hold the locks of all stages that do not run; gives the names of those that do."""
    running = []
    with ExitStack() as held:
        for path in sorted((root / WORK / "locks").glob("*.lock")):
            file = held.enter_context(path.open("r+", encoding="utf-8"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                running.append(path.stem)
        yield running
