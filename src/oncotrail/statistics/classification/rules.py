"""Rules that find a threshold on given patients: Youden, fixed sensitivity or specificity, cost.

Every rule looks at all thresholds that tell these patients apart: below each distinct score, and
above the highest (nobody is called). The one it picks is put halfway between two neighbouring
scores, so that it does not depend on which of these patients happened to score just above it. Of
several equally good ones it is the lowest: it misses fewest events.

These are numbers alone. `thresholds` remembers with them on whom they were chosen.

Weights are those of sampling: sensitivity and specificity are then shares of weight. Rows are what
is counted: where a patient has several images, weights of 1 / (images of the patient) let each
patient count once.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.chosen import halfway
from oncotrail.statistics.discrimination.steps import Steps, steps

_ROUNDING = 1e-12  # shares this near are equal: 1 - 0.9 and 0.1, and sums of weights


def youden_threshold(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """The highest sensitivity + specificity (Youden, Cancer 1950, 3:32).

    >>> round(youden_threshold([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9]), 6)
    0.4
    """
    counted = steps(labels, scores, weights)
    # Nobody called is as good as everybody called, which is lower.
    return _cheapest(counted, 1 - counted.sensitivity, 1 - counted.specificity)


def threshold_at_sensitivity(
    labels: ArrayLike, scores: ArrayLike, sensitivity: float, weights: ArrayLike | None = None
) -> float:
    """The most specific threshold with at least this sensitivity, from 0 (nobody called) to 1.

    >>> threshold_at_sensitivity([0, 0, 1, 1], [1, 3, 5, 9], 0.9)
    4.0
    """
    counted = steps(labels, scores, weights)
    enough = counted.sensitivity >= _share(sensitivity, "sensitivity") - _ROUNDING
    # The highest score at which enough are called; below it lie scores of more false positives,
    # above it too few are called.
    return _between(counted, int(np.argmax(enough)))


def threshold_at_specificity(
    labels: ArrayLike, scores: ArrayLike, specificity: float, weights: ArrayLike | None = None
) -> float:
    """The most sensitive threshold with at least this specificity, from 0 (all called) to 1.

    Where only calling nobody is specific enough, it is just above the highest score.

    >>> threshold_at_specificity([0, 0, 1, 1], [1, 3, 5, 9], 0.5)
    2.0
    """
    counted = steps(labels, scores, weights)
    enough = counted.specificity >= _share(specificity, "specificity") - _ROUNDING
    return _between(counted, _last(enough))


def threshold_of_least_cost(
    labels: ArrayLike,
    scores: ArrayLike,
    cost_ratio: float,
    prevalence: float,
    weights: ArrayLike | None = None,
) -> float:
    """The least expected cost, where a missed event costs `cost_ratio` false alarms (above 0).

    The cost is cost_ratio prevalence (1 - sensitivity) + (1 - prevalence) (1 - specificity), with
    the prevalence where the threshold will be used. Where events are rare and cheap, calling nobody
    may be best. (Zweig and Campbell, Clinical Chemistry 1993, 39:561.)

    >>> threshold_of_least_cost([0, 0, 1, 0, 1], [1, 3, 5, 6, 9], 5, prevalence=0.4)
    4.0
    """
    if not (0 < cost_ratio < math.inf):
        raise ValueError(f"found cost_ratio {cost_ratio}; expected a number above 0.")
    share = _share(prevalence, "prevalence")
    counted = steps(labels, scores, weights)
    missed = cost_ratio * share * (1 - counted.sensitivity)
    return _cheapest(counted, missed, (1 - share) * (1 - counted.specificity))


def _cheapest(counted: Steps, missed: Floats, alarms: Floats) -> float:
    """The lowest threshold of those with the least sum of both costs, but for rounding."""
    cost = missed + alarms
    return _between(counted, _last(cost <= cost.min() + _ROUNDING * max(1.0, cost.max())))


def _between(counted: Steps, place: int) -> float:
    """The threshold that calls the `place` highest distinct scores, halfway to the next one."""
    scores = counted.scores
    if place == 0:
        return float(np.nextafter(scores[0], np.inf))
    above = float(scores[place - 1])
    if place == scores.size:
        return above
    return halfway(float(scores[place]), above)


def _last(true: Flags) -> int:
    return int(np.flatnonzero(true)[-1])


def _share(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"found {name} {value}; expected a number from 0 to 1.")
    return value
