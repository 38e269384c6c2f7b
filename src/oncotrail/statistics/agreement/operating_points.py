"""A model beside readers who say yes or no, each at his or her own strictness.

A reader is a point, not a curve: one sensitivity at one specificity. To compare like with like, the
model is moved along its curve to that point:

- at the reader's specificity: the lowest threshold at which the model is at least as specific;
- at the reader's sensitivity: the highest threshold at which it is at least as sensitive.

With tied scores the model may overshoot, never fall short; its own point is reported beside. What
is left to compare is a difference of two shares of the same patients: McNemar's exact test on those
whom the two call differently (Psychometrika 1947, 12:153), and Newcombe's interval (Statistics in
Medicine 1998, 17:2635; both in `classification.comparison`).

The threshold is found on these patients. The interval takes it as given, so it says nothing of how
the threshold would move in others; a threshold fixed beforehand goes through
`classification.comparison.compare_calls`.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from oncotrail.statistics.agreement.ratings import calls_of_readers
from oncotrail.statistics.arrays import Flags, Scored, binary, two_classes
from oncotrail.statistics.classification.comparison import paired_difference
from oncotrail.statistics.classification.rules import (
    threshold_at_sensitivity,
    threshold_at_specificity,
)
from oncotrail.statistics.intervals import Difference, Estimate, proportion


@dataclass(frozen=True)
class Point:
    """Sensitivity and specificity (Wilson intervals); None where no patient has that outcome."""

    sensitivity: Estimate | None
    specificity: Estimate | None


@dataclass(frozen=True)
class Matched:
    """The model at `threshold` (called positive at or above it), and its gain on the reader."""

    threshold: float
    point: Point
    difference: Difference


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
    >>> found.at_specificity.threshold, round(found.at_specificity.difference.value, 4)
    (0.25, 0.6667)
    """
    patients = two_classes(labels, scores)
    said = calls_of_readers(calls, patients.n) == 1
    return tuple(_against(patients, one, said[:, one], confidence) for one in range(said.shape[1]))


def _against(patients: Scored, reader: int, said: Flags, confidence: float) -> ModelAgainstReader:
    labels, scores = patients.labels, patients.scores
    specificity, sensitivity = float((~said[~labels]).mean()), float(said[labels].mean())
    strict = threshold_at_specificity(labels, scores, specificity)
    wide = threshold_at_sensitivity(labels, scores, sensitivity)
    called, passed = scores >= strict, scores < wide
    gain = paired_difference(called[labels], said[labels], confidence, events=patients.events)
    spared = paired_difference(passed[~labels], ~said[~labels], confidence, events=0)
    return ModelAgainstReader(
        reader=reader,
        point=_point(labels, said, confidence),
        at_specificity=Matched(strict, _point(labels, called, confidence), gain),
        at_sensitivity=Matched(wide, _point(labels, ~passed, confidence), spared),
    )


def _point(outcome: Flags, said: Flags, confidence: float) -> Point:
    positive, negative = int(outcome.sum()), int((~outcome).sum())
    return Point(
        proportion(int(said[outcome].sum()), positive, positive, confidence),
        proportion(int((~said[~outcome]).sum()), negative, 0, confidence),
    )
