"""How often the patient with the higher risk has the event first.

Harrell's C (JAMA 1982, 247:2543) looks at the pairs of patients of whom it is known who had the
event first: one has it while the other is still under observation afterwards (a patient censored
at that same time is). Such a pair is concordant if the first one's risk is higher, discordant if it
is lower, and counts one half if the risks are equal; two events at the same time are no pair.
C is the concordant share of the pairs, Somers' Dxy is 2 C - 1.

Counting pairs takes n^2 steps; `comparable_pairs` takes n log n.

The variance is the infinitesimal jackknife (`influence`): the change of C with each patient's
weight, which the same sums give (Therneau and Atkinson, *Concordance*, vignette of the R package
survival). It covers pairs of markers, clusters, and strata.

Harrell's C depends on who was censored. Uno's (Statistics in Medicine 2011, 30:1105) weighs each
pair by 1 / G(t-)^2, G the chance of being under observation, and stops at a horizon tau. Its
weights are taken as known in the variance, as R does.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from oncotrail.statistics.influence import with_interval
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.survival.censoring import Censoring
from oncotrail.statistics.survival.concordance_sample import (
    ConcordanceSample,
    against_censoring,
    concordance_sample,
    counted,
)
from oncotrail.statistics.survival.paired_difference import difference_between

_JACKKNIFE = "infinitesimal jackknife"
_WEIGHED = f"{_JACKKNIFE}, weights as known"


@dataclass(frozen=True)
class Concordance:
    """Concordance, 0 to 1; 0.5 is chance, and above it a higher risk means an earlier event.

    `value` is None where no pair can be compared. The error and the interval are also None where
    the patients show no spread (a perfect or a constant marker), which would claim certainty. The
    pairs are sums of weights: `tied_risk` could be compared but for equal risks; two events at one
    time are in `tied_time`, or in `tied_both` if their risks are equal too.
    """

    value: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    confidence: float
    n: int
    events: int
    concordant: float
    discordant: float
    tied_risk: float
    tied_time: float
    tied_both: float
    method: str

    @property
    def somers_dxy(self) -> float | None:
        """Somers' Dxy, -1 to 1; its standard error is twice that of the concordance."""
        return None if self.value is None else 2 * self.value - 1


def concordance(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Concordance:
    """Harrell's C; a higher `risk` is worse, in any unit.

    Pairs are made within `strata` only and, where observation began at `entry`, with those who had
    entered before the event. `clusters` (patients of several rows, centres) are what
    the variance is taken over. A weight of 2 is the patient twice and one of 0 none, though in the
    variance a row is one patient, whatever its weight. The interval is normal. R:
    survival::concordance with reverse = TRUE.

    >>> found = concordance([1, 2, 3, 4], [1, 1, 0, 1], [0.9, 0.4, 0.5, 0.2])
    >>> found.value, found.concordant, found.discordant
    (0.8, 4.0, 1.0)
    """
    patients = concordance_sample(times, events, weights, strata, clusters, entry=entry)
    return _estimated(patients, risk, confidence, _JACKKNIFE)


def concordance_ipcw(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    *,
    tau: float | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Concordance:
    """Uno's C: pairs weighted against censoring; a higher `risk` is worse.

    Events after `tau` start no pair (one at `tau` does); choose it where patients are still under
    observation. `censoring` comes from `censoring_distribution` of the training rows; without it,
    these rows give it. An event that should be impossible to observe under it is refused. `weights`
    and `clusters` are as in `concordance`. R: survival::concordance with timewt = "n/G2".

    >>> round(concordance_ipcw([1, 2, 3, 4], [1, 0, 1, 1], [0.9, 0.4, 0.2, 0.5]).value, 4)
    0.5714
    """
    patients = concordance_sample(times, events, weights, None, clusters)
    weighted = against_censoring(patients, tau, censoring)
    return _estimated(weighted, risk, confidence, _WEIGHED)


def concordance_difference(
    times: ArrayLike,
    events: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Difference | None:
    """Harrell's C of the first risk minus that of the second, same patients; two-sided p.

    Above 0 the first risk is better; None where no pair can be compared. Pairs, ties, weights and
    clusters are as in `concordance`.

    >>> times, events = [1, 2, 3, 4, 5], [1, 1, 0, 1, 0]
    >>> round(concordance_difference(times, events, [5, 4, 3, 1, 2], [3, 4, 5, 1, 2]).value, 3)
    0.375
    """
    patients = concordance_sample(times, events, weights, strata, clusters)
    return _compared(patients, first, second, confidence, _JACKKNIFE)


def concordance_ipcw_difference(
    times: ArrayLike,
    events: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    tau: float | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Difference | None:
    """Uno's C of the first risk minus that of the second, as `concordance_ipcw`; two-sided p.

    >>> times, events = [1, 2, 3, 4], [1, 0, 1, 1]
    >>> found = concordance_ipcw_difference(times, events, [4, 3, 2, 1], [4, 3, 1, 2])
    >>> round(found.value, 4)
    0.4286
    """
    patients = concordance_sample(times, events, weights, None, clusters)
    weighted = against_censoring(patients, tau, censoring)
    return _compared(weighted, first, second, confidence, _WEIGHED)


def _estimated(
    patients: ConcordanceSample, risk: ArrayLike, confidence: float, method: str
) -> Concordance:
    found = counted(patients, risk, "risk")
    value, error, low, high = with_interval(found.figure, confidence)
    concordant, discordant, tied_risk, tied_time, tied_both = found.pairs
    return Concordance(
        value=value,
        standard_error=error,
        low=low,
        high=high,
        confidence=confidence,
        n=patients.n,
        events=patients.number_of_events,
        concordant=concordant,
        discordant=discordant,
        tied_risk=tied_risk,
        tied_time=tied_time,
        tied_both=tied_both,
        method=method,
    )


def _compared(
    patients: ConcordanceSample,
    first: ArrayLike,
    second: ArrayLike,
    confidence: float,
    method: str,
) -> Difference | None:
    one, two = counted(patients, first, "first"), counted(patients, second, "second")
    return difference_between(
        one.figure,
        two.figure,
        confidence=confidence,
        n=patients.n,
        events=patients.number_of_events,
        method=method,
    )
