"""Sensitivity at a fixed specificity, and specificity at a fixed sensitivity.

The curve is read at the value that was fixed beforehand, straight between its points, and where it
is vertical at its better end. That the threshold for it had to be found on the same patients is
part of the uncertainty, so the interval is of percentiles of resampled curves, each read at the
same value (Robin et al., BMC Bioinformatics 2011, 12:77).

Where all resamples agree (a perfect marker) they would claim certainty: the interval is then
Wilson's, of the effective number of patients with that outcome (Kish).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Scored, two_classes
from oncotrail.statistics.discrimination.placements import placements
from oncotrail.statistics.discrimination.resampled_steps import on_steps
from oncotrail.statistics.discrimination.roc import height
from oncotrail.statistics.discrimination.steps import Steps, steps
from oncotrail.statistics.intervals import Estimate, wilson
from oncotrail.statistics.uncertainty.bootstrap import bootstrap
from oncotrail.statistics.uncertainty.resampling import Resamples


def sensitivity_at(
    labels: ArrayLike,
    scores: ArrayLike,
    specificity: float,
    *,
    resamples: Resamples,
    confidence: float = 0.95,
    weights: ArrayLike | None = None,
) -> Estimate:
    """Sensitivity where the specificity is the given one, 0 to 1; higher is better.

    `resamples` are drawn by the patients of the rows, best within the labels. `weights` are
    sampling weights. `n` and `events` count patients with the outcome.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6]
    >>> drawn = resample(range(6), strata=labels, generator=np.random.default_rng(7))
    >>> found = sensitivity_at(labels, scores, 1, resamples=drawn)
    >>> round(found.value, 4), found.n
    (0.6667, 3)
    """
    _check_share(specificity, "specificity")
    found = _read(two_classes(labels, scores), specificity, resamples, confidence, weights)
    return replace(found, events=found.n)


def specificity_at(
    labels: ArrayLike,
    scores: ArrayLike,
    sensitivity: float,
    *,
    resamples: Resamples,
    confidence: float = 0.95,
    weights: ArrayLike | None = None,
) -> Estimate:
    """Specificity where the sensitivity is the given one, 0 to 1; higher is better.

    As `sensitivity_at`; `n` counts patients without the outcome, and `events` is 0.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6]
    >>> drawn = resample(range(6), strata=labels, generator=np.random.default_rng(7))
    >>> found = specificity_at(labels, scores, 1, resamples=drawn)
    >>> round(found.value, 4), found.n
    (0.6667, 3)
    """
    _check_share(sensitivity, "sensitivity")
    # The same curve, seen by those without the outcome, of whom the lowest are called first.
    rows = two_classes(labels, scores)
    turned = Scored(~rows.labels, -rows.scores)
    return _read(turned, sensitivity, resamples, confidence, weights)


def _read(
    rows: Scored,
    share: float,
    resamples: Resamples,
    confidence: float,
    weights: ArrayLike | None,
) -> Estimate:
    def read(counted: Steps) -> float:
        return float(height(counted, np.array([share]))[0])

    placed = placements(rows.labels, rows.scores, weights, resamples.clusters.patient)
    value = read(steps(rows.labels, rows.scores, weights))
    drawn = on_steps(rows.labels, rows.scores, read, weights)
    found = bootstrap(drawn, resamples, confidence=confidence, method="percentile")
    low, high, method = found.low, found.high, f"bootstrap, {resamples.number}"
    if low is None or high is None:
        effective = placed.positive.effective
        ends = wilson(value * effective, effective, confidence)
        low, high, method = ends.low, ends.high, "Wilson"
    return Estimate(value, low, high, confidence, placed.positive.n, 0, method)


def _check_share(share: float, name: str) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"found {name} {share}; expected a number from 0 to 1.")
