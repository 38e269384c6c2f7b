"""Patients counted by what was called and what happened.

A patient is called positive at `score >= threshold`, everywhere in this package.

With sampling weights (one patient stands for so many) a share is a share of weight, and its
interval is that of the effective number of patients, the weights' squared sum over their sum of
squares (Kish, Survey Sampling 1965). Only the ratios of weights matter, and equal ones change
nothing.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, scored
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.intervals import Estimate, ProportionMethod, proportion, wilson

Cell = Literal["true_positive", "false_positive", "true_negative", "false_negative"]
Cells = tuple[Cell, ...]
Sums = dict[Cell, float]
Counts = tuple[float, float, float, float]  # of the cells, in the order of EVERYBODY
EVERYBODY: Cells = get_args(Cell)
HAPPENED: Cells = ("true_positive", "false_negative")
SPARED: Cells = ("true_negative", "false_positive")


@dataclass(frozen=True)
class Weighed:
    """Sums of the sampling weights in the four cells, and of their squares."""

    sums: Counts
    squares: Counts


@dataclass(frozen=True)
class Confusion:
    """Patients by what was called and what happened; `weighed` where they have sampling weights."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    weighed: Weighed | None = None

    @property
    def n(self) -> int:
        """All patients."""
        return self.count(EVERYBODY)

    @property
    def events(self) -> int:
        """Patients with the outcome."""
        return self.count(HAPPENED)

    @property
    def non_events(self) -> int:
        """Patients without the outcome."""
        return self.count(SPARED)

    def count(self, cells: Cells) -> int:
        """How many patients are in these cells."""
        return sum(getattr(self, cell) for cell in cells)

    def effective(self, cells: Cells) -> Sums:
        """These cells, scaled so that they add up to their effective number of patients.

        >>> Confusion(8, 4, 16, 2).effective(HAPPENED)
        {'true_positive': 8.0, 'false_negative': 2.0}
        """
        if self.weighed is None or not self.count(cells):
            return {cell: float(getattr(self, cell)) for cell in cells}
        places = [EVERYBODY.index(cell) for cell in cells]
        sums, squares = ([four[place] for place in places] for four in astuple(self.weighed))
        scale = sum(sums) / sum(squares)
        return {cell: scale * weight for cell, weight in zip(cells, sums, strict=True)}

    def share(
        self,
        cells: Cells,
        among: Cells,
        confidence: float = 0.95,
        method: ProportionMethod = "wilson",
    ) -> Estimate | None:
        """The share of the patients `among` who are in `cells`; None where there are none.

        >>> Confusion(8, 4, 16, 2).share(("true_positive",), HAPPENED).value
        0.8
        """
        n, events = (
            self.count(among),
            sum(self.count((cell,)) for cell in among if cell in HAPPENED),
        )
        plain = proportion(self.count(cells), n, events, confidence, method)
        if self.weighed is None:
            return plain
        if method == "exact":
            raise ValueError(
                "method: found 'exact' and weights; expected 'wilson', for an exact interval "
                "counts patients, and weights are no counts."
            )
        if plain is None:
            return None
        whole = self.effective(among)
        size, hits = sum(whole.values()), sum(whole[cell] for cell in cells)
        ends = wilson(hits, size, confidence)
        return Estimate(hits / size, ends.low, ends.high, confidence, n, events, plain.method)


def confusion(
    labels: ArrayLike, scores: ArrayLike, threshold: float, weights: ArrayLike | None = None
) -> Confusion:
    """Count the four kinds of patients; one of weight 0 is not there.

    >>> counts = confusion([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], threshold=0.5)
    >>> counts.true_positive, counts.false_positive, counts.true_negative, counts.false_negative
    (1, 1, 1, 1)
    """
    if math.isnan(threshold):
        raise ValueError("found threshold nan; expected a number on the scale of the scores.")
    patients = scored(labels, scores)
    weight = checked_weights(weights, patients.n)
    called = patients.scores >= threshold
    # The place of each patient's cell in EVERYBODY.
    cell = np.where(patients.labels, np.where(called, 0, 3), np.where(called, 1, 2))
    tp, fp, tn, fn = np.bincount(cell[weight > 0], minlength=len(EVERYBODY)).tolist()
    if weights is None:
        return Confusion(tp, fp, tn, fn)
    return Confusion(tp, fp, tn, fn, Weighed(_sums(cell, weight), _sums(cell, weight**2)))


def _sums(cell: Integers, values: Floats) -> Counts:
    tp, fp, tn, fn = np.bincount(cell, values, len(EVERYBODY)).tolist()
    return tp, fp, tn, fn
