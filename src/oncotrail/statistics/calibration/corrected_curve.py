"""The calibration curve of a model as it would look in new patients.

In each resample the model is made again; where its curve (a smoother through outcomes against
probabilities) runs on its own patients and on the original ones, at the same predicted risks, is
corrected for optimism risk by risk: see `optimism`. The band is the location-shifted one told
there, pointwise.

How far off the corrected curve is, over the patients: each patient's probability less the curve
there, read off between the risks. Patients beyond them are not counted. Errors are distances, which
every drawing of patients makes longer, so their intervals are not those of `optimism`: they are the
percentiles of the training curves' errors, moved so that the mean of these is the corrected value.

(Harrell, Regression Modeling Strategies, 2nd edition 2015, section 10.11; rms::calibrate.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, binary, column
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.calibration.optimism import Corrected, Validation, correct_optimism
from oncotrail.statistics.calibration.validation import Predictor
from oncotrail.statistics.results import result
from oncotrail.statistics.uncertainty.resampling import Resamples

Smoother = Callable[[Floats, Floats], Floats]  # of probabilities and outcomes, at each patient
_EDGE = 5  # the outermost places are the fifth smallest and the fifth largest prediction
_ERRORS = ("mean absolute error", "mean squared error", "E90")


@dataclass(frozen=True)
class CurveError:
    """A distance from perfect calibration, 0 or more; lower is better.

    None where no patient lies between the risks of the curve; low and high also where `Corrected`
    has none.
    """

    value: float | None
    low: float | None
    high: float | None


@result
class CorrectedCurve:
    """Observed risk at predicted risks `at`, as it looks, and corrected for optimism with a band.

    `resamples` counts, at each place, those whose predictions reached it. `corrected` is NaN where
    none did, `apparent` beyond the predictions, and the band where more than a twentieth did not or
    resamples are too few for the confidence (39 for 0.95).
    """

    at: Floats
    apparent: Floats
    corrected: Floats
    low: Floats
    high: Floats
    resamples: Integers
    mean_absolute_error: CurveError
    mean_squared_error: CurveError
    e90: CurveError
    confidence: float
    n: int
    failed: int


def calibrate(
    labels: ArrayLike,
    fit: Callable[[Integers], Predictor],
    resamples: Resamples,
    *,
    at: ArrayLike | None = None,
    smoother: Smoother = lowess,
    confidence: float = 0.95,
) -> CorrectedCurve:
    """Calibration curve, corrected for optimism at each predicted risk of `at`.

    `at` is fifty risks from the fifth smallest to the fifth largest prediction unless given;
    arguments as in `validate`. Where a resample's predictions do not reach a risk, it is not
    counted there. As rms::calibrate(lrm), which however shows no intervals.

    >>> from oncotrail.statistics.regression.logistic import fit_logistic
    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> x = np.arange(60.0)
    >>> y = x % 7 * 10 + x > 60
    >>> def fit(rows):
    ...     model = fit_logistic(y[rows], x[rows])
    ...     return lambda others: model.predict(x[others])
    >>> drawn = resample(range(60), generator=np.random.default_rng(1), number=50)
    >>> found = calibrate(y, fit, drawn, at=[0.4, 0.6])
    >>> found.apparent.round(2).tolist(), found.resamples.tolist()
    ([0.43, 0.61], [50, 50])
    """
    outcome = binary(labels, "labels", resamples.clusters.rows).astype(float)
    everybody = np.arange(outcome.size)
    predicted = np.sort(fit(everybody)(everybody))
    places = _places(predicted) if at is None else np.sort(column(at, "at"))

    def judge(predict: Predictor, rows: Integers) -> Floats:
        risk = predict(rows)
        heights = smoother(risk, outcome[rows])
        order = np.argsort(risk, kind="stable")
        curve = np.interp(places, risk[order], heights[order], left=np.nan, right=np.nan)
        return np.concatenate([curve - places, _errors(risk - heights)])

    names = (*(f"{place:g}" for place in places), *_ERRORS)
    found = correct_optimism(fit, judge, names, resamples, confidence=confidence)
    return _curve(found, places, predicted)


def _places(predicted: Floats) -> Floats:
    if predicted.size <= 2 * _EDGE:
        raise ValueError(f"found {predicted.size} rows; expected more than {2 * _EDGE}, or `at`.")
    return np.linspace(predicted[_EDGE - 1], predicted[-_EDGE], 50)


def _errors(off: Floats) -> Floats:
    distance = np.abs(off)
    return np.array([distance.mean(), (distance**2).mean(), np.quantile(distance, 0.9)])


def _curve(found: Validation, places: Floats, predicted: Floats) -> CorrectedCurve:
    points, errors = found.figures[: places.size], found.figures[places.size :]
    apparent, corrected, low, high = (
        np.array([getattr(point, name) for point in points], dtype=np.float64) + places
        for name in ("original", "corrected", "low", "high")
    )
    known = np.isfinite(corrected)
    off = np.full(1, np.nan)
    if known.any():
        height = np.interp(predicted, places[known], corrected[known], left=np.nan, right=np.nan)
        off = predicted - height
    off = off[np.isfinite(off)]
    values = _errors(off).tolist() if off.size else [None] * len(errors)
    absolute, squared, e90 = (_moved(*both) for both in zip(values, errors, strict=True))
    return CorrectedCurve(
        at=places,
        apparent=apparent,
        corrected=corrected,
        low=low,
        high=high,
        resamples=np.array([point.resamples for point in points]),
        mean_absolute_error=absolute,
        mean_squared_error=squared,
        e90=e90,
        confidence=found.confidence,
        n=found.n,
        failed=found.failed,
    )


def _moved(value: float | None, error: Corrected) -> CurveError:
    """The percentiles of the training errors, about the corrected value, from 0."""
    ends = (error.low, error.high, error.training, error.optimism)
    if value is None or None in ends:
        return CurveError(value, None, None)
    low, high, training, optimism = np.array(ends, dtype=np.float64).tolist()
    away = value - training + optimism
    return CurveError(value, max(0.0, low + away), max(0.0, high + away))
