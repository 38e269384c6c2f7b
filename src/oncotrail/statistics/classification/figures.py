"""Calling patients positive at a threshold, and how often that is right.

A patient is called positive at `score >= threshold`, everywhere in this package.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import scored
from oncotrail.statistics.intervals import Estimate, proportion


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


@dataclass(frozen=True)
class Classification:
    """The figures at one threshold; higher is better. One without a denominator is None.

    A positive predictive value, for one, is undefined where nobody was called positive.
    """

    threshold: float
    confusion: Confusion
    accuracy: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    ppv: Estimate | None
    npv: Estimate | None


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Count the four kinds of patients.

    >>> confusion([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], threshold=0.5)
    Confusion(true_positive=1, false_positive=1, true_negative=1, false_negative=1)
    """
    patients = scored(labels, scores)
    called = patients.scores >= threshold
    return Confusion(
        true_positive=int((called & patients.labels).sum()),
        false_positive=int((called & ~patients.labels).sum()),
        true_negative=int((~called & ~patients.labels).sum()),
        false_negative=int((~called & patients.labels).sum()),
    )


def classify(
    labels: ArrayLike, scores: ArrayLike, threshold: float, confidence: float = 0.95
) -> Classification:
    """The figures at `threshold`, with Wilson intervals."""
    counts = confusion(labels, scores, threshold)
    tp, fp, tn, fn = (
        counts.true_positive,
        counts.false_positive,
        counts.true_negative,
        counts.false_negative,
    )
    return Classification(
        threshold=threshold,
        confusion=counts,
        accuracy=proportion(tp + tn, counts.n, counts.events, confidence),
        sensitivity=proportion(tp, tp + fn, tp + fn, confidence),
        specificity=proportion(tn, tn + fp, 0, confidence),
        ppv=proportion(tp, tp + fp, tp, confidence),
        npv=proportion(tn, tn + fn, fn, confidence),
    )
