"""Updating a model's probabilities for patients unlike those it was made on.

The log odds l are replaced by a + l (only the average is wrong: another prevalence) or by a + b l
(the spread is wrong too). Both are learned on patients of one role and applied to others: applied
to those that they were learned on, they make any model look calibrated (Steyerberg et al.,
Statistics in Medicine 2004, 23:2567; for machine learning, Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from oncotrail.statistics.arrays import Floats, one_of
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.calibration.slope import calibration_in_the_large, calibration_slope
from oncotrail.statistics.intervals import Estimate

Update = Literal["intercept", "intercept and slope"]


@dataclass(frozen=True)
class Recalibration:
    """What was learned: intercept, and slope (None where it was left at 1)."""

    intercept: Estimate
    slope: Estimate | None

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Updated probabilities, 0 to 1, of any patients; ranks are kept (if the slope is above 0).

        >>> learned = recalibrate([0, 0, 1, 1], [0.1, 0.2, 0.1, 0.3], update="intercept")
        >>> learned.apply([0.1, 0.3]).round(3).tolist()
        [0.369, 0.693]
        """
        slope = 1.0 if self.slope is None else self.slope.value
        return np.asarray(expit(self.intercept.value + slope * log_odds(probabilities)))


def recalibrate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    update: Update = "intercept and slope",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Recalibration:
    """Learn how probabilities must be updated to fit these patients, by maximum likelihood.

    Afterwards, on these patients, calibration in the large is 0 and (if it was updated) the slope
    is 1. Weights and clusters as in `slope`. Exact 0 and 1, one outcome only, and a separated one
    are refused.

    >>> round(recalibrate([0, 0, 1, 1], [0.1, 0.2, 0.1, 0.3]).intercept.value, 3)
    1.401
    """
    one_of(update, get_args(Update), "update")
    if update == "intercept":
        level = calibration_in_the_large(
            labels, probabilities, weights=weights, clusters=clusters, confidence=confidence
        )
        return Recalibration(level, None)
    line = calibration_slope(
        labels, probabilities, weights=weights, clusters=clusters, confidence=confidence
    )
    return Recalibration(line.intercept, line.slope)
