"""Whether predicted probabilities are right on average, and spread as widely as they should be.

The outcome is regressed, by logistic regression, on the log odds l that were predicted (Cox,
Biometrika 1958, 45:562):

- *in the large*: logit P(outcome) = a + l. Were the model right, a would be 0; above 0 the risks
  were predicted too low.
- *slope*: logit P(outcome) = a + b l. Were it right, b would be 1; below 1 the predictions are too
  extreme, high ones too high and low ones too low, as those of an overfitted model are.

Weights count patients in both, also where they are fractions (as in R's glm): 0.5 is half a
patient, and the interval widens accordingly.

(Van Calster et al., BMC Medicine 2019, 17:230.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from oncotrail.statistics.arrays import Undefined, binary
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.intervals import Estimate
from oncotrail.statistics.regression.logistic import LogisticFit, fit_logistic


@dataclass(frozen=True)
class CalibrationSlope:
    """The calibration line on the log-odds scale, and the joint test that it is the diagonal.

    `chi_square` (2 degrees of freedom) is twice the gain in log-likelihood over intercept 0 and
    slope 1; a low p-value speaks against calibration.
    """

    slope: Estimate
    intercept: Estimate
    chi_square: float
    p_value: float


def calibration_in_the_large(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Intercept a of logit P(outcome) = a + predicted log odds; 0 is best, Wald's interval.

    Above 0 the predictions are too low on average, below 0 too high. Undefined, so a ValueError,
    where everybody or nobody had the outcome, and for probabilities of exactly 0 or 1.

    >>> estimate = calibration_in_the_large([0, 0, 1, 1], [0.2, 0.3, 0.4, 0.6])
    >>> round(estimate.value, 3)
    0.565
    """
    fit = fit_logistic(labels, None, weights=weights, offset=log_odds(probabilities))
    return _estimate(fit, 0, confidence)


def calibration_slope(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> CalibrationSlope:
    """Slope (1 is best) and intercept (0 is best) of the outcome on predicted log odds.

    Wald intervals. The intercept is the one that belongs to this slope; whether predictions are
    right on average is `calibration_in_the_large`. A ValueError where the slope is undefined: one
    outcome only, all probabilities equal, predictions that separate the outcomes, exact 0 or 1.

    >>> found = calibration_slope([0, 0, 1, 0, 1, 1], [0.2, 0.3, 0.4, 0.6, 0.5, 0.9])
    >>> round(found.slope.value, 3), round(found.intercept.value, 3), round(found.p_value, 3)
    (1.389, 0.172, 0.947)
    """
    predicted = log_odds(probabilities)
    if np.ptp(predicted) == 0:
        raise Undefined(
            f"found the same probability for all {predicted.size} patients; "
            "a calibration slope needs probabilities that differ."
        )
    fit = fit_logistic(labels, predicted, weights=weights, names=["predicted log odds"])
    outcome = binary(labels, "labels")
    weight = checked_weights(weights, outcome.size)
    as_predicted = float(weight @ (outcome * predicted - np.logaddexp(0, predicted)))
    gain = max(0.0, 2 * (fit.log_likelihood - as_predicted))
    slope, intercept = _estimate(fit, 1, confidence), _estimate(fit, 0, confidence)
    return CalibrationSlope(slope, intercept, gain, float(chdtrc(2, gain)))


def _estimate(fit: LogisticFit, place: int, confidence: float) -> Estimate:
    row = fit.wald(confidence)[place]
    return Estimate(row.value, row.low, row.high, confidence, fit.n, fit.events, "Wald")
