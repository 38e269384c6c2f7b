from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oncotrail.statistics.agreement.fleiss import fleiss_kappa, fleiss_kappa_of_counts
from oncotrail.statistics.agreement.percent import mean_share, percent_agreement
from oncotrail.statistics.agreement.ratings import coded
from oncotrail.statistics.intervals import wilson
from tests.statistics.oracles import agree, r, reference

CASES = ("ordinary", "two_readers", "yes_or_no", "chance", "rare", "three_patients")
panels = arrays(
    np.int64, st.tuples(st.integers(2, 8), st.integers(2, 5)), elements=st.integers(0, 2)
)


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("agreement")["fleiss"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    @pytest.fixture
    def answer(self, case: str) -> dict[str, Any]:
        return reference("agreement")["fleiss"][case]

    def test_kappa_z_and_p(self, answer: dict[str, Any]) -> None:
        found = fleiss_kappa(answer["ratings"])
        ours = (found.value, found.observed, found.expected)
        ours += (found.null_standard_error, found.z, found.p_value)
        theirs = [answer[name] for name in ("value", "observed", "expected", "null", "z", "p")]
        agree(fleiss_kappa, r("agreement", "definition: pairs of readers counted, R"), ours, theirs)

    def test_intervals(self, answer: dict[str, Any]) -> None:
        found = fleiss_kappa(answer["ratings"])
        ours = (found.standard_error, found.low, found.high)
        theirs = (answer["error"], *np.clip(answer["interval"], -1, 1))
        oracle = r("agreement", "second derivation: numerical influence of each patient, R")
        agree(fleiss_kappa, oracle, ours, theirs)
        null = fleiss_kappa(answer["ratings"], interval="null")
        assert (null.low, null.high) == pytest.approx(np.clip(answer["null_interval"], -1, 1))

    def test_categories(self, answer: dict[str, Any]) -> None:
        found = fleiss_kappa(answer["ratings"]).categories
        ours = [[one.value for one in found], [one.z for one in found]]
        oracle = r("agreement", "definition: pairs of readers counted, R")
        agree(fleiss_kappa, oracle, ours, [answer["category_value"], answer["category_z"]])

    def test_counts_are_as_good_as_ratings(self, answer: dict[str, Any]) -> None:
        found = fleiss_kappa_of_counts(coded(answer["ratings"]).counts)
        oracle = r("agreement", "definition: pairs of readers counted, R")
        agree(fleiss_kappa_of_counts, oracle, found.value, answer["value"])

    def test_percent_agreement(self, answer: dict[str, Any]) -> None:
        found = percent_agreement(answer["ratings"])
        ours = (found.pairwise.value, found.unanimous.value)
        oracle = r("agreement", "definition: pairs of readers counted, R")
        agree(percent_agreement, oracle, ours, (answer["observed"], answer["unanimous"]))


def test_worked_example_of_fourteen_readers() -> None:
    """Ten subjects, five categories; the kappa of 0.210 is printed in many textbooks."""
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    found = fleiss_kappa_of_counts(counts)
    oracle = "worked example: ten subjects and fourteen raters, as printed"
    ours = (found.value, found.observed, found.expected)
    agree(fleiss_kappa_of_counts, oracle, np.round(ours, 3), (0.210, 0.378, 0.213))


@given(panels)
def test_two_categories_are_opposites(ratings: np.ndarray) -> None:
    found = fleiss_kappa(ratings > 0)
    if found.value is not None:
        values = [one.value for one in found.categories]
        assert values == pytest.approx([found.value, found.value])
        assert found.categories[0].z == pytest.approx(found.z)


@given(panels, st.data())
def test_neither_patients_nor_readers_have_an_order(
    ratings: np.ndarray, data: st.DataObject
) -> None:
    before = fleiss_kappa(ratings)
    mixed = np.array([data.draw(st.permutations(list(row))) for row in ratings[::-1]])
    after = fleiss_kappa(mixed)
    assert after.value == (None if before.value is None else pytest.approx(before.value))
    assert after.low == (None if before.low is None else pytest.approx(before.low))


@given(panels)
def test_percent_agreement_of_two_is_wilson(ratings: np.ndarray) -> None:
    found = percent_agreement(ratings[:, :2])
    same = int((ratings[:, 0] == ratings[:, 1]).sum())
    ends = wilson(same, len(ratings))
    oracle = "definition: equal ratings counted"
    agree(percent_agreement, oracle, found.pairwise.value, same / len(ratings))
    assert (found.pairwise.low, found.pairwise.high) == (ends.low, ends.high)


@given(panels)
def test_percent_agreement_stays_within_its_bounds(ratings: np.ndarray) -> None:
    found = percent_agreement(ratings)
    assert 0 <= found.pairwise.low <= found.pairwise.value <= found.pairwise.high <= 1
    assert found.unanimous.value <= found.pairwise.value + 1e-12


def test_shares_of_zero_and_one_are_worth_nearly_their_number() -> None:
    """The variance of a mean has n - 1 where a proportion's has n: 12 answers are worth 11."""
    shares = np.repeat([0.0, 1.0], [4, 8])
    found = mean_share(shares, 8)
    z, k = 1.959963984540054, 11
    p = 8 / 12
    centre = (p + z**2 / (2 * k)) / (1 + z**2 / k)
    half = z / (1 + z**2 / k) * np.sqrt(p * (1 - p) / k + z**2 / (4 * k**2))
    oracle = "second derivation: Wilson's interval with 11 patients"
    agree(
        mean_share, oracle, (found.value, found.low, found.high), (p, centre - half, centre + half)
    )


def test_everybody_the_same() -> None:
    found = fleiss_kappa([[1, 1, 1], [1, 1, 1]], categories=[0, 1])
    assert (found.value, found.low, found.z) == (None, None, None)
    assert [one.value for one in found.categories] == [None, None]
    assert fleiss_kappa([[1, 1], [1, 1]], interval="null").low is None
    agreement = percent_agreement([[1, 1, 1], [1, 1, 1]])
    assert (agreement.pairwise.value, agreement.pairwise.high) == (1, 1)
    assert agreement.pairwise.low < 1


def test_perfect_agreement_is_one_but_not_certain() -> None:
    found = fleiss_kappa([[1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 0]])
    assert (found.value, found.low, found.standard_error) == (1, None, None)
    assert found.z > 0


def test_one_patient_shows_no_spread() -> None:
    found = fleiss_kappa([[0, 1, 1]])
    assert found.value == pytest.approx(-0.5)
    assert (found.standard_error, found.low) == (None, None)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([[1, 2], [3, 1]], "found 4 ratings in row 1 and 3 in row 0"),
        ([[1, 0], [0, 1]], "at least 2"),
        ([[1, 2], [-1, 4]], "whole counts"),
        ([[1.5, 1.5]], "whole counts"),
    ],
)
def test_bad_counts_are_refused(counts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fleiss_kappa_of_counts(counts)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one of patients, null"):
        fleiss_kappa([[1, 2]], interval="other")
    with pytest.raises(ValueError, match="at least 1 patient and 2 readers"):
        fleiss_kappa([[1], [2]])
    with pytest.raises(ValueError, match="ratings of reader 1: found nan in row 0"):
        percent_agreement([[1.0, np.nan]])


def test_coded_ratings_are_places() -> None:
    found = coded([["b", "a"], ["b", "b"]], ["a", "b", "c"])
    agree(coded, "definition: places in the list", found.codes, [[1, 0], [1, 1]])
    assert found.counts.tolist() == [[1, 1, 0], [0, 2, 0]]
