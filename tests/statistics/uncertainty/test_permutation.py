from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.uncertainty import metrics, threshold_metrics
from oncotrail.statistics.uncertainty.permutation import auc_test, paired_permutation_test
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

GROUPS = ("plain", "tied", "tiny", "worse")
small = markers().filter(lambda marker: len(marker[0]) <= 9)


def random() -> np.random.Generator:
    return np.random.default_rng(2010)


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("uncertainty")["rank_tests"]) == set(GROUPS)


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_all_dealings_agree_with_the_exact_rank_sum_test(name: str, alternative: Any) -> None:
    theirs = reference("uncertainty")["rank_tests"][name]
    labels = [1] * len(theirs["x"]) + [0] * len(theirs["y"])
    found = auc_test(labels, theirs["x"] + theirs["y"], generator=random(), alternative=alternative)
    assert found.exact
    key = alternative.replace("-", "_")
    oracle = r("uncertainty", "exactRankTests::wilcox.exact")
    agree(auc_test, oracle, found.p_value, theirs[key], 1e-12)
    if theirs[f"base_{key}"] is not None:
        base = theirs[f"base_{key}"]
        agree(auc_test, r("uncertainty", "wilcox.test"), found.p_value, base, 1e-12)


@pytest.mark.parametrize("number", [0, 1])
def test_swaps_of_a_sum_agree_with_the_exact_test_for_paired_values(number: int) -> None:
    theirs = reference("uncertainty")["swaps"][number]
    found = paired_permutation_test(
        metrics.brier,
        theirs["label"],
        theirs["first"],
        theirs["second"],
        ranked=False,
        generator=random(),
    )
    oracle = r("uncertainty", "exactRankTests::perm.test")
    agree(paired_permutation_test, oracle, found.p_value, theirs["perm_test"], 1e-12)
    agree(
        paired_permutation_test,
        f"definition: all signs, in R {reference('uncertainty')['versions']['R']}",
        found.p_value,
        theirs["two_sided"],
    )


@settings(max_examples=40)
@given(marker=small, data=st.data())
def test_labels_dealt_to_whole_patients_agree_with_dealing_one_by_one(
    marker: Marker, data: st.DataObject
) -> None:
    outcome, scores = marker
    images = data.draw(st.lists(st.integers(1, 3), min_size=len(outcome), max_size=len(outcome)))
    patient = np.repeat(np.arange(len(outcome)), images)
    values = (scores[patient] + np.arange(patient.size) % 3).astype(float)
    found = auc_test(outcome[patient], values, patients=patient, generator=random())
    areas = []
    for chosen in combinations(range(len(outcome)), int(outcome.sum())):
        dealt = np.isin(patient, chosen)
        above = values[dealt][:, None] - values[~dealt][None, :]
        areas.append(((above > 0) + 0.5 * (above == 0)).mean())
    expected = (np.array(areas) >= found.value - 1e-9).mean()
    agree(auc_test, "definition: all dealings, pairs counted", found.p_value, expected, 1e-12)
    assert found.exact
    assert found.permutations == len(areas)
    assert (found.n, found.events) == (len(outcome), outcome.sum())


@settings(max_examples=20)
@given(marker=small, data=st.data())
def test_swaps_agree_with_swapping_one_by_one(marker: Marker, data: st.DataObject) -> None:
    labels, first = marker
    n = len(labels)
    second = np.array(data.draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n)), dtype=float)
    patient = np.arange(n) // 2
    found = paired_permutation_test(
        metrics.auc, labels, first, second, patients=patient, ranked=False, generator=random()
    )

    def area(scores: Floats) -> float:
        above = scores[labels == 1][:, None] - scores[labels == 0][None, :]
        return float(((above > 0) + 0.5 * (above == 0)).mean())

    differences = []
    for swap in product([False, True], repeat=patient.max() + 1):
        other = np.array(swap)[patient]
        one, two = np.where(other, second, first), np.where(other, first, second)
        differences.append(area(one) - area(two))
    expected = (np.abs(differences) >= abs(differences[0]) - 1e-9).mean()
    agree(paired_permutation_test, "definition: all swaps", found.p_value, expected, 1e-12)
    agree(paired_permutation_test, "definition: pairs counted", found.value, differences[0], 1e-12)
    assert found.permutations == len(differences)


