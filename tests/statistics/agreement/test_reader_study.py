import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.agreement.modalities import (
    ModalityComparison,
    compare_modalities,
    components,
)
from oncotrail.statistics.agreement.reader_study import ReaderStudy, reader_study
from oncotrail.statistics.agreement.readers_mean import mean_over_readers, t_tail, two_sided
from oncotrail.statistics.discrimination.area import auc, delong_variance, paired_test
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

CASES = ("two_by_four", "three_by_three_with_ties", "two_by_two", "one_reader", "four_patients")
BOTH = ["jackknife", "DeLong"]
SAMPLINGS = ["readers and cases", "cases", "readers"]


def test_every_study_of_r_is_compared() -> None:
    assert set(reference("agreement")["studies"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("covariance", BOTH)
class TestAgainstR:
    @pytest.fixture
    def answer(self, case: str) -> dict[str, Any]:
        return reference("agreement")["studies"][case]

    @pytest.fixture
    def study(self, answer: dict[str, Any], covariance: Any) -> ReaderStudy:
        return reader_study(answer["labels"], answer["scores"], covariance=covariance)

    def test_areas(self, study: ReaderStudy, answer: dict[str, Any]) -> None:
        agree(reader_study, r("agreement", "pROC::auc"), study.areas, answer["areas"])

    def test_covariance(self, study: ReaderStudy, answer: dict[str, Any], covariance: str) -> None:
        oracle = "pROC::cov" if covariance == "DeLong" else "pROC::auc, patients left out"
        ours, theirs = study.covariance, answer[covariance]["covariance"]
        agree(reader_study, r("agreement", oracle), ours, theirs, within=1e-12)

    @pytest.mark.parametrize("sampling", SAMPLINGS)
    def test_comparison(
        self, study: ReaderStudy, answer: dict[str, Any], covariance: str, sampling: Any
    ) -> None:
        said = answer[covariance]["sampling"]
        if study.areas.shape[1] == 1 and sampling != "cases":
            assert sampling not in said
            return
        theirs = said[sampling]
        found = compare_modalities(study, sampling=sampling)
        oracle = r("agreement", "second derivation: Hillis 2007, by pROC and lm, R")
        df2 = math.inf if theirs["df2"] == 1e300 else theirs["df2"]
        agree(compare_modalities, oracle, (found.f, found.df2), (theirs["f"], df2))
        agree(compare_modalities, oracle, found.p_value, theirs["p"])
        pairs = [
            [one.area.value, one.area.low, one.area.high, one.area.p_value]
            for one in found.differences
        ]
        agree(compare_modalities, oracle, pairs, theirs["differences"])
        own = [[one.value, one.low, one.high, one.standard_error] for one in found.areas]
        agree(compare_modalities, oracle, own, theirs["own"])
        parts = found.components
        ours = (parts.modality, parts.modality_by_reader, parts.variance)
        ours += (parts.covariance_1, parts.covariance_2, parts.covariance_3)
        oracle = r("agreement", "lm, and covariances averaged pair by pair")
        agree(components, oracle, ours, np.array(theirs["components"], dtype=float))


def van_dyke() -> ReaderStudy:
    """Van Dyke's study of aortic dissection, as published: areas and covariances, not the rows.

    Printed to eight digits by RJafroc's book (Chakraborty) and by MRMCaov's README (Smith and
    Hillis): cine MRI and spin echo, 5 readers, 114 patients, jackknife.
    """
    areas = [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ]
    variance, same_modality = [0.00101410277, 0.00059047376], [0.00048396180, 0.00020418785]
    covariance = np.full((10, 10), 0.00023902837)
    covariance += (0.00034661371 - 0.00023902837) * (
        np.eye(5)[np.arange(10) % 5][:, np.arange(10) % 5]
    )
    for one in range(2):
        own = slice(5 * one, 5 * one + 5)
        covariance[own, own] = same_modality[one]
    np.fill_diagonal(covariance, np.repeat(variance, 5))
    return ReaderStudy(np.array(areas), covariance, 114, 45, "jackknife")


class TestVanDyke:
    oracle = "worked example: Van Dyke's study by MRMCaov 0.1.5 and RJafroc, as printed"

    def numbers(self, found: ModalityComparison) -> list[Any]:
        one = found.differences[0].area
        return [found.f, found.p_value, one.value, one.low, one.high]

    def test_readers_and_cases(self) -> None:
        found = compare_modalities(van_dyke())
        printed = [4.456319, 0.05166569, -0.04380032, -0.0879594986, 0.0003588544]
        agree(compare_modalities, self.oracle, self.numbers(found), printed, absolute=1e-7)
        agree(compare_modalities, self.oracle, found.df2, 15.2596746)
        own = [[one.value, one.low, one.high, one.standard_error, one.df] for one in found.areas]
        printed_own = [
            [0.8970370, 0.8252236, 0.9688505, 0.03317360, 12.74465],
            [0.9408374, 0.8941378, 0.9875369, 0.02156637, 12.71019],
        ]
        agree(compare_modalities, self.oracle, own, printed_own)
        agree(mean_over_readers, self.oracle, own, printed_own)

    def test_fixed_readers(self) -> None:
        found = compare_modalities(van_dyke(), sampling="cases")
        printed = [5.475953, 0.0192798, -0.0438003, -0.08048591, -0.00711473]
        agree(compare_modalities, self.oracle, self.numbers(found), printed, absolute=1e-7)
        own = [[one.low, one.high] for one in found.areas]
        printed_own = [[0.8494301, 0.9446440], [0.9079564, 0.9737183]]
        agree(compare_modalities, self.oracle, own, printed_own)

    def test_components(self) -> None:
        found = components(van_dyke())
        ours = (found.modality, found.modality_by_reader, found.variance)
        ours += (found.covariance_1, found.covariance_2, found.covariance_3)
        printed = (0.00479617053, 0.00055103062, 0.00080228827)
        printed += (0.00034661371, 0.00034407483, 0.00023902837)
        agree(components, self.oracle, ours, printed)


@given(markers(smallest_group=2), st.data())
def test_one_reader_is_delongs_test(marker: Marker, data: st.DataObject) -> None:
    labels, first = marker
    second = first[data.draw(st.permutations(range(len(first))))]
    study = reader_study(labels, [first[:, None], second[:, None]], covariance="DeLong")
    found = compare_modalities(study, sampling="cases").differences[0].area
    test = paired_test(labels, first, second)
    if test.statistic is None:
        assert (found.value, found.p_value) == (pytest.approx(test.value), None)
        return
    ours = (found.value, found.low, found.high, found.p_value)
    agree(
        compare_modalities,
        "discrimination.area.paired_test, one reader",
        ours,
        (test.value, test.low, test.high, test.p_value),
    )


@given(markers(smallest_group=2))
def test_one_reader_has_the_area_and_variance_of_a_marker(marker: Marker) -> None:
    study = reader_study(marker[0], [marker[1]], covariance="DeLong")
    assert study.areas[0, 0] == pytest.approx(auc(*marker).value)
    assert study.covariance[0, 0] == pytest.approx(delong_variance(*marker), abs=1e-15)


@given(markers(smallest_group=2), st.sampled_from(SAMPLINGS))
def test_a_modality_does_not_differ_from_itself(marker: Marker, sampling: Any) -> None:
    labels, scores = marker
    twice = np.column_stack([scores, scores[::-1]])
    found = compare_modalities(reader_study(labels, [twice, 2 * twice + 1]), sampling=sampling)
    assert found.differences[0].area.value == 0
    assert (found.f, found.p_value, found.differences[0].area.low) == (None, None, None)


@given(st.integers(0, 10_000))
def test_the_order_of_readers_and_patients_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], 6)
    scores = random.integers(0, 5, size=(2, 12, 3))
    patients, readers = random.permutation(12), random.permutation(3)
    before = compare_modalities(reader_study(labels, scores))
    after = compare_modalities(reader_study(labels[patients], scores[:, patients][:, :, readers]))
    assert after.p_value == (None if before.p_value is None else pytest.approx(before.p_value))


