import numpy as np
import pytest

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import checked_confidence, probable, scored, survived, two_classes


def test_counts_patients_and_events() -> None:
    patients = scored([0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4])
    assert (patients.n, patients.events) == (4, 2)
    followed = survived([1, 2, 3], [True, False, True])
    assert (followed.n, followed.number_of_events) == (3, 2)


@pytest.mark.parametrize(
    ("labels", "scores", "says"),
    [
        ([0, 1], [0.1], r"scores of shape \(1,\); expected one for each of 2 rows"),
        ([[0, 1]], [[0.1, 0.2]], "expected one per row"),
        ([], [], "labels: found no rows"),
        ([0, 2], [0.1, 0.2], "labels: found 2 in row 1; expected 0 .* or 1"),
        ([0, np.nan, np.nan], [0.1, 0.2, 0.3], r"found nan in row 1 \(and in 1 more\)"),
        ([0, 1], [0.1, np.nan], "scores: found nan in row 1; expected a finite number"),
        ([0, 1], [np.inf, 0.1], "scores: found inf in row 0"),
    ],
)
def test_refuses_what_cannot_be_scored(labels: list[float], scores: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        scored(labels, scores)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_group_has_no_discrimination(labels: list[float]) -> None:
    with pytest.raises(ValueError, match=r"[03] events in 3 patients"):
        two_classes(labels, [0.1, 0.2, 0.3])


def test_a_probability_is_between_0_and_1() -> None:
    assert probable([0, 1], [0, 1]).n == 2
    with pytest.raises(ValueError, match=r"1.5 in row 1; .* of at least 0 and at most 1"):
        probable([0, 1], [0.5, 1.5])


def test_a_time_is_0_or_more() -> None:
    assert survived([0.0, 2.0], [1, 0]).times.tolist() == [0.0, 2.0]
    with pytest.raises(ValueError, match=r"times: found -1.0 in row 2; .* of at least 0"):
        survived([1.0, 2.0, -1.0], [1, 0, 1])


def test_weights_are_ones_or_at_least_0() -> None:
    assert arrays.weights(None, 3).tolist() == [1, 1, 1]
    assert arrays.weights([0, 2], 2).tolist() == [0, 2]
    with pytest.raises(ValueError, match=r"found -1.0 in row 0"):
        arrays.weights([-1, 2], 2)
    with pytest.raises(ValueError, match="all 0"):
        arrays.weights([0, 0], 2)


def test_a_matrix_is_rows_by_columns() -> None:
    assert arrays.matrix([1, 2], "x").shape == (2, 1)
    with pytest.raises(ValueError, match=r"x of shape \(2, 1\); expected 3 x columns"):
        arrays.matrix([1, 2], "x", n=3)
    with pytest.raises(ValueError, match=r"x of shape \(0, 1\)"):
        arrays.matrix([], "x")
    with pytest.raises(ValueError, match="found nan in row 1, column 0"):
        arrays.matrix([[1, 2], [np.nan, 4]], "x")


def test_groups_are_numbered_in_order() -> None:
    assert arrays.groups(["low", "high", "low"]).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="found nan in row 1"):
        arrays.groups([1.0, np.nan])
    with pytest.raises(ValueError, match="found None in row 0"):
        arrays.groups([None, "a"])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.5])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match=str(confidence)):
        checked_confidence(confidence)
