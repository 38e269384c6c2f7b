from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.survival.competing_risks import (
    CumulativeIncidence,
    cumulative_incidence,
    cumulative_incidence_by_group,
)
from oncotrail.statistics.survival.gray_test import gray_test
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.log_rank import log_rank
from oncotrail.statistics.survival.risk_table import incidence_at, numbers_at_risk
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference

SAID = reference("competing_risks")
MADE = sorted(SAID["made"])
CUMINC = r("competing_risks", "cmprsk::cuminc")
SURVFIT = r("competing_risks", "survival::survfit")

rows = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=40)
grouped = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 2), st.sampled_from("ab")), min_size=2, max_size=40
).filter(lambda found: len({group for _, _, group in found}) == 2)


def nan(values: Any) -> list[float]:
    return [np.nan if value is None else value for value in values]


@pytest.mark.parametrize("case", MADE)
@pytest.mark.parametrize("cause", [1, 2])
def test_incidence_and_variance_are_those_of_cuminc(case: str, cause: int) -> None:
    table, theirs = SAID["made"][case]["table"], SAID["made"][case]["gray"][str(cause)]
    ours = cumulative_incidence(table["times"], table["causes"], cause=cause)
    if theirs is None:
        assert case == "one_cause"
        assert not ours.incidence.any()
        assert np.isnan(ours.low).all()
        return
    agree(cumulative_incidence, CUMINC, ours.incidence, theirs["incidence"])
    agree(cumulative_incidence, CUMINC, ours.standard_error**2, theirs["variance"])
    # The interval is a second derivation, by R, from cuminc's estimate and variance.
    agree(cumulative_incidence, CUMINC, ours.low, nan(theirs["low"]))
    agree(cumulative_incidence, CUMINC, ours.high, nan(theirs["high"]))


@pytest.mark.parametrize("case", MADE)
@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("way", ["jackknife", "weighted"])
def test_the_jackknife_and_weights_are_those_of_survfit(case: str, cause: int, way: str) -> None:
    table, theirs = SAID["made"][case]["table"], SAID["made"][case][way][cause - 1]
    ours = cumulative_incidence(
        table["times"],
        table["causes"],
        cause=cause,
        weights=table["weights"] if way == "weighted" else None,
        variance="jackknife" if way == "jackknife" else None,
    )
    assert ours.variance == "jackknife"
    agree(cumulative_incidence, SURVFIT, ours.times, theirs["time"])
    agree(cumulative_incidence, SURVFIT, ours.incidence, theirs["incidence"])
    # The root of a rounding error, where a figure does not vary.
    agree(cumulative_incidence, SURVFIT, ours.standard_error, theirs["error"], absolute=1e-8)
    spread = ours.standard_error > 1e-9  # without it R's interval has no width; ours is undefined
    if not spread.any():
        assert np.isnan(ours.low).all()
        return
    agree(cumulative_incidence, SURVFIT, ours.low[spread], np.array(nan(theirs["low"]))[spread])
    agree(cumulative_incidence, SURVFIT, ours.high[spread], np.array(nan(theirs["high"]))[spread])


def real(name: str) -> tuple[Any, Any, Any, Any]:
    frame = getattr(tables, name)()
    limit = 60 if name == "gbsg2" else 25
    causes = frame["event"] * (1 + (frame["age"] > limit))
    if name == "gbsg2":
        return frame["time"], causes, frame["grade"], frame["hormones"]
    return frame["time"], causes, frame["prio"].clip(upper=4), frame["fin"]


@pytest.mark.parametrize("name", sorted(SAID["real"]))
def test_incidence_of_real_patients(name: str) -> None:
    times, causes, _, _ = real(name)
    theirs = SAID["real"][name]
    found = incidence_at(cumulative_incidence(times, causes), theirs["times"])
    agree(incidence_at, CUMINC, [one.value for one in found], theirs["incidence"])
    errors = np.array([one.standard_error for one in found])
    agree(incidence_at, CUMINC, errors**2, theirs["variance"])


