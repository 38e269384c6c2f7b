"""What stands in a table of a report: a number with its interval or its count, never a bare one.

An undefined figure is an en dash with the reason under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
SHORT = 12  # letters of a digest that a person compares


@dataclass(frozen=True)
class Cell:
    """`text` in the line, `under` in small type beneath it: an interval, a count, a reason."""

    text: str
    under: str = ""
    is_digest: bool = False


@dataclass(frozen=True)
class Grid:
    """A table to print; the first cell of a row names it."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str = ""  # the run that the figures come from
    marked: frozenset[int] = frozenset()  # rows set off from the others


def undefined(reason: str) -> Cell:
    """The cell of a figure that does not exist, and why.

    >>> undefined("one class only").under
    'one class only'
    """
    return Cell(DASH, reason)


def digest(value: str) -> Cell:
    """The first letters of a digest: enough to compare by eye, the whole is in run.json.

    >>> digest("0123456789abcdef").text
    '0123456789ab'
    """
    return Cell(value[:SHORT], is_digest=True)


def run_key(value: str) -> Cell:
    """A run key in full, because one searches for it."""
    return Cell(value, is_digest=True)


def decimals(value: float) -> str:
    """A figure to three decimals; one that rounds to 0 has no sign.

    >>> decimals(0.5), decimals(-0.0001), decimals(-0.02) == f"{MINUS}0.020"
    ('0.500', '0.000', True)
    """
    return f"{round(value, 3) + 0.0:.3f}".replace("-", MINUS)


def signed(value: float) -> str:
    """A difference to three decimals, with its sign.

    >>> signed(0.0512), signed(-0.0001), signed(-0.02) == f"{MINUS}0.020"
    ('+0.051', '+0.000', True)
    """
    rounded = round(value, 3) + 0.0  # no minus before a zero
    return f"{rounded:+.3f}".replace("-", MINUS)


def plain(value: Any) -> str:
    """A setting as a person would write it.

    >>> plain(1e-06), plain(True), plain(None), plain(["flip", "crop"]), plain({"low": -160})
    ('1e-6', 'yes', 'none', 'flip, crop', 'low -160')
    """
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(plain(inner) for inner in value) or "none"
    return str(value)


def words(name: str) -> str:
    """A name from a file as words.

    >>> words("tumour_size")
    'tumour size'
    """
    return name.replace("_", " ")


def _number(value: float) -> str:
    mantissa, exponent, power = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(power)}" if exponent else mantissa
