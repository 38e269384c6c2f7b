"""The maximally selected rank statistic: the best of many cuts, with a p-value that knows it.

Give each patient a score; sort by the marker. At each cut that leaves enough patients on both
sides, the sum of the scores below it is standardised by its mean and variance over all orders of
the patients. The largest absolute value is the statistic M; two-sided p-values of it are

- "Lau92": of the largest of a Brownian bridge between the two shares (Miller and Siegmund,
  Biometrics 1982, 38:1011; Lausen and Schumacher, Biometrics 1992, 48:73);
- "Lau94": an improved Bonferroni bound that sees which cuts there are, better with few cuts or few
  patients (Lausen, Sauerbrei and Schumacher, in Computational Statistics 1994, 483);
- "permutation": the share of random orders with an M as large, the observed one included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtr

from oncotrail.statistics.arrays import Floats, Integers, Undefined, one_of
from oncotrail.statistics.chosen import halfway

Correction = Literal["Lau92", "Lau94", "permutation"]
BLOCK = 2**22  # numbers in memory at once while permuting


@dataclass(frozen=True)
class Shares:
    """The least and the greatest share of patients at or below a cut."""

    least: float = 0.1
    greatest: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.least < self.greatest <= 1:
            raise ValueError(
                f"found shares from {self.least} to {self.greatest}; "
                "expected 0 <= least < greatest <= 1."
            )


TENTHS = Shares()


@dataclass(frozen=True)
class MaximalStatistic:
    """The best cut; `signed` is negative where scores are higher above.

    `cut` is halfway between the two values that it parts, the lower one is `highest_below`.
    """

    cut: float
    highest_below: float
    below: int
    signed: float
    p_value: float
    cuts_tried: int


def maximal_statistic(
    marker: Floats,
    scores: Floats,
    shares: Shares,
    correction: Correction,
    *,
    generator: np.random.Generator | None = None,
    permutations: int = 10_000,
) -> MaximalStatistic:
    """Search the cuts of `marker` for the largest standardised sum of scores; the first of equals.

    Undefined where no cut leaves enough patients on both sides, or all scores are equal.

    >>> found = maximal_statistic(
    ...     np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0]), TENTHS, "Lau94"
    ... )
    >>> found.cut, found.highest_below, found.below, round(found.signed, 3)
    (2.5, 2.0, 2, -1.732)
    """
    one_of(correction, get_args(Correction), "correction")
    order = np.argsort(marker, kind="stable")
    sizes = _sizes(marker[order], shares)
    signed = _standardised(scores[order], sizes)
    largest = float(np.abs(signed).max())
    best = int(np.flatnonzero(np.abs(signed) >= largest * (1 - 1e-12))[0])
    if correction == "Lau92":
        p_value = _lausen_1992(largest, shares)
    elif correction == "Lau94":
        p_value = _lausen_1994(largest, marker.size, sizes)
    else:
        p_value = _permuted(scores, sizes, largest, generator, permutations)
    below = int(sizes[best])
    lower, upper = marker[order[below - 1 : below + 1]].tolist()
    cut = halfway(lower, upper)
    return MaximalStatistic(cut, lower, below, float(signed[best]), p_value, sizes.size)


def _sizes(ordered: Floats, shares: Shares) -> Integers:
    """How many patients may be at or below a cut: where the next value is another one."""
    n = ordered.size
    found = np.flatnonzero(np.diff(ordered)) + 1
    least = max(1, math.floor(n * shares.least))
    kept = found[(found >= least) & (found <= math.floor(n * shares.greatest))]
    if not kept.size:
        raise Undefined(
            f"found no value with {shares.least:.0%} to {shares.greatest:.0%} of {n} patients at "
            "or below it; expected at least one place to cut."
        )
    return np.asarray(kept, dtype=np.int_)


def _standardised(ordered_scores: Floats, sizes: Integers) -> Floats:
    """Sums of scores up to each cut, less their mean, by their deviation; patients come last."""
    n = ordered_scores.shape[-1]
    centred = ordered_scores - ordered_scores.mean(axis=-1, keepdims=True)
    squares = (centred**2).sum(axis=-1, keepdims=True)
    if not (squares > 1e-12 * (ordered_scores**2).sum(axis=-1, keepdims=True)).all():
        raise Undefined("found the same outcome in all patients; expected it to differ.")
    variance = sizes * (n - sizes) / (n * (n - 1)) * squares
    below = centred.cumsum(axis=-1)[..., sizes - 1]
    return np.asarray(below / np.sqrt(variance), dtype=np.float64)


def _lausen_1992(largest: float, shares: Shares) -> float:
    if shares.least == 0 or shares.greatest == 1:
        raise ValueError(
            f"found shares from {shares.least} to {shares.greatest}; Lau92 needs them above 0 and "
            "below 1, such as 0.1 and 0.9. Use Lau94 or permutation otherwise."
        )
    if largest < 1:
        return 1.0
    density = math.exp(-(largest**2) / 2) / math.sqrt(2 * math.pi)
    odds = shares.greatest * (1 - shares.least) / ((1 - shares.greatest) * shares.least)
    return min(1.0, density * (4 / largest + (largest - 1 / largest) * math.log(odds)))


def _lausen_1994(largest: float, n: int, sizes: Integers) -> float:
    smaller, greater = sizes[:-1], sizes[1:]
    t = np.sqrt(1 - smaller * (n - greater) / ((n - smaller) * greater))
    steps = t - (largest**2 / 4 - 1) * t**3 / 6
    bound = math.exp(-(largest**2) / 2) / math.pi * float(steps.sum())
    return min(1.0, max(0.0, float(2 * ndtr(-largest)) + bound))


def _permuted(
    scores: Floats,
    sizes: Integers,
    largest: float,
    generator: np.random.Generator | None,
    permutations: int,
) -> float:
    if generator is None or permutations < 1:
        raise ValueError(
            "found no generator or no permutations; the permutation correction expects "
            "generator=np.random.default_rng(<seed>) and permutations of at least 1."
        )
    rows, as_large = max(1, BLOCK // scores.size), 0
    for done in range(0, permutations, rows):
        block = np.tile(scores, (min(rows, permutations - done), 1))
        found = _standardised(generator.permuted(block, axis=1), sizes)
        as_large += int((np.abs(found).max(axis=1) >= largest * (1 - 1e-9)).sum())
    return (as_large + 1) / (permutations + 1)
