"""The patients of a concordance, checked once, and the sums that every form of it is made of.

Each pair of patients counts by the product of their weights and of a weight for the time of the
earlier event (1 for Harrell's C, 1 / G(t-)^2 for Uno's). With c, d and t the sums of concordant,
discordant and tied pairs, Somers' Dxy is D = (c - d) / (c + d + t). A patient's influence on it is
its weight times ((c_i - d_i) - D (c_i + d_i + t_i)) / (c + d + t), where c_i, d_i and t_i are the
sums over its own pairs of the other patient's weight; on the concordance it is half of that.

With late entry the later patient of a pair must have entered before the event. Those who had not
are pairs of the event with an *entry* after it, so every patient comes in a second time, at her
entry and with the opposite weight, which takes them off again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Integers, column, groups, survived
from oncotrail.statistics.arrays import weights as case_weights
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.influence import Influenced
from oncotrail.statistics.survival.censoring import Censoring, censoring_distribution
from oncotrail.statistics.survival.comparable_pairs import comparable_pairs
from oncotrail.statistics.survival.known_states import checked_horizon
from oncotrail.statistics.survival.tied_times import settled_entry, settled_times


@dataclass(frozen=True, eq=False)
class ConcordanceSample:
    """Checked patients; `time_weights` multiply every pair that an event at that time starts."""

    times: Floats
    moments: Integers  # the same, numbered in order
    events: Flags
    weights: Floats
    strata: Integers
    clusters: Integers | None
    time_weights: Floats
    entry: Floats | None = None

    @property
    def n(self) -> int:
        """How many patients count."""
        return int((self.weights > 0).sum())

    @property
    def number_of_events(self) -> int:
        """How many of those had the event."""
        return int((self.events & (self.weights > 0)).sum())

    @property
    def places(self) -> Integers:
        """Order in time, so that an event and anybody of a later place are a pair."""
        found = self.moments * 2 + ~self.events
        return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.int_)

    @property
    def against_entries(self) -> ConcordanceSample:
        """Everybody, then everybody once more at her entry, without event and taken off."""
        if self.entry is None:
            return self
        moments = np.unique(np.concatenate([self.times, self.entry]), return_inverse=True)[1]
        return replace(
            self,
            moments=moments,
            events=np.append(self.events, np.zeros_like(self.events)),
            weights=np.append(self.weights, -self.weights),
            strata=np.tile(self.strata, 2),
            time_weights=np.tile(self.time_weights, 2),
        )


@dataclass(frozen=True, eq=False)
class Counted:
    """Concordance with its influences (None without pairs), and the sums of weights.

    `pairs` are concordant, discordant, tied in risk, in time, in both.
    """

    figure: Influenced | None
    pairs: tuple[float, ...]


def concordance_sample(
    times: ArrayLike,
    events: ArrayLike,
    weights: ArrayLike | None,
    strata: ArrayLike | None,
    clusters: ArrayLike | None,
    *,
    entry: ArrayLike | None = None,
) -> ConcordanceSample:
    """Check everything but the risk; strata and clusters may be of any type.

    >>> concordance_sample([3.0, 1.0, 3.0], [1, 1, 0], None, None, None).places.tolist()
    [1, 0, 2]
    """
    found = survived(times, events)
    weight = case_weights(weights, found.n)
    ended, began = settled_times(found.times), None
    if entry is not None:
        ended, began = settled_entry(found.times, entry)
    return ConcordanceSample(
        times=ended,
        moments=np.unique(ended, return_inverse=True)[1],
        events=found.events,
        weights=weight,
        strata=np.zeros(found.n, np.int_) if strata is None else groups(strata, found.n, "strata"),
        clusters=None if clusters is None else numbered_clusters(clusters, found.n, weight > 0),
        time_weights=np.ones(found.n),
        entry=began,
    )


def against_censoring(
    patients: ConcordanceSample, tau: float | None, censoring: Censoring | None
) -> ConcordanceSample:
    """The same patients, with pairs weighted by 1 / G(t-)^2 up to `tau`, and 0 after it.

    >>> patients = concordance_sample([1, 2, 3], [1, 0, 1], None, None, None)
    >>> against_censoring(patients, None, None).time_weights.tolist()
    [1.0, 0.0, 4.0]
    """
    by_tau = np.ones(patients.times.size, dtype=np.bool_)
    if tau is not None:
        by_tau = settled_times(patients.times, checked_horizon(tau)) <= tau
    used = censoring or censoring_distribution(
        patients.times, patients.events, weights=patients.weights
    )
    counts = patients.events & (patients.weights > 0) & by_tau
    chance = used.before(patients.times)
    impossible = np.flatnonzero(counts & (chance == 0))
    if impossible.size:
        row = int(impossible[0])
        raise ValueError(
            f"found an event at {patients.times[row]:g} in row {row}, but on the rows that gave "
            "the censoring distribution nobody was still under observation then; "
            "choose an earlier tau."
        )
    inverse = np.divide(1.0, chance, out=np.zeros(chance.size), where=counts)
    return replace(patients, time_weights=inverse**2)


def counted(patients: ConcordanceSample, risk: ArrayLike, name: str) -> Counted:
    """Sum over all pairs; a message about the risk calls it `name`.

    >>> patients = concordance_sample([1, 2, 3], [1, 0, 1], None, None, None)
    >>> found = counted(patients, [3, 1, 2], "risk")
    >>> found.figure.value, found.pairs
    (1.0, (2.0, 0.0, 0.0, 0.0, 0.0))
    """
    found = column(risk, name, n=patients.times.size)
    ranks = np.unique(found, return_inverse=True)[1]
    concordant, discordant, tied = _met(patients, ranks)
    # Each pair is counted by both of its patients.
    sums = [float((patients.weights * kind).sum()) / 2 for kind in (concordant, discordant, tied)]
    total, all_pairs = sum(sums), (*sums, *_tied_events(patients, ranks))
    if total == 0:
        return Counted(None, all_pairs)
    somers = (sums[0] - sums[1]) / total
    change = concordant - discordant - somers * (concordant + discordant + tied)
    influence = patients.weights * change / (2 * total)
    return Counted(Influenced((somers + 1) / 2, influence, patients.clusters), all_pairs)


def _met(patients: ConcordanceSample, ranks: Integers) -> tuple[Floats, Floats, Floats]:
    """For each patient, the weights of the others in its concordant, discordant, tied pairs."""
    rows, n = patients.against_entries, ranks.size
    starting = rows.events * rows.time_weights
    both = np.tile(ranks, rows.events.size // n)
    pairs = comparable_pairs(rows.places, both, rows.strata, starting, rows.weights)
    kinds = pairs.concordant, pairs.discordant, pairs.tied
    if patients.entry is None:
        return kinds
    rounding = 1e-12 * starting.max() * patients.weights.sum()  # no pair must be none
    left = (kind[:n] - kind[n:] for kind in kinds)
    concordant, discordant, tied = (np.where(np.abs(k) > rounding, k, 0.0) for k in left)
    return concordant, discordant, tied


def _tied_events(patients: ConcordanceSample, ranks: Integers) -> tuple[float, float]:
    """Weights of the pairs of events at one time with unequal risks, and with equal ones."""
    time = patients.strata * (patients.moments.max() + 1) + patients.moments
    both = np.unique(time, return_inverse=True)[1] * (ranks.max() + 1) + ranks
    same_time, same_both = (_within(patients, part) for part in (time, both))
    return same_time - same_both, same_both


def _within(patients: ConcordanceSample, parts: Integers) -> float:
    """The summed weights of the pairs of events within each part, all of one time."""
    part = np.unique(parts, return_inverse=True)[1]
    own = patients.weights * patients.events
    pairs = (np.bincount(part, own) ** 2 - np.bincount(part, own**2)) / 2
    of_time = np.zeros(pairs.size)
    np.maximum.at(of_time, part, patients.time_weights * patients.events)
    return float((pairs * of_time).sum())
