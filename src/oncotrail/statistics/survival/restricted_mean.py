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
from scipy.special import ndtr

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.intervals import normal_quantile
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
class Contrast:
    """A difference or a ratio, with a two-sided test of none; without spread both are None."""

    value: float
    low: float | None
    high: float | None
    p_value: float | None
    confidence: float


@dataclass(frozen=True)
class RestrictedMeans:
    """Two groups up to one horizon: `difference` is `exposed` minus `control`, `ratio` likewise."""

    control: RestrictedMean
    exposed: RestrictedMean
    difference: Contrast
    ratio: Contrast


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
    0 by then. `weights` and `robust` are those of `kaplan_meier`.

    >>> round(restricted_mean([1, 2, 3, 4], [1, 1, 0, 1], horizon=4).value, 4)
    2.75
    """
    patients = arrays.survived(times, events)
    weight = arrays.weights(weights, patients.n)
    z = normal_quantile(confidence)
    if robust is None:
        robust = bool((weight != np.floor(weight)).any())
    kept = weight > 0
    _check_time(horizon)
    time, happened = settled_times(patients.times[kept], horizon), patients.events[kept]
    table = life_table(time, happened, weight[kept])
    _check_reached(horizon, table)
    ahead = _Ahead.of(table, horizon)
    error = math.sqrt(ahead.jackknife() if robust else ahead.greenwood())
    return RestrictedMean(
        value=ahead.mean,
        low=ahead.mean - z * error if error > 0 else None,
        high=ahead.mean + z * error if error > 0 else None,
        standard_error=error,
        horizon=float(horizon),
        confidence=confidence,
        n=int(kept.sum()),
        events=int((happened & (time <= horizon)).sum()),
    )


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
    patients = arrays.survived(times, events)
    arm = arrays.binary(exposed, "exposed", patients.n)
    if arm.all() or not arm.any():
        raise ValueError(
            f"found {int(arm.sum())} exposed of {patients.n} patients; "
            "a comparison needs patients of both kinds."
        )
    weight = arrays.weights(weights, patients.n)
    if robust is None:
        robust = bool((weight != np.floor(weight)).any())
    control, treated = (
        restricted_mean(
            patients.times[kept],
            patients.events[kept],
            horizon,
            weights=weight[kept],
            confidence=confidence,
            robust=robust,
        )
        for kept in (~arm, arm)
    )
    return RestrictedMeans(
        control=control,
        exposed=treated,
        difference=_difference(control, treated, confidence),
        ratio=_ratio(control, treated, confidence),
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


def _check_time(horizon: float) -> None:
    if not (horizon > 0 and np.isfinite(horizon)):
        raise ValueError(f"found horizon {horizon}; expected a time above 0.")


def _check_reached(horizon: float, table: LifeTable) -> None:
    last = float(table.times[-1])
    if horizon > last and table.survival[-1] > 0:
        raise arrays.Undefined(
            f"found horizon {horizon:g}, but the last patient was censored at {last:g}; survival "
            f"is unknown after that. Choose a horizon of at most {last:g}."
        )


def _difference(control: RestrictedMean, exposed: RestrictedMean, confidence: float) -> Contrast:
    value = exposed.value - control.value
    error = math.hypot(exposed.standard_error, control.standard_error)
    return _normal(value, error, confidence)


def _ratio(control: RestrictedMean, exposed: RestrictedMean, confidence: float) -> Contrast:
    # A restricted mean is above 0: every time is, and so is the horizon.
    log = math.log(exposed.value / control.value)
    error = math.hypot(
        exposed.standard_error / exposed.value, control.standard_error / control.value
    )
    found = _normal(log, error, confidence)
    low = None if found.low is None else math.exp(found.low)
    high = None if found.high is None else math.exp(found.high)
    return Contrast(math.exp(log), low, high, found.p_value, confidence)


def _normal(value: float, error: float, confidence: float) -> Contrast:
    if error == 0:
        return Contrast(value, None, None, None, confidence)
    half = normal_quantile(confidence) * error
    p_value = float(2 * ndtr(-abs(value) / error))
    return Contrast(value, value - half, value + half, p_value, confidence)
