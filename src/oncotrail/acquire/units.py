"""A column that mixes two units: most tumours in centimetres, some in millimetres.

On a logarithmic scale another unit is a shift. So each factor that the declared unit allows is
tried in turn: two heaps of one width, a factor apart, are fitted by expectation maximisation
(Dempster 1977, doi:10.1111/j.2517-6161.1977.tb01600.x), and the likeliest factor is taken.

Two units are suspected if that is far likelier than one heap, however skewed (any power of the
values may be normal: Box and Cox 1964, doi:10.1111/j.2517-6161.1964.tb00553.x), if the heaps are
far apart for their width, if there is a valley between them, and if their means are indeed the
factor apart. A column that really has two such heaps can be declared in `acquire.units_checked`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oncotrail.acquire.factors import Factor, factors_of

FEWEST_VALUES = 30
FEWEST_DISTINCT = 8  # fewer are codes or doses
FEWEST_APART = 4
MOST_VALUES = 5000  # of more, evenly spaced ones in order of size tell as much
LIKELIER = 7.0  # in natural logarithms: a thousand times
AS_WELL = 3.0  # factors less likely than the best by no more than this are named too
FAR_APART = 3.0  # in widths of a heap
NEAR = 0.15  # a share of the distance: the reach of a count, and how far the means may be off
INNER = 0.2  # the valley lies this share of the distance from either heap's middle, or further
SHALLOW = 0.7  # it may hold this share of what the smaller heap's middle holds
CERTAIN = 1.0  # and must hold less by so many standard errors of a count
POWERS = np.linspace(-1.5, 3.0, 46)
SHARES = (0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97)  # of the upper heap, to begin with
ROUNDS = 60
SETTLED = 1e-4  # a gain in log-likelihood that ends the rounds
TINY = 1e-6  # keeps a variance above zero

Logs = NDArray[np.float64]  # sorted natural logarithms


@dataclass(frozen=True)
class MixedUnits:
    """Two heaps of values in one column."""

    factors: tuple[Factor, ...]  # that fit about as well, the likeliest first
    smaller: int  # how many values are in the smaller heap
    typical: tuple[float, float]  # the medians of the low heap and of the high one


@dataclass(frozen=True)
class _Heaps:
    """Two normal heaps of logarithms, `shift` apart and equally wide."""

    factor: Factor
    share: float  # of the upper heap
    low: float  # the middle of the lower heap
    width: float  # the standard deviation in each
    log_likelihood: float

    @property
    def shift(self) -> float:
        return float(np.log(self.factor.times))

    @property
    def valley(self) -> float:
        """Where both heaps are equally dense: nearer to the smaller one."""
        lean = self.width**2 / self.shift * np.log((1 - self.share) / self.share)
        inside = np.clip(self.shift / 2 + lean, INNER * self.shift, (1 - INNER) * self.shift)
        return self.low + float(inside)


def mixed_units(values: Sequence[float], unit: str = "") -> MixedUnits | None:
    """Two heaps that are apart by a factor which the column's unit allows, or None.

    >>> found = mixed_units([2, 2.5, 3, 3.5, 4] * 6 + [20, 25, 25, 30, 30, 40], "cm")
    >>> found.factors
    (Factor(times=10.0, meaning='millimetres and centimetres'),)
    """
    positive = np.sort(np.asarray([value for value in values if value > 0], dtype=float))
    if len(positive) < FEWEST_VALUES or len(np.unique(positive)) < FEWEST_DISTINCT:
        return None
    logs = np.log(_unrounded(positive))
    logs = logs[:: -(-len(logs) // MOST_VALUES)]
    fits = [_two_heaps(logs, factor) for factor in factors_of(unit)]
    fits.sort(key=lambda heaps: heaps.log_likelihood, reverse=True)
    if fits[0].log_likelihood - _one_heap(logs) < LIKELIER or not _are_two(logs, fits[0]):
        return None
    least = fits[0].log_likelihood - AS_WELL
    factors = tuple(heaps.factor for heaps in fits if heaps.log_likelihood >= least)
    return _described(positive, factors, float(np.exp(fits[0].valley)))


def _described(positive: Logs, factors: tuple[Factor, ...], between: float) -> MixedUnits:
    low, high = positive[positive <= between], positive[positive > between]
    typical = (float(np.median(low)), float(np.median(high)))
    return MixedUnits(factors, min(len(low), len(high)), typical)


def _unrounded(positive: Logs) -> Logs:
    """Equal values spread over what they may have been rounded from, so that 1, 2, 3 leave no gaps.

    The finest step between two values is taken for the step of rounding.
    """
    distinct, counts = np.unique(positive, return_counts=True)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    places = (np.arange(len(positive)) - first + 0.5) / np.repeat(counts, counts)
    spread: Logs = positive + np.diff(distinct).min() * (places - 0.5)
    return spread[spread > 0]


def _one_heap(logs: Logs) -> float:
    """The log-likelihood of the best normal heap of any power of the values.

    The logarithms are centred, so that the Jacobian of every power is 1.
    """
    centred = logs - logs.mean()
    powered = [centred if abs(p) < TINY else np.expm1(p * centred) / p for p in POWERS]
    variance = min(float(values.var()) for values in powered) + TINY
    return -len(logs) / 2 * (math.log(2 * math.pi * variance) + 1)


def _two_heaps(logs: Logs, factor: Factor) -> _Heaps:
    """The best fit of several starts: expectation maximisation only climbs the nearest hill."""
    fits = [_climbed(logs, factor, share) for share in SHARES]
    return max(fits, key=lambda heaps: heaps.log_likelihood)


def _climbed(logs: Logs, factor: Factor, share: float) -> _Heaps:
    upper = (np.arange(len(logs)) >= (1 - share) * len(logs)).astype(float)
    heaps, upper = _round(logs, factor, upper)
    for _ in range(ROUNDS):
        before = heaps.log_likelihood
        heaps, upper = _round(logs, factor, upper)
        if heaps.log_likelihood - before < SETTLED:
            break
    return heaps


def _round(logs: Logs, factor: Factor, upper: Logs) -> tuple[_Heaps, Logs]:
    """From the chance of each value to be of the upper heap to the heaps, and to new chances."""
    shift = np.log(factor.times)
    share = float(np.clip(upper.mean(), TINY, 1 - TINY))
    low = float((logs - shift * upper).mean())
    from_low, from_high = (logs - low) ** 2, (logs - low - shift) ** 2
    variance = float((upper * from_high + (1 - upper) * from_low).mean()) + TINY
    high_density = np.log(share) - from_high / (2 * variance)
    density = np.logaddexp(high_density, np.log(1 - share) - from_low / (2 * variance))
    log_likelihood = float(density.sum() - len(logs) / 2 * np.log(2 * np.pi * variance))
    heaps = _Heaps(factor, share, low, float(np.sqrt(variance)), log_likelihood)
    return heaps, np.exp(high_density - density)


def _are_two(logs: Logs, heaps: _Heaps) -> bool:
    """Whether both heaps are there, far apart for their width, and the factor apart."""
    low, high = logs[logs <= heaps.valley], logs[logs > heaps.valley]
    if min(len(low), len(high)) < FEWEST_APART or heaps.shift < FAR_APART * heaps.width:
        return False
    missed = abs(high.mean() - low.mean() - heaps.shift)
    return bool(missed <= NEAR * heaps.shift) and _has_valley(logs, heaps)


def _has_valley(logs: Logs, heaps: _Heaps) -> bool:
    """Whether fewer values lie between the heaps than about the smaller one's middle."""

    def near(place: float) -> int:
        return int(np.count_nonzero(np.abs(logs - place) <= NEAR * heaps.shift))

    valley, peak = near(heaps.valley), min(near(heaps.low), near(heaps.low + heaps.shift))
    return valley <= SHALLOW * peak and peak - valley >= CERTAIN * np.sqrt(peak + valley)
