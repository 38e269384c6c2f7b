from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from oncotrail.statistics.decision.benefit import BenefitDifference, DecisionPoint
from oncotrail.statistics.decision.net_benefit import decision_curves, net_benefit_difference
from oncotrail.statistics.decision.survival_net_benefit import (
    survival_decision_curves,
    survival_net_benefit_difference,
)
from oncotrail.statistics.survival.competing_risks import cumulative_incidence
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from tests.reference.tables import gbsg2, lung
from tests.statistics.oracles import agree, r, reference

CASES = ("lung", "gbsg2", "ties", "competing", "nought", "nought_competing")
DCURVES = r("decision_python", "dcurves::dca")
ORACLE = r("decision", "survival::survfit")
patients = arrays(
    np.int64,
    st.tuples(st.integers(3, 12), st.just(3)),
    elements=st.integers(0, 8),
)


@cache
def table_of(case: str) -> dict[str, Any]:
    """The risks that decision.R has."""
    if case == "lung":
        frame = lung()
        age = frame["age"].to_numpy(dtype=float)
        first, second = expit((age - 60) / 15), expit((60 - age) / 8)
        return {"times": frame["time"], "events": frame["status"], "first": first, "second": second}
    if case == "gbsg2":
        frame = gbsg2()
        first, second = expit(frame["nodes"] / 8 - 1.5), expit(frame["size"] / 40 - 1.5)
        return {"times": frame["time"], "events": frame["event"], "first": first, "second": second}
    return reference("decision")["survival"][case]["table"]


