"""Outer folds of a split, and the parts of a network's training that they ask for.

    fold0           learns from the training patients of outer fold 0
    fold0-seed1     the same again, from another start
    fold0-without2  out of fold: learns from them but for inner fold 2, and scores those

The last fold is the one that is kept: with cross-validation that of the whole cohort, in which
nobody is test. Its part with the first seed is the main one: packaged, registered and served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from oncotrail.errors import TableError

FOLDER = "parts"  # of all parts but the main one, below what the network's training left


@dataclass(frozen=True)
class Part:
    """One training: on which outer fold, without which inner fold, from which start."""

    outer_fold: int
    inner_fold: int | None = None  # whose patients it does not learn from, but scores
    seed: int = 0  # counted from 0

    @classmethod
    def main(cls, split: pd.DataFrame) -> Part:
        """The one that is packaged and served."""
        return cls(last_fold(split))

    @property
    def name(self) -> str:
        """As a folder and a run are called.

        >>> Part(0).name, Part(3, 1).name, Part(10, seed=1).name
        ('fold0', 'fold3-without1', 'fold10-seed1')
        """
        return "-".join([f"fold{self.outer_fold}", *self._differences()])

    def object(self, model: str) -> str:
        """What the fitted-on table calls its network; the outer fold is a column there.

        >>> Part(4).object("study-t4"), Part(4, 2, 1).object("study-t4")
        ('study-t4', 'study-t4/without2/seed1')
        """
        return "/".join([model, *self._differences()])

    def folder(self, trained: Path, main: Part) -> Path:
        """Where its files lie below what the network's training left."""
        return trained if self == main else trained / FOLDER / self.name

    def learns(self, fold: pd.DataFrame) -> pd.Series:
        """Which rows its weights may learn from; `fold` has role, fits and inner_fold."""
        may = _fits_networks(fold)
        if self.inner_fold is None:
            return may
        return may & (fold["inner_fold"] != self.inner_fold).fillna(value=True).astype(bool)

    def scores(self, fold: pd.DataFrame, *, out_of_fold: bool) -> pd.Series:
        """Which rows it scores; with `out_of_fold` nobody that it learned from."""
        may = _fits_networks(fold)
        if self.inner_fold is not None:
            return may & (fold["inner_fold"] == self.inner_fold).fillna(value=False).astype(bool)
        return ~may if out_of_fold else pd.Series(data=True, index=fold.index)

    def _differences(self) -> list[str]:
        """From the whole part of its outer fold with the first seed."""
        without = [] if self.inner_fold is None else [f"without{self.inner_fold}"]
        return without + ([f"seed{self.seed}"] if self.seed else [])


def outer_folds(split: pd.DataFrame) -> tuple[int, ...]:
    """The numbers of a split's outer folds, in order."""
    return tuple(sorted({int(fold) for fold in split["outer_fold"]}))


def last_fold(split: pd.DataFrame) -> int:
    """The one that is kept: the only one, or with cross-validation the whole cohort's."""
    return outer_folds(split)[-1]


def of_fold(split: pd.DataFrame, fold: int) -> pd.DataFrame:
    """One outer fold: a row per patient."""
    rows = split[(split["outer_fold"] == fold).astype(bool)]
    if rows.empty:
        message = f"the split has no outer fold {fold}; it has {list(outer_folds(split))}."
        raise TableError(message)
    return rows.reset_index(drop=True)


def parts_of(split: pd.DataFrame, *, seeds: int, out_of_fold: bool) -> tuple[Part, ...]:
    """All that are trained of one network, in the order in which they are: the main one first."""
    main = Part.main(split)
    found = tuple(_parts(split, range(seeds), out_of_fold=out_of_fold))
    return (main, *(part for part in found if part != main))


def _parts(split: pd.DataFrame, seeds: Iterable[int], *, out_of_fold: bool) -> Iterator[Part]:
    for fold in outer_folds(split):
        inner = inner_folds(of_fold(split, fold)) if out_of_fold else ()
        for seed in seeds:
            yield Part(fold, None, seed)
            yield from (Part(fold, left_out, seed) for left_out in inner)


def inner_folds(fold: pd.DataFrame) -> tuple[int, ...]:
    """The inner folds of one outer fold whose patients networks learn from: two, or no others."""
    found = sorted({int(number) for number in fold.loc[_fits_networks(fold), "inner_fold"]})
    if len(found) < 2:  # noqa: PLR2004  one is left out, and another learned from
        message = (
            f"out_of_fold leaves out one inner fold and learns from the others, and networks have "
            f"the inner folds {found}; in section split raise folds, or lower fusion_folds."
        )
        raise TableError(message)
    return tuple(found)


def _fits_networks(fold: pd.DataFrame) -> pd.Series:
    """Training patients that the split gives to the networks."""
    of_networks = (fold["fits"] == "network").fillna(value=False).astype(bool)
    return (fold["role"] == "train").astype(bool) & of_networks
