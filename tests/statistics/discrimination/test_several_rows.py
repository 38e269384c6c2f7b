"""Areas of patients with several rows, and with sampling weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.discrimination.area import areas, auc, delong_variance, paired_test
from oncotrail.statistics.discrimination.placements import Placements, covariance, placements
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

CASES = ("images", "lesions", "lesions_with_ties", "one_row_each", "few")
FORMULA = r("discrimination", "formula: Obuchowski 1997, pairs counted, R")
CONCORDANCE = r("discrimination", "survival::concordance")


@st.composite
def clustered(draw: st.DrawFn) -> tuple[Marker, np.ndarray]:
    marker = draw(markers(smallest_group=2))
    size = marker[0].size
    patients = draw(st.lists(st.integers(0, 6), min_size=size, max_size=size))
    assume(len(set(patients)) > 1)  # one alone is refused
    return marker, np.array(patients)


def same(one: Any, other: Any) -> None:
    found, expected = (
        [each.value, each.low, each.high, each.n, each.events] for each in (one, other)
    )
    assert [each is None for each in found] == [each is None for each in expected]
    numbers = [each or 0 for each in found], [each or 0 for each in expected]
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-8)


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("discrimination")["clustered"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    @pytest.fixture
    def said(self, case: str) -> dict[str, Any]:
        return reference("discrimination")["clustered"][case]

    def test_variances_and_covariance(self, said: dict[str, Any]) -> None:
        table = said["table"]
        scores = np.column_stack([table["first"], table["second"]])
        for weights, name in ((None, ""), (said["weights"], "weighted_")):
            whose = {"weights": weights, "clusters": table["patient"]}
            ours = areas(table["labels"], scores, **whose)
            agree(areas, FORMULA, ours.values, said[f"{name}areas"], within=1e-12)
            agree(areas, FORMULA, ours.covariance, said[f"{name}covariance"], within=1e-12)
            variance = delong_variance(table["labels"], table["first"], **whose)
            agree(delong_variance, FORMULA, variance, said[f"{name}covariance"][0][0], within=1e-12)

    def test_the_paired_test(self, said: dict[str, Any]) -> None:
        table = said["table"]
        for weights, name in ((None, ""), (said["weights"], "weighted_")):
            ours = paired_test(
                *(table[column] for column in ("labels", "first", "second")),
                weights=weights,
                clusters=table["patient"],
            )
            value = said[f"{name}areas"][0] - said[f"{name}areas"][1]
            (one, shared), (_, two) = said[f"{name}covariance"]
            error = np.sqrt(one + two - 2 * shared)
            found = ours.value, ours.standard_error, ours.statistic
            agree(paired_test, FORMULA, found, (value, error, value / error))
            assert ours.method == "Obuchowski"

    def test_the_jackknife_by_patient(self, said: dict[str, Any]) -> None:
        """R's infinitesimal jackknife is the same sum of squares without factors k / (k - 1)."""
        table = said["table"]
        placed = [
            placements(table["labels"], table[column], said["weights"], table["patient"])
            for column in ("first", "second")
        ]
        agree(placements, CONCORDANCE, [each.area for each in placed], said["concordance"]["areas"])
        moved = [
            each.positive.influence(each.n) + each.negative.influence(each.n) for each in placed
        ]
        theirs = said["concordance"]["covariance"]
        agree(placements, CONCORDANCE, np.array(moved) @ np.transpose(moved), theirs, within=1e-10)


def test_one_row_each_is_delong() -> None:
    table = reference("discrimination")["clustered"]["one_row_each"]["table"]
    rows = table["labels"], table["first"], table["second"]
    plain, by_patient = paired_test(*rows), paired_test(*rows, clusters=table["patient"])
    found = by_patient.value, by_patient.low, by_patient.high, by_patient.p_value
    theirs = plain.value, plain.low, plain.high, plain.p_value
    agree(paired_test, "discrimination.area.paired_test, DeLong", found, theirs, within=1e-12)


@given(markers())
def test_one_row_each_changes_nothing(marker: Marker) -> None:
    same(auc(*marker, clusters=range(marker[0].size)), auc(*marker))


@given(clustered())
def test_names_and_order_of_patients_do_not_matter(table: tuple[Marker, np.ndarray]) -> None:
    (labels, scores), patients = table
    order = np.random.default_rng(1).permutation(labels.size)
    names = np.array(list("gfedcba"))[patients]
    before = auc(labels, scores, clusters=patients)
    same(auc(labels[order], scores[order], clusters=names[order]), before)
    assert 0 <= before.low <= before.value <= before.high <= 1
    assert before.low < before.high