@pytest.mark.parametrize("case", MADE)
def test_grays_test_is_that_of_cuminc(case: str) -> None:
    table, theirs = SAID["made"][case]["table"], SAID["made"][case]["tests"]
    for place, statistic in enumerate(theirs["statistic"]):
        for strata, found, p in (
            (None, statistic, theirs["p"][place]),
            (table["strata"], theirs["stratified"][place], theirs["stratified_p"][place]),
        ):
            ours = gray_test(
                table["times"], table["causes"], table["groups"], cause=place + 1, strata=strata
            )
            assert ours.degrees_of_freedom == theirs["degrees"][place]
            if found == -1:  # R's word for a variance that cannot be inverted
                assert (ours.statistic, ours.p_value) == (None, None)
                continue
            agree(gray_test, CUMINC, [ours.statistic, ours.p_value], [found, p])


@pytest.mark.parametrize("case", MADE)
def test_counts_of_patients_are_patients_in_grays_test(case: str) -> None:
    table, theirs = SAID["made"][case]["table"], SAID["made"][case]["counted"]
    for place, statistic in enumerate(theirs["statistic"]):
        for strata, found, p in (
            (None, statistic, theirs["p"][place]),
            (table["strata"], theirs["stratified"][place], theirs["stratified_p"][place]),
        ):
            ours = gray_test(
                table["times"],
                table["causes"],
                table["groups"],
                cause=place + 1,
                strata=strata,
                weights=theirs["counts"],
            )
            if found == -1:
                assert (ours.statistic, ours.p_value) == (None, None)
                continue
            agree(gray_test, CUMINC, [ours.statistic, ours.p_value], [found, p])


@given(grouped, st.data())
def test_a_weight_of_two_is_the_row_twice_in_grays_test(
    found: list[tuple[int, int, str]], data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)))
    repeated = [row for row, count in zip(found, counts, strict=True) for _ in range(count)]
    if len({group for _, _, group in repeated}) < 2:
        return
    weighted = gray_test(*zip(*found, strict=True), weights=counts)
    expanded = gray_test(*zip(*repeated, strict=True))
    assert (weighted.statistic is None) == (expanded.statistic is None)
    if weighted.statistic is not None:
        assert weighted.statistic == pytest.approx(expanded.statistic)
    assert weighted.groups[0].n == sum(
        count > 0 for (_, _, group), count in zip(found, counts, strict=True) if group == "a"
    )


@pytest.mark.parametrize("name", sorted(SAID["real"]))
def test_grays_test_of_real_patients(name: str) -> None:
    times, causes, groups, strata = real(name)
    theirs = SAID["real"][name]["tests"]
    for place in (0, 1):
        one = gray_test(times, causes, groups, cause=place + 1)
        agree(
            gray_test,
            CUMINC,
            [one.statistic, one.p_value],
            [theirs[x][place] for x in ("statistic", "p")],
        )
        two = gray_test(times, causes, groups, cause=place + 1, strata=strata)
        agree(gray_test, CUMINC, [two.statistic], [theirs["stratified"][place]])


@given(rows)
def test_one_cause_is_one_minus_kaplan_meier(found: list[tuple[int, int]]) -> None:
    times, causes = (np.array(column) for column in zip(*found, strict=True))
    events = causes > 0
    curve = kaplan_meier(times, events, robust=True)
    ours = cumulative_incidence(times, events * 1, variance="jackknife")
    assert ours.incidence == pytest.approx(1 - curve.survival)
    assert ours.standard_error == pytest.approx(curve.standard_error, abs=1e-7)


@given(rows)
def test_incidences_and_survival_add_up_to_one(found: list[tuple[int, int]]) -> None:
    times, causes = (np.array(column) for column in zip(*found, strict=True))
    one, two = (cumulative_incidence(times, causes, cause=cause) for cause in (1, 2))
    curve = kaplan_meier(times, causes > 0)
    assert one.incidence + two.incidence + curve.survival == pytest.approx(1)
    assert np.array_equal(one.events, two.competing)
    assert one.number_of_events == two.number_of_competing_events == (causes == 1).sum()


