"""Who is known to have had the event by a horizon, and how much each of them counts.

At a horizon (two years, say) a patient is a *case* (the event came by then), a *control* (still
under observation and free of it), or unknown: lost before. Leaving the unknown out favours those
who fail early, so each patient who is known stands for the others like them who were lost.

1. Turn the Kaplan-Meier estimate around: with censoring as the event it gives G(t), the chance of
   still being under observation after t. Where an event and a censoring have the same time, the
   event came first: whoever had it is no longer there to be censored.
2. A case at time T counts 1 / G(T-), a control 1 / G(horizon), an unknown patient 0
   (Graf et al., Statistics in Medicine 1999, 18:2529; Gerds and Schumacher, Biometrical Journal
   2006, 48:1029).
3. Weights that are estimated on the same patients add to the influence that each of them has: the
   integral of A(s) / Y(s) over the patient's censoring martingale, where A(s) sums what the
   patients known after s contribute and Y(s) counts those who reach s (Blanche et al., Statistics
   in Medicine 2013, 32:5381). Weights from other patients are taken as known, and add nothing.

The estimate is marginal: it is right where censoring depends neither on the outcome nor on what the
model knows. Censoring that depends on covariates needs a model of it, which is not built here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Integers, Survived, binary, survived
from oncotrail.statistics.arrays import weights as case_weights
from oncotrail.statistics.survival.tied_times import distinct_times, settled_times


@dataclass(frozen=True, eq=False)
class Censoring:
    """The chance of still being under observation, from the patients it was estimated on."""

    times: Floats  # the distinct times, ascending
    survival: Floats  # the chance just after each of them
    n: int
    censored: int

    def after(self, times: ArrayLike) -> Floats:
        """G(t): the chance of being under observation after each time."""
        place = np.searchsorted(self.times, np.asarray(times, dtype=np.float64), side="right")
        return np.append(1.0, self.survival)[place]

    def before(self, times: ArrayLike) -> Floats:
        """G(t-): the chance just before each time; a censoring at that time does not count."""
        place = np.searchsorted(self.times, np.asarray(times, dtype=np.float64), side="left")
        return np.append(1.0, self.survival)[place]


@dataclass(frozen=True, eq=False)
class Known:
    """The patients' states at a horizon, with the weights of those whose state is known.

    `weights` are 0 for the unknown. `case_weights` are 1 on average; rows of 0 count nowhere, nor
    in `n`. `identified` is False where nobody could be followed beyond the horizon: a
    figure of cases and controls is then undefined.
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
    from_these_rows: bool

    def mean(self, values: Floats) -> float:
        """The mean over all patients, where the known stand for the unknown."""
        return float((self.weights * values).sum() / self.n)

    def influence_of_weighting(self, contributions: Floats) -> Floats:
        """Each patient's influence on a figure through the estimated weights.

        `contributions`, one per patient and each proportional to its weight, have the figure (or
        its influence) as their mean. Zero for all where the weights come from other patients.
        """
        if not self.from_these_rows:
            return np.zeros(contributions.size)
        lost = self.censored * self.case_weights
        moments, place = np.unique(self.times, return_inverse=True)
        reaching = _from_here_on(_sums(place, self.case_weights))
        known_later = np.append(_from_here_on(_sums(place, contributions))[1:], 0.0)
        known_later[moments > self.horizon] = 0
        jump = np.divide(known_later, reaching, out=np.zeros(moments.size), where=reaching > 0)
        hazard = np.divide(
            _sums(place, lost), reaching, out=np.zeros(moments.size), where=reaching > 0
        )
        drift = np.cumsum(jump * hazard)[place]
        return np.asarray(lost * jump[place] - self.case_weights * drift, dtype=np.float64)


def censoring_distribution(
    times: ArrayLike, events: ArrayLike, *, weights: ArrayLike | None = None
) -> Censoring:
    """The chance of still being under observation, by the reverse Kaplan-Meier estimate.

    Estimate it on the training rows, and hand it to the figures of other rows. `events` are 1
    where an event of any cause ended the observation, 0 where the patient was lost; an event
    precedes a censoring of the same time. `weights` are case weights.

    >>> found = censoring_distribution([1, 2, 2, 3], [1, 1, 0, 1])
    >>> found.before([2, 3]).tolist(), found.after([2]).tolist()
    ([1.0, 0.5], [0.5])
    """
    patients = survived(times, events)
    return _reverse_kaplan_meier(patients, case_weights(weights, patients.n))


def known_by(
    times: ArrayLike,
    events: ArrayLike,
    horizon: float,
    *,
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
) -> Known:
    """Cases, controls and their weights at a horizon, in the unit of the times.

    An event at the horizon itself counts. `competing` is 1 where another event came that precludes
    this one (`events` is then 0): such a patient is a control, and is never lost. `censoring` comes
    from `censoring_distribution` of the training rows; without it, these rows give it. A patient
    who should be impossible to observe under it (a weight of 1 / 0) is refused. `weights` are case
    weights.

    >>> known_by([1, 2, 3, 4], [1, 0, 1, 0], horizon=3).weights.tolist()
    [1.0, 0.0, 1.5, 1.5]
    """
    patients = survived(times, events)
    ended = patients.events | _competing(competing, patients)
    own = case_weights(weights, patients.n)
    own = own * ((own > 0).sum() / own.sum())
    time = settled_times(patients.times, checked_horizon(horizon))
    chances = censoring or _reverse_kaplan_meier(Survived(time, ended), own)
    beyond, after = time > horizon, float(chances.after(horizon))
    counted = (beyond | ended) & (own > 0)
    chance = np.where(beyond, after, chances.before(time))
    _refuse_impossible(counted & (chance == 0), patients.times, horizon)
    cases = counted & ~beyond & patients.events
    return Known(
        horizon=float(horizon),
        cases=cases,
        controls=counted & ~cases,
        weights=np.divide(own, chance, out=np.zeros(patients.n), where=counted),
        n=int((own > 0).sum()),
        identified=after > 0,
        times=time,
        censored=~ended,
        case_weights=own,
        from_these_rows=censoring is None,
    )


def checked_horizon(horizon: float) -> float:
    """A horizon that is finite and above 0."""
    if not 0 < horizon < np.inf:
        raise ValueError(f"found horizon {horizon}; expected a finite time above 0.")
    return float(horizon)


def _reverse_kaplan_meier(patients: Survived, own: Floats) -> Censoring:
    moments, place = distinct_times(patients.times)
    lost = _sums(place, own * ~patients.events)
    # Those with the event at this time have left before; the rest is there at a later time.
    staying = np.append(_from_here_on(_sums(place, own))[1:], 0.0)
    kept = np.divide(staying, lost + staying, out=np.ones(moments.size), where=lost > 0)
    censored = int((~patients.events & (own > 0)).sum())
    return Censoring(moments, np.cumprod(kept), int((own > 0).sum()), censored)


def _sums(place: Integers, amounts: Floats) -> Floats:
    """The sum of the amounts at each place."""
    return np.asarray(np.bincount(place, weights=amounts), dtype=np.float64)


def _from_here_on(values: Floats) -> Floats:
    """The sum of each value and all after it."""
    return np.asarray(values[::-1].cumsum()[::-1], dtype=np.float64)


def _competing(competing: ArrayLike | None, patients: Survived) -> Flags:
    if competing is None:
        return np.zeros(patients.n, dtype=np.bool_)
    found = binary(competing, "competing", n=patients.n)
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
