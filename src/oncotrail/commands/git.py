"""What git holds: the other side of a reproduction, and of a merge. Read only."""

from __future__ import annotations

import subprocess
from pathlib import Path

from oncotrail.errors import UserFault

_CONFLICT = "<<<<<<<"


def committed(root: Path, path: str) -> str | None:
    """A file's text in HEAD; nothing where HEAD has no such file, or there is no HEAD."""
    return _git(root, "show", f"HEAD:./{path}")


def committed_below(root: Path, folder: str) -> list[str]:
    """The files that HEAD holds below a folder."""
    return (_git(root, "ls-tree", "-r", "--name-only", "HEAD", f"{folder}/") or "").splitlines()


def changed(root: Path, paths: list[str]) -> list[str]:
    """Which files below `paths` differ from HEAD: edited, added, untracked or removed."""
    told = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *paths) or ""
    return sorted(line[3:] for line in told.splitlines())


def refuse_conflict(root: Path, path: str) -> None:
    """Raise if a file holds the marks that a merge leaves where two sides differ."""
    file = root / path
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else ()
    if any(line.startswith(_CONFLICT) for line in lines):
        message = (
            f"{path} holds the marks of a merge's conflict ({_CONFLICT}), and nothing can read it; "
            f"settle it (git checkout --ours {path}, or --theirs), then run make repro."
        )
        raise UserFault(message)


def _git(root: Path, *words: str) -> str | None:
    """What git says, or nothing where it refuses."""
    asked = subprocess.run(  # noqa: S603 - the words are ours
        ["git", "-C", str(root), *words],  # noqa: S607 - the user's git
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout if asked.returncode == 0 else None