def test_readers_who_gain_the_same_show_no_interaction() -> None:
    areas = np.array([[0.7, 0.8], [0.75, 0.85]])
    study = ReaderStudy(areas, np.diag([0.01] * 4) + 0.001, 50, 20, "given")
    found = compare_modalities(study, sampling="readers")
    assert (found.f, found.df2, found.differences[0].area.low) == (None, None, None)
    shared = np.full((4, 4), 0.001)
    shared[:2, :2] = shared[2:, 2:] = 0.004
    np.fill_diagonal(shared, 0.01)
    found = compare_modalities(ReaderStudy(areas, shared, 50, 20, "given"))
    assert found.df2 > 1e20
    assert found.p_value == pytest.approx(math.erfc(math.sqrt(found.f / 2)))


def test_readers_who_are_all_the_same() -> None:
    found = mean_over_readers([0.8, 0.8], np.full((2, 2), 0.01))
    ours = (found.value, found.standard_error, found.df)
    agree(mean_over_readers, "definition: only cases vary", ours, (0.8, 0.1, math.inf))
    nothing = mean_over_readers([0.8, 0.8], np.zeros((2, 2)), "readers")
    assert (nothing.low, nothing.p_value, nothing.df) == (None, None, None)


def test_the_tail_of_infinitely_many_degrees_is_normal() -> None:
    theirs = reference("agreement")["student"]
    ours = [t_tail(df or math.inf, level) for df, level in theirs["tails"]]
    agree(t_tail, r("agreement", "qt"), ours, theirs["qt"], within=1e-12)
    ours = [two_sided(t, df or math.inf) for t, df in theirs["values"]]
    agree(two_sided, r("agreement", "pt"), ours, theirs["pt"], within=1e-12)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 1], [[[1], [2], [3]]], "found 2 events in 3 patients"),
        ([0, 0, 1, 1], [1, 2, 3, 4], "expected modalities x patients x readers"),
        ([0, 0, 1, 1], [[1, 2, 3]], "scores of modality 0"),
        ([0, 0, 1, 1], [[1, 2, 3, np.nan]], "scores of modality 0: found nan in row 3"),
    ],
)
def test_bad_studies_are_refused(labels: Any, scores: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reader_study(labels, scores)


def test_bad_requests_are_refused() -> None:
    one = [[[1], [2], [3], [4]]]
    with pytest.raises(ValueError, match="expected one of jackknife, DeLong"):
        reader_study([0, 0, 1, 1], one, covariance="bootstrap")
    with pytest.raises(ValueError, match="found 1 modality"):
        compare_modalities(reader_study([0, 0, 1, 1], one))
    with pytest.raises(ValueError, match="found 1 reader"):
        compare_modalities(reader_study([0, 0, 1, 1], one * 2))
    with pytest.raises(ValueError, match="sampling: found 'all'"):
        mean_over_readers([0.1], [[0.1]], "all")
    with pytest.raises(ValueError, match="expected 2 x 2"):
        mean_over_readers([0.1, 0.2], [0.1, 0.2])
