from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oncotrail.statistics.agreement.intraclass import (
    Correlation,
    IntraclassCorrelations,
    intraclass_correlations,
)
from oncotrail.statistics.agreement.limits import limits_of_agreement
from tests.statistics.oracles import agree, r, reference

CASES = (
    "good",
    "readers_differ",
    "poor",
    "whole_numbers",
    "negative",
    "two_by_two",
    "shrout_and_fleiss",
)
tables = arrays(
    np.float64,
    st.tuples(st.integers(2, 6), st.integers(2, 4)),
    elements=st.integers(-5, 5).map(float),
)


def six(found: IntraclassCorrelations) -> list[Correlation]:
    """In the order of psych."""
    return [
        found.one_way_single,
        found.random_single,
        found.fixed_single,
        found.one_way_average,
        found.random_average,
        found.fixed_average,
    ]


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("agreement")["icc"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("confidence", [0.95, 0.90])
def test_agrees_with_psych(case: str, confidence: float) -> None:
    answer = reference("agreement")["icc"][case]
    found = six(intraclass_correlations(answer["table"], confidence))
    ours = [[one.value, one.f, one.df1, one.df2, one.p_value, one.low, one.high] for one in found]
    theirs = np.array(answer[f"icc_{100 * confidence:.0f}"], dtype=float)
    # Where a denominator is below 0, psych prints correlations above 1; we say None.
    theirs[:, [0, 5, 6]] = np.where(theirs[:, [0, 5, 6]] > 1, np.nan, theirs[:, [0, 5, 6]])
    agree(intraclass_correlations, r("agreement", "psych::ICC"), ours, theirs)


def test_worked_example_of_shrout_and_fleiss() -> None:
    """Table 4 of the paper, six targets and four judges, as printed."""
    table = reference("agreement")["icc"]["shrout_and_fleiss"]["table"]
    ours = np.round([one.value for one in six(intraclass_correlations(table))], 2)
    oracle = "worked example: Shrout and Fleiss 1979, table 4"
    agree(intraclass_correlations, oracle, ours, [0.17, 0.29, 0.71, 0.44, 0.62, 0.91])


@given(tables, st.sampled_from([0.5, 2.0]), st.integers(-100, 100))
def test_units_do_not_matter(table: np.ndarray, scale: float, shift: int) -> None:
    before = six(intraclass_correlations(table))
    after = six(intraclass_correlations(table[::-1, ::-1] * scale + shift))
    for one, other in zip(before, after, strict=True):
        assert (one.value is None) == (other.value is None)
        if one.value is not None:
            assert other.value == pytest.approx(one.value, abs=1e-9)


@given(tables)
def test_a_correlation_is_at_most_one_and_lies_in_its_interval(table: np.ndarray) -> None:
    for one in six(intraclass_correlations(table)):
        if one.value is not None:
            assert one.value <= 1 + 1e-12
        if None not in (one.value, one.low, one.high) and "2" not in one.kind:
            assert one.low <= one.value + 1e-9
            assert one.value <= one.high + 1e-9


def test_readers_who_agree_to_the_last_digit_are_not_certain() -> None:
    for one in six(intraclass_correlations([[1.1, 1.1], [2.7, 2.7], [1e3, 1e3]])):
        assert one.value == pytest.approx(1)
        assert (one.f, one.p_value, one.low, one.high) == (None, None, None, None)


def test_a_constant_shift_spoils_absolute_agreement_only() -> None:
    found = intraclass_correlations([[1, 3], [2, 4], [5, 7]])
    assert found.fixed_single.value == pytest.approx(1)
    assert found.random_single.value < 1
    assert found.fixed_single.low is None
    assert found.one_way_single.low is not None


def test_nobody_differs() -> None:
    for one in six(intraclass_correlations([[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]])):
        assert (one.value, one.f, one.low) == (None, None, None)


def test_patients_who_do_not_differ_have_no_average_correlation() -> None:
    found = intraclass_correlations([[1, 2], [2, 1]])
    assert found.one_way_single.value == pytest.approx(-1)
    assert (found.one_way_average.value, found.one_way_average.low) == (None, None)


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 of each"):
        intraclass_correlations([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"found nan in row 1, column 0"):
        intraclass_correlations([[1.0, 2.0], [np.nan, 1.0]])


@pytest.mark.parametrize("case", ["good", "poor", "whole_numbers"])
def test_limits_of_agreement_agree_with_r(case: str) -> None:
    answer = reference("agreement")["limits"][case]
    table = np.array(reference("agreement")["icc"][case]["table"])
    found = limits_of_agreement(table[:, 0], table[:, 1])
    ours = (found.bias, found.bias_interval.low, found.bias_interval.high)
    theirs = (answer["bias"], *answer["bias_interval"])
    agree(limits_of_agreement, r("agreement", "t.test"), ours, theirs)
    ends = (found.lower_interval, found.upper_interval)
    ours = (found.lower, found.upper, *(end for one in ends for end in (one.low, one.high)))
    theirs = (*answer["limits"], *answer["lower"], *answer["upper"])
    oracle = r("agreement", "second derivation: Bland and Altman 1999, R")
    agree(limits_of_agreement, oracle, ours, theirs)


def test_limits_need_two_patients() -> None:
    with pytest.raises(ValueError, match="found 1 patient"):
        limits_of_agreement([1.0], [2.0])
    with pytest.raises(ValueError, match="one for each of 2 rows"):
        limits_of_agreement([1.0, 2.0], [2.0])


@pytest.mark.parametrize("option", ["coverage", "confidence"])
def test_limits_need_levels(option: str) -> None:
    with pytest.raises(ValueError, match="found confidence 95"):
        limits_of_agreement([1.0, 2.0], [2.0, 4.0], **{option: 95})


def test_limits_of_equal_differences_claim_no_certainty() -> None:
    found = limits_of_agreement([1.1, 2.3, 5.7], [1.0, 2.2, 5.6])
    assert found.bias == pytest.approx(0.1)
    assert limits_of_agreement([1, 2, 5], [0, 1, 4]).bias_interval is None
    assert limits_of_agreement([1, 2, 5], [0, 1, 4]).lower_interval is None


def test_swapping_the_methods_mirrors_the_limits() -> None:
    forth = limits_of_agreement([1.0, 4.0, 2.0], [2.0, 3.0, 2.5])
    back = limits_of_agreement([2.0, 3.0, 2.5], [1.0, 4.0, 2.0])
    values: list[Any] = [forth.bias, forth.lower, forth.upper_interval.high]
    assert values == pytest.approx([-back.bias, -back.upper, -back.lower_interval.low])


@pytest.mark.parametrize("table", [[[1, 4], [2, 3], [3, 2], [4, 1]], [[1, 3], [3, 1], [2, 2]]])
def test_patients_of_one_mean_leave_an_interval_without_width_which_is_none(table: Any) -> None:
    """R prints one of no width, and here and there NaN."""
    found = intraclass_correlations(table)
    kinds = (found.one_way_single, found.random_single, found.fixed_single)
    assert all(kind.value is not None and kind.value <= -1 for kind in kinds)
    assert [(kind.low, kind.high) for kind in kinds] == [(None, None)] * 3
