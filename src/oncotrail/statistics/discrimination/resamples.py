"""Bootstrap resamples in which each outcome keeps its number of patients.

Rows are drawn with replacement among the patients with the outcome, and separately among those
without: a curve always has both groups, and its interval speaks of patients like these, in these
numbers (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8). Resamples come
one by one, so a thousand of them need the memory of one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, binary, checked_confidence


def stratified_resamples(
    labels: ArrayLike, generator: np.random.Generator, count: int = 2000
) -> Iterator[Integers]:
    """`count` resamples: rows (from 0), those without the outcome first.

    >>> drawn = list(stratified_resamples([0, 1, 1, 0], np.random.default_rng(1), count=3))
    >>> len(drawn), drawn[0].size
    (3, 4)
    """
    outcome = binary(labels, "labels")
    if count < 1:
        raise ValueError(f"found {count} resamples; expected at least 1, and 2000 for a paper.")
    groups = np.flatnonzero(~outcome), np.flatnonzero(outcome)
    return _drawn([group for group in groups if group.size], generator, count)


def percentiles(values: Floats, confidence: float) -> Floats:
    """The two ends that leave equal tails of the resampled `values` outside, column by column.

    Between two values the line is straight (R's type 7). No values at all are refused.

    >>> percentiles(np.arange(101.0), 0.9).round(6).tolist()
    [5.0, 95.0]
    """
    tail = (1 - checked_confidence(confidence)) / 2
    if not len(values):
        raise ValueError("found no resamples; expected at least one list of rows.")
    return np.asarray(np.quantile(values, [tail, 1 - tail], axis=0))


def _drawn(
    groups: list[Integers], generator: np.random.Generator, count: int
) -> Iterator[Integers]:
    for _ in range(count):
        yield np.concatenate(
            [group[generator.integers(group.size, size=group.size)] for group in groups]
        )