@given(clustered())
def test_the_variance_is_never_negative(table: tuple[Marker, np.ndarray]) -> None:
    marker, patients = table
    variance = delong_variance(*marker, clusters=patients)
    assert variance is None or variance >= 0


@given(clustered(), st.floats(0.01, 100))
def test_equal_weights_change_nothing(table: tuple[Marker, np.ndarray], weight: float) -> None:
    (labels, scores), patients = table
    weights = np.full(labels.size, weight)
    for whose in (None, patients):
        same(
            paired_test(labels, scores, scores**2, weights=weights, clusters=whose),
            paired_test(labels, scores, scores**2, clusters=whose),
        )


def test_images_written_twice_know_no_more_than_once() -> None:
    """Every row of every patient twice: the variance by patient stays, that by row halves."""
    labels, scores = [0, 0, 1, 1, 1, 0], [1, 4, 3, 8, 5, 2]
    once = delong_variance(labels, scores)
    twice = delong_variance(labels * 2, scores * 2, clusters=[*range(6)] * 2)
    agree(delong_variance, "definition: rows written twice", twice, once, within=1e-12)
    assert delong_variance(labels * 2, scores * 2) < 0.6 * once
    found = auc(labels * 2, scores * 2, clusters=[*range(6)] * 2)
    assert (found.n, found.events, found.method) == (6, 3, "Obuchowski, logit")


def test_one_patient_with_the_outcome_has_no_variance() -> None:
    labels, scores = [0, 0, 1, 1], [1, 3, 2, 4]
    assert delong_variance(labels, scores, clusters=[1, 2, 3, 3]) is None
    found = auc(labels, scores, clusters=[1, 2, 3, 3])
    assert (found.method, found.n, found.events) == ("Newcombe", 3, 1)


def test_a_patient_of_weight_zero_is_not_there() -> None:
    labels, scores = [0, 0, 0, 1, 1, 1], [1, 3, 9, 2, 4, 5]
    found = auc(labels, scores, weights=[1, 1, 0, 1, 1, 1], clusters=list("abcdef"))
    same(found, auc([0, 0, 1, 1, 1], [1, 3, 2, 4, 5], clusters=list("abdef")))


def test_one_patient_alone_is_refused() -> None:
    labels, scores = [0, 0, 1, 1], [1, 3, 2, 4]
    for weights, patients in ((None, [1, 1, 1, 1]), ([1, 1, 1, 0], [1, 1, 1, 2])):
        with pytest.raises(Undefined, match="clusters: found the same in every row"):
            auc(labels, scores, weights=weights, clusters=patients)


def test_patients_must_be_named_in_every_row() -> None:
    with pytest.raises(ValueError, match=r"found clusters of shape \(2,\); expected one for each"):
        auc([0, 1, 1], [1, 2, 3], clusters=[1, 2])
    with pytest.raises(ValueError, match="clusters: found None in row 1"):
        auc([0, 1, 1], [1, 2, 3], clusters=["a", None, "b"])


@given(clustered())
def test_the_covariance_of_a_marker_with_itself_is_its_variance(
    table: tuple[Marker, np.ndarray],
) -> None:
    (labels, scores), patients = table
    placed: Placements = placements(labels, scores, None, patients)
    both = covariance([placed, placed])
    if both is not None:
        agree(covariance, "definition: variance", both.ravel(), [placed.variance] * 4, within=1e-12)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Sixty patients, three lesions each of either outcome, alike within the patient."""
    random = np.random.default_rng(11)
    patients = np.repeat(range(60), 3)
    # Two lesions of different patients, or, one pair in sixty, of the same.
    truth = (59 * norm.cdf(1 / np.sqrt(2)) + norm.cdf(1 / np.sqrt(0.6))) / 60
    held = plain = 0
    for _ in range(400):
        labels = np.tile([0, 1, 1], 60)
        scores = labels * 1.0 + np.sqrt(0.7) * random.normal(size=60)[patients]
        scores += np.sqrt(0.3) * random.normal(size=180)
        found = auc(labels, scores, clusters=patients)
        held += found.low <= truth <= found.high
        row_wise = auc(labels, scores)
        plain += row_wise.high - row_wise.low > found.high - found.low
    assert 0.92 < held / 400 <= 0.99
    assert plain > 200  # lesions of both outcomes in one patient are a pair: rows waste it
