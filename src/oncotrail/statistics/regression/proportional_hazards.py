"""Whether a hazard ratio stays the same over time.

Were the coefficient of x beta + theta g(t), with g a transform of time, proportional hazards would
say theta = 0. This is the score test of that, with beta at its estimate: the score of theta is the
sum over events of g(t) times the Schoenfeld residual, and its covariance comes from the
information of (beta, theta) together,

    sum over events of   [ V    g V   ]      V the covariance of x in the risk set,
                         [ g V  g^2 V ]

from which beta is projected out (Grambsch and Therneau, Biometrika 1994, 81:515, who put the mean
of V in place of each; here every risk set keeps its own, as in the R package survival from version
3). The sums are taken like the information of the fit itself: memory n x p.

Scaled Schoenfeld residuals, beta + V^-1 r at each event, scatter around beta(t): a smooth curve
through them over g(t) shows how the coefficient changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.stats import rankdata

from oncotrail.statistics.arrays import Floats, Integers, Undefined, one_of
from oncotrail.statistics.regression.chi_squared import ChiSquared, chi_squared
from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.regression.cox_residuals import schoenfeld_residuals
from oncotrail.statistics.regression.dependent_columns import first_dependent
from oncotrail.statistics.regression.risk_sets import risk_sets
from oncotrail.statistics.results import result

Transform = Literal["km", "rank", "identity", "log"]


@dataclass(frozen=True)
class TermTest:
    """The test of one term; None where its events allow none (as with a single event time)."""

    name: str
    test: ChiSquared | None


@result
class ProportionalHazards:
    """A small p speaks against proportional hazards; a large one does not prove them.

    The rest is for the plot, one row per event, by stratum and time: `time_axis` is g(t), and
    `scaled_residuals` (events x columns) are on the scale of the coefficient. They are NaN where a
    column does not vary in that stratum: such an event says nothing about it.
    """

    transform: Transform
    terms: tuple[TermTest, ...]
    overall: ChiSquared | None
    times: Floats
    strata: Integers
    time_axis: Floats
    scaled_residuals: Floats
    n: int
    events: int


def proportional_hazards(
    fit: CoxFit,
    transform: Transform = "km",
    terms: Mapping[str, Sequence[int]] | None = None,
) -> ProportionalHazards:
    """Test each term (a name and its columns; each column by itself if none are given), and all.

    `transform` of time: "km" is 1 minus Kaplan-Meier's estimate just before t (evens out the
    events, so that late ones do not decide alone), "rank", "identity" or "log" (which an event at
    time 0 does not have: undefined).
    R: survival::cox.zph (3.0 and later).

    >>> from oncotrail.statistics.regression.cox import fit_cox
    >>> fit = fit_cox([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0], names=["arm"])
    >>> round(proportional_hazards(fit).terms[0].test.p_value, 3)
    0.239
    """
    columns = terms or {name: [place] for place, name in enumerate(fit.names)}
    _check(columns, transform, len(fit.names))
    events = schoenfeld_residuals(fit)
    axis = _time_axis(fit, transform)[events.patients]
    centred = axis - axis.mean()
    score = (centred * fit.sample.weights[events.patients]) @ events.residuals
    plain, once, twice = _informations(fit, centred)
    spread = twice - once @ np.linalg.solve(plain, once)

    def test(kept: Sequence[int]) -> ChiSquared | None:
        part = spread[np.ix_(kept, kept)]
        if first_dependent(part, np.diag(twice)[kept]) is not None:
            return None
        return chi_squared(score[kept] @ np.linalg.solve(part, score[kept]), len(kept))

    return ProportionalHazards(
        transform=transform,
        terms=tuple(TermTest(name, test(list(kept))) for name, kept in columns.items()),
        overall=test(list(range(len(fit.names)))),
        times=events.times,
        strata=events.strata,
        time_axis=axis,
        scaled_residuals=_scaled(fit, events.residuals, events.strata, plain),
        n=fit.n,
        events=fit.events,
    )


def _check(terms: Mapping[str, Sequence[int]], transform: str, columns: int) -> None:
    one_of(transform, get_args(Transform), "transform")
    for name, kept in terms.items():
        if len(set(kept)) != len(kept) or not set(kept) <= set(range(columns)) or not kept:
            raise ValueError(
                f"term {name!r}: found columns {list(kept)}; expected different numbers from 0 "
                f"to {columns - 1}."
            )


def _time_axis(fit: CoxFit, transform: Transform) -> Floats:
    """g(t) of each patient's own time; a patient of weight 0 is not there."""
    times, here = fit.sample.times, fit.sample.weights > 0
    if transform == "identity":
        return times
    if transform == "log":
        if (times[fit.sample.counted] == 0).any():
            raise Undefined(
                "found an event at time 0, which has no logarithm; expected another transform "
                "than 'log', such as 'km'."
            )
        return np.log(times, out=np.zeros(times.size), where=times > 0)  # events are above 0
    found = np.zeros(times.size)
    if transform == "rank":
        found[here] = rankdata(times[here])
        return found
    # Kaplan-Meier's just before t, of everybody and unweighted, as cox.zph takes it.
    began = None if fit.sample.entry is None else fit.sample.entry[here]
    one = np.ones(int(here.sum()))
    sets = risk_sets(times[here], fit.sample.events[here], np.zeros(one.size, dtype=int), began)
    survival = np.cumprod(1 - sets.tied(one) / sets.at_risk(one))
    return 1 - np.append(1, survival)[np.searchsorted(sets.times, times)]


def _informations(fit: CoxFit, centred: Floats) -> tuple[Floats, Floats, Floats]:
    """The sum over event times of V, g V and g^2 V."""
    likelihood = fit.likelihood()
    axis = centred[likelihood.sets.event_starts]  # the same for events tied in time
    plain, once, twice = (
        likelihood.information(fit.coefficients, axis**power) for power in range(3)
    )
    return plain, once, twice


def _scaled(fit: CoxFit, residuals: Floats, strata: Integers, information: Floats) -> Floats:
    """Each residual over the mean V, taken over the events where both columns vary."""
    numbers, place, count = np.unique(strata, return_inverse=True, return_counts=True)
    varies = np.array(
        [np.ptp(fit.sample.covariates[fit.sample.strata == s], axis=0) > 0 for s in numbers]
    )
    shared = np.einsum("s,si,sj->ij", count, varies, varies)
    mean = information / np.maximum(shared, 1)
    found = np.full(residuals.shape, np.nan)
    for number, columns in enumerate(varies):
        kept, rows = np.flatnonzero(columns), np.flatnonzero(place == number)
        part = residuals[np.ix_(rows, kept)]
        found[np.ix_(rows, kept)] = np.linalg.solve(mean[np.ix_(kept, kept)], part.T).T
    return found + fit.coefficients
