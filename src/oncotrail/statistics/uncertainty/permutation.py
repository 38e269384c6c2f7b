"""Permutation tests: how often chance, dealing labels or models out anew, does as well.

Under the hypothesis that a score knows nothing, any patient could have had any label: deal the
labels out again, compute the area under the curve, and count how often it is at least as far off.
Under the hypothesis that two models are alike, each patient's two predictions could be swapped
(with all the patient's images): swap at random, compute the difference, and count.

Where no more than `permutations` dealings exist, all of them are looked at, and p is their share:
exact. Otherwise that many are drawn, and p = (1 + count) / (1 + permutations), for the data as they
came are one of the dealings; a p of 0 is impossible (Phipson and Smyth, Statistical Applications in
Genetics and Molecular Biology 2010, 9:39).

The area needs no sorting under new labels. With the mid-ranks R of all n images and M of them
positive, the pairs won are sum(R over positives) - M (M + 1) / 2, so that each dealing costs two
sums over patients: of their ranks and of their images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oncotrail.statistics.arrays import (
    Flags,
    Floats,
    Integers,
    Scored,
    Undefined,
    groups,
    one_of,
    scored,
    two_classes,
)
from oncotrail.statistics.uncertainty.metrics import Metric
from oncotrail.statistics.uncertainty.resampling import constant_within, rows_at_once

Alternative = Literal["greater", "two-sided"]
_SAME = 1e-12  # sums in another order differ by rounding; what is equal counts as extreme


@dataclass(frozen=True)
class PermutationTest:
    """What was found, and how rarely chance does as well.

    `value` is the area, or the first model's figure minus the second's. `exact`: all dealings were
    counted. `undefined` dealings gave no figure and count as extreme, so p is never too small.
    """

    value: float
    p_value: float
    alternative: Alternative
    exact: bool
    permutations: int
    as_extreme: int
    undefined: int
    n: int
    events: int


@dataclass(frozen=True, eq=False)
class _Dealings:
    """The data as they came, and how chance deals them out: blocks of dealings x patients."""

    came: Flags  # of each patient
    blocks: Iterator[Flags]
    exact: bool


def auc_test(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    generator: np.random.Generator,
    patients: ArrayLike | None = None,
    alternative: Alternative = "greater",
    permutations: int = 9_999,
) -> PermutationTest:
    """Test whether the area under the ROC curve is above one half (two-sided: away from it).

    With `patients` (one per row), labels are dealt out to patients with all their images; a patient
    must then have one label. Ties count one half.

    >>> found = auc_test([0, 0, 0, 1, 1], [1, 2, 3, 4, 5], generator=np.random.default_rng(1))
    >>> found.value, found.p_value, found.exact
    (1.0, 0.1, True)
    """
    one_of(alternative, get_args(Alternative), "alternative")
    rows = two_classes(labels, scores)
    patient = np.arange(rows.n)
    if patients is not None:
        patient = groups(patients, rows.n, name="patients")
        constant_within(patients, rows.labels.astype(int), "labels")
    label = np.zeros(int(patient.max()) + 1, dtype=bool)
    label[patient[rows.labels]] = True
    area, dealings = _dealt_area(rows, patient), _labels_dealt(label, permutations, generator)
    return _test(area, dealings, int(label.sum()), alternative, centre=0.5)


def paired_permutation_test(
    metric: Metric,
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    ranked: bool,
    generator: np.random.Generator,
    patients: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
    permutations: int = 9_999,
) -> PermutationTest:
    """Test whether two models of the same patients differ in a figure of `metrics`.

    `metric` takes labels, scores and weights. Swapping asks for scores on one scale: with `ranked`,
    each model's scores are replaced by their ranks, which area and average precision do not notice
    (Bandos et al., Statistics in Medicine 2005, 24:2873); figures at a threshold and the Brier
    score need `ranked=False` and two models that speak in probabilities.

    >>> from oncotrail.statistics.uncertainty.metrics import brier
    >>> right, wrong = [0.1, 0.2, 0.1, 0.8, 0.9], [0.5, 0.7, 0.6, 0.3, 0.5]
    >>> random = np.random.default_rng(1)
    >>> found = paired_permutation_test(
    ...     brier, [0, 0, 0, 1, 1], right, wrong, ranked=False, generator=random
    ... )
    >>> round(found.value, 3), found.p_value
    (-0.346, 0.0625)
    """
    from scipy.stats import rankdata

    one_of(alternative, get_args(Alternative), "alternative")
    rows = scored(labels, first)
    scores = np.vstack([rows.scores, scored(labels, second).scores])
    if ranked:
        scores = rankdata(scores, axis=1)
    patient = np.arange(rows.n) if patients is None else groups(patients, rows.n, name="patients")
    swapped = _swapped_difference(metric, rows.labels, scores, patient)
    dealings = _models_swapped(int(patient.max()) + 1, permutations, generator)
    return _test(swapped, dealings, np.unique(patient[rows.labels]).size, alternative, centre=0.0)


def _dealt_area(rows: Scored, patient: Integers) -> Callable[[Flags], Floats]:
    """The area under dealt labels (dealings x patients)."""
    from scipy.stats import rankdata

    images = np.bincount(patient).astype(np.float64)
    ranks = np.bincount(patient, weights=rankdata(rows.scores))

    def area(dealt: Flags) -> Floats:
        positive = dealt @ images
        won = dealt @ ranks - positive * (positive + 1) / 2
        return np.asarray(won / (positive * (rows.n - positive)))

    return area


def _swapped_difference(
    metric: Metric, labels: Flags, scores: Floats, patient: Integers
) -> Callable[[Flags], Floats]:
    """The difference of two models' figures with some patients swapped (dealings x patients)."""
    outcome, of_both = np.tile(labels, 2), scores.ravel()

    def difference(swapped: Flags) -> Floats:
        # All rows twice, once with each model's score: what a side takes is a weight of 0 or 1.
        other = swapped[:, patient].astype(np.float64)
        mine, theirs = np.hstack([1 - other, other]), np.hstack([other, 1 - other])
        return metric(outcome, of_both, mine) - metric(outcome, of_both, theirs)

    return difference


