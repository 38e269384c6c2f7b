from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import __version__ as sklearn_version
from sklearn.metrics import roc_auc_score

from oncotrail.statistics.discrimination.area import (
    areas,
    auc,
    delong_variance,
    paired_test,
)
from oncotrail.statistics.discrimination.placements import Group, placements
from oncotrail.statistics.intervals import normal_quantile
from tests.reference.tables import breast
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

Table = tuple[list[int], list[float]]

CASES = (
    "ordinary",
    "balanced",
    "heavy_ties",
    "two_values",
    "rare_outcome",
    "rare_control",
    "worse_than_chance",
    "two_and_two",
    "two_and_three",
    "perfect",
    "constant",
    "large",
)
either_marker = pytest.mark.parametrize("marker", ["first", "second"])


PROC = "pROC::roc.test"


def answers() -> dict[str, Any]:
    return reference("discrimination")["discrimination"]


def test_every_table_of_r_is_compared() -> None:
    assert set(answers()) == set(CASES)


@pytest.mark.parametrize("case", CASES)
@either_marker
class TestAgainstProc:
    @pytest.fixture
    def table(self, case: str, marker: str) -> Table:
        table = answers()[case]["table"]
        return table["labels"], table[marker]

    @pytest.fixture
    def answer(self, case: str, marker: str) -> dict[str, Any]:
        return answers()[case][marker]

    def test_area(self, table: Table, answer: dict[str, Any]) -> None:
        agree(auc, r("discrimination", "pROC::auc"), auc(*table).value, answer["auc"])

    def test_variance(self, table: Table, answer: dict[str, Any]) -> None:
        theirs = answer["variance"]
        oracle = r("discrimination", "pROC::var")
        agree(delong_variance, oracle, delong_variance(*table), theirs, within=1e-9)

    def test_linear_interval(self, table: Table, answer: dict[str, Any]) -> None:
        ours = auc(*table, interval="linear")
        if answer["variance"] == 0:
            assert "linear" not in answer
            assert ours == auc(*table)
            return
        assert ours.method == "DeLong, linear"
        agree(auc, r("discrimination", "pROC::ci.auc"), (ours.low, ours.high), answer["linear"])

    @pytest.mark.parametrize("confidence", [0.95, 0.90])
    def test_interval(self, table: Table, answer: dict[str, Any], confidence: float) -> None:
        if answer["variance"] == 0 and confidence == 0.90:
            assert "logit_90" not in answer
            return
        ours = auc(*table, confidence)
        if answer["variance"] == 0:
            oracle, theirs = r("discrimination", "uniroot"), answer["newcombe"]
            assert ours.method == "Newcombe"
        else:
            oracle, theirs = r("discrimination", "plogis"), answer[f"logit_{100 * confidence:.0f}"]
        agree(auc, oracle, (ours.low, ours.high), theirs)


@pytest.mark.parametrize("case", CASES)
def test_paired_test_agrees_with_proc(case: str) -> None:
    answer = answers()[case]
    table, first, second = answer["table"], answer["first"], answer["second"]
    ours = paired_test(table["labels"], table["first"], table["second"])
    oracle = r("discrimination", PROC)
    agree(paired_test, oracle, ours.value, first["auc"] - second["auc"])
    agree(
        paired_test,
        oracle,
        (ours.statistic, ours.p_value),
        (answer["paired"]["z"], answer["paired"]["p"]),
    )
    covariance = answer["paired"]["covariance"]
    half = normal_quantile(0.95) * np.sqrt(first["variance"] + second["variance"] - 2 * covariance)
    ends = np.clip(ours.value + np.array([-half, half]), -1, 1)
    agree(paired_test, r("discrimination", "pROC::cov"), (ours.low, ours.high), ends)


