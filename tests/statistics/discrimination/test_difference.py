import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        found = ours.value, ours.statistic, ours.degrees_of_freedom, ours.p_value
        difference = first["first"]["auc"] - second["first"]["auc"]
        theirs = difference, case["t"], case["degrees_of_freedom"], case["p"]
        agree(unpaired_test, oracle, found, theirs)
        if ours.statistic is not None:
            # The interval is the test turned round: what it leaves out is rejected.
            assert ours.low <= ours.value <= ours.high
            zero_outside = not ours.low <= 0 <= ours.high
            assert zero_outside == (ours.p_value < 0.05)


def test_unpaired_says_what_it_rests_on() -> None:
    found = unpaired_test([0, 0, 1, 1], [1, 3, 2, 4], [0, 0, 0, 1, 1], [1, 2, 4, 3, 5], 0.9)
    assert (found.n, found.events, found.confidence) == (9, 4, 0.9)
    assert found.method == "DeLong, Welch"


@given(markers(smallest_group=2), markers(smallest_group=2))
def test_swapping_the_groups_mirrors_the_unpaired_test(here: Marker, there: Marker) -> None:
    forth, back = unpaired_test(*here, *there), unpaired_test(*there, *here)
    assert forth.value == pytest.approx(-back.value)
    assert forth.p_value == pytest.approx(back.p_value)
    assert forth.degrees_of_freedom == pytest.approx(back.degrees_of_freedom)
    if forth.low is not None:
        assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


def test_one_patient_of_an_outcome_leaves_the_unpaired_test_undefined() -> None:
    enough = [0, 0, 1, 1], [1, 3, 2, 4]
    for pair in ((enough, ([0, 1, 1], [1, 2, 3])), (([0, 0, 1], [1, 2, 3]), enough)):
        found = unpaired_test(*pair[0], *pair[1])
        assert found.value == auc(*pair[0]).value - auc(*pair[1]).value
        assert (found.low, found.statistic, found.degrees_of_freedom, found.p_value) == (None,) * 4


def test_unpaired_with_weights_and_patients_agrees_with_the_formula_in_r() -> None:
    said = reference("discrimination")
    assert len(said["weighted_unpaired"]) == 2
    for case in said["weighted_unpaired"]:
        first, second = (said["clustered"][case[name]] for name in ("first", "second"))
        rows = [(each["table"]["labels"], each["table"]["first"]) for each in (first, second)]
        ours = unpaired_test(
            *rows[0],
            *rows[1],
            weights=(first["weights"], second["weights"]),
            clusters=(first["table"]["patient"], second["table"]["patient"]),
        )
        oracle = r("discrimination", "formula: Obuchowski 1997 and Welch, R")
        found = ours.value, ours.statistic, ours.degrees_of_freedom, ours.p_value
        names = ("difference", "t", "degrees_of_freedom", "p")
        agree(unpaired_test, oracle, found, [case[name] for name in names])
        agree(unpaired_test, oracle, (ours.low, ours.high), np.clip(case["ends"], -1, 1))
        assert ours.method == "Obuchowski, Welch"


@given(markers(smallest_group=2), markers(smallest_group=2), st.floats(0.01, 100))
def test_equal_weights_change_nothing(here: Marker, there: Marker, weight: float) -> None:
    plain = unpaired_test(*here, *there)
    equal = unpaired_test(*here, *there, weights=(np.full(here[0].size, weight), None))
    found, expected = (
        [one.value, one.low or 0, one.high or 0, one.degrees_of_freedom or 0]
        for one in (equal, plain)
    )
    assert found == pytest.approx(expected, abs=1e-9)


def test_non_inferiority_of_weighted_images_is_read_off_their_paired_test() -> None:
    case = reference("discrimination")["clustered"]["images"]
    table = case["table"]
    rows = table["labels"], table["first"], table["second"]
    whose = {"weights": case["weights"], "clusters": table["patient"]}
    found = non_inferiority_test(*rows, margin=0.2, **whose)
    assert found.difference == paired_test(*rows, **whose)
    assert found.difference.method == "Obuchowski"


def test_non_inferiority_agrees_with_proc() -> None:
    said = reference("discrimination")
    for case in said["non_inferiority"]:
        table = said["discrimination"][case["table"]]["table"]
        ours = non_inferiority_test(
            table["labels"], table["first"], table["second"], case["margin"]
        )
        theirs = case["z"], case["p"], case["low"]
        oracle = r("discrimination", "pROC::cov")
        agree(non_inferiority_test, oracle, (ours.z, ours.p_value, ours.difference.low), theirs)
        assert (ours.difference.low > -ours.margin) == (ours.p_value < 0.025)


def test_its_bound_is_the_lower_end_of_the_paired_test() -> None:
    random = np.random.default_rng(3)
    labels = np.repeat([0, 1], 40)
    first, second = labels + random.normal(size=(2, 80))
    ours = non_inferiority_test(labels, first, second, margin=0.05)
    assert ours.difference == paired_test(labels, first, second)


def test_the_same_ranking_twice_leaves_non_inferiority_undefined() -> None:
    found = non_inferiority_test([0, 0, 1, 1], [1, 3, 2, 4], [2, 6, 4, 8], margin=0.05)
    assert (found.difference.value, found.difference.low) == (0, None)
    assert (found.z, found.p_value) == (None, None)


@pytest.mark.parametrize("margin", [0, -0.1, 1, float("nan")])
def test_refuses_a_margin_that_is_none(margin: float) -> None:
    with pytest.raises(ValueError, match=f"found margin {margin}; expected an area between 0 and"):
        non_inferiority_test([0, 1], [1, 2], [1, 2], margin)
