"""From a patient's values to the columns that a model multiplies: lines, splines and levels.

A term knows its name and its columns, and no coefficient. The same terms build the matrix that a
model is fitted on and, later, the axes of its nomogram, so neither can be built from another coding
than the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, column
from oncotrail.statistics.regression.splines import restricted_cubic


@dataclass(frozen=True)
class Linear:
    """A number as it is: one column."""

    name: str

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each column."""
        return (self.name,)

    def columns(self, values: ArrayLike) -> Floats:
        """The columns of these patients."""
        return column(values, self.name)[:, None]


@dataclass(frozen=True)
class Spline:
    """A number through a restricted cubic spline: one column fewer than knots."""

    name: str
    knots: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each column, with primes for the curved ones, as rms has them."""
        return tuple(self.name + "'" * place for place in range(len(self.knots) - 1))

    def columns(self, values: ArrayLike) -> Floats:
        """The columns of these patients."""
        return restricted_cubic(column(values, self.name), np.array(self.knots))


@dataclass(frozen=True)
class Levels:
    """A category: a column for each level but the first, which is the reference."""

    name: str
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.levels)) != len(self.levels) or len(self.levels) < 2:
            raise ValueError(
                f"{self.name}: found levels {list(self.levels)}; expected at least two, each once."
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each column: which level it stands for."""
        return tuple(f"{self.name}: {level}" for level in self.levels[1:])

    def columns(self, values: ArrayLike) -> Floats:
        """The columns of these patients."""
        found = np.asarray(values, dtype=object)
        unknown = [row for row, value in enumerate(found.tolist()) if value not in self.levels]
        if unknown:
            raise ValueError(
                f"{self.name}: found {found[unknown[0]]!r} in row {unknown[0]}; expected one of "
                f"{', '.join(self.levels)}."
            )
        return np.stack([found == level for level in self.levels[1:]], axis=1).astype(float)


Term = Linear | Spline | Levels


def design(terms: Sequence[Term], values: Mapping[str, ArrayLike]) -> Floats:
    """The columns of all terms side by side: patients x columns.

    >>> design([Linear("age"), Levels("sex", ("f", "m"))], {"age": [50, 61], "sex": ["m", "f"]})
    array([[50.,  1.],
           [61.,  0.]])
    """
    missing = [term.name for term in terms if term.name not in values]
    if missing:
        raise ValueError(f"found no values of {', '.join(missing)}; expected them for every term.")
    parts = [term.columns(values[term.name]) for term in terms]
    sizes = {term.name: len(part) for term, part in zip(terms, parts, strict=True)}
    if len(set(sizes.values())) != 1:
        raise ValueError(f"found values per term {sizes}; expected as many of each.")
    return np.concatenate(parts, axis=1)


def places(terms: Sequence[Term]) -> dict[str, list[int]]:
    """Where each term's columns stand in the design: what `cox_table` calls terms.

    >>> places([Linear("age"), Levels("grade", ("1", "2", "3"))])
    {'age': [0], 'grade': [1, 2]}
    """
    ends = np.cumsum([len(term.labels) for term in terms]).tolist()
    starts = [0, *ends[:-1]]
    return {
        term.name: list(range(start, end))
        for term, start, end in zip(terms, starts, ends, strict=True)
    }


def labels(terms: Sequence[Term]) -> list[str]:
    """A name for each column of the design.

    >>> labels([Spline("age", (40, 50, 60)), Levels("sex", ("f", "m"))])
    ['age', "age'", 'sex: m']
    """
    return [label for term in terms for label in term.labels]


def by_term(terms: Sequence[Term], coefficients: ArrayLike) -> list[Floats]:
    """A model's coefficients, cut into those of each term.

    >>> [part.tolist() for part in by_term([Linear("a"), Levels("b", ("x", "y", "z"))], [1, 2, 3])]
    [[1.0], [2.0, 3.0]]
    """
    widths = [len(term.labels) for term in terms]
    found = column(coefficients, "coefficients")
    if found.size != sum(widths):
        raise ValueError(
            f"found {found.size} coefficients; expected {sum(widths)} for the terms "
            f"{', '.join(term.name for term in terms)}, without the intercept."
        )
    return np.split(found, np.cumsum(widths)[:-1])
