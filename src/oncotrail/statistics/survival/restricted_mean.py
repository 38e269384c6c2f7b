"""Restricted mean survival time: how long patients lived, on average, up to a horizon.

The algorithm, told simply: it is the area under the Kaplan-Meier curve from 0 to the horizon. Its
variance adds, over the times of events, the square of the area that is still to come times the
Greenwood part d / (Y (Y - d)) there; an event moves all of the curve after it (Klein and
Moeschberger, Survival Analysis 2003, section 4.5). The difference of two groups is normal, their
ratio on the logarithmic scale (Royston and Parmar, BMC Medical Research Methodology 2013, 13:152;
Uno et al., Journal of Clinical Oncology 2014, 32:2380).

With weights that are not whole numbers the variance is the infinitesimal jackknife of
`life_table`, integrated: the sum over patients of (weight x area of its influence)^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.case_weights import CaseWeights, case_weights
from oncotrail.statistics.intervals import Difference, normal_difference, normal_quantile
from oncotrail.statistics.survival.life_table import LifeTable, life_table
from oncotrail.statistics.survival.tied_times import settled_times


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time to the event up to `horizon`, in the unit of the times; higher is better.

    `events` are those up to the horizon. Where they show no spread (none, or all at one time)
    the interval is None rather than without width.
    """

    value: float
    low: float | None
    high: float | None
    standard_error: float
    horizon: float
    confidence: float
    n: int
    events: int


@dataclass(frozen=True)
class Ratio:
    """A ratio with the two-sided test that it is 1; without spread all but the value are None."""

    value: float
    low: float | None
    high: float | None
    p_value: float | None
    confidence: float


@dataclass(frozen=True)
class RestrictedMeans:
    """Two groups up to one horizon: `difference` is `exposed` minus `control`, `ratio` likewise.

    The ratio is None where a group lived for no time at all: all of its events were at time 0.
    """

    control: RestrictedMean
    exposed: RestrictedMean
    difference: Difference
    ratio: Ratio | None


def restricted_mean(
    times: ArrayLike,
    events: ArrayLike,
    horizon: float,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    robust: bool | None = None,
) -> RestrictedMean:
    """The restricted mean survival time of one group.

    The horizon lies within what was observed: not after the last time, unless the curve has reached
    0 by then. A time that differs from it by rounding only is at the horizon. Times of 0, `weights`
    and `robust` are those of `kaplan_meier`.

    >>> round(restricted_mean([1, 2, 3, 4], [1, 1, 0, 1], horizon=4).value, 4)
    2.75
    """
    rows = _Rows.of(times, events, horizon, weights, robust)
    return rows.mean(horizon, confidence)


def compare_restricted_means(
    times: ArrayLike,
    events: ArrayLike,
    exposed: ArrayLike,
    horizon: float,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    robust: bool | None = None,
) -> RestrictedMeans:
    """Difference and ratio of the restricted means of patients exposed (1) and not (0).

    A difference above 0 and a ratio above 1 mean longer survival of the exposed. Both need a
    variance in at least one group, the ratio also means above 0.

    >>> found = compare_restricted_means([1, 2, 3, 2, 4, 6], [1] * 6, [0, 0, 0, 1, 1, 1], horizon=3)
    >>> round(found.difference.value, 3), round(found.ratio.value, 3)
    (0.667, 1.333)
    """
    rows = _Rows.of(times, events, horizon, weights, robust)
    arm = arrays.binary(exposed, "exposed", rows.weights.kept.size)[rows.weights.kept]
    if arm.all() or not arm.any():
        raise arrays.Undefined(
            f"found {int(arm.sum())} exposed of {arm.size} patients; "
            "a comparison needs patients of both kinds."
        )
    control, treated = (rows.only(part).mean(horizon, confidence) for part in (~arm, arm))
    return RestrictedMeans(
        control, treated, _difference(control, treated), _ratio(control, treated)
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """The checked patients who are there: those with a weight above 0."""

    times: Floats
    events: Flags
    weights: CaseWeights

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        events: ArrayLike,
        horizon: float,
        weights: ArrayLike | None,
        robust: bool | None,
    ) -> _Rows:
        if not 0 < horizon < np.inf:
            raise ValueError(f"found horizon {horizon}; expected a time above 0.")
        patients = arrays.survived(times, events)
        weight = case_weights(weights, patients.n, robust=robust)
        settled = settled_times(patients.times[weight.kept], horizon)
        return cls(settled, patients.events[weight.kept], weight)

    def only(self, rows: Flags) -> _Rows:
        return _Rows(self.times[rows], self.events[rows], self.weights.only(rows))

    def mean(self, horizon: float, confidence: float) -> RestrictedMean:
        half_width = normal_quantile(confidence)
        table = life_table(self.times, self.events, self.weights.values)
        _check_reached(horizon, table)
        ahead = _Ahead.of(table, horizon)
        error = math.sqrt(ahead.jackknife() if self.weights.robust else ahead.greenwood())
        return RestrictedMean(
            value=ahead.mean,
            low=ahead.mean - half_width * error if error > 0 else None,
            high=ahead.mean + half_width * error if error > 0 else None,
            standard_error=error,
            horizon=float(horizon),
            confidence=confidence,
            n=self.times.size,
            events=int((self.events & (self.times <= horizon)).sum()),
        )


