from typing import Any

import numpy as np
import pytest
from hypothesis import given

from oncotrail.statistics.agreement.operating_points import (
    model_against_readers,
    reader_points,
)
from oncotrail.statistics.agreement.ratings import calls_of_readers, score_table
from oncotrail.statistics.agreement.reader_groups import model_against_groups, reader_groups
from oncotrail.statistics.classification.comparison import compare_calls
from oncotrail.statistics.classification.figures import classify
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

CASES = ("ordinary", "ties", "few")


def called_from(scores: list[float], threshold: float) -> float:
    """The lowest score that is called, which is R's threshold; 1e300 where nobody is."""
    return min((score for score in scores if score >= threshold), default=1e300)


def test_every_panel_of_r_is_compared() -> None:
    assert set(reference("agreement")["against"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    @pytest.fixture
    def table(self, case: str) -> dict[str, Any]:
        return reference("agreement")["against"][case]

    def test_readers(self, table: dict[str, Any]) -> None:
        found = model_against_readers(table["labels"], table["scores"], table["calls"])
        ours = []
        for one in found:
            ours.append([one.point.sensitivity.value, one.point.specificity.value])
            for matched in (one.at_specificity, one.at_sensitivity):
                gain = matched.difference
                ours[-1] += [called_from(table["scores"], matched.threshold), gain.value]
                ours[-1] += [gain.low, gain.high, gain.p_value]
        oracle = r("agreement", "second derivation: every threshold; binom.test, prop.test, R")
        agree(model_against_readers, oracle, ours, table["readers"])

    def test_calls(self, table: dict[str, Any]) -> None:
        """The reader's specificity met, its difference in sensitivity is that of two callers."""
        for reader, said in enumerate(table["readers"]):
            called = np.array(table["scores"]) >= said[2]
            found = compare_calls(table["labels"], called, np.array(table["calls"])[:, reader])
            gain = found.sensitivity
            ours = (gain.value, gain.low, gain.high, gain.p_value)
            agree(compare_calls, r("agreement", "binom.test, prop.test"), ours, said[3:7])

    def test_groups(self, table: dict[str, Any]) -> None:
        arguments = table["labels"], table["scores"], table["calls"], table["groups"]
        oracle = r("agreement", "second derivation: patients averaged, R")
        points = reader_groups(table["labels"], table["calls"], table["groups"])
        assert [one.group for one in points] == list(table["by_group"])
        for one, said in zip(points, table["by_group"].values(), strict=True):
            for ours, theirs in (
                (one.point.sensitivity, said["sensitivity"]),
                (one.point.specificity, said["specificity"]),
            ):
                agree(reader_groups, oracle, (ours.value, ours.low, ours.high), theirs)
        for sampling, name in (("cases", "fixed"), ("readers and cases", "random")):
            found = model_against_groups(*arguments, sampling=sampling)
            for one, said in zip(found, table["by_group"].values(), strict=True):
                gain = one.sensitivity_difference
                ours = (called_from(table["scores"], one.threshold_at_specificity), gain.value)
                ours += (gain.low, gain.high, gain.p_value)
                theirs = np.array([said["threshold"], *said[name]], dtype=float)
                agree(model_against_groups, oracle, ours, theirs)


@given(markers())
def test_a_model_that_is_a_reader_gains_nothing(marker: Marker) -> None:
    labels, scores = marker
    called = scores >= np.median(scores)
    found = model_against_readers(labels, called, called.astype(int))[0]
    for matched in (found.at_specificity, found.at_sensitivity):
        assert matched.difference.value >= 0
        assert -1 <= matched.difference.low <= matched.difference.value
        assert matched.difference.value <= matched.difference.high <= 1


@given(markers())
def test_a_reader_is_a_model_at_a_threshold(marker: Marker) -> None:
    labels, scores = marker
    point = reader_points(labels, (scores >= 0.5).astype(int))[0]
    told = classify(labels, scores, 0.5)
    assert point.sensitivity == told.sensitivity
    assert point.specificity == told.specificity
    ours = (point.sensitivity.value, point.specificity.value)
    theirs = ((scores[labels == 1] >= 0.5).mean(), (scores[labels == 0] < 0.5).mean())
    agree(reader_points, "definition: calls counted", ours, theirs)


def test_a_group_of_one_is_its_reader() -> None:
    table = reference("agreement")["against"]["ordinary"]
    calls = np.array(table["calls"])[:, :1]
    group = reader_groups(table["labels"], calls, ["only"])[0]
    reader = reader_points(table["labels"], calls)[0]
    assert group.point.sensitivity.value == reader.sensitivity.value
    found = model_against_groups(table["labels"], table["scores"], calls, ["only"])[0]
    alone = model_against_readers(table["labels"], table["scores"], calls)[0]
    assert found.threshold_at_sensitivity == alone.at_sensitivity.threshold
    assert found.specificity_difference.value == pytest.approx(
        alone.at_sensitivity.difference.value
    )
    assert found.model_at_sensitivity == alone.at_sensitivity.point


def test_readings_of_one_patient_are_not_several_patients() -> None:
    """Five readers who always say the same know no more than one."""
    labels = np.repeat([1, 0], 20)
    calls = np.tile(np.array([1, 1, 0, 0]), 10)
    five = reader_groups(labels, np.column_stack([calls] * 5), ["a"] * 5)[0].point.sensitivity
    one = reader_groups(labels, calls, ["a"])[0].point.sensitivity
    assert (five.low, five.high) == pytest.approx((one.low, one.high))


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([[1], [0]], "expected 4 x columns"),
        ([[1], [0], [2], [1]], "calls of reader 0: found 2.0 in row 2"),
        ([[1], [0], [np.nan], [1]], "calls: found nan in row 2"),
    ],
)
def test_bad_calls_are_refused(calls: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model_against_readers([0, 1, 0, 1], [1, 2, 3, 4], calls)


def test_bad_groups_are_refused() -> None:
    calls = [[1, 0], [0, 1], [1, 1]]
    with pytest.raises(ValueError, match="groups of shape"):
        reader_groups([0, 1, 1], calls, ["a"])
    with pytest.raises(ValueError, match="found 1 patient of one outcome"):
        model_against_groups([0, 1, 1], [1, 2, 3], calls, ["a", "a"])
    with pytest.raises(ValueError, match="found 3 events in 3"):
        reader_groups([1, 1, 1], calls, ["a", "a"])
    with pytest.raises(ValueError, match="found 1 reader"):
        model_against_groups(
            [0, 1, 1, 0],
            [1, 2, 3, 4],
            [[1], [0], [1], [0]],
            ["a"],
            sampling="readers and cases",
        )


def test_tables_at_the_door() -> None:
    oracle = "definition: the table itself"
    agree(calls_of_readers, oracle, calls_of_readers([1, 0], 2), [[1.0], [0.0]])
    agree(score_table, oracle, score_table([[1, 2]], 2), [[[1.0], [2.0]]])
