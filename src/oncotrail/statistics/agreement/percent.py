"""How often readers say the same, with no allowance for chance.

Each patient has a share of pairs of readers who agree: 0 or 1 with two readers. The percent
agreement is its mean over patients. Patients, not pairs, are independent, so with more than two
readers the spread of that share over patients says how many independent yes-or-no answers the
patients are worth, n* = p (1 - p) / variance of the mean, and Wilson's interval is taken with n*
(Korn and Graubard, Survey Methodology 1998, 24:193, do so with the exact interval). It stays within
0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.agreement.ratings import coded
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.intervals import Estimate, wilson


@dataclass(frozen=True)
class Agreement:
    """Agreement, 0 to 1, higher is better.

    `pairwise` is the mean share of pairs of readers who agree, `unanimous` the share of patients
    on whom all do; with two readers they are equal. `events` are the unanimous patients.
    """

    pairwise: Estimate
    unanimous: Estimate
    readers: int


def percent_agreement(ratings: ArrayLike, confidence: float = 0.95) -> Agreement:
    """Agreement of patients x readers, ratings of any type.

    >>> found = percent_agreement([[1, 1, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]])
    >>> round(found.pairwise.value, 4), found.unanimous.value
    (0.6667, 0.5)
    """
    counts = coded(ratings).counts
    n, readers = len(counts), int(counts[0].sum())
    shares = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    same = int((counts.max(axis=1) == readers).sum())
    ends = wilson(same, n, confidence)
    unanimous = Estimate(same / n, ends.low, ends.high, confidence, n, same, "Wilson")
    pairwise = unanimous if readers == 2 else mean_share(shares, same, confidence)
    return Agreement(pairwise, unanimous, readers)


def mean_share(shares: Floats, events: int, confidence: float = 0.95) -> Estimate:
    """The mean of one share (0 to 1) per patient, with the interval told above.

    Where all patients are alike, or there is one, n* is n.

    >>> found = mean_share(np.array([1.0, 0.5, 0.5, 0.0]), events=1)
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.5, 0.19, 0.81)
    """
    n, value = shares.size, float(shares.mean())
    variance = float(shares.var(ddof=1)) / n if np.ptp(shares) > 0 else 0.0
    worth = value * (1 - value) / variance if variance else float(n)
    ends = wilson(value * worth, worth, confidence)
    return Estimate(value, ends.low, ends.high, confidence, n, events, "Wilson, patients")
