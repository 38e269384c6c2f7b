"""The cut in a marker that separates survival best, chosen on one role for use on another.

The algorithm, told simply: give each patient a score, the event less the hazard the patient has
lived through, and find the cut that best separates high scores from low ones
(`maximal_statistic`). Scores and their ties are those of Hothorn and Lausen (Computational
Statistics & Data Analysis 2003, 43:121), as in maxstat::maxstat.test. What the cut remembers, and
whom it is refused to, is told in `cut_point`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.cut_point import CutPoint, Search, best_cut
from oncotrail.statistics.maximal_statistic import TENTHS, Correction, Shares
from oncotrail.statistics.survival.life_table import sums
from oncotrail.statistics.survival.tied_times import distinct_times


def survival_cut_point(
    values: ArrayLike,
    times: ArrayLike,
    events: ArrayLike,
    *,
    role: str,
    shares: Shares = TENTHS,
    correction: Correction = "Lau94",
    generator: np.random.Generator | None = None,
    permutations: int = 10_000,
) -> CutPoint:
    """The cut that separates survival best, by the maximally selected log-rank statistic.

    Give the training rows only, and their `role`; times are 0 or more. At least `shares.least` and
    at most `shares.greatest` of the patients are below the cut. A marker that cannot be cut so, and
    an outcome that is the same in all, are undefined. "permutation" needs a `generator`.

    >>> found = survival_cut_point(
    ...     [1, 2, 3, 4, 5, 6], [9, 8, 7, 3, 2, 1], [0, 1, 1, 1, 1, 1], role="train"
    ... )
    >>> found.value, found.higher_is_worse, found.apply([2.0, 2.5], role="test").tolist()
    (2.5, True, [False, True])
    """
    patients = arrays.survived(times, events)
    marker = arrays.column(values, "values", n=patients.n)
    scores = log_rank_scores(patients.times, patients.events)
    search = Search(shares, correction, generator, permutations)
    return best_cut(marker, scores, search, events=patients.number_of_events, role=role)


def log_rank_scores(times: ArrayLike, events: ArrayLike) -> Floats:
    """Each patient's event less the hazard it lived through; without ties they sum to 0.

    The hazard adds, for each event at or before the patient's time, 1 / (patients with a later
    time + 1); tied events share that number (Hothorn and Lausen 2003).

    >>> log_rank_scores([1, 2], [1, 1]).tolist()
    [0.5, -0.5]
    """
    patients = arrays.survived(times, events)
    distinct, place = distinct_times(patients.times)
    one = np.ones(patients.n)
    later = patients.n - sums(place, one, distinct.size).cumsum()
    hazard = sums(place, patients.events * one, distinct.size) / (later + 1)
    return np.asarray(patients.events - hazard.cumsum()[place], dtype=np.float64)
