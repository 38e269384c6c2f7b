"""What only all patients together can show: one class, mixed units, one picture twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from oncotrail.acquire.cells import Value
from oncotrail.acquire.findings import Problem
from oncotrail.acquire.folder import Source
from oncotrail.acquire.units import mixed_units
from oncotrail.study.cohort import Cohort, Number

Rows = Mapping[str, Mapping[str, Value]]  # by patient


def nobody_left(file: str, rows: Rows) -> Iterator[Problem]:
    """A cohort of which nobody may be studied."""
    if not rows:
        mend = "check the rules under cohort.eligibility, and the faults of each patient"
        yield _column(file, "no patient is left to study", mend, "no patient is left")


def one_class(file: str, rows: Rows, cohort: Cohort) -> Iterator[Problem]:
    """Outcomes that nobody, or everybody, has: nothing can be learned of them."""
    for name in cohort.labels():
        found = {row[name] for row in rows.values() if name in row}
        if len(found) == 1:
            what = f"all {len(rows)} patients have the same {name}"
            yield _column(file, what, f"check the coding of {name}", f"{name} has one class")
    for name in cohort.times_to_event():
        events = {row[f"{name}_event"] for row in rows.values() if f"{name}_event" in row}
        if events == {0}:
            what = f"no patient has the event of {name}"
            yield _column(file, what, f"check the coding of {name}", f"{name} has no event")


def units(file: str, rows: Rows, cohort: Cohort, checked: Sequence[str]) -> Iterator[Problem]:
    """Columns whose values fall into two heaps that a change of unit would explain."""
    for name, column, unit in _measured(cohort):
        values = [row[name] for row in rows.values() if name in row]
        mixed = mixed_units([value for value in values if isinstance(value, float)], unit)
        if mixed is None or column in checked:
            continue
        meaning = " or ".join(f"{f.meaning}, {f.times:.4g} times apart" for f in mixed.factors)
        low, high = mixed.typical
        what = (
            f"{column} looks like two units ({meaning}): values about {low:.3g} and about "
            f"{high:.3g}; {mixed.smaller} of {len(values)} are in the smaller group"
        )
        mend = f"convert them to one unit, or list {column} under acquire.units_checked"
        yield _column(file, what, mend, f"{column} mixes units")


def _measured(cohort: Cohort) -> Iterator[tuple[str, str, str]]:
    """Each measured value: its name in a row, its column in the table, its unit."""
    for name, column in cohort.clinical.items():
        if isinstance(column, Number):
            yield name, name, column.unit
    for name, outcome in cohort.times_to_event().items():
        yield f"{name}_time", outcome.time, outcome.unit


def same_picture(pictures: Mapping[str, Sequence[Source]]) -> Iterator[Problem]:
    """One picture (by digest) under several patients: at least one of them is somebody else."""
    for sources in pictures.values():
        first, *others = sorted(sources, key=lambda source: source.file)
        for other in others:
            if other.patient != first.patient:
                what = f"shows the very picture of {first.file}"
                mend = "find out whose it is, and export the other patient's own image"
                yield Problem(other.file, other.row, what, mend, "one picture under two patients")


def _column(file: str, what: str, mend: str, reason: str) -> Problem:
    return Problem(file, None, what, mend, reason)
