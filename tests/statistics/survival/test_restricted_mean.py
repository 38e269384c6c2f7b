from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.restricted_mean import (
    Ratio,
    compare_restricted_means,
    restricted_mean,
)
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference

SAID = reference("survival_curves")
SUMMARY = r("survival_curves", "survival::summary.survfit(rmean)")
INFLUENCE = r("survival_curves", "survival::survfit(influence)")
MADE = [case for case in sorted(SAID["made"]) if "means" in SAID["made"][case]]

rows = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=30)


@pytest.mark.parametrize("case", MADE)
def test_means_and_errors_are_those_of_survfit(case: str) -> None:
    table = SAID["made"][case]["table"]
    for name, theirs in SAID["made"][case]["means"].items():
        weights = table["counts"] if name == "counts" else None
        ours = restricted_mean(table["times"], table["events"], theirs["horizon"], weights=weights)
        agree(
            restricted_mean,
            SUMMARY,
            [ours.value, ours.standard_error],
            [theirs["mean"], theirs["error"]],
        )


@pytest.mark.parametrize("case", MADE)
def test_the_jackknife_integrates_the_influence_of_survfit(case: str) -> None:
    table, theirs = SAID["made"][case]["table"], SAID["made"][case]["jackknifed"]
    ours = restricted_mean(
        table["times"], table["events"], theirs["horizon"], weights=table["weights"]
    )
    agree(restricted_mean, INFLUENCE, [ours.standard_error], [theirs["error"]])


def real(case: str) -> tuple[Any, Any, Any]:
    if case in SAID["made"]:
        table = SAID["made"][case]["table"]
        return table["times"], table["events"], np.array(table["groups"]) > 1
    frame = getattr(tables, case)()
    if case == "lung":
        return frame["time"], frame["status"], frame["sex"] > 1
    if case == "gbsg2":
        return frame["time"], frame["event"], frame["grade"] > 1
    if case == "rossi":
        return frame["time"], frame["event"], frame["prio"] // 3 > 0
    return frame["time"], frame["event"], frame[["Stage_II", "Stage_III", "Stage_IV"]].any(axis=1)


@pytest.mark.parametrize(
    "case",
    [
        *(case for case in sorted(SAID["made"]) if "contrast" in SAID["made"][case]),
        *sorted(SAID["real"]),
    ],
)
def test_difference_and_ratio_of_two_groups(case: str) -> None:
    theirs = SAID["made" if case in SAID["made"] else "real"][case]["contrast"]
    ours = compare_restricted_means(*real(case), horizon=theirs["horizon"])

    def ends(contrast: Difference | Ratio) -> list[float | None]:
        return [contrast.low, contrast.value, contrast.high, contrast.p_value]

    means = [ours.control.value, ours.exposed.value]
    agree(compare_restricted_means, SUMMARY, means, theirs["means"])
    # The second derivation is R's, from the two means and errors.
    expected = [*theirs["difference"], theirs["difference_p"]]
    agree(compare_restricted_means, SUMMARY, ends(ours.difference), expected)
    agree(
        compare_restricted_means, SUMMARY, ends(ours.ratio), [*theirs["ratio"], theirs["ratio_p"]]
    )


@given(rows)
def test_the_mean_to_the_last_event_is_the_area_under_the_curve(
    found: list[tuple[int, bool]],
) -> None:
    times, events = zip(*found, strict=True)
    last = max(times)
    curve = kaplan_meier(times, events)
    area = sum(curve.at([time])[0] for time in np.arange(0, last) + 0.5)
    assert restricted_mean(times, events, last).value == pytest.approx(area)


@given(st.lists(st.integers(1, 12), min_size=2, max_size=30), st.integers(1, 14))
def test_without_censoring_it_is_a_plain_mean(times: list[int], horizon: int) -> None:
    found = restricted_mean(times, [1] * len(times), horizon)
    cut = np.minimum(times, horizon)
    assert found.value == pytest.approx(cut.mean())
    assert found.standard_error == pytest.approx(cut.std() / len(times) ** 0.5, abs=1e-9)
    assert found.events == (np.array(times) <= horizon).sum()


@given(rows, st.floats(1e-2, 1e3), st.randoms(use_true_random=False))
def test_unit_and_order_do_not_matter(
    found: list[tuple[int, bool]], unit: float, random: Any
) -> None:
    times, events = zip(*found, strict=True)
    one = restricted_mean(times, events, max(times))
    times, events = zip(*random.sample(found, len(found)), strict=True)
    other = restricted_mean(np.array(times) * unit, events, max(times) * unit)
    assert other.value == pytest.approx(one.value * unit)
    assert other.standard_error == pytest.approx(one.standard_error * unit, abs=1e-9 * unit)


@given(rows)
def test_weights_are_counts_or_are_not(found: list[tuple[int, bool]]) -> None:
    times, events = zip(*found, strict=True)
    last = max(times)
    twice = restricted_mean(times * 2, events * 2, last)
    weighted = restricted_mean(times, events, last, weights=[2] * len(times))
    assert weighted.standard_error == pytest.approx(twice.standard_error)
    equal = restricted_mean(times, events, last, weights=[0.4] * len(times))
    plain = restricted_mean(times, events, last)
    assert equal.standard_error == pytest.approx(plain.standard_error, abs=1e-9)


