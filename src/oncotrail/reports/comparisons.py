"""Models against each other on the same patients, as evaluate's comparisons.csv has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from oncotrail.reports.cells import Cell, Grid, signed, undefined, words
from oncotrail.reports.models import PATIENTS, Model, short


@dataclass(frozen=True)
class Difference:
    """Two models' AUCs, the first minus the second.

    Interval and p are None where the two rank all patients alike.
    """

    first: str
    second: str
    value: float
    low: float | None
    high: float | None
    p_holm: float | None
    patients: int

    def turned(self) -> Difference:
        """The second minus the first."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            value=-self.value,
            low=None if self.high is None else -self.high,
            high=None if self.low is None else -self.low,
        )


def differences(
    study: str, table: pd.DataFrame, role: str, order: Sequence[str]
) -> tuple[Difference, ...]:
    """The pairs that evaluate compared in this role: the later model in `order` minus the earlier.

    A study file names its plainest model first, so a difference is what the richer one adds.
    """
    found = (
        Difference(
            short(study, row["first"]),
            short(study, row["second"]),
            row["difference"],
            _number(row["low"]),
            _number(row["high"]),
            _number(row["p_holm"]),
            int(row["patients"]),
        )
        for row in table[table["role"] == role].to_dict("records")
    )
    place = order.index
    later = (each if place(each.first) > place(each.second) else each.turned() for each in found)
    return tuple(sorted(later, key=lambda each: (place(each.second), place(each.first))))


def compared(found: tuple[Difference, ...], role: str, source: str) -> Grid | None:
    """The differences as a table; None where there is but one model."""
    if not found:
        return None
    rows = tuple(row_of(each, "both rank these patients alike") for each in found)
    caption = f"Differences in AUC on the same {found[0].patients:,} {PATIENTS[role]}"
    return Grid(caption, ("Models", "Difference", "Adjusted p"), rows, source)


def row_of(each: Difference, alike: str) -> tuple[Cell, ...]:
    """One difference in a table; `alike` is why it may have no interval."""
    p = undefined("no variance") if each.p_holm is None else Cell(p_value(each.p_holm))
    name = Cell(f"{words(each.first)} minus {words(each.second)}")
    return name, _with_interval(each, alike), p


def answer(richer: Model, plainer: Model, found: tuple[Difference, ...], confidence: float) -> str:
    """What the pictures add to the clinical record, in a sentence."""
    each = _between(richer.name, plainer.name, found)
    said = f"With {richer.pictures} added to the clinical record, the AUC changes by"
    if each.low is None or each.high is None or each.p_holm is None:
        return f"{said} {signed(each.value)}: both models rank the {each.patients} patients alike."
    ends = f"{100 * confidence:g} % interval {signed(each.low)} to {signed(each.high)}"
    p = f"adjusted p {p_value(each.p_holm)}"
    more = "more" if each.p_holm < 1 - confidence else "no more"
    return f"{said} {signed(each.value)} ({ends}; {p}): {more} than chance would explain."


def p_value(p: float) -> str:
    """A p-value to three decimals; none is ever zero.

    >>> p_value(0.00004), p_value(0.0312)
    ('< 0.001', '0.031')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - what three decimals can say


def _between(first: str, second: str, found: tuple[Difference, ...]) -> Difference:
    both = next(each for each in found if {each.first, each.second} == {first, second})
    return both if both.first == first else both.turned()


def _with_interval(each: Difference, alike: str) -> Cell:
    if each.low is None or each.high is None:
        return Cell(signed(each.value), f"no interval: {alike}")
    return Cell(signed(each.value), f"{signed(each.low)} to {signed(each.high)}")


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