def _test(
    figure: Callable[[Flags], Floats],
    dealings: _Dealings,
    events: int,
    alternative: Alternative,
    *,
    centre: float,
) -> PermutationTest:
    value = float(figure(dealings.came[None, :])[0])
    if not np.isfinite(value):
        raise Undefined("found a figure that is undefined on these patients; nothing to compare.")
    found = np.concatenate([figure(block) for block in dealings.blocks])
    how_far = np.abs if alternative == "two-sided" else np.asarray
    undefined = ~np.isfinite(found)
    count = int((undefined | (how_far(found - centre) >= how_far(value - centre) - _SAME)).sum())
    # The data as they came are among all dealings, and have to be added to the drawn ones.
    p_value = count / found.size if dealings.exact else (1 + count) / (1 + found.size)
    return PermutationTest(
        value=value,
        p_value=p_value,
        alternative=alternative,
        exact=dealings.exact,
        permutations=found.size,
        as_extreme=count,
        undefined=int(undefined.sum()),
        n=dealings.came.size,
        events=events,
    )


def _labels_dealt(label: Flags, permutations: int, generator: np.random.Generator) -> _Dealings:
    if _few(math.comb(label.size, int(label.sum())), permutations):
        return _Dealings(label, _all_labels(label), exact=True)
    drawn = (
        generator.permuted(np.tile(label, (dealt.size, 1)), axis=1)
        for dealt in _blocks(permutations, label.size)
    )
    return _Dealings(label, drawn, exact=False)


def _models_swapped(n: int, permutations: int, generator: np.random.Generator) -> _Dealings:
    came, every = np.zeros(n, dtype=bool), 2 ** min(n, 62)
    if _few(every, permutations):
        blocks = _blocks(every, n)
        return _Dealings(came, ((b[:, None] >> np.arange(n)) % 2 == 1 for b in blocks), exact=True)
    drawn = (generator.random((dealt.size, n)) < 0.5 for dealt in _blocks(permutations, n))
    return _Dealings(came, drawn, exact=False)


def _few(every: int, permutations: int) -> bool:
    if permutations < 1:
        raise ValueError(f"found {permutations} permutations; expected at least 1.")
    return every <= permutations


def _all_labels(label: Flags) -> Iterator[Flags]:
    n, events = label.size, int(label.sum())
    chosen = combinations(range(n), events)
    size = rows_at_once(n)
    while block := list(islice(chosen, size)):
        dealt = np.zeros((len(block), n), dtype=bool)
        places = np.fromiter(chain.from_iterable(block), dtype=np.int_).reshape(len(block), events)
        np.put_along_axis(dealt, places, values=True, axis=1)
        yield dealt


def _blocks(number: int, columns: int) -> Iterator[NDArray[Any]]:
    size = rows_at_once(columns)
    for start in range(0, number, size):
        yield np.arange(start, min(start + size, number))
