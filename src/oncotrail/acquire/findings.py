"""What is wrong with a raw cohort, all of it at once, and who would be kept out.

A problem quotes source ids and values, because the person who must mend it needs them. It is
printed on that person's terminal by `oncotrail check` and goes nowhere else. Its `reason` names
neither, and that is what the tables keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from rich.markup import escape
from rich.table import Table

FaultKind = Literal["data fault", "eligibility"]


@dataclass(frozen=True)
class Problem:
    """One fault: where it is, what was found, how to mend it.

    `patient` is the one patient (by source id) whom leaving out would remove the fault; None, where
    no single patient can be blamed, so that somebody has to look.
    """

    file: str
    row: int | None  # as a spreadsheet counts: the header is row 1
    what: str
    mend: str
    reason: str
    patient: str | None = None


@dataclass(frozen=True)
class Exclusion:
    """Why one patient (by source id) is kept out."""

    patient: str
    kind: FaultKind
    reason: str


@dataclass(frozen=True)
class Findings:
    """All that a check found. `stopping` must be mended before the cohort can be used."""

    stopping: tuple[Problem, ...]
    tolerated: tuple[Problem, ...]  # faults of patients who are excluded, with on_fault: exclude
    exclusions: tuple[Exclusion, ...]
    patients: int
    images: int
    encodings: dict[str, str] = field(default_factory=dict)  # file -> how its text was read

    @property
    def eligible(self) -> int:
        """How many patients are left."""
        return self.patients - len({exclusion.patient for exclusion in self.exclusions})


def problems_table(problems: Iterable[Problem], title: str, most: int = 500) -> Table:
    """A table for the terminal: file, row, what, mend."""
    table = Table("file", "row", "what", "mend", title=title, title_justify="left")
    ordered = sorted(problems, key=lambda p: (p.file, p.row or 0, p.what))
    for problem in ordered[:most]:
        row = "" if problem.row is None else str(problem.row)
        table.add_row(*map(escape, (problem.file, row, problem.what, problem.mend)))
    if len(ordered) > most:
        table.add_row("...", "", f"and {len(ordered) - most} more", "mend these first")
    return table


def exclusions_table(exclusions: Iterable[Exclusion]) -> Table:
    """A table for the terminal: who would be kept out, and why."""
    table = Table("patient", "kind", "reason", title="kept out", title_justify="left")
    for exclusion in sorted(exclusions, key=lambda e: (e.patient, e.reason)):
        table.add_row(*map(escape, (exclusion.patient, exclusion.kind, exclusion.reason)))
    return table
