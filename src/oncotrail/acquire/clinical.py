"""The clinical table as text -> typed rows, with every fault among the problems.

Structure first (columns, ids), then each row: the study's eligibility rules, and for those who meet
them every cell. A patient who is not studied may have any cell wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from unicodedata import normalize

from oncotrail.acquire import cells
from oncotrail.acquire.cells import CellFaultError, Value
from oncotrail.acquire.eligibility import ineligible
from oncotrail.acquire.findings import Exclusion, Problem
from oncotrail.acquire.sheet import Row, Sheet, is_blank
from oncotrail.study.base import nearest
from oncotrail.study.cohort import Cohort

DAYS = {"days": 1.0, "months": 30.4375, "years": 365.25}
WHOLE_FOLLOW_UP = "os"  # the outcome that ends when a patient was last known alive, or died


@dataclass
class Clinical:
    """The rows by source id, as the cohort table will hold them, and who is not studied."""

    read_as: str | None = None
    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    row_numbers: dict[str, int] = field(default_factory=dict)
    exclusions: list[Exclusion] = field(default_factory=list)
    sites: dict[str, str] = field(default_factory=dict)  # of everybody, studied or not
    known: set[str] = field(default_factory=set)  # every id, also those of rows that are no use


def identity(text: str) -> str:
    """An id as it is compared: file systems and spreadsheets write the same accents differently."""
    return normalize("NFC", text.strip())


def read_clinical(sheet: Sheet, cohort: Cohort, problems: list[Problem]) -> Clinical:
    """Read every row; report unknown and missing columns, repeated ids and every wrong cell."""
    problems.extend(_column_problems(sheet, cohort))
    clinical = Clinical(read_as=sheet.read_as)
    if cohort.patient not in sheet.header:
        return clinical
    clinical.known = {identity(row.cells[cohort.patient]) for row in sheet.rows}
    for row in _rows_with_an_id(sheet, cohort, problems):
        patient = identity(row.cells[cohort.patient])
        clinical.row_numbers[patient] = row.number
        clinical.sites[patient] = row.cells.get(cohort.site, "")
        reasons = ineligible(row.cells, cohort.eligibility)
        clinical.exclusions += [Exclusion(patient, "eligibility", reason) for reason in reasons]
        if not reasons:
            clinical.rows[patient] = _read_row(sheet.file, row, patient, cohort, problems)
    return clinical


def outcome_columns(cohort: Cohort) -> set[str]:
    """The source columns that outcomes are read from."""
    labels = {outcome.column for outcome in cohort.labels().values()}
    times = {
        column
        for outcome in cohort.times_to_event().values()
        for column in (outcome.time, outcome.event)
    }
    return labels | times


def _column_problems(sheet: Sheet, cohort: Cohort) -> Iterator[Problem]:
    needed = {cohort.patient, cohort.site, *cohort.clinical, *outcome_columns(cohort)}
    reason = f"{sheet.file} lacks columns or has unknown ones"
    absent = sorted(needed - set(sheet.header))
    unknown = [name for name in sheet.header if name not in needed | set(cohort.ignored)]
    for name in absent:
        what = f"column {name!r} is declared and missing"
        yield Problem(sheet.file, 1, what, f"add it. {nearest(name, unknown)}", reason)
    for name in unknown:
        mend = f"rename it, or list it under cohort.ignored. {nearest(name, absent or needed)}"
        yield Problem(sheet.file, 1, f"column {name!r} is not declared", mend, reason)


def _rows_with_an_id(sheet: Sheet, cohort: Cohort, problems: list[Problem]) -> Iterator[Row]:
    """Rows whose id is there and their own; of a repeated id no row is trusted."""
    ids = [identity(row.cells[cohort.patient]) for row in sheet.rows]
    times = Counter(ids)
    for row, patient in zip(sheet.rows, ids, strict=True):
        if is_blank(patient):
            what, reason = f"{cohort.patient} is blank", "rows without an id"
        elif times[patient] > 1:
            what, reason = f"patient {patient} has {times[patient]} rows", "repeated ids"
        else:
            yield row
            continue
        mend = "give every patient one row and an id of their own"
        problems.append(Problem(sheet.file, row.number, what, mend, reason))


def _read_row(
    file: str, row: Row, patient: str, cohort: Cohort, problems: list[Problem]
) -> dict[str, Value]:
    """Each declared cell of one row, as the cohort table names it; a faulty one is left out."""
    values: dict[str, Value] = {}

    def read(name: str, column: str, reader: Callable[[str], Value]) -> None:
        cell = row.cells.get(column)
        if cell is None:  # a missing column is reported once, not per row
            return
        try:
            values[name] = reader(cell)
        except CellFaultError as fault:
            what = f"patient {patient}: {column} {fault.fault}" + (f" ({cell})" if cell else "")
            reason = f"{column} {fault.fault}"
            problems.append(Problem(file, row.number, what, fault.mend, reason, patient))

    read("site", cohort.site, cells.text)
    for name, label in cohort.labels().items():
        read(name, label.column, partial(cells.label, outcome=label))
    for name, outcome in cohort.times_to_event().items():
        read(f"{name}_time", outcome.time, partial(cells.time, outcome=outcome))
        read(f"{name}_event", outcome.event, partial(cells.event, outcome=outcome))
    for name, column in cohort.clinical.items():
        read(name, name, partial(cells.clinical, column=column))
    problems.extend(_after_follow_up(file, row.number, patient, values, cohort))
    return values


def _after_follow_up(
    file: str, number: int, patient: str, values: Mapping[str, Value], cohort: Cohort
) -> Iterator[Problem]:
    """Nothing is known of a patient after death or the last contact, which `os` counts to."""
    times = cohort.times_to_event()
    last = values.get(f"{WHOLE_FOLLOW_UP}_time")
    if not isinstance(last, float):
        return
    whole = times[WHOLE_FOLLOW_UP]
    for name, outcome in times.items():
        time = values.get(f"{name}_time")
        slack = 0.0 if outcome.unit == whole.unit else 1.0  # a day, for two roundings
        if isinstance(time, float) and time * DAYS[outcome.unit] > last * DAYS[whole.unit] + slack:
            what = (
                f"patient {patient}: {outcome.time} is {time:g} {outcome.unit}, after the last "
                f"follow-up ({whole.time} {last:g} {whole.unit})"
            )
            reason = f"{outcome.time} is after the last follow-up"
            mend = f"correct {outcome.time} or {whole.time}"
            yield Problem(file, number, what, mend, reason, patient)
