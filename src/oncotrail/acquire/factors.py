"""By which factors the values of a column can be wrong: what people mix with the declared unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The sizes of units of one quantity, each list in a unit of its own.
QUANTITIES: tuple[Mapping[str, float], ...] = (
    {"millimetres": 1, "centimetres": 10, "inches": 25.4, "metres": 1000},
    {"square millimetres": 1, "square centimetres": 100},
    {"millilitres": 1, "litres": 1000},
    {"days": 1, "weeks": 7, "months": 30.4375, "years": 365.25},
    {"milligrams": 0.001, "grams": 1, "pounds": 453.592, "kilograms": 1000},
    {"percent": 1, "fractions": 100},
)
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "millimetres": ("mm", "millimetre", "millimeter"),
    "centimetres": ("cm", "centimetre", "centimeter"),
    "inches": ("in", "inch", "inche"),
    "metres": ("m", "metre", "meter"),
    "square millimetres": ("mm2", "mm²"),
    "square centimetres": ("cm2", "cm²"),
    "millilitres": ("ml", "cc", "cm3", "cm³", "millilitre", "milliliter"),
    "litres": ("l", "litre", "liter"),
    "days": ("d", "day"),
    "weeks": ("wk", "week"),
    "months": ("mo", "month"),
    "years": ("y", "yr", "year"),
    "milligrams": ("mg", "milligram"),
    "grams": ("g", "gram"),
    "pounds": ("lb", "pound"),
    "kilograms": ("kg", "kilogram"),
    "percent": ("%", "percent"),
    "fractions": ("fraction",),
}


@dataclass(frozen=True)
class Factor:
    """How many times too large or too small, and what that would mean."""

    times: float
    meaning: str


DECIMAL = Factor(10.0, "a decimal point lost")
OF_ANY_UNIT = (
    Factor(2.20462, "pounds and kilograms"),
    Factor(2.54, "inches and centimetres"),
    Factor(10.0, "millimetres and centimetres, or a decimal point lost"),
    Factor(12.0, "months and years"),
    Factor(30.4375, "days and months"),
    Factor(100.0, "metres and centimetres, or percent and fractions"),
    Factor(365.25, "days and years"),
    Factor(1000.0, "grams and kilograms, or metres and millimetres"),
)


def factors_of(unit: str) -> tuple[Factor, ...]:
    """What values in this unit may be mixed with; of a unit that is not known, everything.

    >>> [factor.times for factor in factors_of("cm")]
    [10.0, 2.54, 100.0]
    """
    name = _name(unit)
    for sizes in QUANTITIES:
        if name is not None and name in sizes:
            others = [other for other in sizes if other != name]
            found = tuple(_between(name, other, sizes) for other in others)
            return found if any(f.times == DECIMAL.times for f in found) else (*found, DECIMAL)
    return OF_ANY_UNIT


def _name(unit: str) -> str | None:
    written = unit.strip().lower().rstrip(".").removesuffix("s")
    return next((name for name, spelt in SPELLINGS.items() if written in spelt), None)


def _between(name: str, other: str, sizes: Mapping[str, float]) -> Factor:
    small, large = sorted((sizes[name], sizes[other]))
    return Factor(large / small, f"{other} and {name}")