def test_drawn_dealings_come_near_to_all_of_them_and_count_the_data_in() -> None:
    labels = np.array([0, 1] * 6)
    scores = random().normal(labels * 0.8, 1)
    every = auc_test(labels, scores, generator=random())
    some = auc_test(labels, scores, generator=random(), permutations=900)
    assert every.exact
    assert not some.exact
    assert some.p_value == (1 + some.as_extreme) / 901
    assert some.p_value == pytest.approx(every.p_value, abs=0.03)


def test_drawn_swaps_come_near_to_all_of_them() -> None:
    labels = np.array([0, 1] * 6)
    first, second = random().normal(labels * 0.8, 1), random().permutation(12).astype(float)
    test = partial(paired_permutation_test, metrics.auc, labels, first, second, ranked=True)
    every, some = (test(generator=random(), permutations=number) for number in (4096, 4095))
    assert every.exact
    assert every.permutations == 4096
    assert some.p_value == (1 + some.as_extreme) / 4096
    assert some.p_value == pytest.approx(every.p_value, abs=0.03)


def test_many_patients_are_drawn() -> None:
    labels = np.array([0, 1] * 600)
    scores = random().normal(labels * 0.8, 1)
    found = auc_test(labels, scores, generator=random(), permutations=99)
    assert found.p_value == 0.01
    paired = paired_permutation_test(
        metrics.auc, labels, scores, -scores, ranked=True, generator=random(), permutations=99
    )
    assert paired.p_value == 0.01


@given(small)
def test_only_the_ranking_matters(marker: Marker) -> None:
    labels, scores = marker
    found = [auc_test(labels, s, generator=random()) for s in (scores, np.exp(scores))]
    assert found[0] == found[1]


@given(small)
def test_a_model_against_itself_has_p_of_one(marker: Marker) -> None:
    labels, scores = marker
    found = paired_permutation_test(
        metrics.auc, labels, scores, 3 * scores + 1, ranked=True, generator=random()
    )
    assert (found.value, found.p_value) == (0, 1)


@given(small)
def test_a_constant_marker_has_p_of_one(marker: Marker) -> None:
    labels, _ = marker
    found = auc_test(labels, np.ones(len(labels)), generator=random())
    assert (found.value, found.p_value) == (0.5, 1)


def test_undefined_swaps_count_as_extreme() -> None:
    """One call each: swapping patient 0 or patient 1, but not both, leaves a model without any."""
    labels, first, second = [1, 1, 0], [0.9, 0.1, 0.2], [0.1, 0.9, 0.3]
    found = paired_permutation_test(
        partial(threshold_metrics.ppv, threshold=0.5),
        labels,
        first,
        second,
        ranked=False,
        generator=random(),
    )
    assert (found.permutations, found.undefined, found.as_extreme) == (8, 4, 8)
    assert found.p_value == 1


def test_a_figure_that_is_undefined_cannot_be_compared() -> None:
    ppv = partial(threshold_metrics.ppv, threshold=0.99)
    with pytest.raises(ValueError, match="found a figure that is undefined on these patients"):
        paired_permutation_test(
            ppv, [0, 1], [0.1, 0.2], [0.3, 0.2], ranked=False, generator=random()
        )


def test_labels_must_be_constant_within_a_patient() -> None:
    with pytest.raises(ValueError, match="labels: patient b has 1 in row 1 and 0 in row 2"):
        auc_test([0, 1, 0], [1, 2, 3], patients=["a", "b", "b"], generator=random())


def test_an_unknown_alternative_is_refused() -> None:
    with pytest.raises(ValueError, match="alternative: found 'less', expected one of greater"):
        auc_test([0, 1], [1, 2], generator=random(), alternative="less")  # type: ignore[arg-type]


def test_no_permutations_are_refused() -> None:
    with pytest.raises(ValueError, match="found 0 permutations; expected at least 1"):
        auc_test([0, 1], [1, 2], generator=random(), permutations=0)


def test_under_the_null_p_is_small_as_often_as_it_says() -> None:
    stream = np.random.default_rng(3)
    labels = np.repeat([0, 1], [20, 12])
    small_p = sum(
        auc_test(labels, stream.normal(size=32), generator=stream, permutations=99).p_value <= 0.1
        for _ in range(400)
    )
    assert 0.06 < small_p / 400 < 0.14
