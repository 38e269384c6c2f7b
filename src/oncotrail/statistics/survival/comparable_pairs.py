"""Counting pairs of patients in whom the order of events is known, without looking at each pair.

Give every patient a place in time (those who cannot be told apart share one). A pair is two
patients of different places; it is concordant if the earlier one has the higher risk, discordant
if the lower, tied if the risks are equal. There are n^2 / 2 pairs, but their sums take n log n:

1. Sort the patients by risk, within each stratum. That is the first set of blocks.
2. Look at the highest bit of the places. In each block, all patients with a 0 come earlier than all
   with a 1, so running sums along the risks give, for each patient, the weight of those on the
   other side with a lower, an equal and a higher risk.
3. Split each block by that bit, keeping the order of risks, and go on with the next bit.

Two patients are parted exactly once: at the highest bit in which their places differ. All blocks of
one bit are done together, so there is a loop over bits (17 of them for 100,000 places) and none
over patients. Where there is no pair of a kind, its sum is exactly 0, whatever the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oncotrail.statistics.arrays import Flags, Floats, Integers


@dataclass(frozen=True, eq=False)
class Pairs:
    """For each patient, the sums over its pairs of the other's weight, by kind of pair."""

    concordant: Floats
    discordant: Floats
    tied: Floats


def comparable_pairs(
    places: Integers, ranks: Integers, strata: Integers, starting: Floats, weights: Floats
) -> Pairs:
    """Sum over each patient's pairs, in O(n log n) time and O(n) memory.

    `places` in time, `ranks` of the risks (higher is worse) and `strata` are whole numbers from 0.
    A pair counts by its patients' `weights` and the `starting` of the earlier one, which is 0 where
    that one had no event.

    >>> everybody, once = np.array([0, 1, 2]), np.ones(3)
    >>> found = comparable_pairs(everybody, np.array([2, 0, 1]), np.zeros(3, int), once, once)
    >>> found.concordant.tolist(), found.discordant.tolist()
    ([2.0, 1.0, 1.0], [0.0, 1.0, 1.0])
    """
    order = np.lexsort((ranks, strata))
    blocks = _Blocks.of(_firsts(strata[order]), ranks[order])
    numbers: tuple[Integers, ...] = (places[order], ranks[order], order)
    amounts: tuple[Floats, ...] = (starting[order], weights[order], *np.zeros((3, order.size)))
    for bit in reversed(range(int(places.max()).bit_length())):
        late = (numbers[0] >> bit & 1).astype(np.bool_)
        blocks.count(late, amounts)
        # All that is known of a patient moves with it: reading it in place is what memory is for.
        to, starts = blocks.split(late)
        numbers, amounts = (tuple(_moved(each, to) for each in kind) for kind in (numbers, amounts))
        blocks = _Blocks.of(starts, numbers[1])
    found = np.zeros((3, order.size))
    found[:, numbers[2]] = amounts[2:]
    return Pairs(*found)


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Where each patient's block, and its run of equal risks in the block, begin and end."""

    start: Integers
    end: Integers
    run_start: Integers
    run_end: Integers

    @classmethod
    def of(cls, starts: Flags, ranks: Integers) -> _Blocks:
        return cls(*_bounds(starts), *_bounds(starts | _firsts(ranks)))

    def count(self, late: Flags, amounts: tuple[Floats, ...]) -> None:
        """Add to the last three amounts the weights that each patient meets on the other side."""
        starting, weights, concordant, discordant, tied = amounts
        sums = np.zeros((2, late.size + 1))
        np.cumsum(np.where(late, weights, 0.0), out=sums[0, 1:])  # what the early ones meet
        np.cumsum(np.where(late, 0.0, starting * weights), out=sums[1, 1:])  # what the late ones do
        met, side = sums.ravel(), late * (late.size + 1)
        start, end, run_start, run_end = (
            met[place + side] for place in (self.start, self.end, self.run_start, self.run_end)
        )
        factor = np.where(late, 1.0, starting)
        lower, higher = factor * (run_start - start), factor * (end - run_end)
        concordant += np.where(late, higher, lower)
        discordant += np.where(late, lower, higher)
        tied += factor * (run_end - run_start)

    def split(self, late: Flags) -> tuple[Integers, Flags]:
        """Where each patient goes (early ones first in a block, else as before); what starts."""
        before = np.concatenate([[0], np.cumsum(~late)])
        early_before = before[:-1] - before[self.start]
        middle = self.start + before[self.end] - before[self.start]
        here = np.arange(late.size)
        to = np.where(late, middle + here - self.start - early_before, self.start + early_before)
        starts = np.zeros(late.size + 1, dtype=np.bool_)
        starts[self.start] = starts[middle] = True
        return to, starts[:-1]


def _moved(values: NDArray[Any], to: Integers) -> NDArray[Any]:
    found = np.empty_like(values)
    found[to] = values
    return found


def _firsts(values: Integers) -> Flags:
    """Where a value differs from the one before it."""
    return np.concatenate([[True], values[1:] != values[:-1]])


def _bounds(starts: Flags) -> tuple[Integers, Integers]:
    """For each patient, where its part begins and where the next one does."""
    first = np.flatnonzero(starts)
    part = np.cumsum(starts) - 1
    return first[part], np.append(first[1:], starts.size)[part]
