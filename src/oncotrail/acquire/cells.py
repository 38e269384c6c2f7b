"""One cell of the clinical table -> its value, or what is wrong with it and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Collection

from oncotrail.acquire.sheet import is_blank
from oncotrail.study.cohort import Category, Label, Number, TimeToEvent

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE_WRITTEN_AS_DECIMAL = re.compile(r"([+-]?\d+)\.0+")

Value = float | int | str | None


class CellFaultError(Exception):
    """A cell that cannot be used. `fault` quotes no value, so that a table may keep it."""

    def __init__(self, fault: str, mend: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.mend = mend


def clinical(cell: str, column: Number | Category) -> Value:
    """A clinical value; a blank one is None and no fault."""
    if isinstance(column, Category):
        code = _code(cell, column.levels)
        return None if code is None else code
    value = number(cell)
    if value is not None and not column.minimum <= value <= column.maximum:
        fault = f"is outside {column.minimum:g} to {column.maximum:g} {column.unit}"
        raise CellFaultError(fault, f"correct it; the unit is {column.unit}")
    return value


def text(cell: str) -> str:
    """Text that must be there."""
    if is_blank(cell):
        mend = "fill it"
        raise CellFaultError("is blank", mend)
    return cell


def label(cell: str, outcome: Label) -> int:
    """1 for the positive label, 0 for the negative."""
    return int(_required(cell, (outcome.negative, outcome.positive)) == outcome.positive)


def event(cell: str, outcome: TimeToEvent) -> int:
    """1 if the event happened, 0 if the time is censored."""
    return int(_required(cell, (outcome.censored, outcome.happened)) == outcome.happened)


def time(cell: str, outcome: TimeToEvent) -> float:
    """A time after the start of follow-up, in the outcome's unit."""
    value = number(cell)
    if value is None:
        raise _blank()
    if value <= 0:
        mend = f"correct it; the unit is {outcome.unit}, counted from the start of follow-up"
        raise CellFaultError("is not above 0", mend)
    return value


def number(cell: str) -> float | None:
    """A finite number as a program writes it; blank is None.

    >>> number("1e1"), number("NA")
    (10.0, None)
    """
    if is_blank(cell):
        return None
    if _NUMBER.fullmatch(cell) is None:
        comma = _NUMBER.fullmatch(cell.replace(",", ".")) is not None
        mend = "write decimals with a point" if comma else "write a number, or leave it blank"
        raise CellFaultError("is not a number", mend)
    value = float(cell)
    if abs(value) == float("inf"):
        raise CellFaultError("is not a finite number", "correct it")
    return value


def _required(cell: str, codes: Collection[str]) -> str:
    code = _code(cell, codes)
    if code is None:
        raise _blank()
    return code


def _code(cell: str, codes: Collection[str]) -> str | None:
    """The declared code that a cell holds; spreadsheets like to write the code 1 as 1.0."""
    if cell in codes:
        return cell
    whole = _WHOLE_WRITTEN_AS_DECIMAL.fullmatch(cell)
    if whole and whole.group(1) in codes:
        return whole.group(1)
    if is_blank(cell):
        return None
    raise CellFaultError(f"is none of {', '.join(codes)}", "correct it, or declare the code")


def _blank() -> CellFaultError:
    return CellFaultError("is blank", "fill it; an outcome is never guessed")
