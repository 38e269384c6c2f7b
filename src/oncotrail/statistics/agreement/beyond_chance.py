"""Agreement beyond chance, however chance is thought of: the part of it that chance left over.

    kappa = (observed - expected) / (1 - expected)

Cohen's (kappa.py) and Fleiss' (fleiss.py) differ in what they expect of chance and in how they find
two standard errors: one for the interval, and one that is right only where there is no agreement
beyond chance, for the test. What is then read off these is the same, and is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy.special import ndtr


@dataclass(frozen=True)
class Kappa:
    """A kappa, at most 1; 0 is chance, higher is better.

    `value` is None where all ratings are one category, for there chance alone agrees always. The
    interval is None where no spread shows (perfect agreement, one patient), which would claim
    certainty; `z` and `p_value` (two-sided, against a kappa of 0) where the null error is 0: one of
    two readers used a single category.
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    null_standard_error: float | None
    z: float | None
    p_value: float | None
    observed: float
    expected: float
    confidence: float
    n: int
    readers: int
    categories: tuple[Any, ...]
    method: str


@dataclass(frozen=True)
class ChanceErrors:
    """The two standard errors of a kappa, and half the width of its interval; None where 0."""

    standard: float | None = None
    null: float | None = None
    half_width: float | None = None


def chance_corrected(observed: float, expected: float) -> float | None:
    """Kappa from the two agreements; None where chance alone agrees always.

    >>> chance_corrected(0.75, 0.5), chance_corrected(1.0, 1.0)
    (0.5, None)
    """
    return (observed - expected) / (1 - expected) if expected < 1 - 1e-12 else None


def z_and_p(value: float | None, null_error: float | None) -> tuple[float | None, float | None]:
    """How many null errors a kappa lies from 0, and the two-sided p-value; None without either.

    >>> z, p_value = z_and_p(0.98, 0.5)
    >>> z, round(p_value, 2)
    (1.96, 0.05)
    """
    if value is None or null_error is None:
        return None, None
    z = value / null_error
    return z, float(2 * ndtr(-abs(z)))


def read_kappa(
    observed: float,
    expected: float,
    errors: ChanceErrors,
    *,
    confidence: float,
    n: int,
    readers: int,
    categories: tuple[Any, ...],
    method: str,
) -> Kappa:
    """The result, its interval cut at -1 and 1.

    >>> counted = {"confidence": 0.95, "n": 9, "readers": 2, "categories": (0, 1), "method": "mine"}
    >>> found = read_kappa(0.75, 0.5, ChanceErrors(0.3, 0.25, 0.6), **counted)
    >>> round(found.low, 2), found.high, found.z
    (-0.1, 1.0, 2.0)
    """
    value, half = chance_corrected(observed, expected), errors.half_width
    z, p_value = z_and_p(value, errors.null)
    return Kappa(
        value=value,
        low=None if value is None or half is None else max(-1.0, value - half),
        high=None if value is None or half is None else min(1.0, value + half),
        standard_error=errors.standard,
        null_standard_error=errors.null,
        z=z,
        p_value=p_value,
        observed=observed,
        expected=expected,
        confidence=confidence,
        n=n,
        readers=readers,
        categories=categories,
        method=method,
    )
