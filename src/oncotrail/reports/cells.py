"""What stands in a table of a report: a number with its interval or its count, never a bare one.

An undefined figure is an en dash with the reason under it; nothing here can print NaN or None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Cell:
    """`text` in the line, `under` in small type beneath it: an interval, a count, a reason."""

    text: str
    under: str = ""
    undefined: bool = False


@dataclass(frozen=True)
class Grid:
    """A table to print: its heading, a name per column, a row per thing. The first cell names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str = ""  # the run that the figures come from


def undefined(reason: str) -> Cell:
    """The cell of a figure that does not exist, and why.

    >>> undefined("one class only")
    Cell(text='–', under='one class only', undefined=True)
    """
    return Cell(DASH, reason, undefined=True)


def with_interval(
    value: float | None, low: float | None, high: float | None, reason: str = "undefined"
) -> Cell:
    """A rate or an AUC to three decimals with its interval.

    >>> with_interval(0.8321, 0.7614, 0.8931)
    Cell(text='0.832', under='0.761 to 0.893', undefined=False)
    """
    if _missing(value):
        return undefined(reason)
    if _missing(low) or _missing(high):
        return Cell(decimals(value), f"no interval: {reason}")
    return Cell(decimals(value), f"{decimals(low)} to {decimals(high)}")


def share(count: int, total: int) -> Cell:
    """A count and the share of `total` that it is.

    >>> share(41, 126)
    Cell(text='41', under='32.5 % of 126', undefined=False)
    """
    if total == 0:
        return undefined("nobody here")
    return Cell(f"{count:,}", f"{100 * count / total:.1f} % of {total:,}")


def decimals(value: Any) -> str:
    """A figure to three decimals.

    >>> decimals(0.5)
    '0.500'
    """
    return DASH if _missing(value) else f"{float(value):.3f}"


def signed(value: float) -> str:
    """A difference to three decimals, with its sign.

    >>> signed(0.0512), signed(-0.02), signed(-0.0001)
    ('+0.051', '−0.020', '+0.000')
    """
    rounded = round(value, 3) + 0.0  # no minus before a zero
    return f"{rounded:+.3f}".replace("-", MINUS)


def plain(value: Any) -> str:
    """A setting as a person would write it.

    >>> plain(1e-06), plain(True), plain(None), plain(["flip", "crop"]), plain({"low": -160})
    ('1e-6', 'yes', 'none', 'flip, crop', 'low -160')
    """
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(value)
        case Mapping():
            return ", ".join(f"{name} {plain(inner)}" for name, inner in value.items()) or "none"
        case str():
            return value
        case Sequence():
            return ", ".join(plain(inner) for inner in value) or "none"
        case _:
            return str(value)


def words(name: str) -> str:
    """A name from a file as words.

    >>> words("tumour_size")
    'tumour size'
    """
    return name.replace("_", " ")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return DASH
    text = f"{value:.6g}"
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else text


def _missing(value: Any) -> bool:
    return value is None or not math.isfinite(float(value))