@dataclass(frozen=True, eq=False)
class _Ahead:
    """The curve cut into rectangles, from each time to the next, ending at the horizon."""

    table: LifeTable
    mean: float
    ahead: Floats  # the area after each time
    widths: Floats  # from each time to the next

    @classmethod
    def of(cls, table: LifeTable, horizon: float) -> _Ahead:
        edges = np.minimum(np.append(table.times, np.inf), horizon)
        widths = np.diff(edges)
        areas = table.survival * widths
        ahead = areas[::-1].cumsum()[::-1]
        return cls(table, float(edges[0] + ahead[0]), ahead, widths)

    def greenwood(self) -> float:
        parts = np.diff(self.table.greenwood(), prepend=0.0)
        return float((self.ahead**2 * parts).sum())

    def jackknife(self) -> float:
        table, who = self.table, self.table.patients
        running = table.greenwood()
        lost = who.happened & ~table.nobody_left[who.left]
        final = running[who.left] - lost / table.after[who.left]
        # Until a patient leaves, its influence is S times the running sum; then S times `final`.
        growing = np.append(0.0, (table.survival * self.widths * running).cumsum())
        influence = growing[who.left] + final * self.ahead[who.left]
        return float(((who.weights * influence) ** 2).sum())


def _check_reached(horizon: float, table: LifeTable) -> None:
    last = float(table.times[-1])
    if horizon > last and table.survival[-1] > 0:
        raise arrays.Undefined(
            f"found horizon {horizon:g}, but the last patient was censored at {last:g}; survival "
            "is unknown after that. Choose an earlier horizon."
        )


def _difference(control: RestrictedMean, exposed: RestrictedMean) -> Difference:
    variance = control.standard_error**2 + exposed.standard_error**2
    return _normal(exposed.value - control.value, variance, control, exposed)


def _ratio(control: RestrictedMean, exposed: RestrictedMean) -> Ratio | None:
    if not (control.value > 0 and exposed.value > 0):
        return None
    variance = sum((one.standard_error / one.value) ** 2 for one in (control, exposed))
    log = _normal(math.log(exposed.value / control.value), variance, control, exposed)
    return Ratio(
        value=exposed.value / control.value,
        low=None if log.low is None else math.exp(log.low),
        high=None if log.high is None else math.exp(log.high),
        p_value=log.p_value,
        confidence=log.confidence,
    )


def _normal(
    value: float, variance: float, control: RestrictedMean, exposed: RestrictedMean
) -> Difference:
    return normal_difference(
        value,
        variance,
        most=math.inf,
        confidence=control.confidence,
        n=control.n + exposed.n,
        events=control.events + exposed.events,
        method="normal",
    )
