"""A statistic on many resamples, and without each patient in turn.

A statistic is a function of weights, resamples x rows, that gives one number per resample and NaN
where it is undefined: `functools.partial(metrics.auc, labels, scores)`. Weights need not add up to
the number of rows: a mean divides by their sum. `on_rows` makes a statistic of any function of row
numbers. Weights are made a block at a time, so memory does not grow with the number
of resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.uncertainty.resampling import Clusters, Resamples, rows_at_once

Statistic = Callable[[Floats], Floats]
_MOST_LEFT_OUT = 2_000  # above so many patients, the jackknife leaves out groups


def replicates(statistics: Mapping[str, Statistic], resamples: Resamples) -> dict[str, Floats]:
    """Every statistic on every resample, NaN where undefined.

    >>> from oncotrail.statistics.uncertainty.resampling import given_resamples
    >>> drawn = given_resamples(["a", "b"], [[2, 0], [1, 1]])
    >>> mean = lambda weights: weights @ [1.0, 4.0] / weights.sum(axis=1)
    >>> replicates({"mean": mean}, drawn)["mean"].tolist()
    [1.0, 2.5]
    """
    return _on_blocks(statistics, (resamples.clusters.weights(c) for c in resamples.blocks()))


def influence(statistics: Mapping[str, Statistic], rows: Clusters) -> dict[str, Floats]:
    """What each patient contributes, (n - 1) / n times the fall without it, in order of patients.

    With strata, n counts the patient's stratum. Above 2,000 patients, groups of patients are left
    out together, between 1,000 and 2,000 in all, so that time stays linear: a group contributes
    the sum of its patients, and the acceleration (a sum of third powers over the 3/2 power of a sum
    of squares) stays the same but for an error below 0.001.

    >>> from oncotrail.statistics.uncertainty.resampling import clusters
    >>> mean = lambda weights: weights @ [1.0, 2.0, 6.0] / weights.sum(axis=1)
    >>> influence({"mean": mean}, clusters([1, 2, 3]))["mean"].round(4).tolist()
    [-0.6667, -0.3333, 1.0]
    """
    group, stratum = _left_out(rows)
    patients = np.bincount(rows.stratum)[stratum]
    share = (patients - np.bincount(group)) / patients
    whole = {name: of(np.ones((1, rows.rows))) for name, of in statistics.items()}
    without = _on_blocks(statistics, _leaving_out(group[rows.patient], stratum.size))
    return {name: share * (whole[name] - without[name]) for name in statistics}


def on_rows(statistic: Callable[[Integers], float | None]) -> Statistic:
    """A statistic of row numbers (a row drawn twice stands there twice), None where undefined.

    One call for each resample: for what cannot be written with weights.

    >>> values = np.array([1.0, 2.0, 9.0])
    >>> on_rows(lambda rows: float(np.median(values[rows])))(np.array([[1, 1, 1], [0, 0, 3]]))
    array([2., 9.])
    """

    def weighted(weights: Floats) -> Floats:
        numbers = np.arange(weights.shape[1])
        found = [statistic(np.repeat(numbers, times.astype(np.int_))) for times in weights]
        return np.array([np.nan if value is None else value for value in found])

    return weighted


def _on_blocks(statistics: Mapping[str, Statistic], blocks: Iterator[Floats]) -> dict[str, Floats]:
    found: dict[str, list[Floats]] = {name: [] for name in statistics}
    for weights in blocks:
        for name, statistic in statistics.items():
            found[name].append(np.asarray(statistic(weights), dtype=np.float64))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _left_out(rows: Clusters) -> tuple[Integers, Integers]:
    """The jackknife's group of each patient, and each group's stratum."""
    together = -(-rows.n // _MOST_LEFT_OUT)
    if together == 1:
        return np.arange(rows.n), rows.stratum
    sizes = np.bincount(rows.stratum)
    number = np.maximum(sizes // together, 2)  # a stratum has at least two patients
    first = number.cumsum() - number
    order = np.argsort(rows.stratum, kind="stable")
    stratum = rows.stratum[order]
    within = np.arange(rows.n) - (sizes.cumsum() - sizes)[stratum]
    group = np.empty(rows.n, dtype=np.int_)
    group[order] = first[stratum] + within % number[stratum]
    return group, np.repeat(np.arange(sizes.size), number)


def _leaving_out(group: Integers, number: int) -> Iterator[Floats]:
    """Weights of 1, and 0 for one group in each row of a block."""
    size = rows_at_once(group.size)
    for start in range(0, number, size):
        out = np.arange(start, min(start + size, number))
        yield (group != out[:, None]).astype(np.float64)
