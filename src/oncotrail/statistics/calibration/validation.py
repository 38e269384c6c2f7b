"""Optimism-corrected figures and calibration curve of a model for a binary outcome.

The figures of rms::validate, for any model that gives probabilities. In the patients that it is
judged on, the outcome is regressed on the predicted log odds l (see `slope`), which gives an
intercept, a slope and log-likelihoods: L0 of the prevalence, L1 of l as it is, L2 of the
recalibrated line. Then, with n patients,

- Dxy = 2 C - 1, C the concordance (area under the ROC curve),
- R2 = (1 - exp(2 (L0 - L2) / n)) / (1 - exp(2 L0 / n)), Nagelkerke's,
- D = (2 (L2 - L0) - 1) / n, discrimination; U = (2 (L2 - L1) - 2) / n, unreliability; Q = D - U,
- B the Brier score; g and gp, the mean difference between two patients (Gini's) in recalibrated log
  odds and probability

(Harrell, Regression Modeling Strategies, 2nd edition 2015, sections 10.8-10.9).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import rankdata

from oncotrail.statistics.arrays import Flags, Floats, Integers, Undefined, binary, column, one_of
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.calibration.optimism import Validation, correct_optimism
from oncotrail.statistics.regression.logistic import fit_logistic

FIGURES = ("C", "Dxy", "R2", "intercept", "slope", "D", "U", "Q", "B", "g", "gp")

OptimismMethod = Literal["bootstrap", ".632"]
Predictor = Callable[[Integers], Floats]  # probabilities of the patients in these rows
Smoother = Callable[[Floats, Floats], Floats]  # of probabilities and outcomes, at each patient


@dataclass(frozen=True)
class LogisticValidation(Validation):
    """`emax`: the largest |p - recalibrated p|, by the corrected intercept and slope; 0 is best."""

    emax: float | None


@dataclass(frozen=True)
class CorrectedCurve:
    """Observed risk at predicted risks `at`, as it looks and corrected for optimism.

    `resamples` counts, at each place, those whose predictions reached it; NaN where none did.
    """

    at: Floats
    apparent: Floats
    corrected: Floats
    resamples: Integers
    failed: int


def validate(
    labels: ArrayLike,
    fit: Callable[[Integers], Predictor],
    drawn: Sequence[Integers] | Integers,
    *,
    method: OptimismMethod = "bootstrap",
) -> LogisticValidation:
    """The figures of `FIGURES` for the model that `fit(rows)` makes, corrected for optimism.

    `fit` must repeat everything that was learned (selection of features, tuning) on the rows it
    gets, and returns what predicts probabilities of rows; `drawn` is `draw_patients`' answer. A
    figure that is undefined in a resample (one outcome only, separated outcomes, equal or certain
    probabilities) is not counted there. As rms::validate(lrm), which however counts models of
    separated outcomes, wherever their iterations happened to stop.
    """
    one_of(method, get_args(OptimismMethod), "method")
    outcome = binary(labels, "labels")

    def judge(predict: Predictor, rows: Integers) -> Floats:
        return judged(outcome[rows], predict(rows))

    found = correct_optimism(fit, judge, FIGURES, drawn, n=outcome.size, method=method)
    line = (found["intercept"].corrected, found["slope"].corrected)
    emax = None if line[0] is None or line[1] is None else _emax(line[0], line[1])
    return LogisticValidation(found.figures, found.failed, emax)


def calibrate(
    labels: ArrayLike,
    fit: Callable[[Integers], Predictor],
    drawn: Sequence[Integers] | Integers,
    *,
    at: ArrayLike | None = None,
    smoother: Smoother = lowess,
) -> CorrectedCurve:
    """Calibration curve, corrected for optimism at each predicted risk of `at`.

    `at` is fifty risks from the fifth smallest to the fifth largest prediction unless given;
    arguments as in `validate`. Where a resample's predictions do not reach a risk, it is not
    counted there. As rms::calibrate(lrm).
    """
    outcome = binary(labels, "labels").astype(float)
    predicted = np.sort(fit(np.arange(outcome.size))(np.arange(outcome.size)))
    if at is None and predicted.size <= 10:
        raise ValueError(f"found {predicted.size} patients; expected more than 10, or `at`.")
    places = np.linspace(predicted[4], predicted[-5], 50) if at is None else column(at, "at")

    def judge(predict: Predictor, rows: Integers) -> Floats:
        risk = predict(rows)
        order = np.argsort(risk, kind="stable")
        curve = smoother(risk, outcome[rows])[order]
        return np.interp(places, risk[order], curve, left=np.nan, right=np.nan) - places

    names = [f"{place:g}" for place in places]
    found = correct_optimism(fit, judge, names, drawn, n=outcome.size)
    apparent, corrected = (
        np.array([getattr(figure, which) for figure in found.figures], dtype=np.float64) + places
        for which in ("original", "corrected")
    )
    counted = np.array([figure.resamples for figure in found.figures])
    return CorrectedCurve(places, apparent, corrected, counted, found.failed)


def judged(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """`FIGURES` of these probabilities in these patients; NaN for what is undefined here.

    >>> found = judged([0, 0, 1, 0, 1, 1], [0.2, 0.3, 0.4, 0.6, 0.5, 0.9])
    >>> dict(zip(FIGURES, found.round(3).tolist()))["slope"]
    1.389
    """
    outcome = binary(labels, "labels")
    risk = column(probabilities, "probabilities", n=outcome.size, low=0, high=1)
    brier = float(np.mean((risk - outcome) ** 2))
    area = _area(outcome, risk)
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
            _gini(updated),
            _gini(expit(updated)),
        ]
    )


def _area(outcome: Flags, risk: Floats) -> float:
    """C, ties counting one half; NaN where one outcome is missing."""
    events, others = int(outcome.sum()), int((~outcome).sum())
    if min(events, others) == 0:
        return float("nan")
    return float((rankdata(risk)[outcome].mean() - (events + 1) / 2) / others)


def _gini(values: Floats) -> float:
    """Mean absolute difference of two patients."""
    n = values.size
    return float(2 * (2 * np.arange(n) - n + 1) @ np.sort(values) / (n * (n - 1)))


def _emax(intercept: float, slope: float) -> float:
    risk = np.linspace(0, 1, 2001)  # the grid of rms
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 times infinity, where the slope is 0
        updated = expit(intercept + slope * logit(risk))
    return float(np.nanmax(np.abs(risk - updated)))
