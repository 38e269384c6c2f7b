"""How many had the event by a horizon, over how many were predicted to: one number for all.

- *Observed over expected*: the risk by the horizon that Kaplan-Meier sees, 1 - S(t), over the mean
  predicted risk. The interval is Greenwood's on the log scale; the predictions are taken as known
  (McLernon et al., Annals of Internal Medicine 2023, 176:105).
- *In the large*, on the scale of hazards: give every patient the predicted cumulative hazard
  -log(survival) as an offset, and estimate by what factor all hazards must be multiplied so that
  events by the horizon come out right (Breslow's estimate: the sum over event times of events over
  the offsets at risk). Its logarithm is 0 where predictions are right (in the manner of Crowson,
  Atkinson and Therneau, Statistical Methods in Medical Research 2016, 25:1692).

Both add up, over the event times, a function of events d and of those at risk Y: -log(1 - d / Y),
and d / Y. A patient moves each sum by its derivative to d at the time of its event, less the one
to Y at every time until it leaves. That gives the variance where patients come in clusters or their
weights are not counts; else it is Greenwood's, the sum of d / (Y (Y - d)), or the sum of d / Y^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Integers, Survived, column, survived
from oncotrail.statistics.case_weights import case_weights
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.influence import ROUNDING, jackknife_error
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.survival.censoring import from_here_on
from oncotrail.statistics.survival.horizon_calibration import log_minus_log
from oncotrail.statistics.survival.horizon_estimates import AtHorizon, undefined_at
from oncotrail.statistics.survival.known_states import checked_horizon
from oncotrail.statistics.survival.life_table import life_table, sums
from oncotrail.statistics.survival.tied_times import distinct_times, settled_times


def observed_expected_at(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AtHorizon:
    """Observed over mean predicted risk by the horizon; 1 is best, above 1 it was more.

    `survival` is the predicted chance, 0 to 1, to be free of the event beyond the horizon. A whole
    weight counts patients (2: twice, 0: not there); other weights, and `clusters` (rows that are
    not independent), make the variance a robust one, as in survival::survfit. None where follow-up
    ends before the horizon or nobody has any predicted risk; the interval also where nobody, or
    everybody, had the event.

    >>> found = observed_expected_at([1, 2, 3, 4], [1, 1, 0, 0], [0.4, 0.6, 0.7, 0.9], horizon=2)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (1.429, 0.536, 3.806)
    """
    judged = _judged(times, events, horizon, weights, clusters)
    predicted = column(survival, "survival", n=judged.kept.size, low=0, high=1)[judged.kept]
    nothing = judged.nothing(horizon, confidence, "Greenwood, log")
    expected = float(np.average(1 - predicted, weights=judged.weights))
    table = life_table(judged.patients.times, judged.patients.events, judged.weights)
    by_then = int((table.times <= horizon).sum())
    alive = float(np.append(1.0, table.survival)[by_then])
    if expected == 0 or not (table.times[-1] >= horizon or alive == 0):
        return nothing
    greenwood = np.append(0.0, table.greenwood()[:by_then])
    per_person = np.append(np.diff(greenwood), np.zeros(table.times.size - by_then))
    per_event = np.where(table.times <= horizon, 1 / table.after, 0.0)
    error = judged.error(table.patients.left, per_event, per_person, float(greenwood[-1]))
    ratio = (1 - alive) / expected
    found = replace(nothing, value=ratio)
    if alive == 0 or error is None or alive * error <= ROUNDING:
        return found
    relative = alive * error / (1 - alive)
    factor = math.exp(normal_quantile(confidence) * relative)
    return replace(found, standard_error=ratio * relative, low=ratio / factor, high=ratio * factor)


def calibration_in_the_large_at(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AtHorizon:
    """Log of observed over predicted cumulative hazard at the horizon; 0 is best.

    Above 0, hazards were predicted too low (0.7: by half). `survival`, `weights` and `clusters` are
    as in `observed_expected_at`; survival must be above 0 and below 1. Tied events as Breslow. None
    where nobody had the event by the horizon, or follow-up ends before it.

    >>> found = calibration_in_the_large_at([1, 2, 3, 4], [1, 1, 0, 0], [0.4, 0.6, 0.7, 0.9], 2)
    >>> round(found.value, 3)
    0.443
    """
    judged = _judged(times, events, horizon, weights, clusters)
    predicted = log_minus_log(survival, judged.kept.size)[judged.kept]
    offset = np.exp(predicted)
    moments, place = distinct_times(judged.patients.times)
    number = sums(place, judged.weights * judged.patients.events, moments.size)
    at_risk = from_here_on(sums(place, judged.weights * offset, moments.size))
    counted = (moments <= horizon) & (number > 0)
    nothing = judged.nothing(horizon, confidence, "Breslow, log")
    if not counted.any() or moments[-1] < horizon:
        return nothing
    hazard = float((number[counted] / at_risk[counted]).sum())
    per_event = counted / at_risk
    per_person = per_event**2 * number
    error = judged.error(place, per_event, per_person, float(per_person.sum()), offset)
    if error is None:
        return replace(nothing, value=math.log(hazard))
    value, half = math.log(hazard), normal_quantile(confidence) * error / hazard
    return replace(
        nothing, value=value, standard_error=error / hazard, low=value - half, high=value + half
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """The patients with a weight above 0; a time that is the horizon but for rounding is at it."""

    patients: Survived
    weights: Floats
    robust: bool
    clusters: Integers | None
    kept: Flags

    def nothing(self, horizon: float, confidence: float, method: str) -> AtHorizon:
        said = f"{method}, robust" if self.robust else method
        return undefined_at(self.patients, horizon, confidence, said)

    def error(
        self,
        place: Integers,
        per_event: Floats,
        per_person: Floats,
        variance: float,
        offset: Floats | float = 1.0,
    ) -> float | None:
        """The standard error of a sum over event times: robust, or from its own `variance`."""
        if not self.robust:
            return math.sqrt(variance)
        moved = self.patients.events * per_event[place] - offset * per_person.cumsum()[place]
        return jackknife_error(self.weights * moved, self.clusters)


def _judged(
    times: ArrayLike,
    events: ArrayLike,
    horizon: float,
    weights: ArrayLike | None,
    clusters: ArrayLike | None,
) -> _Judged:
    found = survived(times, events)
    own = case_weights(weights, found.n)
    time = settled_times(found.times, checked_horizon(horizon))
    belonging = None if clusters is None else numbered_clusters(clusters, found.n, own.kept)
    return _Judged(
        patients=Survived(time[own.kept], found.events[own.kept]),
        weights=own.values,
        robust=own.robust or clusters is not None,
        clusters=None if belonging is None else belonging[own.kept],
        kept=own.kept,
    )
