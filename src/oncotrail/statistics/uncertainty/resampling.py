"""Drawing patients again: each resample is how often each patient was drawn, with all its images.

Images of one patient are alike, so a resample of images would pretend to more patients than there
are. Patients are the unit (Davison and Hinkley, Bootstrap Methods and their Application 1997,
section 3.8): n patients are drawn from n with replacement, and each brings all of its rows, as
often as it was drawn. Within strata (outcome, site) each stratum keeps its number of patients.

A resample is stored as counts per patient, and made in blocks of a few hundred, so that memory does
not grow with the number of resamples. The blocks come from a seed that is drawn once: going
through them again gives the same resamples, so that models are compared on the same patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import Floats, Integers, groups
from oncotrail.statistics.results import result

_CELLS = 1 << 17  # weights in a block: 1 MiB of floats, which a core's cache holds


@result
class Clusters:
    """Rows by patient and patients by stratum, both numbered from 0."""

    patient: Integers  # of each row
    stratum: Integers  # of each patient

    @property
    def n(self) -> int:
        """How many patients."""
        return self.stratum.size

    @property
    def rows(self) -> int:
        """How many rows (images)."""
        return self.patient.size

    def weights(self, counts: NDArray[Any]) -> Floats:
        """Counts per patient (resamples x patients) as weights of the rows (resamples x rows)."""
        return counts.astype(np.float64).take(self.patient, axis=1)


@dataclass(frozen=True)
class Resamples:
    """`number` resamples of the clusters; `blocks()` goes through them, the same every time.

    A value like others: it can be pickled, for processes that work on it side by side. A block is
    how often each patient was drawn, resamples x patients. Whoever needs weights takes
    `clusters.weights(block)`, whoever needs the rows themselves `drawn_rows`.
    """

    clusters: Clusters
    number: int
    blocks: Callable[[], Iterator[NDArray[Any]]]


def clusters(patients: ArrayLike, strata: ArrayLike | None = None) -> Clusters:
    """Number the patients of the rows, in sorted order, and check that strata hold whole patients.

    >>> clusters(["b", "a", "b"]).patient.tolist()
    [1, 0, 1]
    """
    patient = groups(patients, name="patients")
    first = np.unique(patient, return_index=True)[1]
    if first.size == 1:
        raise ValueError(
            "found 1 patient; expected at least 2, for images are not resampled alone."
        )
    if strata is None:
        return Clusters(patient, np.zeros(first.size, dtype=np.int_))
    of_patients = constant_within(patients, strata, "strata")
    stratum = groups(of_patients, name="strata")
    _refuse_lone_patients(stratum, of_patients)
    return Clusters(patient, stratum)


def constant_within(patients: ArrayLike, values: ArrayLike, name: str) -> NDArray[Any]:
    """Each patient's one value, in sorted order of the ids; a patient with two is refused.

    >>> constant_within(["a", "a"], [0, 1], "labels")
    Traceback (most recent call last):
    ...
    ValueError: labels: patient a has 0 in row 0 and 1 in row 1; expected one value for a patient.
    """
    patient = groups(patients, name="patients")
    value = groups(values, patient.size, name=name)
    first = np.unique(patient, return_index=True)[1]
    differs = np.flatnonzero(value != value[first[patient]])
    if differs.size:
        row = int(differs[0])
        before = int(first[patient[row]])
        found = np.asarray(values)
        raise ValueError(
            f"{name}: patient {np.asarray(patients)[row]} has {found[before]} in row {before} and "
            f"{found[row]} in row {row}; expected one value for a patient."
        )
    return np.asarray(values)[first]


def resample(
    patients: ArrayLike,
    *,
    generator: np.random.Generator,
    strata: ArrayLike | None = None,
    number: int = 2_000,
) -> Resamples:
    """Draw whole patients with replacement, `number` times.

    `patients` holds the patient of each row; `strata`, one value per row and the same in all rows
    of a patient, are drawn from separately (give the labels to keep the number of events).

    >>> drawn = resample(["a", "a", "b"], generator=np.random.default_rng(1), number=3)
    >>> [block.tolist() for block in drawn.blocks()]
    [[[1, 1], [1, 1], [2, 0]]]
    """
    if number < 1:
        raise ValueError(f"found {number} resamples; expected at least 1, and 2000 are usual.")
    rows = clusters(patients, strata)
    seed = int(generator.integers(1 << 63))
    return Resamples(rows, number, partial(_drawn, rows, number, seed))


def given_resamples(
    patients: ArrayLike, counts: ArrayLike, strata: ArrayLike | None = None
) -> Resamples:
    """Resamples made elsewhere (in R, say): counts, resamples x patients in sorted order.

    >>> given_resamples(["a", "a", "b"], [[1, 1], [2, 0]]).number
    2
    """
    rows = clusters(patients, strata)
    found = np.array(counts)  # our own: the blocks must stay the same
    found.flags.writeable = False
    if found.ndim != 2 or found.shape[1] != rows.n or not len(found):
        raise ValueError(
            f"found counts of shape {found.shape}; expected resamples x {rows.n} patients."
        )
    if (found < 0).any() or (found != np.round(found)).any():
        raise ValueError("found counts that are negative or no whole numbers; expected 0, 1, 2 ...")
    return Resamples(rows, len(found), partial(_given, found, rows_at_once(rows.rows)))


def drawn_rows(resamples: Resamples) -> Iterator[Integers]:
    """One resample after another as rows, each as often as its patient was drawn.

    For figures that need the rows themselves (a model fitted again); the others take weights.

    >>> [rows.tolist() for rows in drawn_rows(given_resamples(["a", "a", "b"], [[0, 2], [1, 1]]))]
    [[2, 2], [0, 1, 2]]
    """
    every = np.arange(resamples.clusters.rows)
    for block in resamples.blocks():
        for counts in block:
            yield np.repeat(every, counts[resamples.clusters.patient])


def rows_at_once(columns: int) -> int:
    """How many resamples of so many rows make a block: at least 32, for each block sorts the rows.

    >>> rows_at_once(1400)
    93
    """
    return max(32, _CELLS // columns)


def _given(counts: NDArray[Any], size: int) -> Iterator[NDArray[Any]]:
    return (counts[start : start + size] for start in range(0, len(counts), size))


def _drawn(rows: Clusters, number: int, seed: int) -> Iterator[NDArray[Any]]:
    generator = np.random.default_rng(seed)
    order = np.argsort(rows.stratum, kind="stable")
    ends = np.append(0, np.bincount(rows.stratum).cumsum())
    strata = [order[start:end] for start, end in pairwise(ends)]
    size = rows_at_once(rows.rows)
    for start in range(0, number, size):
        counts = np.empty((min(size, number - start), rows.n), dtype=np.int32)
        for members in strata:
            counts[:, members] = _counted(len(counts), members.size, generator)
        yield counts


def _counted(resamples: int, n: int, generator: np.random.Generator) -> Integers:
    """How often each of n was drawn in n draws, resamples x n."""
    picked = generator.integers(n, size=(resamples, n))
    picked += np.arange(resamples)[:, None] * n
    counted = np.bincount(picked.ravel(), minlength=resamples * n)
    return np.asarray(counted, dtype=np.int_).reshape(resamples, n)


def _refuse_lone_patients(stratum: Integers, values: NDArray[Any]) -> None:
    lone = np.flatnonzero(np.bincount(stratum) == 1)
    if lone.size:
        value = values[stratum == lone[0]][0]
        raise ValueError(
            f"strata: found 1 patient in stratum {value}, who would be drawn every time; "
            "expected at least 2. Merge it with another stratum."
        )
