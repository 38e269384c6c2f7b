from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.agreement.kappa import cohen_kappa, kappa_of_table
from tests.statistics.oracles import agree, r, reference

CASES = (
    "two_grades",
    "four_grades",
    "rare_grade",
    "seven_grades",
    "grade_in_the_middle_unused",
    "five_patients",
    "never_agree",
    "large",
)
either = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30).map(
    np.array
)


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("agreement")["kappa"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    @pytest.fixture
    def answer(self, case: str) -> dict[str, Any]:
        return reference("agreement")["kappa"][case]

    @pytest.mark.parametrize("weighting", ["none", "linear", "quadratic", "given"])
    def test_kappa_and_error(self, answer: dict[str, Any], weighting: str) -> None:
        table, said = answer["table"], answer[weighting]
        found = cohen_kappa(
            table["first"],
            table["second"],
            weighting=answer["weights"] if weighting == "given" else weighting,
            categories=range(1, table["k"] + 1),
        )
        error = None if abs(said["error"]) < 1e-6 else said["error"]
        ours = (found.value, found.standard_error)
        agree(cohen_kappa, r("agreement", "vcd::Kappa"), ours, (said["value"], error))
        oracle = "second derivation: Fleiss, Cohen and Everitt 1969, cell by cell, R"
        agree(cohen_kappa, oracle, found.null_standard_error, said["null"])
        assert found.z == pytest.approx(said["value"] / said["null"])

    @pytest.mark.parametrize("weighting", ["none", "linear", "quadratic", "given"])
    def test_the_test(self, answer: dict[str, Any], case: str, weighting: str) -> None:
        """Its p-value is by sf of the square of z, which loses nothing that matters here."""
        table, said = answer["table"], reference("agreement_python")["kappa"][case][weighting]
        found = cohen_kappa(
            table["first"],
            table["second"],
            weighting=answer["weights"] if weighting == "given" else weighting,
            categories=range(1, table["k"] + 1),
        )
        ours = (found.value, found.null_standard_error, found.z, found.p_value)
        theirs = [said[key] for key in ("value", "null_standard_error", "z", "p")]
        oracle = r("agreement_python", "statsmodels::inter_rater.cohens_kappa")
        agree(cohen_kappa, oracle, ours, theirs, within=1e-9)

    def test_psych(self, answer: dict[str, Any]) -> None:
        table, said = answer["table"], answer["psych"]
        ratings = table["first"], table["second"]
        levels = range(1, table["k"] + 1)
        found = cohen_kappa(*ratings, categories=levels)
        quadratic = cohen_kappa(*ratings, categories=levels, weighting="quadratic")
        ours, theirs = [found.value, quadratic.value], [said["value"], said["quadratic"]]
        if found.standard_error is not None:
            ours += [found.standard_error**2, found.low, found.high]
            theirs += [said["variance"], *np.clip(said["interval"], -1, 1)]
        agree(cohen_kappa, r("agreement", "psych::cohen.kappa"), ours, theirs)

    def test_a_table_is_as_good_as_its_ratings(self, answer: dict[str, Any]) -> None:
        table = answer["table"]
        cells = np.zeros((table["k"], table["k"]))
        np.add.at(cells, (np.array(table["first"]) - 1, np.array(table["second"]) - 1), 1)
        found = kappa_of_table(cells, weighting="linear")
        agree(kappa_of_table, r("agreement", "vcd::Kappa"), found.value, answer["linear"]["value"])


def test_worked_example_of_fleiss_cohen_and_everitt() -> None:
    """The paper's table of 200 patients and its weights, to the digits that it prints."""
    cells = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
    weights = [[1, 0, 4 / 9], [0, 1, 6 / 9], [4 / 9, 6 / 9, 1]]
    plain, weighted = kappa_of_table(cells), kappa_of_table(cells, weighting=weights)
    ours = (plain.value, weighted.value)
    oracle = "worked example: Fleiss, Cohen and Everitt 1969, as printed"
    agree(kappa_of_table, oracle, np.round(ours, 3), (0.429, 0.507))
    ours = (weighted.standard_error**2, weighted.null_standard_error**2)
    agree(kappa_of_table, oracle, np.round(ours, 6), (0.003248, 0.004269))


@given(either)
def test_kappa_is_what_its_definition_says(ratings: np.ndarray) -> None:
    first, second = ratings.T
    found = cohen_kappa(first, second)
    observed = (first == second).mean()
    expected = (first[:, None] == second[None, :]).mean()
    value = None if expected == 1 else (observed - expected) / (1 - expected)
    agree(cohen_kappa, "definition: pairs of patients counted", found.value, value)


@given(either, st.randoms(use_true_random=False))
def test_neither_the_order_of_patients_nor_the_names_matter(
    ratings: np.ndarray, random: Random
) -> None:
    before = cohen_kappa(*ratings.T)
    order = random.sample(range(len(ratings)), len(ratings))
    names = np.array(["d", "b", "a", "c"])
    after = cohen_kappa(*names[ratings[order]].T)
    if before.value is None:
        assert after.value is None
        return
    assert after.value == pytest.approx(before.value)
    assert after.p_value == pytest.approx(before.p_value)
    assert after.low == pytest.approx(before.low)


@given(either)
def test_swapping_the_readers_changes_nothing(ratings: np.ndarray) -> None:
    forth = cohen_kappa(*ratings.T, weighting="linear", categories=[0, 1, 2, 3])
    back = cohen_kappa(*ratings.T[::-1], weighting="linear", categories=[0, 1, 2, 3])
    assert back.value == pytest.approx(forth.value)
    assert back.standard_error == pytest.approx(forth.standard_error)


@given(either)
def test_a_reader_agrees_with_herself_but_is_not_certain(ratings: np.ndarray) -> None:
    found = cohen_kappa(ratings[:, 0], ratings[:, 0])
    one_grade = len(set(ratings[:, 0])) == 1
    assert found.value == (None if one_grade else pytest.approx(1))
    assert (found.low, found.high, found.standard_error) == (None, None, None)


def test_a_reader_of_one_grade_has_no_test() -> None:
    found = cohen_kappa([1, 1, 1, 1], [1, 0, 1, 1])
    assert (found.value, found.z, found.p_value) == (0, None, None)


def test_one_and_the_same_grade_has_no_kappa() -> None:
    found = cohen_kappa(["a", "a"], ["a", "a"])
    assert (found.value, found.low, found.null_standard_error) == (None, None, None)
    assert (found.observed, found.expected) == (1, 1)


def test_an_unused_grade_counts_only_with_weights() -> None:
    first, second = [1, 1, 3, 3, 4, 1], [1, 3, 3, 4, 4, 3]
    grades = [1, 2, 3, 4]
    plain = cohen_kappa(first, second).value
    assert plain == pytest.approx(cohen_kappa(first, second, categories=grades).value)
    spaced = cohen_kappa(first, second, weighting="linear", categories=grades).value
    assert spaced != pytest.approx(cohen_kappa(first, second, weighting="linear").value)


def test_twice_the_patients_is_the_same_kappa_with_half_the_variance() -> None:
    once = cohen_kappa([1, 2, 2, 1, 1], [1, 2, 1, 1, 2])
    twice = cohen_kappa([1, 2, 2, 1, 1] * 2, [1, 2, 1, 1, 2] * 2)
    assert twice.value == pytest.approx(once.value)
    assert twice.standard_error == pytest.approx(once.standard_error / np.sqrt(2))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, 2], [1, 2, 3]), {}, r"shapes \(2,\) and \(3,\)"),
        (([1, None], [1, 2]), {}, "ratings of reader 0: found None in row 1"),
        (([1, 2], [1, 5]), {"categories": [1, 2]}, "found 5 in row 1 of reader 1"),
        (([1, 2], [1, 2]), {"categories": [1, 1, 2]}, "each of them once"),
        (([1, 2], [1, "b"]), {}, r"several types \(int, str\)"),
        (([1, 2], [1, 2]), {"weighting": "cubic"}, "weighting: found 'cubic'"),
        (([1, 2], [1, 2]), {"weighting": [[0, 1], [1, 0]]}, "1 on the diagonal"),
        (([1, 2], [1, 2]), {"weighting": [[1]]}, "expected 2 x 2 weights"),
        (([1, 2], [1, 2]), {"confidence": 95}, "found confidence 95"),
    ],
)
def test_bad_ratings_are_refused(arguments: Any, options: Any, message: str) -> None:
    one, two = (np.array(side, dtype=object) for side in arguments)
    with pytest.raises(ValueError, match=message):
        cohen_kappa(one, two, **options)


@pytest.mark.parametrize(
    "table", [[[1, 2]], [[0, 0], [0, 0]], [[1, 0.5], [0, 1]], [[1, -1], [0, 1]]]
)
def test_bad_tables_are_refused(table: Any) -> None:
    with pytest.raises(ValueError, match="expected k x k whole counts"):
        kappa_of_table(table)


def test_a_table_with_a_blank_is_refused() -> None:
    with pytest.raises(ValueError, match="table: found nan in row 1, column 0"):
        kappa_of_table([[1, 2], [np.nan, 3]])
