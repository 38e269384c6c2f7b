"""Optimism-corrected figures of a model of survival, by the bootstrap.

The figures of rms::validate(cph), for any model that gives a linear predictor x. In the patients it
is judged on, a Cox model of x alone gives a slope b and log partial likelihoods: L0 without x, L1
of x as it is (slope 1), L2 at b. Then, with n patients,

- C is Harrell's concordance, Dxy = 2 C - 1,
- R2 = (1 - exp(2 (L0 - L2) / n)) / (1 - exp(2 L0 / n)), Nagelkerke's,
- D = (2 (L2 - L0) - 1) / (-2 L0), discrimination; U = 2 (L2 - L1) / (-2 L0), unreliability, less
  2 / (-2 L0) in the patients that the model was made on; Q = D - U,
- g is the mean difference of b x between two patients (Gini's)

(Harrell, Regression Modeling Strategies, 2nd edition 2015, sections 5.3 and 20.11). The engine, and
what optimism is, are told in `calibration.optimism`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import (
    Floats,
    Integers,
    Survived,
    Undefined,
    column,
    one_of,
    survived,
)
from oncotrail.statistics.calibration.optimism import OptimismMethod, Validation, correct_optimism
from oncotrail.statistics.calibration.validation import gini_mean_difference
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_model import Ties
from oncotrail.statistics.survival.concordance import concordance
from oncotrail.statistics.uncertainty.resampling import Resamples

SURVIVAL_FIGURES = ("C", "Dxy", "R2", "slope", "D", "U", "Q", "g")

Predictor = Callable[[Integers], Floats]  # linear predictors of the patients in these rows


def validate_survival(
    times: ArrayLike,
    events: ArrayLike,
    fit: Callable[[Integers], Predictor],
    resamples: Resamples,
    *,
    ties: Ties = "efron",
    method: OptimismMethod = "bootstrap",
    confidence: float = 0.95,
) -> Validation:
    """The figures of `SURVIVAL_FIGURES` for the model that `fit(rows)` makes.

    `fit` must repeat everything that was learned (selection of features, tuning) on the rows it
    gets, and returns what predicts linear predictors (higher is worse) of rows. `resamples` are
    drawn by `resample` from the patients of the rows. A figure that is undefined in a resample (a
    constant predictor, no events) is not counted there. The intervals are told in
    `calibration.optimism`. R: rms::validate.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> times, events = np.array([5, 8, 3, 9, 2, 7, 4, 6]), np.array([1, 0, 1, 1, 1, 0, 1, 1])
    >>> x = np.array([0.4, 0.1, 0.3, 0.2, 0.5, 0.9, 0.6, 0.7])
    >>> def fit(rows):
    ...     model = fit_cox(times[rows], events[rows], x[rows])
    ...     return lambda others: model.risk(x[others])
    >>> drawn = resample(range(8), generator=np.random.default_rng(3), number=5)
    >>> found = validate_survival(times, events, fit, drawn)
    >>> round(found["slope"].original, 9), found["C"].corrected < found["C"].original
    (1.0, True)
    """
    one_of(ties, get_args(Ties), "ties")
    one_of(method, get_args(OptimismMethod), "method")
    patients = survived(column(times, "times", n=resamples.clusters.rows), events)

    def made(rows: Integers) -> tuple[Integers, Predictor]:
        return rows, fit(rows)

    def judge(model: tuple[Integers, Predictor], rows: Integers) -> Floats:
        own, predict = model
        risk = column(predict(rows), "linear predictor", n=rows.size)
        chosen = Survived(patients.times[rows], patients.events[rows])
        return _figures(chosen, risk, ties, on_its_own=np.array_equal(own, rows))

    return correct_optimism(
        made, judge, SURVIVAL_FIGURES, resamples, method=method, confidence=confidence
    )


def _figures(patients: Survived, risk: Floats, ties: Ties, *, on_its_own: bool) -> Floats:
    found = concordance(patients.times, patients.events, risk).value
    share = np.nan if found is None else found
    try:
        line = _line(patients, risk, ties, 2.0 if on_its_own else 0.0)
    except Undefined:  # no slope: a constant predictor, no events, a perfect order
        line = np.full(6, np.nan)
    return np.array([share, 2 * share - 1, *line])


def _line(patients: Survived, risk: Floats, ties: Ties, fitted: float) -> Floats:
    """R2, slope, D, U, Q and g; `fitted` is what U is let off for."""
    fit = fit_cox(patients.times, patients.events, risk, ties=ties)
    slope, null = float(fit.coefficients[0]), -2 * fit.null_log_likelihood
    gain = 2 * (fit.log_likelihood - fit.null_log_likelihood)
    as_it_is = fit.sample.likelihood(risk[:, None] - risk.mean(), ties).at(np.ones(1)).value
    r2 = np.expm1(-gain / patients.n) / np.expm1(-null / patients.n)
    discrimination = (gain - 1) / null
    unreliability = (2 * (fit.log_likelihood - as_it_is) - fitted) / null
    quality = discrimination - unreliability
    return np.array(
        [r2, slope, discrimination, unreliability, quality, gini_mean_difference(slope * risk)]
    )
