"""Optimism-corrected figures of a model for an outcome that is there or not.

The figures of rms::validate, for any model that gives probabilities. In the patients that it is
judged on, the outcome is regressed on the predicted log odds l (see `slope`), which gives an
intercept, a slope and log-likelihoods: L0 of the prevalence, L1 of l as it is, L2 of the
recalibrated line. Then, with n patients,

- Dxy = 2 C - 1, C the concordance (area under the ROC curve),
- R2 = (1 - exp(2 (L0 - L2) / n)) / (1 - exp(2 L0 / n)), Nagelkerke's,
- D = (2 (L2 - L0) - 1) / n, discrimination; U = (2 (L2 - L1) - 2) / n, unreliability; Q = D - U,
- B the Brier score; g and gp, the mean difference between two patients (Gini's) in recalibrated log
  odds and probability

(Harrell, Regression Modeling Strategies, 2nd edition 2015, sections 10.8-10.9). The engine, and
what optimism is, are told in `optimism`; the curve is in `corrected_curve`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from oncotrail.statistics.arrays import Flags, Floats, Integers, Undefined, binary, column
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.calibration.optimism import OptimismMethod, Validation, correct_optimism
from oncotrail.statistics.regression.logistic import fit_logistic
from oncotrail.statistics.uncertainty import metrics
from oncotrail.statistics.uncertainty.resampling import Resamples

FIGURES = ("C", "Dxy", "R2", "intercept", "slope", "D", "U", "Q", "B", "g", "gp")

Predictor = Callable[[Integers], Floats]  # probabilities of the patients in these rows


@dataclass(frozen=True)
class LogisticValidation(Validation):
    """`emax`: the largest |p - recalibrated p|, by the corrected intercept and slope; 0 is best.

    It has no interval: a slope of maximum likelihood is 1 in its own patients, always, so that the
    training figures, from which the others' intervals come, know no spread of the line. For one,
    keep patients aside: `curve.calibration_errors`.
    """

    emax: float | None


def validate(
    labels: ArrayLike,
    fit: Callable[[Integers], Predictor],
    resamples: Resamples,
    *,
    method: OptimismMethod = "bootstrap",
    confidence: float = 0.95,
) -> LogisticValidation:
    """The figures of `FIGURES` for the model that `fit(rows)` makes, corrected for optimism.

    `fit` must repeat everything that was learned (selection of features, tuning) on the rows it
    gets, and returns what predicts probabilities of rows. A figure that is undefined in a resample
    (one outcome only, separated outcomes, equal or certain probabilities) is not counted there.
    As rms::validate(lrm), which however counts models of separated outcomes, wherever their
    iterations happened to stop; with several rows of a patient, as with its `clusters`.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> y = np.array([0, 0, 1, 0, 1, 0, 1, 1, 0, 1])
    >>> x = np.array([1.0, 2, 2, 3, 3, 4, 4, 5, 5, 6])
    >>> def fit(rows):
    ...     model = fit_logistic(y[rows], x[rows])
    ...     return lambda others: model.predict(x[others])
    >>> drawn = resample(range(10), strata=y, generator=np.random.default_rng(1), number=50)
    >>> found = validate(y, fit, drawn)
    >>> round(found["C"].original, 3), found["B"].original < found["B"].corrected
    (0.68, True)
    """
    outcome = binary(labels, "labels", resamples.clusters.rows)

    def judge(predict: Predictor, rows: Integers) -> Floats:
        return _figures(outcome[rows], predict(rows))

    found = correct_optimism(fit, judge, FIGURES, resamples, method=method, confidence=confidence)
    line = (found["intercept"].corrected, found["slope"].corrected)
    emax = None if line[0] is None or line[1] is None else _emax(line[0], line[1])
    return LogisticValidation(found.figures, confidence, found.n, found.failed, emax)


def gini_mean_difference(values: Floats) -> float:
    """The mean absolute difference between two patients, of whom there must be as many.

    >>> gini_mean_difference(np.array([1.0, 2.0, 4.0]))
    2.0
    """
    n = values.size
    if n < 2:
        raise Undefined(f"found {n} patients; a mean difference needs at least 2.")
    return float(2 * (2 * np.arange(n) - n + 1) @ np.sort(values) / (n * (n - 1)))


def _figures(outcome: Flags, probabilities: Floats) -> Floats:
    """`FIGURES` of these probabilities in these patients; NaN for what is undefined here."""
    risk = column(probabilities, "probabilities", n=outcome.size, low=0, high=1)
    area, brier = (float(metric(outcome, risk)[0]) for metric in (metrics.auc, metrics.brier))
    try:
        line = _line(outcome, log_odds(risk))
    except Undefined:  # no line can be fitted; what needs none is still defined
        line = np.full(8, np.nan)
    return np.array([area, 2 * area - 1, *line[:6], brier, *line[6:]])


def _line(outcome: Flags, predicted: Floats) -> Floats:
    """R2, intercept, slope, D, U, Q, g and gp."""
    n = outcome.size
    fit = fit_logistic(outcome, predicted)
    as_it_is = float(outcome @ predicted - np.logaddexp(0, predicted).sum())
    gain = 2 * (fit.log_likelihood - fit.null_log_likelihood)
    r2 = np.expm1(-gain / n) / np.expm1(2 * fit.null_log_likelihood / n)
    discrimination = (gain - 1) / n
    unreliability = (2 * (fit.log_likelihood - as_it_is) - 2) / n
    updated = fit.linear_predictor(predicted)
    return np.array(
        [
            r2,
            *fit.coefficients,
            discrimination,
            unreliability,
            discrimination - unreliability,
            gini_mean_difference(updated),
            gini_mean_difference(expit(updated)),
        ]
    )


def _emax(intercept: float, slope: float) -> float:
    risk = np.linspace(0, 1, 2001)  # the grid of rms
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 times infinity, where the slope is 0
        updated = expit(intercept + slope * logit(risk))
    return float(np.nanmax(np.abs(risk - updated)))
