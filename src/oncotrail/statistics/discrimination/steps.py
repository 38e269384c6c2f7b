"""Patients counted at each distinct score: all that a curve over thresholds needs.

Patients of equal score are called positive together, so they are one step of every curve; to draw
it between them would reward their order in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Floats, Integers, two_classes
from oncotrail.statistics.arrays import weights as checked_weights


@dataclass(frozen=True)
class Steps:
    """Distinct scores, highest first, and how much of each outcome has exactly that score.

    Counts of patients, or their weights.
    """

    scores: Floats
    positives: Floats
    negatives: Floats

    @property
    def sensitivity(self) -> Floats:
        """Share of positives called at `score >= threshold`; at first nobody is called."""
        called = np.append(0.0, np.cumsum(self.positives))
        return np.asarray(called / called[-1])

    @property
    def specificity(self) -> Floats:
        """Share of negatives not called, at the same thresholds."""
        # Of those not called, so that a whole share (27 of 30) is the number one types (0.9).
        below = np.append(np.cumsum(self.negatives[::-1])[::-1], 0.0)
        return np.asarray(below / below[0])


def steps(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> Steps:
    """The steps of a table of patients; one of weight 0 is not there.

    >>> found = steps([0, 1, 1, 0], [0.2, 0.7, 0.2, 0.1])
    >>> found.positives.tolist(), found.negatives.tolist()
    ([1.0, 1.0, 0.0], [0.0, 1.0, 1.0])
    """
    patients = two_classes(labels, scores)
    weight = checked_weights(weights, patients.n)
    there = weight > 0
    patients = two_classes(patients.labels[there], patients.scores[there])
    values, place = np.unique(-patients.scores, return_inverse=True)
    return _counted(-values, place, patients.labels.astype(int), weight[there])


def resampled_steps(
    labels: ArrayLike, scores: ArrayLike, resamples: Iterable[ArrayLike]
) -> Iterator[Steps]:
    """The steps of each resample, which is a list of rows (from 0); every row may come repeatedly.

    >>> next(resampled_steps([0, 1], [0.2, 0.7], [[0, 0, 1]])).negatives.tolist()
    [0.0, 2.0]
    """
    patients = two_classes(labels, scores)
    values, place = np.unique(-patients.scores, return_inverse=True)
    outcome = patients.labels.astype(int)
    for number, rows in enumerate(resamples):
        chosen = np.asarray(rows, dtype=np.intp)
        _check_rows(chosen, patients.n, number)
        if outcome[chosen].all() or not outcome[chosen].any():
            raise ValueError(
                f"resample {number}: found {int(outcome[chosen].sum())} events in {chosen.size} "
                "rows; expected rows of both outcomes. Resample each outcome by itself."
            )
        yield _counted(-values, place[chosen], outcome[chosen], np.ones(chosen.size))


def _check_rows(rows: NDArray[np.intp], n: int, number: int) -> None:
    wrong = rows[(rows < 0) | (rows >= n)]
    if wrong.size:
        raise ValueError(
            f"resample {number}: found row {wrong[0]}; expected rows from 0 to {n - 1}."
        )


def _counted(values: Floats, place: Integers, outcome: Integers, weight: Floats) -> Steps:
    cell = place + values.size * outcome
    counts = np.bincount(cell, weight, minlength=2 * values.size).astype(np.float64)
    return Steps(values, counts[values.size :], counts[: values.size])
