"""A model beside readers who say yes or no, each at his or her own strictness.

A reader is a point, not a curve: one sensitivity at one specificity. To compare like with like, the
model is moved along its curve to that point:

- at the reader's specificity: the lowest threshold at which the model is at least as specific;
- at the reader's sensitivity: the highest threshold at which it is at least as sensitive.

With tied scores the model may overshoot, never fall short; its own point is reported beside. What
is left to compare is a difference of two shares of the same patients: McNemar's exact test on those
whom the two call differently, and Newcombe's interval (Statistics in Medicine 1998, 17:2635, method
10), which joins two Wilson intervals and stays within -1 and 1.

The threshold is found on these patients. The interval takes it as given, so it says nothing of how
the threshold would move in others; a threshold fixed beforehand goes through `compare_calls`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from oncotrail.statistics.agreement.ratings import calls_of_readers
from oncotrail.statistics.arrays import (
    Flags,
    Scored,
    binary,
    checked_confidence,
    two_classes,
)
from oncotrail.statistics.intervals import Estimate, proportion, wilson


@dataclass(frozen=True)
class Point:
    """Sensitivity and specificity (Wilson intervals); None where no patient has that outcome."""

    sensitivity: Estimate | None
    specificity: Estimate | None


@dataclass(frozen=True)
class PairedShares:
    """A share minus another of the same `n` patients, -1 to 1; p is two-sided and exact.

    `gained` patients are in the first share only, `lost` in the second only.
    """

    difference: float
    low: float
    high: float
    p_value: float
    gained: int
    lost: int
    confidence: float
    n: int


@dataclass(frozen=True)
class CallsCompared:
    """The first caller minus the second; None where no patient has that outcome."""

    sensitivity: PairedShares | None
    specificity: PairedShares | None


@dataclass(frozen=True)
class Matched:
    """The model at `threshold` (called positive at or above it), and its gain on the reader."""

    threshold: float
    point: Point
    difference: PairedShares


@dataclass(frozen=True)
class ModelAgainstReader:
    """One reader's point, and the model at the same specificity and at the same sensitivity.

    `at_specificity.difference` is in sensitivity, `at_sensitivity.difference` in specificity; above
    0 the model is better.
    """

    reader: int
    point: Point
    at_specificity: Matched
    at_sensitivity: Matched


def reader_points(
    labels: ArrayLike, calls: ArrayLike, confidence: float = 0.95
) -> tuple[Point, ...]:
    """Each reader's sensitivity and specificity; calls are patients x readers, 0 or 1.

    >>> reader_points([1, 1, 0], [[1, 1], [0, 1], [0, 1]])[0].sensitivity.value
    0.5
    """
    outcome = binary(labels, "labels")
    said = calls_of_readers(calls, outcome.size) == 1
    return tuple(_point(outcome, said[:, one], confidence) for one in range(said.shape[1]))


def model_against_readers(
    labels: ArrayLike, scores: ArrayLike, calls: ArrayLike, confidence: float = 0.95
) -> tuple[ModelAgainstReader, ...]:
    """The model at each reader's operating point; higher scores are likelier to have the outcome.

    >>> labels, scores = [1, 1, 1, 0, 0, 0], [0.9, 0.8, 0.3, 0.4, 0.2, 0.1]
    >>> found = model_against_readers(labels, scores, [[1], [0], [0], [1], [0], [0]])[0]
    >>> found.at_specificity.threshold, round(found.at_specificity.difference.difference, 4)
    (0.3, 0.6667)
    """
    patients = two_classes(labels, scores)
    said = calls_of_readers(calls, patients.n) == 1
    return tuple(_against(patients, one, said[:, one], confidence) for one in range(said.shape[1]))


def compare_calls(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> CallsCompared:
    """Two callers (0 or 1) of the same patients, such as a model at a fixed threshold and a reader.

    >>> found = compare_calls([1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0])
    >>> round(found.sensitivity.difference, 4), found.sensitivity.p_value
    (0.6667, 0.5)
    """
    outcome = binary(labels, "labels")
    one = binary(first, "first", outcome.size)
    two = binary(second, "second", outcome.size)
    return CallsCompared(
        sensitivity=_paired(one[outcome], two[outcome], confidence) if outcome.any() else None,
        specificity=(
            None if outcome.all() else _paired(~one[~outcome], ~two[~outcome], confidence)
        ),
    )


def threshold_at_specificity(labels: ArrayLike, scores: ArrayLike, specificity: float) -> float:
    """The lowest score at which the model is at least so specific; infinite where none is.

    At an infinite threshold nobody is called positive.

    >>> threshold_at_specificity([1, 0, 0, 1], [0.9, 0.4, 0.2, 0.3], 0.5)
    0.3
    """
    patients = two_classes(labels, scores)
    if not 0 <= specificity <= 1:
        raise ValueError(f"found specificity {specificity}; expected a number from 0 to 1.")
    candidates = np.append(np.unique(patients.scores), np.inf)
    negative = np.sort(patients.scores[~patients.labels])
    specific = np.searchsorted(negative, candidates) / negative.size
    return float(candidates[np.argmax(specific >= specificity - 1e-12)])


def threshold_at_sensitivity(labels: ArrayLike, scores: ArrayLike, sensitivity: float) -> float:
    """The highest score at which the model is at least so sensitive; infinite for 0.

    >>> threshold_at_sensitivity([1, 0, 0, 1], [0.9, 0.4, 0.2, 0.3], 1.0)
    0.3
    """
    patients = two_classes(labels, scores)
    if not 0 <= sensitivity <= 1:
        raise ValueError(f"found sensitivity {sensitivity}; expected a number from 0 to 1.")
    candidates = np.append(np.unique(patients.scores), np.inf)[::-1]
    positive = np.sort(patients.scores[patients.labels])
    sensitive = 1 - np.searchsorted(positive, candidates) / positive.size
    return float(candidates[np.argmax(sensitive >= sensitivity - 1e-12)])


def _against(patients: Scored, reader: int, said: Flags, confidence: float) -> ModelAgainstReader:
    labels, scores = patients.labels, patients.scores
    specificity, sensitivity = float((~said[~labels]).mean()), float(said[labels].mean())
    at_specificity = threshold_at_specificity(labels, scores, specificity)
    at_sensitivity = threshold_at_sensitivity(labels, scores, sensitivity)
    called, passed = scores >= at_specificity, scores < at_sensitivity
    gain = _paired(called[labels], said[labels], confidence)
    spared = _paired(passed[~labels], ~said[~labels], confidence)
    return ModelAgainstReader(
        reader=reader,
        point=_point(labels, said, confidence),
        at_specificity=Matched(at_specificity, _point(labels, called, confidence), gain),
        at_sensitivity=Matched(at_sensitivity, _point(labels, ~passed, confidence), spared),
    )


def _point(outcome: Flags, said: Flags, confidence: float) -> Point:
    positive, negative = int(outcome.sum()), int((~outcome).sum())
    return Point(
        proportion(int(said[outcome].sum()), positive, positive, confidence),
        proportion(int((~said[~outcome]).sum()), negative, 0, confidence),
    )


def _paired(one: Flags, two: Flags, confidence: float) -> PairedShares:
    n, gained, lost = one.size, int((one & ~two).sum()), int((two & ~one).sum())
    difference = (gained - lost) / n
    shares, ends = [], []
    for said in (one, two):
        count = int(said.sum())
        shares.append(count / n)
        ends.append(wilson(count, n, checked_confidence(confidence)))
    correlation = _correlation(int((one & two).sum()), gained, lost, n)

    def reach(below: float, above: float) -> float:
        return math.sqrt(max(0.0, below**2 - 2 * correlation * below * above + above**2))

    return PairedShares(
        difference=difference,
        low=difference - reach(shares[0] - ends[0].low, ends[1].high - shares[1]),
        high=difference + reach(ends[0].high - shares[0], shares[1] - ends[1].low),
        p_value=min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5))),
        gained=gained,
        lost=lost,
        confidence=confidence,
        n=n,
    )


def _correlation(both: int, gained: int, lost: int, n: int) -> float:
    """Newcombe's phi, its positive numerator made smaller by n / 2; 0 where a margin is empty."""
    neither = n - both - gained - lost
    margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    product = float(both * neither - gained * lost)
    if product > 0:
        product = max(product - n / 2, 0.0)
    return product / math.sqrt(margins) if margins else 0.0
