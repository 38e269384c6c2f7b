"""What lies in a fan-in stage's folder must be what the study declares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from oncotrail.errors import StudyFileError


def only_declared(folder: Path, declared: Iterable[str]) -> tuple[str, ...]:
    """The declared members, all there and nobody else.

    DVC leaves the folder of a network that was renamed or removed, and calls the pipeline up to
    date: whoever reads the folder whole would go on using it.
    """
    wanted = tuple(declared)
    present = (
        {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    )
    lingering = sorted(present - set(wanted))
    if lingering:
        message = (
            f"{folder} holds {lingering}, which the study file does not declare "
            f"(it declares {sorted(wanted)}); remove that folder, or run make repro, which does."
        )
        raise StudyFileError(message)
    missing = sorted(set(wanted) - present)
    if missing:
        message = f"{folder} lacks {missing}, which the study file declares; run make repro."
        raise StudyFileError(message)
    return wanted