def numbers(point: DecisionPoint) -> list[Any]:
    found: list[Any] = []
    for one in (point.net_benefit, point.standardised, point.interventions_avoided):
        assert one is not None
        found += [one.value, one.low, one.high, one.standard_error]
    return found


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("decision")["survival"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    def test_curves(self, case: str) -> None:
        said, table = reference("decision")["survival"][case], table_of(case)
        thresholds = [one["threshold"] for one in said["thresholds"]]
        found = survival_decision_curves(
            table["times"],
            table["events"],
            {"first": table["first"], "second": table["second"]},
            thresholds,
            horizon=said["horizon"],
            clusters=table.get("clusters"),
        )
        agree(survival_decision_curves, ORACLE, found.prevalence, said["prevalence"])
        for name, curve in (*found.models.items(), ("all", found.treat_all)):
            for point, theirs in zip(curve, said["thresholds"], strict=True):
                expected = theirs["points"][name]
                expected = [*expected["net"], *expected["standardised"], *expected["avoided"]]
                expected = np.array(expected, dtype=float)
                agree(survival_decision_curves, ORACLE, numbers(point), expected)

    def test_difference(self, case: str) -> None:
        said, table = reference("decision")["survival"][case], table_of(case)
        found = survival_net_benefit_difference(
            table["times"],
            table["events"],
            table["first"],
            table["second"],
            [one["threshold"] for one in said["thresholds"]],
            horizon=said["horizon"],
            clusters=table.get("clusters"),
        )
        for point, theirs in zip(found, said["thresholds"], strict=True):
            one = point.difference
            assert one is not None
            ours = (one.value, one.low, one.high, one.standard_error, one.p_value)
            expected = np.array(theirs["difference"], dtype=float)
            agree(survival_net_benefit_difference, ORACLE, ours, expected)


@pytest.mark.parametrize("case", ["lung", "gbsg2", "ties"])
def test_several_models_as_dcurves_has_them(case: str) -> None:
    said, table = reference("decision_python")["survival"][case], table_of(case)
    risks = {name: table[name] for name in ("first", "second")}
    found = survival_decision_curves(
        table["times"], table["events"], risks, said["thresholds"], horizon=said["horizon"]
    )
    agree(survival_decision_curves, DCURVES, found.prevalence, said["prevalence"])
    curves = {**found.models, "all": found.treat_all, "none": found.treat_none}
    for name, points in curves.items():
        ours = [
            [figure and figure.value for figure in (one.net_benefit, one.interventions_avoided)]
            for one in points
        ]
        theirs = [said[name][column] for column in ("net_benefit", "net_intervention_avoided")]
        expected = np.array(theirs, dtype=float).T
        agree(survival_decision_curves, DCURVES, np.array(ours, dtype=float), expected)


@given(patients)
def test_without_censoring_it_is_the_curve_of_a_yes_or_no(drawn: np.ndarray) -> None:
    times, risks = drawn[:, 0] + 1, drawn[:, 1] / 10
    horizon, other = 4, drawn[:, 2] / 10
    labels, events = times <= horizon, np.ones(len(times))
    ours = survival_decision_curves(times, events, {"a": risks}, [0.2, 0.5], horizon=horizon)
    theirs = decision_curves(labels, {"a": risks}, [0.2, 0.5])
    assert ours.events == theirs.events
    for one, two in zip(ours.models["a"], theirs.models["a"], strict=True):
        if two.standardised is None:
            assert one.standardised is None
            continue
        oracle = "decision.net_benefit.decision_curves, nobody censored"
        found = np.array(numbers(one), dtype=float)
        agree(survival_decision_curves, oracle, found, np.array(numbers(two), dtype=float))
    apart = survival_net_benefit_difference(times, events, risks, other, 0.3, horizon=horizon)
    apart, told = (
        apart[0].difference,
        net_benefit_difference(labels, risks, other, 0.3)[0].difference,
    )
    assert apart is not None
    agree(
        survival_net_benefit_difference,
        "decision.net_benefit.net_benefit_difference, nobody censored",
        np.array((apart.value, apart.standard_error), dtype=float),
        np.array((told.value, told.standard_error), dtype=float),
    )


@given(patients)
def test_the_risk_is_that_of_the_survival_room(drawn: np.ndarray) -> None:
    """Also with broken weights, and with a second event that comes first."""
    times, events = np.append(drawn[:, 0] + 1, 20), np.append(drawn[:, 1] % 3, 0)
    weights = np.append(drawn[:, 2] / 4 + 0.25, 1.5)
    for codes, weight in (
        (events == 1, np.ones(times.size)),
        (events == 1, weights),
        (events, weights),
    ):
        found = survival_decision_curves(
            times, codes, {"all": np.ones(times.size)}, [0.0], horizon=6, weights=weight
        )
        if codes.dtype == bool:
            curve = kaplan_meier(times, codes, weights=weight, robust=True)
            value = 1 - curve.at(6)
        else:
            curve = cumulative_incidence(times, codes, weights=weight, variance="jackknife")
            value = curve.at(6)
        error = np.append(0.0, curve.standard_error)[np.searchsorted(curve.times, 6, side="right")]
        point = found.models["all"][0].net_benefit
        ours = (point.value, point.standard_error or 0.0)
        agree(survival_decision_curves, "statistics.survival, jackknife", ours, (value, error))


@given(patients, st.permutations(range(13)))
def test_the_order_of_patients_does_not_matter(drawn: np.ndarray, order: list[int]) -> None:
    drawn = np.vstack([drawn, [20, 0, 9]])
    mixed = [place for place in order if place < len(drawn)]
    before, after = (
        survival_decision_curves(
            rows[:, 0] + 1, rows[:, 1] % 3, {"a": rows[:, 2] / 10}, [0.3], horizon=5
        ).models["a"][0]
        for rows in (drawn, drawn[mixed])
    )
    assert after.treated == before.treated
    assert (after.net_benefit is None) == (before.net_benefit is None)
    if before.net_benefit is not None:
        assert after.net_benefit.value == pytest.approx(before.net_benefit.value, abs=1e-12)


@given(patients)
def test_a_weight_of_two_is_the_row_twice(drawn: np.ndarray) -> None:
    drawn = np.vstack([drawn, [20, 0, 9]])
    weights = drawn[:, 1] % 3 + 1
    rows = np.repeat(drawn, weights, axis=0)
    one = survival_decision_curves(
        drawn[:, 0] + 1,
        drawn[:, 1] % 2,
        {"a": drawn[:, 2] / 10},
        [0.3],
        horizon=5,
        weights=weights,
    ).models["a"][0]
    two = survival_decision_curves(
        rows[:, 0] + 1, rows[:, 1] % 2, {"a": rows[:, 2] / 10}, [0.3], horizon=5
    ).models["a"][0]
    assert (one.net_benefit is None) == (two.net_benefit is None)
    if one.net_benefit is not None:
        assert one.net_benefit.value == pytest.approx(two.net_benefit.value, abs=1e-12)
        assert one.net_benefit.standard_error == pytest.approx(two.net_benefit.standard_error)


def test_a_group_that_nobody_followed_to_the_horizon_is_unknown() -> None:
    times, events = [1, 2, 3, 8], [1, 0, 0, 0]
    risks = [0.9, 0.8, 0.1, 0.1]
    point = survival_decision_curves(times, events, {"a": risks}, [0.5], horizon=5).models["a"][0]
    assert (point.treated, point.net_benefit, point.standardised) == (0.5, None, None)
    apart = survival_net_benefit_difference(times, events, risks, [0.0] * 4, 0.5, horizon=5)
    assert apart == (BenefitDifference(0.5, None),)
    settled = survival_decision_curves(times, [1, 1, 0, 0], {"a": risks}, [0.5], horizon=5)
    assert settled.models["a"][0].net_benefit.value == 0.5


def test_nothing_happens_before_the_first_time() -> None:
    found = survival_decision_curves([2, 3], [1, 0], {"a": [0.9, 0.1]}, [0.0, 0.5], horizon=1)
    assert found.prevalence == 0
    assert found.models["a"][1].net_benefit.value == -0.5
    assert found.models["a"][1].standardised is None
    assert found.treat_none[1].net_benefit.value == 0
    assert found.models["a"][0].interventions_avoided is None


def test_patients_without_weight_are_not_there() -> None:
    found = survival_decision_curves(
        [1, 2, 3], [1, 1, 0], {"a": [0.9, 0.9, 0.9]}, [0.5], horizon=3, weights=[0, 1, 1]
    )
    assert found.prevalence == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 9}, "found follow-up that ends at 3; expected it to reach the horizon, 9"),
        ({"horizon": 0}, "found horizon 0"),
        ({"horizon": float("nan")}, "found horizon nan"),
        ({"causes": [0, 0.5, 1]}, r"causes: found 0.5 in row 1; expected whole numbers: 0 for"),
        ({"causes": [0, -1, 1]}, "causes: found -1.0 in row 1"),
        ({"times": [-1, 1, 2]}, "times: found -1.0 in row 0"),
        ({"clusters": [1, 2]}, r"found clusters of shape \(2,\)"),
        ({"models": {"a": [0.1, 0.2]}}, "risks of a of shape"),
    ],
)
def test_bad_requests_are_refused(options: dict[str, Any], message: str) -> None:
    arguments = {
        "times": [1, 2, 3],
        "causes": [1, 0, 0],
        "models": {"a": [0.1, 0.2, 0.3]},
        "thresholds": [0.1],
        "horizon": 2,
        **options,
    }
    with pytest.raises(ValueError, match=message):
        survival_decision_curves(**arguments)


def test_an_event_at_the_horizon_but_for_rounding_counts() -> None:
    events, risks = [1, 1, 0, 0], [0.9, 0.8, 0.3, 0.1]
    found, exact = (
        survival_decision_curves([0.1, time, 0.5, time], events, {"a": risks}, [0.5], horizon=0.3)
        for time in (0.1 + 0.2, 0.3)
    )
    assert found == exact
    assert (found.events, found.prevalence) == (2, 0.5)
    one, two = (
        survival_net_benefit_difference(
            [0.1, time, 0.2, time], [1, 1, 0, 0], risks, risks[::-1], 0.5, horizon=0.3
        )
        for time in (0.1 + 0.2, 0.3)
    )
    assert one == two


def test_a_figure_lies_in_its_own_interval_also_where_it_lies_beyond_its_range() -> None:
    found = survival_decision_curves(
        [1, 3, 3, 2], [0, 1, 0, 1], {"m": [0.6, 0.3, 0, 0.1]}, [0.1], horizon=3
    )
    standardised = found.models["m"][0].standardised
    assert standardised is not None
    assert standardised.value > 1
    assert standardised.low <= standardised.value <= standardised.high
