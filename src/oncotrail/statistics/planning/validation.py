"""How many patients it takes to validate a model of risk elsewhere.

Three figures should come out with narrow intervals (Riley et al., Statistics in Medicine 2021,
40:4230), and the answer is the largest n:

- observed over expected: the logarithm has variance (1 - phi) / (n phi), so that a width W of the
  interval around a ratio r asks for a standard error of asinh(W / (2 r)) / z;
- the calibration slope: from the information that the model's linear predictors x carry, with risks
  p = 1 / (1 + exp(-x)), as a logistic model of the outcome on x would have it;
- the area under the curve (auc_size.py).
"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy.special import expit

from oncotrail.statistics.arrays import Undefined, column
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.planning.auc_size import auc_width_size
from oncotrail.statistics.planning.criteria import Criterion, SampleSize, largest
from oncotrail.statistics.planning.explained import checked_above, checked_share
from oncotrail.statistics.planning.smallest import up


def validation_size(
    prevalence: float,
    auc: float,
    linear_predictors: ArrayLike,
    *,
    ratio_width: float = 0.2,
    slope_width: float = 0.2,
    auc_width: float = 0.1,
    confidence: float = 0.95,
) -> SampleSize:
    """Patients for all three; widths are end to end.

    `linear_predictors` are log-odds of risk as expected where the model is validated: those of
    patients, or drawn from a distribution.

    >>> found = validation_size(0.3, 0.8, [-3, -2, -1, -0.5, 0, 1], ratio_width=0.4)
    >>> [one.n for one in found.criteria], found.n
    ([228, 2154, 359], 2154)
    """
    ratio = ratio_size(prevalence, ratio_width, confidence=confidence)
    slope = slope_size(linear_predictors, slope_width, confidence=confidence)
    area = auc_width_size(auc, prevalence, auc_width, confidence=confidence).n
    criteria = (
        Criterion("observed over expected", ratio),
        Criterion("calibration slope", slope),
        Criterion("area under the curve", area),
    )
    return largest(criteria, events_each=prevalence)


def ratio_size(
    prevalence: float, width: float, *, ratio: float = 1.0, confidence: float = 0.95
) -> int:
    """Patients for an interval of observed over expected events no wider than `width`.

    >>> ratio_size(0.018, 1.0)
    906
    """
    share = checked_share(prevalence, "prevalence")
    reach = checked_above(width, "width") / (2 * checked_above(ratio, "ratio"))
    error = math.asinh(reach) / normal_quantile(confidence)
    return up((1 - share) / (share * error**2))


def slope_size(linear_predictors: ArrayLike, width: float, *, confidence: float = 0.95) -> int:
    """Patients for an interval of the calibration slope (of 1) no wider than `width`.

    >>> slope_size([-3, -2, -1, 0, 1], 0.2)
    1797
    """
    x = column(linear_predictors, "linear_predictors")
    risk = expit(x)
    weight = risk * (1 - risk)
    of_level, of_both = float(weight.mean()), float((weight * x).mean())
    information = float((weight * (x - of_both / of_level) ** 2).mean())
    if information <= 1e-12:
        raise Undefined(
            "found linear predictors that are all the same; a slope needs patients who differ."
        )
    error = checked_above(width, "width") / (2 * normal_quantile(confidence))
    return up(1 / (information * error**2))
