"""Nomograms of models fitted here: what the model says becomes the lowest axes.

A Cox fit keeps its baseline at the mean covariates; a nomogram counts its linear predictor from 0,
so the baseline is moved there: H0(t) exp(-centre' beta).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.regression.logistic import LogisticFit
from oncotrail.statistics.regression.nomogram import (
    MedianSurvival,
    Nomogram,
    Predicted,
    Probability,
    SurvivalAt,
    nomogram,
)
from oncotrail.statistics.regression.terms import Term

Ranges = Mapping[str, tuple[float, float]]


def logistic_nomogram(
    fit: LogisticFit, terms: Sequence[Term], ranges: Ranges, name: str
) -> Nomogram:
    """Points of a logistic model fitted on `design(terms, ...)`, and the probability `name`.

    >>> from oncotrail.statistics.regression.logistic import fit_logistic
    >>> from oncotrail.statistics.regression.terms import Linear
    >>> fit = fit_logistic([0, 0, 1, 0, 1, 1], [1.0, 2, 3, 4, 5, 6])
    >>> sheet = logistic_nomogram(fit, [Linear("size")], {"size": (1, 6)}, "risk")
    >>> read = sheet.points_of({"size": 6}).predicted["risk"]
    >>> abs(read - float(fit.predict([6])[0])) < 1e-12
    True
    """
    if not fit.intercept or fit.with_offset:
        raise ValueError(
            f"found a model with intercept: {fit.intercept} and offset: {fit.with_offset}; "
            "a nomogram needs an intercept and has no axis for an offset."
        )
    intercept, *slopes = fit.coefficients.tolist()
    return nomogram(terms, slopes, ranges, [Probability(name)], intercept=intercept)


def cox_nomogram(
    fit: CoxFit,
    terms: Sequence[Term],
    ranges: Ranges,
    times: Mapping[str, float],
    *,
    median: str | None = None,
    stratum: Any = None,
) -> Nomogram:
    """Points of a Cox model fitted on `design(terms, ...)`, and survival at `times`, by name.

    `median`, where given, names one more axis: median survival, in the unit of the times. Where
    the model has strata, `stratum` says whose baseline. Times after the follow-up are refused.

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> from oncotrail.statistics.regression.terms import Linear
    >>> fit = fit_cox([3, 5, 6, 7, 9, 10], [1, 1, 0, 1, 1, 0], [6.0, 2, 5, 4, 1, 3])
    >>> sheet = cox_nomogram(fit, [Linear("size")], {"size": (1, 6)}, {"year 5": 5})
    >>> read = sheet.points_of({"size": 4}).predicted["year 5"]
    >>> abs(read - float(fit.survival([4.0], [5])[0, 0])) < 1e-12
    True
    """
    if fit.sample.offset is not None:
        raise ValueError("found a model with an offset; a nomogram has no axis for one.")
    moved = fit.centre @ fit.coefficients
    predicted: list[Predicted] = [
        SurvivalAt(name, float(np.exp(fit.log_cumulative_hazard([time], stratum)[0] - moved)))
        for name, time in times.items()
    ]
    if median is not None:
        steps = fit.baseline.times[fit.baseline.strata == fit.stratum_number(stratum)]
        hazard = np.exp(fit.log_cumulative_hazard(steps, stratum) - moved)
        predicted.append(MedianSurvival(median, tuple(steps.tolist()), tuple(hazard.tolist())))
    return nomogram(terms, fit.coefficients, ranges, predicted)
