"""Where each patient stands among the patients of the other group: what all areas are made of.

A patient with the outcome gets the share of patients without it that score lower, a patient without
it the share of patients with it that score higher; ties count one half. Both means are the area
under the ROC curve, and their variances, divided by the group sizes, add up to its variance
(DeLong et al., Biometrics 1988, 44:837).

Counting pairs takes m n steps. Here everybody is sorted once, m + n patients in n log n steps; the
weight below each distinct score is then a running sum (the same as differences of mid-ranks: Sun
and Xu, IEEE Signal Processing Letters 2014, 21:1389).

With weights a share is a share of weight. Weights are those of sampling (one patient stands for so
many), not of repetition: a weight of 2 does not make two independent patients, so the value is that
of the row written twice, and the variance is not. The variance is the sum of squared influences,
sum of (w (V - A) / W)^2 in each group, times k / (k - 1) for its k patients, which without weights
is DeLong's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Scored, two_classes
from oncotrail.statistics.arrays import weights as checked_weights


@dataclass(frozen=True)
class Group:
    """Placements of one group's patients, and their weights."""

    placements: Floats
    weights: Floats

    @property
    def n(self) -> int:
        """How many patients."""
        return self.placements.size

    @property
    def effective(self) -> float:
        """How many patients of equal weight say as much (Kish, Survey Sampling 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    @property
    def mean(self) -> float:
        """The area, seen from this group."""
        return float(self.weights @ self.placements / self.weights.sum())

    @property
    def variance_of_mean(self) -> float | None:
        """What this group adds to the area's variance; one patient shows no spread: None."""
        if self.n == 1:
            return None
        # Equal placements (or differences of placements, such as 2/3 - 1/3 and 1 - 2/3) have a
        # variance of exactly zero, which rounding would hide.
        if np.ptp(self.placements) < 1e-12:
            return 0.0
        influences = self.weights * (self.placements - self.mean) / self.weights.sum()
        return float(influences @ influences * self.n / (self.n - 1))


@dataclass(frozen=True)
class Placements:
    """Each patient's placement, by group; without weights multiples of 1 / (2 m) and 1 / (2 n)."""

    positive: Group
    negative: Group

    @property
    def n(self) -> int:
        """How many patients."""
        return self.positive.n + self.negative.n

    @property
    def area(self) -> float:
        """The area under the ROC curve."""
        return self.positive.mean

    @property
    def variance(self) -> float | None:
        """DeLong's, or None where a group of one patient shows no spread."""
        parts = self.positive.variance_of_mean, self.negative.variance_of_mean
        return None if parts[0] is None or parts[1] is None else parts[0] + parts[1]

    def minus(self, other: Placements) -> Placements:
        """Placements of the difference of two areas of the same patients."""
        return Placements(
            Group(self.positive.placements - other.positive.placements, self.positive.weights),
            Group(self.negative.placements - other.negative.placements, self.negative.weights),
        )


def placements(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> Placements:
    """Place every patient; one of weight 0 is not there.

    >>> placements([0, 1, 1], [0.2, 0.2, 0.9]).positive.placements.tolist()
    [0.5, 1.0]
    """
    patients = two_classes(labels, scores)
    if weights is None:
        return _placed(patients, np.ones(patients.n))
    weight = checked_weights(weights, patients.n)
    there = weight > 0
    return _placed(two_classes(patients.labels[there], patients.scores[there]), weight[there])


def _placed(patients: Scored, weight: Floats) -> Placements:
    order = np.argsort(patients.scores)
    labels, ordered = patients.labels[order], patients.scores[order]
    # Weight of each group up to and including each patient, in rising order of score.
    weighed = weight[order]
    positive, negative = np.cumsum(weighed * labels), np.cumsum(weighed * ~labels)
    totals = positive[-1], negative[-1]
    distinct = ordered[1:] != ordered[:-1]
    if not distinct.all():
        positive, negative = (_halfway(part, distinct) for part in (positive, negative))
    placed = np.empty(patients.n)
    above = (totals[0] - positive) / totals[0]
    placed[order] = np.where(labels, negative / totals[1], above)
    return Placements(
        Group(placed[patients.labels], weight[patients.labels]),
        Group(placed[~patients.labels], weight[~patients.labels]),
    )


def _halfway(running: Floats, distinct: Flags) -> Floats:
    """The running sum halfway through each run of equal scores, for every patient in it."""
    last = np.append(np.flatnonzero(distinct), running.size - 1)
    after = running[last]
    before = np.append(0.0, after[:-1])
    return np.asarray(((before + after) / 2)[np.append(0, np.cumsum(distinct))])
