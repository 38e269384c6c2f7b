"""A cheap answer to "has anything changed since the last sync?", without importing MLflow.

Only for a local database: if its file is the very one that the last sync left, and the files still
ask for the same pages, there is nothing to do. Whoever opens the store to write makes sync look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from oncotrail.tracking.store import database_of

STAMP = Path(".oncotrail") / "synced.json"


def still_holds(root: Path, uri: str, asked: Sequence[str]) -> bool:
    """Whether the last sync asked the same of the same, untouched database."""
    stamp = root / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _text(uri, asked)


def write(root: Path, uri: str, asked: Sequence[str]) -> None:
    """Remember that MLflow says what was asked."""
    stamp = root / STAMP
    if database_of(uri) is None:
        stamp.unlink(missing_ok=True)
        return
    stamp.parent.mkdir(parents=True, exist_ok=True)
    beside = stamp.with_suffix(".partial")
    beside.write_text(_text(uri, asked), encoding="utf-8")
    beside.replace(stamp)


def _text(uri: str, asked: Sequence[str]) -> str:
    said = hashlib.sha256(json.dumps(list(asked)).encode()).hexdigest()
    return json.dumps({"store": uri, "asked": said, "left": _left(uri)})


def _left(uri: str) -> list[list[int | str]]:
    """Name, size and time of the database's files, the write-ahead log among them."""
    database = database_of(uri)
    if database is None or not database.is_file():
        return []
    files = sorted(database.parent.glob(f"{database.name}*"))
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