class TestSeveralMarkers:
    def test_of_a_real_table_agree_with_proc(self) -> None:
        theirs, table = reference("discrimination")["breast"], breast()
        labels, scores = table["malignant"].to_numpy(), table[theirs["markers"]].to_numpy()
        ours = areas(labels, scores)
        agree(areas, r("discrimination", "pROC::auc"), ours.values, theirs["areas"])
        oracle = r("discrimination", "pROC::cov")
        agree(areas, oracle, ours.covariance, theirs["covariance"], within=1e-10)
        z = paired_test(labels, scores[:, 0], scores[:, 1]).statistic
        agree(paired_test, r("discrimination", PROC), z, theirs["z"])
        for column, ends in zip(scores.T, theirs["linear"], strict=True):
            found = auc(labels, column, interval="linear")
            agree(auc, r("discrimination", "pROC::ci.auc"), (found.low, found.high), ends)

    @pytest.mark.parametrize("case", CASES)
    def test_agree_with_proc(self, case: str) -> None:
        answer = answers()[case]
        table = answer["table"]
        ours = areas(table["labels"], np.column_stack([table["first"], table["second"]]))
        first, second = answer["first"]["variance"], answer["second"]["variance"]
        shared = answer["paired"]["covariance"]
        theirs = [[first, shared], [shared, second]]
        agree(areas, r("discrimination", "pROC::cov"), ours.covariance, theirs, within=1e-9)
        assert (ours.n, ours.events) == (len(table["labels"]), sum(table["labels"]))

    def test_of_one_patient_with_the_outcome_have_no_covariance(self) -> None:
        found = areas([0, 0, 1], [[1, 2], [2, 3], [3, 1]])
        assert found.values.tolist() == [1, 0]
        assert found.covariance is None

    def test_a_constant_marker_has_exactly_no_variance(self) -> None:
        covariance = areas([0, 0, 0, 1, 1], np.full(5, 0.3)).covariance
        assert covariance.tolist() == [[0.0]]


class TestWeights:
    CASES = (
        "ordinary",
        "heavy_ties",
        "two_values",
        "rare_outcome",
        "worse_than_chance",
        "perfect",
    )

    @pytest.mark.parametrize("case", CASES)
    def test_agree_with_the_concordance_of_r(self, case: str) -> None:
        table = answers()[case]["table"]
        labels, scores = np.array(table["labels"]), table["first"]
        theirs = reference("discrimination")["weighted"][case]
        oracle = r("discrimination", "survival::concordance")
        ours = auc(labels, scores, weights=theirs["weights"])
        agree(auc, oracle, ours.value, theirs["auc"])
        # R's jackknife leaves out the factor k / (k - 1) of each group's k patients.
        placed = placements(labels, scores, theirs["weights"])
        jackknife = sum(
            group.influence() @ group.influence() for group in (placed.positive, placed.negative)
        )
        agree(placements, oracle, placed.area, theirs["auc"])
        agree(placements, oracle, jackknife, theirs["variance"], within=1e-10)
        variance = delong_variance(labels, scores, weights=theirs["weights"])
        assert variance == placed.variance
        kept = np.array(theirs["weights"]) > 0
        assert (ours.n, ours.events) == (kept.sum(), labels[kept].sum())

    @given(markers(), st.data())
    def test_the_area_of_a_weight_of_two_is_that_of_the_row_twice(
        self, marker: Marker, data: st.DataObject
    ) -> None:
        labels, scores = marker
        times = data.draw(st.lists(st.integers(1, 3), min_size=labels.size, max_size=labels.size))
        repeated = auc(np.repeat(labels, times), np.repeat(scores, times))
        weighted = auc(labels, scores, weights=times)
        oracle = "definition: rows written repeatedly"
        agree(auc, oracle, weighted.value, repeated.value, within=1e-12)

    @given(markers(), st.floats(0.01, 100))
    def test_only_their_ratio_matters(self, marker: Marker, weight: float) -> None:
        plain = auc(*marker)
        weighted = auc(*marker, weights=np.full(marker[0].size, weight))
        assert weighted.method == plain.method
        assert (weighted.value, weighted.low, weighted.high) == pytest.approx(
            (plain.value, plain.low, plain.high), abs=1e-9
        )

    def test_a_perfect_marker_stays_exactly_perfect(self) -> None:
        estimate = auc(
            [0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], weights=[0.1, 0.7, 0.3, 0.2, 0.9, 0.1]
        )
        assert (estimate.value, estimate.high, estimate.method) == (1.0, 1.0, "Newcombe")

    def test_that_leave_one_outcome_out_are_refused(self) -> None:
        with pytest.raises(ValueError, match="found 0 events in 2 patients"):
            auc([0, 0, 1], [1, 2, 3], weights=[1, 1, 0])


def test_refuses_an_unknown_interval() -> None:
    with pytest.raises(ValueError, match="interval: found 'probit', expected one of logit, linear"):
        auc([0, 1], [1, 2], interval="probit")


def test_a_missing_score_is_refused_with_its_row() -> None:
    with pytest.raises(ValueError, match="scores: found nan in row 1; expected a finite number"):
        auc([0, 1], [1, np.nan])


