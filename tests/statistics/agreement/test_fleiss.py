from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from oncotrail.statistics.agreement.beyond_chance import (
    ChanceErrors,
    chance_corrected,
    read_kappa,
    z_and_p,
)
from oncotrail.statistics.agreement.fleiss import (
    category_kappas,
    category_kappas_of_counts,
    fleiss_kappa,
    fleiss_kappa_of_counts,
)
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
        found = category_kappas(answer["ratings"])
        ours = [[one.value for one in found], [one.z for one in found]]
        oracle = r("agreement", "definition: pairs of readers counted, R")
        agree(category_kappas, oracle, ours, [answer["category_value"], answer["category_z"]])
        assert category_kappas_of_counts(coded(answer["ratings"]).counts)[0].value == found[0].value

    def test_the_interval_of_a_category(self, answer: dict[str, Any]) -> None:
        """That of a kappa of two categories, which R has: the category, and not."""
        ratings = np.array(answer["ratings"])
        for one in category_kappas(ratings, confidence=0.9):
            alone = fleiss_kappa(ratings == one.category, confidence=0.9)
            ours = np.array([one.value, one.standard_error, one.low, one.high], dtype=float)
            theirs = (alone.value, alone.standard_error, alone.low, alone.high)
            agree(category_kappas, "definition: kappa of the category, and not", ours, theirs)

    def test_counts_are_as_good_as_ratings(self, answer: dict[str, Any]) -> None:
        found = fleiss_kappa_of_counts(coded(answer["ratings"]).counts)
        oracle = r("agreement", "definition: pairs of readers counted, R")
        agree(fleiss_kappa_of_counts, oracle, found.value, answer["value"])

    def test_percent_agreement(self, answer: dict[str, Any]) -> None:
        found = percent_agreement(answer["ratings"])
        ours = (found.pairwise.value, found.unanimous.value)
        oracle = r("agreement", "definition: pairs of readers counted, R")
        agree(percent_agreement, oracle, ours, (answer["observed"], answer["unanimous"]))


class TestFleiss1971:
    """Thirty patients, six psychiatrists, five diagnoses: the paper's table 1.

    The tests are of Fleiss, Nee and Landis 1979, as irr prints them for the same data.
    """

    counts = (
        *([0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0]),
        *([2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6]),
        *([1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1]),
        *([0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3]),
        *([0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1]),
        *([0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6]),
    )
    oracle = "worked example: Fleiss 1971, tested as irr 0.84.1 prints"

    def test_kappa_and_its_test(self) -> None:
        found = fleiss_kappa_of_counts(self.counts)
        ours = (np.round(found.value, 3), np.round(found.z, 1))
        agree(fleiss_kappa_of_counts, self.oracle, ours, (0.430, 17.7))

    def test_categories(self) -> None:
        found = category_kappas_of_counts(self.counts)
        ours = np.round([[one.value, one.z] for one in found], 3)
        theirs = [[0.245, 5.192], [0.245, 5.192], [0.520, 11.031], [0.471, 9.994], [0.566, 12.009]]
        agree(category_kappas_of_counts, self.oracle, ours, theirs)


@pytest.mark.parametrize("case", CASES)
def test_the_interval_over_patients_agrees_with_gwets_own(case: str) -> None:
    said = reference("agreement_python")["fleiss"][case]
    found = fleiss_kappa(reference("agreement")["fleiss"][case]["ratings"])
    ours = (found.value, found.standard_error, found.low, found.high)
    theirs = (said["value"], said["standard_error"], max(-1, said["low"]), said["high"])
    agree(fleiss_kappa, r("agreement_python", "irrCAC::CAC.fleiss"), ours, theirs, 1e-8)
    oracle = r("agreement_python", "statsmodels::inter_rater.fleiss_kappa")
    agree(fleiss_kappa, oracle, found.value, said["statsmodels"], 1e-12)


def test_what_is_read_off_two_agreements_and_two_errors() -> None:
    definition = "definition: (observed - expected) / (1 - expected)"
    found = read_kappa(
        0.8,
        0.5,
        ChanceErrors(0.2, 0.15, 0.5),
        confidence=0.95,
        n=9,
        readers=2,
        categories=(0, 1),
        method="given",
    )
    agree(read_kappa, definition, (found.value, found.low, found.high, found.z), (0.6, 0.1, 1, 4))
    agree(chance_corrected, definition, chance_corrected(0.8, 0.5), 0.6)
    z, p_value = z_and_p(0.98, 0.5)
    agree(z_and_p, "definition: two tails of the normal", (z, p_value), (1.96, 2 * norm.sf(1.96)))
    assert z_and_p(None, 0.5) == z_and_p(0.98, None) == (None, None)


@given(panels)
def test_two_categories_are_opposites(ratings: np.ndarray) -> None:
    found = fleiss_kappa(ratings > 0)
    if found.value is not None:
        each = category_kappas(ratings > 0)
        assert [one.value for one in each] == pytest.approx([found.value, found.value])
        assert each[0].z == pytest.approx(found.z)


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
    each = category_kappas([[1, 1, 1], [1, 1, 1]], categories=[0, 1])
    assert [(one.value, one.z, one.p_value) for one in each] == [(None, None, None)] * 2
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
