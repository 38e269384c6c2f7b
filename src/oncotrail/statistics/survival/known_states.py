"""Who is known to have had the event by a horizon, and how much each of them counts.

At a horizon (two years, say) a patient is a *case* (the event came by then), a *control* (still
under observation and free of it), or unknown: lost before. Leaving the unknown out favours those
who fail early, so each patient who is known stands for the others like them who were lost.

1. A case at time T counts 1 / G(T-), a control 1 / G(horizon), an unknown patient 0, where G is the
   chance of being under observation (`censoring`; Graf et al., Statistics in Medicine 1999,
   18:2529; Gerds and Schumacher, Biometrical Journal 2006, 48:1029).
2. Weights that are estimated on the same patients add to the influence that each of them has: the
   integral of A(s) / Y(s) over the patient's censoring martingale, where A(s) sums what the
   patients known after s contribute and Y(s) counts those who reach s (Blanche et al., Statistics
   in Medicine 2013, 32:5381). Weights from other patients are taken as known, and add nothing.
3. The variance of a figure is that of the mean of the influences, with n - 1 patients (or clusters)
   for n, as riskRegression::Score has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Integers, Survived
from oncotrail.statistics.case_weights import are_counts
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.influence import Influenced
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.censoring import (
    Censoring,
    from_here_on,
    reverse_kaplan_meier,
)
from oncotrail.statistics.survival.life_table import sums
from oncotrail.statistics.survival.tied_times import distinct_times, settled_times


class Weighing(TypedDict, total=False):
    """How the patients of a figure at a horizon count; each may be left out.

    `competing` is 1 where another event came that precludes this one (`events` is then 0): such a
    patient is a control, and is never lost. `censoring` comes from `censoring_distribution` of the
    training rows; without it, these rows give it. `weights` are as in `case_weights`: 2 is the
    patient twice and 0 not at all; of weights that are not whole only the proportions matter. Rows
    of the same of `clusters` (lesions of a patient, patients of a centre) are not independent, and
    the variance is taken over clusters.
    """

    competing: ArrayLike | None
    censoring: Censoring | None
    weights: ArrayLike | None
    clusters: ArrayLike | None


@result
class Known:
    """The patients' states at a horizon, with the weights of those whose state is known.

    `weights` are 0 for the unknown. `case_weights` are 1 on average; rows of 0 count nowhere, nor
    in `n`. `scale` makes of influences whose mean is a figure those whose squares add up to its
    variance. `identified` is False where nobody could be followed beyond the horizon: a figure of
    cases and controls is then undefined.
    """

    horizon: float
    cases: Flags
    controls: Flags
    weights: Floats
    n: int
    identified: bool
    times: Floats
    censored: Flags
    case_weights: Floats
    scale: Floats
    clusters: Integers | None
    from_these_rows: bool

    def mean(self, values: Floats) -> float:
        """The mean over all patients, where the known stand for the unknown."""
        return float((self.weights * values).sum() / self.n)

    def figure(self, value: float, influence: Floats) -> Influenced:
        """A figure from influences of which it is the mean."""
        return Influenced(value, self.scale * influence, self.clusters)

    def influence_of_weighting(self, contributions: Floats) -> Floats:
        """Each patient's influence on a figure through the estimated weights.

        `contributions`, one per patient and each proportional to its weight, have the figure (or
        its influence) as their mean. Zero for all where the weights come from other patients.
        """
        if not self.from_these_rows:
            return np.zeros(contributions.size)
        lost = self.censored * self.case_weights
        moments, place = distinct_times(self.times)
        reaching = from_here_on(sums(place, self.case_weights, moments.size))
        known_later = np.append(from_here_on(sums(place, contributions, moments.size))[1:], 0.0)
        known_later[moments > self.horizon] = 0
        jump, hazard = (
            np.divide(part, reaching, out=np.zeros(moments.size), where=reaching > 0)
            for part in (known_later, sums(place, lost, moments.size))
        )
        drift = np.cumsum(jump * hazard)[place]
        return np.asarray(lost * jump[place] - self.case_weights * drift, dtype=np.float64)


def known_by(
    times: ArrayLike, events: ArrayLike, horizon: float, **weighing: Unpack[Weighing]
) -> Known:
    """Cases, controls and their weights at a horizon, in the unit of the times.

    An event at the horizon itself counts, and one at time 0 has come by every horizon. `weighing`
    is `competing`, `censoring`, `weights` and `clusters`, as `Weighing` tells. A patient who should
    be impossible to observe under the given `censoring` (a weight of 1 / 0) is refused.

    >>> known_by([1, 2, 3, 4], [1, 0, 1, 0], horizon=3).weights.tolist()
    [1.0, 0.0, 1.5, 1.5]
    """
    return known_at(times, events, [checked_horizon(horizon)], **weighing)[0]


def known_at(
    times: ArrayLike, events: ArrayLike, horizons: Iterable[float], **weighing: Unpack[Weighing]
) -> list[Known]:
    """`known_by` at several horizons (checked, or 0), with one censoring distribution.

    >>> [known.cases.tolist() for known in known_at([0, 1, 2], [1, 1, 0], [0.0, 1.0])]
    [[True, False, False], [True, True, False]]
    """
    cohort = _cohort(arrays.survived(times, events), weighing)
    return [cohort.at(horizon) for horizon in horizons]


def checked_horizon(horizon: float) -> float:
    """A horizon that is finite and above 0.

    >>> checked_horizon(2)
    2.0
    """
    if not 0 < horizon < np.inf:
        raise ValueError(f"found horizon {horizon}; expected a finite time above 0.")
    return float(horizon)


@dataclass(frozen=True, eq=False)
class _Cohort:
    """The checked patients: what does not depend on the horizon."""

    times: Floats
    events: Flags
    ended: Flags  # by any event
    case_weights: Floats
    scale: Floats
    clusters: Integers | None
    chances: Censoring
    from_these_rows: bool

    def at(self, horizon: float) -> Known:
        there, time = self.case_weights > 0, settled_times(self.times, horizon)
        beyond, after = time > horizon, float(self.chances.after(horizon))
        counted = (beyond | self.ended) & there
        chance = np.where(beyond, after, self.chances.before(time))
        _refuse_impossible(counted & (chance == 0), self.times, horizon)
        cases = counted & ~beyond & self.events
        return Known(
            horizon=float(horizon),
            cases=cases,
            controls=counted & ~cases,
            weights=np.divide(self.case_weights, chance, out=np.zeros(time.size), where=counted),
            n=int(there.sum()),
            identified=after > 0,
            times=time,
            censored=~self.ended,
            case_weights=self.case_weights,
            scale=self.scale,
            clusters=self.clusters,
            from_these_rows=self.from_these_rows,
        )


def _cohort(patients: Survived, weighing: Weighing) -> _Cohort:
    ended = patients.events | _competing(weighing.get("competing"), patients)
    weights = arrays.weights(weighing.get("weights"), patients.n)
    own = weights * ((weights > 0).sum() / weights.sum())
    clusters, given = weighing.get("clusters"), weighing.get("censoring")
    belonging = None if clusters is None else numbered_clusters(clusters, patients.n, weights > 0)
    return _Cohort(
        times=patients.times,
        events=patients.events,
        ended=ended,
        case_weights=own,
        scale=_scale(weights, belonging),
        clusters=belonging,
        chances=given or reverse_kaplan_meier(Survived(patients.times, ended), own),
        from_these_rows=given is None,
    )


def _scale(weights: Floats, clusters: Integers | None) -> Floats:
    there = weights > 0
    units, heavy = float(there.sum()), np.ones(weights.size)
    if clusters is not None:
        units = float(np.unique(clusters[there]).size)
    elif are_counts(weights):  # of w equal patients each moves the figure by 1 / w of their sum
        units, heavy = float(weights.sum()), np.sqrt(np.maximum(weights, 1.0))
    return math.sqrt(units / max(units - 1, 1.0)) / (float(there.sum()) * heavy)


def _competing(competing: ArrayLike | None, patients: Survived) -> Flags:
    if competing is None:
        return np.zeros(patients.n, dtype=np.bool_)
    found = arrays.binary(competing, "competing", n=patients.n)
    both = np.flatnonzero(found & patients.events)
    if both.size:
        raise ValueError(
            f"competing: found 1 in row {both[0]}, where events is 1 too; "
            "expected at most one of them: the event that came first."
        )
    return found


def _refuse_impossible(impossible: Flags, times: Floats, horizon: float) -> None:
    if impossible.any():
        row = int(np.flatnonzero(impossible)[0])
        raise ValueError(
            f"found time {times[row]:g} in row {row} and horizon {horizon:g}, but on the rows that "
            "gave the censoring distribution nobody was still under observation then; "
            "choose an earlier horizon."
        )