@given(markers())
def test_area_agrees_with_scikit_learn_and_with_counting_pairs(marker: Marker) -> None:
    labels, scores = marker
    above = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    ours = auc(labels, scores).value
    oracle = f"sklearn.metrics.roc_auc_score {sklearn_version}"
    agree(auc, oracle, ours, roc_auc_score(labels, scores), within=1e-12)
    counted = ((above > 0) + 0.5 * (above == 0)).mean()
    agree(auc, "definition: pairs counted", ours, counted, within=1e-12)


@given(markers(), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(marker: Marker, random: Random) -> None:
    labels, scores = marker
    order = random.sample(range(len(labels)), len(labels))
    before, after = auc(labels, scores), auc(labels[order], scores[order])
    assert (after.value, after.low, after.high) == pytest.approx(
        (before.value, before.low, before.high)
    )
    assert after.method == before.method


@given(markers())
def test_only_the_ranking_matters(marker: Marker) -> None:
    labels, scores = marker
    assert auc(labels, np.exp(3 * scores) - 5) == auc(labels, scores)


@given(markers())
def test_swapping_the_outcome_mirrors_the_area(marker: Marker) -> None:
    labels, scores = marker
    area, mirrored = auc(labels, scores), auc(1 - labels, scores)
    assert mirrored.value == pytest.approx(1 - area.value)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - area.high, 1 - area.low), abs=1e-9)
    assert mirrored.events == area.n - area.events


@given(markers())
def test_the_interval_lies_in_the_unit_interval_and_holds_the_area(marker: Marker) -> None:
    estimate = auc(*marker)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high  # a few patients never give certainty


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_perfect_marker_is_one_but_not_certain(positives: int, negatives: int) -> None:
    labels = np.repeat([0, 1], [negatives, positives])
    estimate = auc(labels, labels + np.linspace(0, 0.9, labels.size) * labels)
    assert (estimate.value, estimate.high, estimate.method) == (1.0, 1.0, "Newcombe")
    assert estimate.low < 1


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_constant_marker_is_chance(positives: int, negatives: int) -> None:
    labels = np.repeat([0, 1], [negatives, positives])
    estimate = auc(labels, np.full(labels.size, 0.3))
    assert (estimate.value, estimate.method) == (0.5, "Newcombe")
    assert estimate.low == pytest.approx(1 - estimate.high, abs=1e-9)


def test_a_group_of_one_patient_has_no_delong_variance() -> None:
    labels, scores = [1, 0, 0, 0], [0.5, 0.1, 0.7, 0.2]
    assert delong_variance(labels, scores) is None
    assert auc(labels, scores).method == "Newcombe"


@given(markers(smallest_group=2), st.data())
def test_swapping_the_markers_mirrors_the_paired_test(marker: Marker, data: st.DataObject) -> None:
    labels, first = marker
    second = first[data.draw(st.permutations(range(len(first))))]
    forth, back = paired_test(labels, first, second), paired_test(labels, second, first)
    assert forth.value == pytest.approx(-back.value)
    assert forth.p_value == pytest.approx(back.p_value)
    if forth.statistic is not None:
        assert forth.statistic == pytest.approx(-back.statistic)


@given(markers())
def test_a_marker_against_itself_has_no_variance_to_test(marker: Marker) -> None:
    labels, scores = marker
    found = paired_test(labels, scores, 2 * scores + 1)
    assert found.value == 0
    assert (found.low, found.high, found.statistic, found.p_value) == (None,) * 4


def test_equal_differences_of_placements_have_no_variance() -> None:
    """2/3 - 1/3 and 1 - 2/3 are the same third, and not the same float."""
    group = Group(np.array([2 / 3 - 1 / 3, 1 - 2 / 3]), np.ones(2))
    assert np.ptp(group.placements) > 0
    assert group.influence().tolist() == [0, 0]


def test_two_perfect_markers_cannot_be_told_apart() -> None:
    labels = [0, 0, 1, 1]
    found = paired_test(labels, [1, 2, 3, 4], [2, 1, 4, 3])
    assert (found.value, found.statistic, found.p_value) == (0, None, None)


def test_the_logit_interval_covers_as_often_as_it_says() -> None:
    """Two normal groups, area 0.76: in about 95 % of 2,000 studies the interval holds it."""
    random = np.random.default_rng(5)
    labels = np.repeat([0, 1], [60, 30])
    truth = 0.7602499389065233  # Phi(1 / sqrt(2))
    held = 0
    for _ in range(2000):
        estimate = auc(labels, random.normal(size=90) + labels)
        held += estimate.low <= truth <= estimate.high
    assert 0.935 < held / 2000 < 0.97


def test_no_array_of_areas_can_be_written_to() -> None:
    found = areas([0, 0, 1, 1], [1, 3, 2, 4])
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 1