def brute_incidence(times: Any, causes: Any, weights: Any, until: float) -> float:
    survival, incidence = 1.0, 0.0
    for time in np.unique(times[times <= until]):
        at_risk = weights[times >= time].sum()
        here = times == time
        incidence += survival * weights[here & (causes == 1)].sum() / at_risk
        survival *= 1 - weights[here & (causes > 0)].sum() / at_risk
    return incidence


def test_the_jackknife_is_the_derivative_by_the_weights() -> None:
    generator = np.random.default_rng(4)
    times, causes = generator.integers(1, 9, 25), generator.integers(0, 3, 25)
    weights = generator.uniform(0.3, 2, 25)
    ours = cumulative_incidence(times, causes, weights=weights)
    for place, time in enumerate(ours.times[:-1]):
        slopes = []
        for row in range(25):
            step = np.zeros(25)
            step[row] = 1e-5
            up, down = (
                brute_incidence(times, causes, w, time) for w in (weights + step, weights - step)
            )
            slopes.append((up - down) / 2e-5)
        expected = np.sqrt(((weights * np.array(slopes)) ** 2).sum())
        agree(
            cumulative_incidence,
            "definition: derivatives by the weights",
            [ours.standard_error[place]],
            [expected],
        )


@given(rows)
def test_a_weight_of_two_is_the_row_twice(found: list[tuple[int, int]]) -> None:
    times, causes = zip(*found, strict=True)
    weighted = cumulative_incidence(times, causes, weights=[2] * len(times))
    twice = cumulative_incidence(times * 2, causes * 2)
    assert weighted.standard_error == pytest.approx(twice.standard_error)
    assert weighted.incidence == pytest.approx(twice.incidence)


