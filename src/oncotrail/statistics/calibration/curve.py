"""The flexible calibration curve: the observed risk at each predicted one, and how far it is off.

Three smoothers. `loess` puts a local parabola through outcomes against probabilities; `lowess` a
local line, as rms draws it; `spline` is a logistic regression on a restricted cubic spline of the
predicted log odds, which stays within 0 and 1 and is steadier with few events.

Against the curve c(p), each patient's probability p is off by |c(p) - p|. The mean of that is ICI,
the integrated calibration index, its median E50, its 90th centile E90, its largest Emax (Austin and
Steyerberg, Statistics in Medicine 2019, 38:4051).

Weights: those of a spline curve are the ones of `fit_logistic` (2 is the row twice, fractions make
the band robust), those of a loess curve multiply the patient's weight in each local regression, as
in R. Places, knots and neighbourhoods are those of the rows, whatever their weight above 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, stdtrit

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import (
    Floats,
    Integers,
    Scored,
    Undefined,
    groups,
    one_of,
    probable,
)
from oncotrail.statistics.calibration.errors import (
    CalibrationError,
    calibration_error,
    judged_rows,
)
from oncotrail.statistics.calibration.loess import loess_operator
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.case_weights import CaseWeights, case_weights, square_weights
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.regression.logistic import fit_logistic
from oncotrail.statistics.regression.splines import knots, restricted_cubic
from oncotrail.statistics.results import result
from oncotrail.statistics.uncertainty.resampling import Resamples, drawn_rows

CurveSmoother = Literal["loess", "lowess", "spline"]
BandVariance = Literal["binomial", "gaussian"]


@result
class CalibrationCurve:
    """Observed risk at predicted risks `at`, with a pointwise band within 0 and 1.

    `n` and `events` count rows of weight above 0.
    """

    at: Floats
    observed: Floats
    low: Floats
    high: Floats
    confidence: float
    n: int
    events: int
    method: str


@dataclass(frozen=True)
class CalibrationErrors:
    """How far predicted risks are from observed ones, 0 to 1; lower is better."""

    ici: CalibrationError
    e50: CalibrationError
    e90: CalibrationError
    emax: CalibrationError


def loess_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    at: ArrayLike | None = None,
    *,
    span: float = 0.75,
    variance: BandVariance = "binomial",
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> CalibrationCurve:
    """The curve by loess, at the risks `at` (a hundred over the predicted range unless given).

    At each place the curve is a sum of outcomes with known factors. `binomial` gives each outcome
    the variance c (1 - c) that the curve itself says, and the band is normal; `gaussian` is the
    band of R's predict(loess(..., statistics = "exact"), se = TRUE): one variance for all, and a t
    distribution; where few events happen it is too wide at low risks and too narrow at high ones.
    The curve itself is not cut at 0 and 1. Ties that leave no local parabola are refused.

    >>> p = np.linspace(0.1, 0.9, 50)
    >>> y = np.tile([0, 0, 1, 0, 1], 10)
    >>> loess_curve(y, p, [0.2, 0.5]).observed.round(2).tolist()
    [0.37, 0.4]
    """
    one_of(variance, get_args(BandVariance), "variance")
    patients, places, counted = _places(labels, probabilities, at, weights)
    weight = counted.values
    smoother = loess_operator(patients.scores, span=span, weights=weight)
    outcome = patients.labels.astype(float)
    fitted = smoother.curve(outcome, patients.scores)
    if variance == "gaussian":
        degrees = smoother.degrees()
        quantile = _t_quantile(confidence, degrees.residual)
        each = weight @ (outcome - fitted) ** 2 / degrees.first / weight
    else:
        quantile, inside = normal_quantile(confidence), np.clip(fitted, 0, 1)
        each = inside * (1 - inside) * square_weights(weight) / weight**2
    observed = smoother.curve(outcome, places)
    half = quantile * np.sqrt(smoother.variance(each, places))
    low, high = np.clip(observed - half, 0, 1), np.clip(observed + half, 0, 1)
    method = f"loess, span {span:g}, {variance} band"
    return CalibrationCurve(
        places, observed, low, high, confidence, patients.n, patients.events, method
    )


def spline_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    at: ArrayLike | None = None,
    *,
    count: int = 4,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> CalibrationCurve:
    """The curve by logistic regression on a restricted cubic spline, with `count` knots.

    Knots are at Harrell's quantiles of the predicted log odds; the band is the delta method's on
    the log-odds scale. Probabilities of exactly 0 or 1, ties that collapse knots and separated
    outcomes are refused. `at` as in `loess_curve`. With `clusters` (the images of a patient) the
    band is robust.

    >>> p = np.linspace(0.1, 0.9, 50)
    >>> y = np.tile([0, 0, 1, 0, 1], 10)
    >>> spline_curve(y, p, [0.2, 0.5]).observed.round(2).tolist()
    [0.37, 0.4]
    """
    patients, places, counted = _places(labels, probabilities, at, weights)
    predicted = log_odds(patients.scores)
    chosen = knots(predicted, count)
    whose = None
    if clusters is not None:
        whose = groups(clusters, counted.kept.size, "clusters")[counted.kept]
    fit = fit_logistic(
        patients.labels,
        restricted_cubic(predicted, chosen),
        weights=counted.values,
        clusters=whose,
    )
    columns = restricted_cubic(log_odds(places), chosen)
    rows = np.column_stack([np.ones(len(columns)), columns])
    eta = rows @ fit.coefficients
    error = np.sqrt(np.einsum("ij,jk,ik->i", rows, fit.covariance, rows))
    half = normal_quantile(confidence) * error
    return CalibrationCurve(
        at=places,
        observed=np.asarray(expit(eta)),
        low=np.asarray(expit(eta - half)),
        high=np.asarray(expit(eta + half)),
        confidence=confidence,
        n=fit.n,
        events=fit.events,
        method=f"restricted cubic spline, {count} knots",
    )


def calibration_errors(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    smoother: CurveSmoother = "loess",
    resamples: Resamples | None,
    confidence: float = 0.95,
) -> CalibrationErrors:
    """ICI, E50, E90 and Emax against the curve of `smoother`, 0 to 1; lower is better.

    Percentile intervals over patients, the curve fitted anew in each of `resamples` (None: no
    interval). Chance alone makes
    the errors positive, more so in small samples; so do not read 0 outside the interval as
    miscalibration. `loess` is R's loess(y ~ p), as in the paper; `lowess` gives the Eavg, E90 and
    Emax of rms::val.prob.

    >>> p = np.linspace(0.1, 0.9, 50)
    >>> y = np.tile([0, 0, 1, 0, 1], 10)
    >>> round(calibration_errors(y, p, resamples=None).ici.value, 3)
    0.196
    """
    one_of(smoother, get_args(CurveSmoother), "smoother")
    patients = judged_rows(labels, probabilities, resamples)
    values = _errors(patients, smoother)
    again = np.empty((0, values.size))
    if resamples is not None:
        again = np.array([_again(patients, smoother, rows) for rows in drawn_rows(resamples)])
    return CalibrationErrors(
        *(
            calibration_error(
                float(value), patients.labels, resamples, replicated, confidence=confidence
            )
            for value, replicated in zip(values, again.T, strict=True)
        )
    )


def _places(
    labels: ArrayLike, probabilities: ArrayLike, at: ArrayLike | None, weights: ArrayLike | None
) -> tuple[Scored, Floats, CaseWeights]:
    """The patients of weight above 0, where their curve is asked for, and their weights."""
    everybody = probable(labels, probabilities)
    counted = case_weights(weights, everybody.n)
    there = counted.kept
    patients = Scored(everybody.labels[there], everybody.scores[there])
    low, high = float(patients.scores.min()), float(patients.scores.max())
    if at is None:
        return patients, np.clip(np.linspace(low, high, 100), low, high), counted
    # A curve does not extrapolate.
    return patients, arrays.column(at, "at", low=low, high=high), counted


def _t_quantile(confidence: float, degrees: float) -> float:
    return float(stdtrit(degrees, (1 + arrays.checked_confidence(confidence)) / 2))


def _errors(patients: Scored, smoother: CurveSmoother) -> Floats:
    """ICI, E50, E90 and Emax."""
    risk, outcome = patients.scores, patients.labels.astype(float)
    if smoother == "loess":
        curve = loess_operator(risk).curve(outcome, risk)
    elif smoother == "lowess":
        curve = lowess(risk, outcome)
    else:
        curve = spline_curve(patients.labels, risk, risk).observed
    off = np.abs(curve - risk)
    return np.array([off.mean(), *np.quantile(off, [0.5, 0.9, 1])])


def _again(patients: Scored, smoother: CurveSmoother, rows: Integers) -> Floats:
    try:
        return _errors(Scored(patients.labels[rows], patients.scores[rows]), smoother)
    except Undefined:  # no curve in this resample: too many ties, one outcome only
        return np.full(4, np.nan)
