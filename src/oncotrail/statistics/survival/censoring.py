"""The chance of still being under observation: what censored patients are made up for with.

Turn the Kaplan-Meier estimate around: with censoring as the event it gives G(t), the chance of
still being under observation after t. Where an event and a censoring have the same time, the event
came first: whoever had it is no longer there to be censored. A patient lost at time 0 lowers G from
the start. (Graf et al., Statistics in Medicine 1999, 18:2529.)

The estimate is marginal: it is right where censoring depends neither on the outcome nor on what the
model knows. Censoring that depends on covariates needs a model of it, which is not built here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Survived, survived
from oncotrail.statistics.arrays import weights as case_weights
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.life_table import sums
from oncotrail.statistics.survival.tied_times import distinct_times, places_of


@result
class Censoring:
    """The chance of still being under observation, from the patients it was estimated on.

    `n` counts them and `censored` those who were lost (rows with a weight above 0).
    """

    times: Floats  # the distinct times, ascending
    survival: Floats  # the chance just after each of them
    n: int
    censored: int

    def after(self, times: ArrayLike) -> Floats:
        """G(t): the chance of being under observation after each time."""
        return np.append(1.0, self.survival)[places_of(self.times, times)]

    def before(self, times: ArrayLike) -> Floats:
        """G(t-): the chance just before each time; a censoring at that time does not count."""
        return np.append(1.0, self.survival)[places_of(self.times, times, side="before")]


def censoring_distribution(
    times: ArrayLike, events: ArrayLike, *, weights: ArrayLike | None = None
) -> Censoring:
    """The chance of still being under observation, by the reverse Kaplan-Meier estimate.

    Estimate it on the training rows, and hand it to the figures of other rows. `events` are 1
    where an event of any cause ended the observation, 0 where the patient was lost; an event
    precedes a censoring of the same time. A weight of 2 is the patient twice. R: prodlim::prodlim
    with reverse = TRUE.

    >>> found = censoring_distribution([1, 2, 2, 3], [1, 1, 0, 1])
    >>> found.before([2, 3]).tolist(), found.after([2]).tolist()
    ([1.0, 0.5], [0.5])
    """
    patients = survived(times, events)
    return reverse_kaplan_meier(patients, case_weights(weights, patients.n))


def reverse_kaplan_meier(patients: Survived, weights: Floats) -> Censoring:
    """`censoring_distribution` of checked patients.

    >>> patients = Survived(np.array([0.0, 1.0]), np.array([False, True]))
    >>> reverse_kaplan_meier(patients, np.ones(2)).survival.tolist()
    [0.5, 0.5]
    """
    moments, place = distinct_times(patients.times)
    lost = sums(place, weights * ~patients.events, moments.size)
    # Those with the event at this time have left before; the rest is there at a later time.
    staying = np.append(from_here_on(sums(place, weights, moments.size))[1:], 0.0)
    kept = np.divide(staying, lost + staying, out=np.ones(moments.size), where=lost > 0)
    censored = int((~patients.events & (weights > 0)).sum())
    return Censoring(moments, np.cumprod(kept), int((weights > 0).sum()), censored)


def from_here_on(values: Floats) -> Floats:
    """The sum of each value and all after it.

    >>> from_here_on(np.array([1.0, 2.0, 4.0])).tolist()
    [7.0, 6.0, 4.0]
    """
    return np.asarray(values[::-1].cumsum()[::-1], dtype=np.float64)
