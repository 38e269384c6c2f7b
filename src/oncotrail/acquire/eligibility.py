"""The study's own rules: who is not studied, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oncotrail.acquire.cells import CellFaultError, number
from oncotrail.acquire.sheet import is_blank
from oncotrail.study.cohort import Eligibility


def ineligible(cells: Mapping[str, str], rules: Iterable[Eligibility]) -> list[str]:
    """The reasons of the rules that keep this row's patient out, in the order they are declared.

    A blank value keeps a patient out, since nobody can say that the rule is met. A value that is
    no number is a fault of the table and not a reason.
    """
    return [reason for rule in rules if (reason := _reason(cells.get(rule.column), rule))]


def _reason(cell: str | None, rule: Eligibility) -> str | None:
    if cell is None:  # the column is missing, which is reported as such
        return None
    if is_blank(cell):
        return f"{rule.column} is blank, so that eligibility is unknown"
    if rule.allowed is not None and cell not in rule.allowed:
        return rule.reason
    try:
        value = number(cell) if rule.minimum is not None or rule.maximum is not None else None
    except CellFaultError:
        return None
    below = value is not None and rule.minimum is not None and value < rule.minimum
    above = value is not None and rule.maximum is not None and value > rule.maximum
    return rule.reason if below or above else None