@given(rows, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_unit_and_order_do_not_matter(
    found: list[tuple[int, int]], unit: float, random: Any
) -> None:
    times, causes = zip(*found, strict=True)
    one = cumulative_incidence(times, causes)
    times, causes = zip(*random.sample(found, len(found)), strict=True)
    other = cumulative_incidence(np.array(times) * unit, causes)
    assert np.array_equal(one.low, other.low, equal_nan=True)
    assert other.times == pytest.approx(one.times * unit)


@given(grouped)
def test_grays_test_of_two_groups_is_symmetric(found: list[tuple[int, int, str]]) -> None:
    times, causes, groups = zip(*found, strict=True)
    swapped = ["b" if group == "a" else "a" for group in groups]
    one, other = gray_test(times, causes, groups), gray_test(times, causes, swapped)
    assert (one.statistic is None) == (other.statistic is None)
    if one.statistic is not None:
        assert other.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert one.groups[0].events == other.groups[1].events


def test_groups_are_apart() -> None:
    table = SAID["made"]["ordinary"]["table"]
    found = cumulative_incidence_by_group(table["times"], table["causes"], table["groups"])
    for label, ours in found.items():
        kept = np.array(table["groups"]) == label
        times, causes = np.array(table["times"])[kept], np.array(table["causes"])[kept]
        expected = [brute_incidence(times, causes, np.ones(times.size), t) for t in ours.times]
        agree(
            cumulative_incidence_by_group,
            "definition: survival times the share with the event",
            ours.incidence,
            expected,
        )
        assert ours.at([0.0, 1e9]).tolist() == [0.0, ours.incidence[-1]]


def test_one_rule_of_variance_for_all_groups() -> None:
    times, causes, groups = [1, 2, 3, 1, 2, 3], [1, 2, 0, 1, 1, 0], list("aaabbb")
    found = cumulative_incidence_by_group(times, causes, groups, weights=[2, 2, 2, 0.5, 1, 0])
    alone = cumulative_incidence(times[:3], causes[:3], weights=[2, 2, 2], variance="jackknife")
    assert found["a"].standard_error == pytest.approx(alone.standard_error)
    assert (found["a"].variance, found["b"].n) == ("jackknife", 2)


def test_an_incidence_is_read_at_a_time_but_for_rounding() -> None:
    found = cumulative_incidence([0.1, 0.1 + 0.2, 0.5], [2, 1, 0])
    assert found.at([0.3, 0.29]) == pytest.approx([1 / 3, 0])
    assert incidence_at(found, [0.3])[0].value == pytest.approx(1 / 3)
    assert numbers_at_risk(found, [0.3]).events.tolist() == [1]


def test_without_other_causes_grays_test_resembles_the_log_rank_test() -> None:
    """Equal at first order only: the variances differ."""
    generator = np.random.default_rng(5)
    groups = np.arange(4000) % 2
    times = generator.exponential(1 / (1 + 0.1 * groups))
    events = (times < 2) * 1
    gray = gray_test(np.minimum(times, 2), events, groups)
    log = log_rank(np.minimum(times, 2), events, groups)
    assert gray.statistic == pytest.approx(log.statistic, rel=0.02)


class TestTheEndsOfACurve:
    def curve(self, causes: list[int]) -> CumulativeIncidence:
        return cumulative_incidence([1, 2, 3], causes)

    def test_before_the_first_time_it_is_nought(self) -> None:
        found = incidence_at(self.curve([1, 0, 0]), [0.5])[0]
        assert (found.value, found.low, found.standard_error, found.at_risk) == (0, None, 0, 3)

    def test_after_a_last_censoring_it_is_unknown(self) -> None:
        found = incidence_at(self.curve([1, 0, 0]), [3.5])[0]
        assert (found.value, found.low, found.standard_error) == (None, None, None)

    def test_after_a_last_event_it_stays(self) -> None:
        assert incidence_at(self.curve([1, 0, 2]), [3.5])[0].value == pytest.approx(1 / 3)

    def test_everybody_with_the_event_is_certain_but_has_no_interval(self) -> None:
        found = incidence_at(self.curve([1, 1, 1]), [3])[0]
        assert (found.value, found.low, found.high) == (pytest.approx(1), None, None)

    def test_the_table_counts_its_own_events(self) -> None:
        found = numbers_at_risk(self.curve([1, 2, 0]), [2, 3])
        assert (found.events.tolist(), found.at_risk.tolist()) == ([1, 1], [2, 1])


def test_no_event_at_all_cannot_be_tested() -> None:
    found = gray_test([1, 2, 3], [0, 0, 0], ["a", "b", "b"])
    assert (found.statistic, found.p_value, found.events) == (None, None, 0)


class TestRefused:
    def test_a_cause_between_two(self) -> None:
        with pytest.raises(ValueError, match=r"causes: found 1.5 in row 1; expected whole numbers"):
            cumulative_incidence([1, 2], [1, 1.5])

    def test_a_negative_cause(self) -> None:
        with pytest.raises(ValueError, match=r"causes: found -1"):
            cumulative_incidence([1, 2], [1, -1])

    def test_censoring_as_the_cause(self) -> None:
        with pytest.raises(ValueError, match="found cause 0; expected 1 or more"):
            cumulative_incidence([1, 2], [1, 0], cause=0)

    def test_a_cause_beyond_every_code(self) -> None:
        with pytest.raises(
            ValueError, match=r"found cause 7, which nobody had; expected .* 1 to 3"
        ):
            cumulative_incidence([1, 2], [1, 3], cause=7)

    def test_a_group_may_lack_a_cause_that_others_had(self) -> None:
        found = cumulative_incidence_by_group([1, 2], [1, 3], ["a", "b"], cause=3)
        assert found["a"].number_of_events == 0
        assert found["a"].incidence.tolist() == [0]

    def test_an_unknown_variance(self) -> None:
        with pytest.raises(ValueError, match="variance: found 'delta', expected one of gray"):
            cumulative_incidence([1, 2], [1, 0], variance="delta")  # type: ignore[arg-type]

    def test_weights_that_count_nobody(self) -> None:
        with pytest.raises(ValueError, match=r"weights: found 0.5 in row 1; expected whole"):
            gray_test([1, 2], [1, 0], ["a", "b"], weights=[1, 0.5])

    def test_one_group(self) -> None:
        with pytest.raises(ValueError, match="found one group, 'a'"):
            gray_test([1, 2], [1, 0], ["a", "a"])
