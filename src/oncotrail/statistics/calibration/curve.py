"""The flexible calibration curve: the observed risk at each predicted one, and how far it is off.

Three smoothers. `loess` puts a local parabola through outcomes against probabilities; `lowess` a
local line, as rms draws it; `spline` is a logistic regression on a restricted cubic spline of the
predicted log odds, which stays within 0 and 1 and is steadier with few events.

Against the curve c(p), each patient's probability p is off by |c(p) - p|. The mean of that is ICI,
the integrated calibration index, its median E50, its 90th centile E90, its largest Emax (Austin and
Steyerberg, Statistics in Medicine 2019, 38:4051).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from oncotrail.statistics.arrays import (
    Floats,
    Scored,
    Undefined,
    checked_confidence,
    column,
    one_of,
    probable,
)
from oncotrail.statistics.calibration.loess import loess_operator
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.intervals import Estimate, normal_quantile
from oncotrail.statistics.regression.logistic import fit_logistic
from oncotrail.statistics.regression.splines import knots, restricted_cubic

CurveSmoother = Literal["loess", "lowess", "spline"]
BandVariance = Literal["binomial", "gaussian"]
_FEWEST_RESAMPLES = 2  # defined, for quantiles to say anything


@dataclass(frozen=True)
class CalibrationCurve:
    """Observed risk at predicted risks `at`, with a pointwise band within 0 and 1."""

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
    """How far predicted risks are from observed ones; lower is better. Percentile intervals.

    `undefined` of the `resamples` had no curve (too many ties, one outcome only).
    """

    ici: Estimate
    e50: Estimate
    e90: Estimate
    emax: Estimate
    resamples: int
    undefined: int


def loess_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    at: ArrayLike | None = None,
    *,
    span: float = 0.75,
    variance: BandVariance = "binomial",
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
    patients, places = _places(labels, probabilities, at)
    smoother = loess_operator(patients.scores, span=span)
    outcome = patients.labels.astype(float)
    fitted = smoother.curve(outcome, patients.scores)
    if variance == "gaussian":
        from scipy.stats import t

        degrees = smoother.degrees()
        level = (1 + checked_confidence(confidence)) / 2
        quantile = float(t.ppf(level, degrees.residual))
        each = np.full(patients.n, ((outcome - fitted) ** 2).sum() / degrees.first)
    else:
        quantile, inside = normal_quantile(confidence), np.clip(fitted, 0, 1)
        each = inside * (1 - inside)
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
    confidence: float = 0.95,
) -> CalibrationCurve:
    """The curve by logistic regression on a restricted cubic spline, with `count` knots.

    Knots are at Harrell's quantiles of the predicted log odds; the band is the delta method's on
    the log-odds scale. Probabilities of exactly 0 or 1, ties that collapse knots and separated
    outcomes are refused. `at` as in `loess_curve`.

    >>> p = np.linspace(0.1, 0.9, 50)
    >>> y = np.tile([0, 0, 1, 0, 1], 10)
    >>> spline_curve(y, p, [0.2, 0.5]).observed.round(2).tolist()
    [0.37, 0.4]
    """
    patients, places = _places(labels, probabilities, at)
    predicted = log_odds(patients.scores)
    chosen = knots(predicted, count)
    fit = fit_logistic(patients.labels, restricted_cubic(predicted, chosen))
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
    generator: np.random.Generator,
    *,
    smoother: CurveSmoother = "loess",
    resamples: int = 500,
    confidence: float = 0.95,
) -> CalibrationErrors:
    """ICI, E50, E90 and Emax against the curve of `smoother`, 0 to 1; lower is better.

    Percentile intervals from patients drawn with replacement, the curve fitted anew in each. Chance
    alone makes the errors positive, more so in small samples; so do not read 0 outside the interval
    as miscalibration. `loess` is R's loess(y ~ p), as in the paper; `lowess` gives the Eavg, E90
    and Emax of rms::val.prob.

    >>> p = np.linspace(0.1, 0.9, 50)
    >>> y = np.tile([0, 0, 1, 0, 1], 10)
    >>> round(calibration_errors(y, p, np.random.default_rng(1), resamples=20).ici.value, 3)
    0.196
    """
    one_of(smoother, get_args(CurveSmoother), "smoother")
    patients = probable(labels, probabilities)
    tail = (1 - checked_confidence(confidence)) / 2
    values = _errors(patients, smoother)
    again = [_errors_or_none(patients, smoother, generator) for _ in range(resamples)]
    defined = np.array([errors for errors in again if errors is not None])
    if len(defined) < _FEWEST_RESAMPLES:
        raise ValueError(
            f"found {len(defined)} of {resamples} resamples with a {smoother} curve; "
            "an interval needs more. Take another smoother, or more patients."
        )
    ends = np.quantile(defined, [tail, 1 - tail], axis=0)
    method = f"{smoother}, percentile bootstrap, {resamples}"
    ici, e50, e90, emax = (
        Estimate(float(v), float(a), float(b), confidence, patients.n, patients.events, method)
        for v, a, b in zip(values, *ends, strict=True)
    )
    return CalibrationErrors(ici, e50, e90, emax, resamples, resamples - len(defined))


def _places(
    labels: ArrayLike, probabilities: ArrayLike, at: ArrayLike | None
) -> tuple[Scored, Floats]:
    patients = probable(labels, probabilities)
    low, high = float(patients.scores.min()), float(patients.scores.max())
    if at is None:
        return patients, np.clip(np.linspace(low, high, 100), low, high)
    return patients, column(at, "at", low=low, high=high)  # a curve does not extrapolate


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


def _errors_or_none(
    patients: Scored, smoother: CurveSmoother, generator: np.random.Generator
) -> Floats | None:
    rows = generator.integers(patients.n, size=patients.n)
    try:
        return _errors(Scored(patients.labels[rows], patients.scores[rows]), smoother)
    except Undefined:  # no curve in this resample
        return None
