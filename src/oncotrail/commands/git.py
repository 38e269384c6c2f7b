"""What git holds: the other side of a reproduction. Read only."""

from __future__ import annotations

import subprocess
from pathlib import Path


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


def _git(root: Path, *words: str) -> str | None:
    """What git says, or nothing where it refuses."""
    asked = subprocess.run(  # noqa: S603 - the words are ours
        ["git", "-C", str(root), *words],  # noqa: S607 - the user's git
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout if asked.returncode == 0 else None