def test_exchanging_the_groups_mirrors_both_contrasts() -> None:
    times, events, exposed = real("ordinary")
    horizon = SAID["made"]["ordinary"]["contrast"]["horizon"]
    weights = np.linspace(0.2, 3, len(times))
    forth = compare_restricted_means(times, events, exposed, horizon, weights=weights)
    back = compare_restricted_means(times, events, ~exposed, horizon, weights=weights)
    assert back.difference.value == pytest.approx(-forth.difference.value)
    assert back.difference.low == pytest.approx(-forth.difference.high)
    assert back.ratio.value == pytest.approx(1 / forth.ratio.value)
    assert back.ratio.low == pytest.approx(1 / forth.ratio.high)
    assert back.ratio.p_value == pytest.approx(forth.ratio.p_value)


def test_the_jackknife_may_be_asked_for_or_not() -> None:
    times, events, exposed = real("ordinary")
    horizon = SAID["made"]["ordinary"]["contrast"]["horizon"]
    counts = SAID["made"]["ordinary"]["table"]["counts"]
    arguments = {"weights": counts, "robust": True}
    found = compare_restricted_means(times, events, exposed, horizon, **arguments)
    kept = np.flatnonzero(exposed)
    rows_of = [np.array(column)[kept] for column in (times, events, counts)]
    alone = restricted_mean(rows_of[0], rows_of[1], horizon, weights=rows_of[2], robust=True)
    counted = restricted_mean(rows_of[0], rows_of[1], horizon, weights=rows_of[2])
    assert found.exposed == alone
    assert alone.standard_error > counted.standard_error


def test_rows_without_weight_are_left_out() -> None:
    found = restricted_mean([1, 2, 9, 3], [1, 1, 0, 1], 3, weights=[1, 1, 0, 1])
    assert found == restricted_mean([1, 2, 3], [1, 1, 1], 3)


def test_no_spread_is_no_certainty() -> None:
    for times, events in (([5], [1]), ([4, 4, 4], [1, 1, 1]), ([9, 9], [0, 0])):
        found = restricted_mean(times, events, horizon=4)
        assert (found.value, found.low, found.high, found.standard_error) == (4, None, None, 0)
    pair = compare_restricted_means([4, 5], [1, 1], [0, 1], 5)
    assert (pair.difference.value, pair.difference.low, pair.difference.p_value) == (1, None, None)
    assert (pair.ratio.value, pair.ratio.high) == (pytest.approx(1.25), None)


def test_no_time_at_all_has_no_ratio() -> None:
    """All events of the control at time 0: a mean of 0, and a difference only."""
    found = compare_restricted_means([0, 0, 1, 3], [1, 1, 1, 1], [0, 0, 1, 1], 2)
    assert (found.control.value, found.control.low, found.exposed.value) == (0, None, 1.5)
    assert found.ratio is None
    assert found.difference.value == 1.5
    with pytest.raises(Undefined, match="last patient was censored at 0"):
        restricted_mean([0, 0], [1, 0], 1)


def test_a_group_without_weight_is_no_group() -> None:
    with pytest.raises(Undefined, match="found 0 exposed of 2 patients"):
        compare_restricted_means([1, 2, 3], [1, 1, 1], [0, 0, 1], 1, weights=[1, 1, 0])


class TestRefused:
    @pytest.mark.parametrize("horizon", [0, -1, float("nan"), float("inf")])
    def test_a_horizon_that_is_no_time(self, horizon: float) -> None:
        with pytest.raises(ValueError, match="expected a time above 0"):
            restricted_mean([1], [1], horizon)

    def test_a_horizon_after_the_last_patient(self) -> None:
        with pytest.raises(ValueError, match="last patient was censored at 3; survival is unknown"):
            restricted_mean([1, 3], [1, 0], 4)
        assert restricted_mean([1, 3], [1, 1], 4).value == 2

    @pytest.mark.parametrize(("exposed", "count"), [([0, 0], 0), ([1, 1], 2)])
    def test_one_group(self, exposed: list[int], count: int) -> None:
        with pytest.raises(ValueError, match=f"found {count} exposed of 2 patients"):
            compare_restricted_means([1, 2], [1, 1], exposed, 1)

    def test_what_the_follow_up_does_not_tell_is_undefined(self) -> None:
        with pytest.raises(Undefined, match="survival is unknown"):
            restricted_mean([1, 3], [1, 0], 4)


def test_an_event_at_the_horizon_but_for_rounding_counts() -> None:
    times, events = [0.1, 0.1 + 0.2, 0.5], [1, 1, 0]
    found, exact = (
        restricted_mean(times, events, 0.3),
        restricted_mean([0.1, 0.3, 0.5], events, 0.3),
    )
    assert found == exact
    assert found.events == 2
    assert restricted_mean([0.1, 0.3], [1, 0], 0.1 + 0.2).value == pytest.approx(0.2)
