import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oncotrail.statistics.classification.comparison import (
    compare_calls,
    mcnemar,
    paired_difference,
)
from tests.statistics.oracles import agree, r, reference

Pair = tuple[NDArray[np.int_], NDArray[np.int_]]
pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30)


def written(counts: list[int]) -> Pair:
    """Both, only the first, only the second, neither."""
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


def test_mcnemar_agrees_with_r() -> None:
    cases = reference("classification")["mcnemar"]
    assert len(cases) == 8
    for case in cases:
        pair = written(case["counts"])
        exact = mcnemar(*pair)
        agree(mcnemar, r("classification", "binom.test"), exact.p_value, case["exact"], within=1e-9)
        assert (exact.only_first, exact.only_second) == tuple(case["counts"][1:3])
        assert (exact.statistic, exact.n) == (None, sum(case["counts"]))
        oracle = r("classification", "mcnemar.test")
        plain, corrected = (mcnemar(*pair, method) for method in ("asymptotic", "corrected"))
        found = plain.statistic, plain.p_value, corrected.statistic, corrected.p_value
        names = ("statistic", "p", "corrected_statistic", "corrected_p")
        agree(mcnemar, oracle, found, [case[name] for name in names], within=1e-9)


def test_models_that_never_disagree_cannot_be_told_apart() -> None:
    assert mcnemar([1, 0, 1], [1, 0, 1]).p_value == 1
    for method in ("asymptotic", "corrected"):
        found = mcnemar([1, 0, 1], [1, 0, 1], method)
        assert (found.statistic, found.p_value) == (None, None)


def test_mcnemar_refuses_an_unknown_method() -> None:
    with pytest.raises(
        ValueError, match="method: found 'mid-p', expected one of exact, asymptotic"
    ):
        mcnemar([1], [0], "mid-p")


def test_newcombes_interval_agrees_with_the_formula_in_r() -> None:
    for case in reference("classification")["paired_differences"]:
        pair = written(case["counts"])
        for confidence, name in ((0.95, "ends"), (0.9, "ends_90")):
            ours = paired_difference(*pair, confidence)
            oracle = r("classification", "prop.test")
            agree(paired_difference, oracle, (ours.low, ours.high), case[name])
            _, first, second, _ = case["counts"]
            value = (first - second) / sum(case["counts"])
            assert (ours.value, ours.n, ours.events) == (value, sum(case["counts"]), None)
            assert ours.p_value == mcnemar(*pair).p_value


@pytest.mark.parametrize(
    ("counts", "ends", "source"),
    [
        ([36, 12, 2, 0], (0.0569, 0.3404), "Newcombe 1998"),
        ([59, 6, 16, 80], (-0.1186, -0.0046), "Fagerland 2017, Cavo 2012"),
    ],
)
def test_newcombes_interval_is_that_of_the_worked_examples(
    counts: list[int], ends: tuple[float, float], source: str
) -> None:
    """To the four digits that were printed, which is all that the tolerance allows for."""
    ours = paired_difference(*written(counts))
    found = np.round([ours.low, ours.high], 4)
    agree(paired_difference, f"worked example: {source}", found, ends, within=1e-9)


@given(pairs)
def test_swapping_the_models_mirrors(rows: list[tuple[int, int]]) -> None:
    first, second = np.array(rows).T
    forth, back = paired_difference(first, second), paired_difference(second, first)
    assert forth.value == pytest.approx(-back.value)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), abs=1e-9)
    assert mcnemar(first, second).p_value == mcnemar(second, first).p_value


@given(pairs)
def test_swapping_right_and_wrong_mirrors(rows: list[tuple[int, int]]) -> None:
    first, second = np.array(rows).T
    forth, back = paired_difference(first, second), paired_difference(1 - first, 1 - second)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), abs=1e-9)


@given(pairs)
def test_the_interval_holds_the_difference_and_stays_in_range(rows: list[tuple[int, int]]) -> None:
    found = paired_difference(*np.array(rows).T)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


class TestCalls:
    labels = np.array([1, 1, 1, 0, 0, 0, 0])
    first = np.array([1, 1, 0, 0, 0, 1, 0])
    second = np.array([1, 0, 0, 0, 1, 1, 1])

    def test_are_compared_where_each_figure_lives(self) -> None:
        found = compare_calls(self.labels, self.first, self.second)
        figures = found.accuracy, found.sensitivity, found.specificity
        ours = [each.value for each in figures]
        theirs = [5 / 7 - 2 / 7, 2 / 3 - 1 / 3, 3 / 4 - 1 / 4]
        agree(compare_calls, "definition: right calls counted", ours, theirs, within=1e-12)
        assert [(each.n, each.events) for each in figures] == [(7, 3), (3, 3), (4, 0)]
        # One patient with, and two without, the outcome tell the two apart.
        agree(
            compare_calls,
            "definition: 2 (1 / 2)^(b + c)",
            [each.p_value for each in figures],
            [2 / 8, 1, 2 / 4],
        )

    def test_of_one_outcome_alone_have_no_figure_of_the_other(self) -> None:
        assert compare_calls([1, 1], [1, 0], [1, 1]).specificity is None
        assert compare_calls([0, 0], [1, 0], [1, 1]).sensitivity is None

    def test_swapped_mirror(self) -> None:
        forth = compare_calls(self.labels, self.first, self.second)
        back = compare_calls(self.labels, self.second, self.first)
        assert forth.sensitivity.low == pytest.approx(-back.sensitivity.high)
        assert forth.specificity.p_value == back.specificity.p_value

    def test_of_other_patients_are_refused(self) -> None:
        with pytest.raises(
            ValueError, match=r"found second of shape \(3,\); expected one for each"
        ):
            compare_calls([0, 1], [0, 1], [0, 1, 1])
