"""`oncotrail check STUDY`: everything that is wrong with a raw cohort, on this terminal alone.

What is printed quotes source ids and values: the person who mends the cohort needs them.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from oncotrail.acquire.check import Look, check
from oncotrail.acquire.findings import Findings, exclusions_table, problems_table
from oncotrail.acquire.images import Examined
from oncotrail.errors import DataFault
from oncotrail.imaging.decode import pictures_in
from oncotrail.study.file import StudyFile, read_study

_WIDTH_WHERE_NO_TERMINAL = 160


def check_cohort(root: Path, study: str) -> None:
    """Look a cohort over and print what was found; raise if something must be mended."""
    declared = read_study(root, study)
    acquire = declared.acquire[study]
    folder = root / acquire.path
    if not folder.is_dir():
        made = study in declared.demo_cohort
        mend = (
            f"run dvc repro demo@{study}, with .venv activated"
            if made
            else "put it there, or dvc pull it"
        )
        message = f"{acquire.path}, the raw cohort of {study}, is not there; {mend}."
        raise DataFault(message)
    findings = check(folder, acquire, declared.cohort[study], _as_decoded(declared, study))
    _show(findings)
    if findings.stopping:
        count = len(findings.stopping)
        raise DataFault(f"{count} problem{'s' if count > 1 else ''} to mend, in the table above.")


def _as_decoded(declared: StudyFile, study: str) -> Look:
    """What the stage decode will do with each image: choose its slices, window, cut, resize."""
    decode = declared.decode.get(study)

    def look(examined: Examined) -> None:
        view = examined.source.view
        if decode is not None and view in decode.views:
            pictures_in(examined.scan, decode.views[view], examined.marked)

    return look


def _show(findings: Findings) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_WHERE_NO_TERMINAL)
    for file, encoding in findings.encodings.items():
        console.print(f"{file} was read as {encoding}.", markup=False)
    if findings.stopping:
        console.print(problems_table(findings.stopping, "to mend"))
    if findings.tolerated:
        console.print(problems_table(findings.tolerated, "faults that keep a patient out"))
    if findings.exclusions:
        console.print(exclusions_table(findings.exclusions))
    counts = f"{findings.patients} patients, {findings.eligible} eligible, {findings.images} images"
    console.print(f"{counts}.", markup=False)
