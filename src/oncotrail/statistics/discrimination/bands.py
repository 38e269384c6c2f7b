"""How certain a ROC curve is: at one specificity, or everywhere at once.

*Pointwise*: at each given specificity, the sensitivity of every resampled curve; the ends are
percentiles. It holds for a specificity that was fixed beforehand (Fawcett, Pattern Recognition
Letters 2006, 27:861; Robin et al., BMC Bioinformatics 2011, 12:77).

*Simultaneous*: with chance sqrt(confidence) no empirical specificity is further from its true one
than a Kolmogorov-Smirnov distance d, and, independently, no sensitivity further than e. Then the
whole true curve lies within rectangles of half-sides d and e around the points of the empirical
one (Campbell, Statistics in Medicine 1994, 13:499, with the distances for the given, finite group
sizes). It is wider, and allows the threshold to be chosen by looking. It holds for one row per
patient and no weights, which are therefore not offered.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, checked_confidence, column
from oncotrail.statistics.discrimination.placements import placements
from oncotrail.statistics.discrimination.resampled_steps import on_steps
from oncotrail.statistics.discrimination.roc import height
from oncotrail.statistics.discrimination.steps import Steps, steps
from oncotrail.statistics.results import result
from oncotrail.statistics.uncertainty.endpoints import defined_replicates, percentile_band
from oncotrail.statistics.uncertainty.resampling import Resamples


@result
class RocBand:
    """Sensitivity (the curve's own) at each specificity, and how far it may be from the truth.

    `n` and `events` count patients, those with any row with the outcome as events.
    """

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
    resamples: Resamples,
    confidence: float = 0.95,
    weights: ArrayLike | None = None,
) -> RocBand:
    """Intervals of the sensitivity at given specificities, from resampled patients.

    `resamples` are drawn by the patients of the rows, best within the labels; `weights` are
    sampling weights. Of a perfect marker all resamples are perfect, and the band has no width: take
    `simultaneous_band`, or `fixed.sensitivity_at` for one specificity.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6]
    >>> drawn = resample(range(6), strata=labels, generator=np.random.default_rng(7), number=200)
    >>> band = pointwise_band(labels, scores, [0.5], resamples=drawn)
    >>> band.sensitivity.tolist(), band.high.tolist()
    ([1.0], [1.0])
    """
    wanted = column(specificities, "specificities", low=0, high=1)
    placed = placements(labels, scores, weights, resamples.clusters.patient)

    def heights(counted: Steps) -> Floats:
        return height(counted, wanted)

    resampled = on_steps(labels, scores, heights, weights)
    drawn = np.concatenate([resampled(resamples.clusters.weights(c)) for c in resamples.blocks()])
    # A resample of one outcome has no curve at all: the first point tells of all.
    defined_replicates(drawn[:, 0], confidence)
    ends = percentile_band(drawn[np.isfinite(drawn[:, 0])], confidence)
    return RocBand(
        specificity=wanted,
        sensitivity=heights(steps(labels, scores, weights)),
        low=ends.low,
        high=ends.high,
        confidence=confidence,
        n=placed.n,
        events=placed.positive.n,
        method=f"bootstrap, {resamples.number}",
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
