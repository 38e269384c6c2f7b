from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from oncotrail.statistics.discrimination.area import (
    auc,
    delong_variance,
    logit_interval,
    paired_test,
)
from oncotrail.statistics.discrimination.roc import roc_curve
from oncotrail.statistics.intervals import normal_quantile
from tests.statistics.markers import Marker, markers

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


def test_every_table_of_r_is_compared(said_by_r: dict[str, Any]) -> None:
    assert set(said_by_r["discrimination"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
@either_marker
class TestAgainstProc:
    @pytest.fixture
    def table(self, said_by_r: dict[str, Any], case: str, marker: str) -> Table:
        table = said_by_r["discrimination"][case]["table"]
        return table["labels"], table[marker]

    @pytest.fixture
    def answer(self, said_by_r: dict[str, Any], case: str, marker: str) -> dict[str, Any]:
        return said_by_r["discrimination"][case][marker]

    def test_area(self, table: Table, answer: dict[str, Any]) -> None:
        assert auc(*table).value == pytest.approx(answer["auc"], abs=1e-6)

    def test_variance(self, table: Table, answer: dict[str, Any]) -> None:
        assert delong_variance(*table) == pytest.approx(answer["variance"], abs=1e-9)

    def test_linear_interval_from_our_variance(self, table: Table, answer: dict[str, Any]) -> None:
        if answer["variance"] == 0:
            assert "linear" not in answer
            return
        half = normal_quantile(0.95) * np.sqrt(delong_variance(*table))
        ends = np.clip(auc(*table).value + np.array([-half, half]), 0, 1)
        assert ends == pytest.approx(answer["linear"], abs=1e-6)

    @pytest.mark.parametrize("confidence", [0.95, 0.90])
    def test_interval(self, table: Table, answer: dict[str, Any], confidence: float) -> None:
        if answer["variance"] == 0 and confidence == 0.90:
            assert "logit_90" not in answer
            return
        name = "newcombe" if answer["variance"] == 0 else f"logit_{100 * confidence:.0f}"
        ours = auc(*table, confidence)
        assert (ours.low, ours.high) == pytest.approx(answer[name], abs=1e-6)

    def test_every_bend_is_a_point_of_the_curve(self, table: Table, answer: dict[str, Any]) -> None:
        points = answer["points"]
        theirs = np.array([points["false_positive_rate"], points["true_positive_rate"]])
        ours = roc_curve(*table)
        for x, y in zip(ours.false_positive_rate, ours.true_positive_rate, strict=True):
            assert np.isclose(theirs, [[x], [y]], atol=1e-6).all(axis=0).any(), (x, y)


@pytest.mark.parametrize("case", CASES)
def test_paired_test_agrees_with_proc(said_by_r: dict[str, Any], case: str) -> None:
    answer = said_by_r["discrimination"][case]
    table = answer["table"]
    ours = paired_test(table["labels"], table["first"], table["second"])
    assert ours.difference == pytest.approx(answer["first"]["auc"] - answer["second"]["auc"])
    assert ours.z == pytest.approx(answer["paired"]["z"], abs=1e-6)
    assert ours.p_value == pytest.approx(answer["paired"]["p"], abs=1e-6)
    spread = (
        answer["first"]["variance"]
        + answer["second"]["variance"]
        - 2 * answer["paired"]["covariance"]
    )
    half = normal_quantile(0.95) * np.sqrt(spread)
    assert (ours.low, ours.high) == pytest.approx(
        (max(-1, ours.difference - half), min(1, ours.difference + half)), abs=1e-6
    )


@given(markers())
def test_area_agrees_with_scikit_learn_and_with_counting_pairs(marker: Marker) -> None:
    labels, scores = marker
    above = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    assert auc(labels, scores).value == pytest.approx(roc_auc_score(labels, scores))
    assert auc(labels, scores).value == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean())


@given(markers())
def test_curve_agrees_with_scikit_learn(marker: Marker) -> None:
    x, y, thresholds = sklearn_roc_curve(*marker, drop_intermediate=False)
    ours = roc_curve(*marker)
    kept = np.isin(thresholds, ours.thresholds)
    assert ours.false_positive_rate == pytest.approx(x[kept])
    assert ours.true_positive_rate == pytest.approx(y[kept])
    # Nothing but points on straight lines was left out: the area is the same.
    assert np.trapezoid(ours.true_positive_rate, ours.false_positive_rate) == pytest.approx(
        np.trapezoid(y, x)
    )


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
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.p_value == pytest.approx(back.p_value)
    if forth.z is not None:
        assert forth.z == pytest.approx(-back.z)


@given(markers())
def test_a_marker_against_itself_has_no_variance_to_test(marker: Marker) -> None:
    labels, scores = marker
    found = paired_test(labels, scores, 2 * scores + 1)
    assert found.difference == 0
    assert (found.low, found.high, found.z, found.p_value) == (None,) * 4


def test_two_perfect_markers_cannot_be_told_apart() -> None:
    labels = [0, 0, 1, 1]
    found = paired_test(labels, [1, 2, 3, 4], [2, 1, 4, 3])
    assert (found.difference, found.z, found.p_value) == (0, None, None)


@given(markers())
def test_the_curve_rises_from_corner_to_corner_without_idle_points(marker: Marker) -> None:
    curve = roc_curve(*marker)
    x, y = curve.false_positive_rate, curve.true_positive_rate
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.isinf(curve.thresholds[0])
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()
    cross = np.diff(x)[:-1] * np.diff(y)[1:] - np.diff(y)[:-1] * np.diff(x)[1:]
    assert (np.abs(cross) > 1e-12).all()


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


def test_agrees_with_the_interval_it_is_made_of() -> None:
    labels, scores = [0, 1, 0, 1, 1], [0.1, 0.3, 0.4, 0.6, 0.2]
    estimate = auc(labels, scores, 0.9)
    ends = logit_interval(estimate.value, delong_variance(labels, scores), 0.9)
    assert (estimate.low, estimate.high) == (ends.low, ends.high)
