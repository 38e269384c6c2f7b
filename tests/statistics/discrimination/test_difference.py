import numpy as np
import pytest
from hypothesis import given

from oncotrail.statistics.discrimination.area import auc, paired_test
from oncotrail.statistics.discrimination.difference import non_inferiority_test, unpaired_test
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference


def test_unpaired_agrees_with_proc() -> None:
    said = reference("discrimination")
    assert len(said["unpaired"]) == 11
    for case in said["unpaired"]:
        first, second = (said["discrimination"][case[name]] for name in ("first", "second"))
        tables = [(each["table"]["labels"], each["table"]["first"]) for each in (first, second)]
        ours = unpaired_test(*tables[0], *tables[1])
        oracle = r("discrimination", "pROC::roc.test")
        found = ours.difference, ours.t, ours.degrees_of_freedom, ours.p_value
        difference = first["first"]["auc"] - second["first"]["auc"]
        theirs = difference, case["t"], case["degrees_of_freedom"], case["p"]
        agree(unpaired_test, oracle, found, theirs)
        if ours.t is not None:
            # The interval is the test turned round: what it leaves out is rejected.
            assert ours.low <= ours.difference <= ours.high
            zero_outside = not ours.low <= 0 <= ours.high
            assert zero_outside == (ours.p_value < 0.05)


def test_unpaired_says_what_it_rests_on() -> None:
    found = unpaired_test([0, 0, 1, 1], [1, 3, 2, 4], [0, 0, 0, 1, 1], [1, 2, 4, 3, 5], 0.9)
    assert (found.n, found.events, found.confidence) == ((4, 5), (2, 2), 0.9)


@given(markers(smallest_group=2), markers(smallest_group=2))
def test_swapping_the_groups_mirrors_the_unpaired_test(here: Marker, there: Marker) -> None:
    forth, back = unpaired_test(*here, *there), unpaired_test(*there, *here)
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.p_value == pytest.approx(back.p_value)
    assert forth.degrees_of_freedom == pytest.approx(back.degrees_of_freedom)
    if forth.low is not None:
        assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


def test_one_patient_of_an_outcome_leaves_the_unpaired_test_undefined() -> None:
    enough = [0, 0, 1, 1], [1, 3, 2, 4]
    for pair in ((enough, ([0, 1, 1], [1, 2, 3])), (([0, 0, 1], [1, 2, 3]), enough)):
        found = unpaired_test(*pair[0], *pair[1])
        assert found.difference == auc(*pair[0]).value - auc(*pair[1]).value
        assert (found.low, found.t, found.degrees_of_freedom, found.p_value) == (None,) * 4


def test_non_inferiority_agrees_with_proc() -> None:
    said = reference("discrimination")
    for case in said["non_inferiority"]:
        table = said["discrimination"][case["table"]]["table"]
        ours = non_inferiority_test(
            table["labels"], table["first"], table["second"], case["margin"]
        )
        theirs = case["z"], case["p"], case["low"]
        oracle = r("discrimination", "pROC::cov")
        agree(non_inferiority_test, oracle, (ours.z, ours.p_value, ours.low), theirs)
        assert (ours.low > -ours.margin) == (ours.p_value < 0.025)


def test_its_bound_is_the_lower_end_of_the_paired_test() -> None:
    random = np.random.default_rng(3)
    labels = np.repeat([0, 1], 40)
    first, second = labels + random.normal(size=(2, 80))
    ours = non_inferiority_test(labels, first, second, margin=0.05)
    assert ours.low == pytest.approx(paired_test(labels, first, second).low)


def test_the_same_ranking_twice_leaves_non_inferiority_undefined() -> None:
    found = non_inferiority_test([0, 0, 1, 1], [1, 3, 2, 4], [2, 6, 4, 8], margin=0.05)
    assert (found.difference, found.low, found.z, found.p_value) == (0, None, None, None)


@pytest.mark.parametrize("margin", [0, -0.1, 1, float("nan")])
def test_refuses_a_margin_that_is_none(margin: float) -> None:
    with pytest.raises(ValueError, match=f"found margin {margin}; expected an area between 0 and"):
        non_inferiority_test([0, 1], [1, 2], [1, 2], margin)
