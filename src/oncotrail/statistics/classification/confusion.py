"""Patients counted by what was called and what happened.

A patient is called positive at `score >= threshold`, everywhere in this package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import scored


@dataclass(frozen=True)
class Confusion:
    """Patients by what was called and what happened."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def n(self) -> int:
        """All patients."""
        return self.true_positive + self.false_positive + self.true_negative + self.false_negative

    @property
    def events(self) -> int:
        """Patients with the outcome."""
        return self.true_positive + self.false_negative

    @property
    def non_events(self) -> int:
        """Patients without the outcome."""
        return self.true_negative + self.false_positive


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Count the four kinds of patients.

    >>> confusion([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], threshold=0.5)
    Confusion(true_positive=1, false_positive=1, true_negative=1, false_negative=1)
    """
    if math.isnan(threshold):
        raise ValueError("found threshold nan; expected a number on the scale of the scores.")
    patients = scored(labels, scores)
    called = patients.scores >= threshold
    return Confusion(
        true_positive=int((called & patients.labels).sum()),
        false_positive=int((called & ~patients.labels).sum()),
        true_negative=int((~called & ~patients.labels).sum()),
        false_negative=int((~called & patients.labels).sum()),
    )
