"""What a patient's weight means, wherever weights may count patients.

1. A weight of 0: the patient is not there.
2. Whole numbers count patients: a row of weight 2 is that row twice, and nothing else changes.
3. Others (inverse probabilities, say) do not count anybody, so the variance of a figure is the sum
   over patients of (weight x influence)^2: the infinitesimal jackknife, or sandwich, as in R's
   survival. The rule is that of all weights of an analysis: one that is not whole decides for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats


@dataclass(frozen=True, eq=False)
class CaseWeights:
    """Who is there (`kept`, a flag for each row that came in), with which weight (`values`).

    `robust` says that variances are those of weights which do not count patients.
    """

    kept: Flags
    values: Floats
    robust: bool

    @property
    def n(self) -> int:
        """How many patients are there, whatever their weight."""
        return self.values.size

    def only(self, rows: Flags) -> CaseWeights:
        """Those of some of the kept rows; the rule of their variance stays that of all."""
        return CaseWeights(self.kept, self.values[rows], self.robust)


def case_weights(weights: ArrayLike | None, n: int, *, robust: bool | None = None) -> CaseWeights:
    """Checked weights of `n` rows (none: one each); `robust` overrules what they say themselves.

    >>> found = case_weights([1, 0, 2.5], 3)
    >>> found.kept.tolist(), found.values.tolist(), found.robust
    ([True, False, True], [1.0, 2.5], True)
    """
    found = arrays.weights(weights, n)
    kept = found > 0
    return CaseWeights(kept, found[kept], not are_counts(found) if robust is None else robust)


def counts(weights: ArrayLike | None, n: int) -> CaseWeights:
    """Checked weights that must be whole numbers, where nothing is known of the variance of others.

    >>> counts([1, 2], 2).values.tolist()
    [1.0, 2.0]
    """
    found = case_weights(weights, n, robust=False)
    if not are_counts(found.values):
        row = int(np.flatnonzero(np.asarray(weights, dtype=np.float64) % 1)[0])
        raise ValueError(
            f"weights: found {np.asarray(weights)[row]} in row {row}; "
            "expected whole numbers, which count patients."
        )
    return found


def are_counts(weights: Floats) -> bool:
    """Whether weights are whole numbers, and so count patients.

    >>> are_counts(np.array([1.0, 2.0])), are_counts(np.array([1.0, 0.5]))
    (True, False)
    """
    return not (weights % 1).any()


def square_weights(weights: Floats) -> Floats:
    """What the square of a patient's influence, per unit of weight, counts in a variance.

    Whole weights are counts of patients, so w; others are not, so w^2 (the sandwich variance).

    >>> square_weights(np.array([1.0, 2.0])).tolist(), square_weights(np.array([0.5, 2.0])).tolist()
    ([1.0, 2.0], [0.25, 4.0])
    """
    return weights if are_counts(weights) else weights**2
