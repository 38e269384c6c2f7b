"""Whether predicted probabilities are right on average, and spread as widely as they should be.

The outcome is regressed, by logistic regression, on the log odds l that were predicted (Cox,
Biometrika 1958, 45:562):

- *in the large*: logit P(outcome) = a + l. Were the model right, a would be 0; above 0 the risks
  were predicted too low.
- *slope*: logit P(outcome) = a + b l. Were it right, b would be 1; below 1 the predictions are too
  extreme, high ones too high and low ones too low, as those of an overfitted model are.

Weights and clusters are those of `fit_logistic`: whole weights count patients; with others, and
with clusters (the images of a patient), the covariance is the robust one.

(Van Calster et al., BMC Medicine 2019, 17:230.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Undefined, binary
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.intervals import Estimate
from oncotrail.statistics.regression.chi_squared import ChiSquared, chi_squared, joint_wald
from oncotrail.statistics.regression.logistic import LogisticFit, fit_logistic


@dataclass(frozen=True)
class CalibrationSlope:
    """The calibration line on the log-odds scale, and the joint test that it is the diagonal.

    `chi_square` (2 degrees of freedom) is twice the gain in log-likelihood over intercept 0 and
    slope 1, or, where the covariance is robust, Wald's; a low p-value speaks against calibration.
    Both are None for two clusters, too few for two coefficients.
    """

    slope: Estimate
    intercept: Estimate
    chi_square: float | None
    p_value: float | None


def calibration_in_the_large(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Intercept a of logit P(outcome) = a + predicted log odds; 0 is best, Wald's interval.

    Above 0 the predictions are too low on average, below 0 too high. Undefined, so a ValueError,
    where everybody or nobody had the outcome, and for probabilities of exactly 0 or 1.

    >>> estimate = calibration_in_the_large([0, 0, 1, 1], [0.2, 0.3, 0.4, 0.6])
    >>> round(estimate.value, 3)
    0.565
    """
    fit = fit_logistic(
        labels, None, weights=weights, offset=log_odds(probabilities), clusters=clusters
    )
    return _estimate(fit, 0, confidence)


def calibration_slope(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
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
    fit = fit_logistic(
        labels, predicted, weights=weights, clusters=clusters, names=["predicted log odds"]
    )
    joint = _joint_test(fit, binary(labels, "labels"), predicted, weights)
    slope, intercept = _estimate(fit, 1, confidence), _estimate(fit, 0, confidence)
    if joint is None:
        return CalibrationSlope(slope, intercept, None, None)
    return CalibrationSlope(slope, intercept, joint.statistic, joint.p_value)


def _joint_test(
    fit: LogisticFit, outcome: Flags, predicted: Floats, weights: ArrayLike | None
) -> ChiSquared | None:
    """That the intercept is 0 and the slope 1; None where too few clusters say."""
    if not fit.robust:
        weight = checked_weights(weights, outcome.size)
        as_predicted = float(weight @ (outcome * predicted - np.logaddexp(0, predicted)))
        return chi_squared(2 * (fit.log_likelihood - as_predicted), 2)
    try:
        return joint_wald(fit.coefficients - [0, 1], fit.covariance)
    except Undefined:
        return None


def _estimate(fit: LogisticFit, place: int, confidence: float) -> Estimate:
    row = fit.wald(confidence)[place]
    return Estimate(row.value, row.low, row.high, confidence, fit.n, fit.events, "Wald")
