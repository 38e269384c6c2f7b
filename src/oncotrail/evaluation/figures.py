"""One figure with its interval as it stands in a file: rounded, by name, in a row."""

from __future__ import annotations

from typing import Any, Protocol

from oncotrail.statistics.intervals import Estimate

DIGITS = 6  # of a figure in a file; thresholds keep all of theirs


class WithInterval(Protocol):
    """A figure and the ends of its interval; None where it has none."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def ends(figure: WithInterval) -> dict[str, Any]:
    """`value`, `low` and `high`; the last two are None where there is no interval."""
    return {name: _rounded(getattr(figure, name)) for name in ("value", "low", "high")}


def flattened(name: str, figure: WithInterval) -> dict[str, float]:
    """`<name>`, `<name>_low` and `<name>_high`, without those that do not exist."""
    said = ends(figure)
    named = {
        name: said["value"],
        f"{name}_low": said["low"],
        f"{name}_high": said["high"],
    }
    return {place: value for place, value in named.items() if value is not None}


def cells(figure: Estimate | None) -> tuple[Any, ...]:
    """The end of a row of table.csv, from the value on."""
    if figure is None:
        return (None, None, None, 0, 0, "")
    return (*ends(figure).values(), figure.n, figure.events, figure.method)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
