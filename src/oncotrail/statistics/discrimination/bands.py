"""How certain a ROC curve is: at one specificity, or everywhere at once.

*Pointwise*: at each given specificity, the sensitivity of every resampled curve; the ends are
percentiles. It holds for a specificity that was fixed beforehand (Fawcett, Pattern Recognition
Letters 2006, 27:861; Robin et al., BMC Bioinformatics 2011, 12:77).

*Simultaneous*: with chance sqrt(confidence) no empirical specificity is further from its true one
than a Kolmogorov-Smirnov distance d, and, independently, no sensitivity further than e. Then the
whole true curve lies within rectangles of half-sides d and e around the points of the empirical
one (Campbell, Statistics in Medicine 1994, 13:499, with the distances for the given, finite group
sizes). It is wider, and allows the threshold to be chosen by looking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, checked_confidence, column
from oncotrail.statistics.discrimination.resamples import percentiles
from oncotrail.statistics.discrimination.roc import height, sensitivity_at
from oncotrail.statistics.discrimination.steps import Steps, resampled_steps, steps


@dataclass(frozen=True)
class RocBand:
    """Sensitivity (the curve's own) at each specificity, and how far it may be from the truth."""

    specificity: Floats
    sensitivity: Floats
    low: Floats
    high: Floats
    confidence: float
    n: int
    events: int
    method: str


def pointwise_band(
    labels: ArrayLike,
    scores: ArrayLike,
    specificities: ArrayLike,
    *,
    resamples: Iterable[ArrayLike],
    confidence: float = 0.95,
) -> RocBand:
    """Intervals of the sensitivity at given specificities, from resampled rows.

    `resamples` are rows of the table, as `resamples.stratified_resamples` draws them. Of a perfect
    marker all resamples are perfect, and the band has no width: take `simultaneous_band`.

    >>> from oncotrail.statistics.discrimination.resamples import stratified_resamples
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6]
    >>> drawn = stratified_resamples(labels, np.random.default_rng(7), count=200)
    >>> band = pointwise_band(labels, scores, [0.5], resamples=drawn)
    >>> band.sensitivity.tolist(), band.high.tolist()
    ([1.0], [1.0])
    """
    wanted = column(specificities, "specificities", low=0, high=1)
    resampled = np.array(
        [height(counted, wanted) for counted in resampled_steps(labels, scores, resamples)]
    )
    if not resampled.size:
        raise ValueError("found no resamples; expected at least one list of rows.")
    low, high = percentiles(resampled, confidence)
    return RocBand(
        specificity=wanted,
        sensitivity=sensitivity_at(labels, scores, wanted),
        low=low,
        high=high,
        confidence=confidence,
        n=np.size(labels),
        events=int(np.sum(labels)),
        method=f"bootstrap, {len(resampled)}",
    )


def simultaneous_band(
    labels: ArrayLike, scores: ArrayLike, specificities: ArrayLike, confidence: float = 0.95
) -> RocBand:
    """A band that holds the whole true curve, shown at given specificities.

    >>> band = simultaneous_band([0] * 50 + [1] * 50, list(range(100)), [0.5, 0.9])
    >>> band.low.round(3).tolist(), band.high.tolist()
    ([0.795, 0.0], [1.0, 1.0])
    """
    wanted = column(specificities, "specificities", low=0, high=1)
    checked_confidence(confidence)
    counted = steps(labels, scores)
    positives, negatives = int(counted.positives.sum()), int(counted.negatives.sum())
    across = kolmogorov_distance(negatives, math.sqrt(confidence))
    up = kolmogorov_distance(positives, math.sqrt(confidence))
    curve = height(counted, wanted)
    low = np.maximum(0.0, _lowest(counted, wanted + across) - up)
    high = np.minimum(1.0, _highest(counted, wanted - across) + up)
    # Through ties the curve is a chord, which may leave the rectangles around its ends.
    return RocBand(
        specificity=wanted,
        sensitivity=curve,
        low=np.minimum(low, curve),
        high=np.maximum(high, curve),
        confidence=confidence,
        n=positives + negatives,
        events=positives,
        method="Kolmogorov-Smirnov",
    )


def kolmogorov_distance(n: int, confidence: float) -> float:
    """How far, at most, an empirical distribution of `n` is from the true one, anywhere.

    >>> round(kolmogorov_distance(10, 0.95), 4)
    0.4092
    """
    from scipy.stats import kstwo

    return float(kstwo.ppf(checked_confidence(confidence), n))


def _highest(counted: Steps, specificity: Floats) -> Floats:
    """The best sensitivity among thresholds of at least this specificity."""
    # Specificity falls along the steps, so their negatives rise; the last one that is high enough.
    place = np.searchsorted(-counted.specificity, -specificity + 1e-12, side="right") - 1
    return np.asarray(counted.sensitivity[place])


def _lowest(counted: Steps, specificity: Floats) -> Floats:
    """The worst sensitivity among thresholds of at most this specificity."""
    place = np.searchsorted(-counted.specificity, -specificity - 1e-12, side="left")
    return np.asarray(counted.sensitivity[place])
