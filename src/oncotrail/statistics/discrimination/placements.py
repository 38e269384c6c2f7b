"""Where each row stands among the rows of the other outcome: what all areas are made of.

A row with the outcome gets the share of rows without it that score lower, a row without it the
share of rows with it that score higher; ties count one half. Both means are the area under the ROC
curve, and their variances, divided by the group sizes, add up to its variance (DeLong et al.,
Biometrics 1988, 44:837).

Counting pairs takes m n steps. Here everybody is sorted once, m + n rows in n log n steps; the
weight below each distinct score is then a running sum (the same as differences of mid-ranks: Sun
and Xu, IEEE Signal Processing Letters 2014, 21:1389).

With weights a share is a share of weight. Weights are those of sampling (one row stands for so
many), not of repetition: a weight of 2 does not make two independent rows, so the value is that of
the row written twice, and the variance is not. A row's influence is w (V - A) / W, with V its
placement, A the area and W the weight of its group.

Several rows of one patient (images, lesions) are alike, and may be of both outcomes. The patient is
then the unit (Obuchowski, Biometrics 1997, 53:567): its influences add up to u in the rows with the
outcome, and v in those without, and the variance is

    k1 / (k1 - 1) sum u^2 + k0 / (k0 - 1) sum v^2 + 2 k / (k - 1) sum u v

over k patients, k1 of them with a row with the outcome, k0 with one without. Of patients with one
row each the last sum is zero and the others are DeLong's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Integers, Scored
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.discrimination.steps import present

_NO_SPREAD = 1e-12  # placements this near are equal but for rounding: 2/3 - 1/3 and 1 - 2/3


@dataclass(frozen=True, eq=False)
class Group:
    """Placements of one group's rows, their weights, and whose rows they are.

    `clusters` are numbers shared with the other group; None where each row is a patient of its own.
    """

    placements: Floats
    weights: Floats
    clusters: Integers | None = None

    @property
    def n(self) -> int:
        """How many patients have a row in this group."""
        return self.placements.size if self.clusters is None else np.unique(self.clusters).size

    @property
    def effective(self) -> float:
        """How many patients of equal weight say as much (Kish, Survey Sampling 1965)."""
        weight = self.by_patient(self.weights)
        return float(weight.sum() ** 2 / (weight**2).sum())

    @property
    def mean(self) -> float:
        """The area, seen from this group."""
        return float(self.weights @ self.placements / self.weights.sum())

    def by_patient(self, values: Floats, patients: int = 0) -> Floats:
        """Sums of the rows' values over each of at least so many patients."""
        if self.clusters is None:
            return values
        return np.bincount(self.clusters, values, minlength=patients).astype(np.float64)

    def influence(self, patients: int = 0) -> Floats:
        """What each patient contributes to the area from this group."""
        relative = self.weights / self.weights.sum()
        found = self.by_patient(relative * (self.placements - self.mean), patients)
        # Exactly none where only rounding is left, so that no spread is a variance of zero.
        return found if np.abs(found).max() * self.n > _NO_SPREAD else np.zeros(found.size)


@dataclass(frozen=True, eq=False)
class Placements:
    """Each row's placement, by group; without weights multiples of 1 / (2 m) and 1 / (2 n)."""

    positive: Group
    negative: Group

    @property
    def n(self) -> int:
        """How many patients."""
        if self.positive.clusters is None or self.negative.clusters is None:
            return self.positive.n + self.negative.n
        return np.union1d(self.positive.clusters, self.negative.clusters).size

    @property
    def method(self) -> str:
        """Whose variance it is."""
        return "DeLong" if self.positive.clusters is None else "Obuchowski"

    @property
    def area(self) -> float:
        """The area under the ROC curve."""
        # Rounding of weighted sums must not carry the area of a perfect marker past 1.
        return min(1.0, self.positive.mean)

    @property
    def variance(self) -> float | None:
        """DeLong's or Obuchowski's, or None where a group of one patient shows no spread."""
        found = covariance([self])
        return None if found is None else float(found[0, 0])

    def minus(self, other: Placements) -> Placements:
        """Placements of the difference of two areas of the same rows."""
        pairs = (self.positive, other.positive), (self.negative, other.negative)
        return Placements(
            *(replace(one, placements=one.placements - two.placements) for one, two in pairs)
        )


def placements(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Placements:
    """Place every row; one of weight 0 is not there. `clusters` says whose row each is.

    >>> placements([0, 1, 1], [0.2, 0.2, 0.9]).positive.placements.tolist()
    [0.5, 1.0]
    """
    rows, weight = present(labels, scores, weights)
    placed = _placed(rows, weight)
    whose = None if clusters is None else _numbered(clusters, weights, np.size(scores))
    return Placements(
        *(
            Group(placed[side], weight[side], None if whose is None else whose[side])
            for side in (rows.labels, ~rows.labels)
        )
    )


def covariance(placed: Sequence[Placements]) -> Floats | None:
    """Of the areas of several markers of the same rows, or None where one patient is a group.

    >>> covariance([placements([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8])]).tolist()
    [[0.125]]
    """
    first = placed[0]
    sizes = first.positive.n, first.negative.n
    if min(sizes) == 1:
        return None
    up = np.array([each.positive.influence(first.n) for each in placed])
    down = np.array([each.negative.influence(first.n) for each in placed])
    apart = _unbiased(sizes[0]) * up @ up.T + _unbiased(sizes[1]) * down @ down.T
    if first.positive.clusters is None:
        return np.asarray(apart)
    both = up @ down.T
    return np.asarray(apart + _unbiased(first.n) * (both + both.T))


def _unbiased(patients: int) -> float:
    return patients / (patients - 1)


def _numbered(clusters: ArrayLike, weights: ArrayLike | None, n: int) -> Integers:
    """The patients of the rows that are there, from 0; one alone shows no spread."""
    if weights is None:
        return numbered_clusters(clusters, n)
    there = np.asarray(weights) > 0
    whose = numbered_clusters(clusters, n, there)[there]
    return np.asarray(np.unique(whose, return_inverse=True)[1])


def _placed(rows: Scored, weight: Floats) -> Floats:
    order = np.argsort(rows.scores)
    labels, ordered = rows.labels[order], rows.scores[order]
    # Weight of each group up to and including each row, in rising order of score.
    weighed = weight[order]
    positive, negative = np.cumsum(weighed * labels), np.cumsum(weighed * ~labels)
    totals = positive[-1], negative[-1]
    distinct = ordered[1:] != ordered[:-1]
    if not distinct.all():
        positive, negative = (_halfway(part, distinct) for part in (positive, negative))
    placed = np.empty(rows.n)
    above = (totals[0] - positive) / totals[0]
    placed[order] = np.where(labels, negative / totals[1], above)
    return placed


def _halfway(running: Floats, distinct: Flags) -> Floats:
    """The running sum halfway through each run of equal scores, for every row in it."""
    last = np.append(np.flatnonzero(distinct), running.size - 1)
    after = running[last]
    before = np.append(0.0, after[:-1])
    return np.asarray(((before + after) / 2)[np.append(0, np.cumsum(distinct))])
