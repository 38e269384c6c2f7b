from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.case_weights import square_weights
from oncotrail.statistics.decision.benefit import (
    Benefit,
    DecisionPoint,
    checked_thresholds,
    named_risks,
)
from oncotrail.statistics.decision.net_benefit import (
    decision_curves,
    net_benefit,
    net_benefit_difference,
)
from oncotrail.statistics.decision.study import Study, scaled
from oncotrail.statistics.influence import Influenced, Influences, by_cluster
from oncotrail.statistics.uncertainty.resampling import drawn_rows, resample
from tests.reference.tables import breast
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

CASES = (
    *("breast", "breast_at_another_prevalence", "tiny", "rare", "rare_at_another_prevalence"),
    *("images", "images_at_another_prevalence"),
)
DCURVES = r("decision_python", "dcurves::dca")
ORACLE = r("decision", "definition: two-by-two tables, and numerical influence, R")


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("decision")["binary"]) == set(CASES)


@cache
def breast_risks() -> dict[str, Any]:
    """The risks that decision.R has, formulas of two columns."""
    frame = breast()
    return {
        "labels": frame["malignant"].to_numpy(),
        "first": expit((frame["mean_radius"].to_numpy() - 14) / 1.5),
        "second": expit((frame["mean_texture"].to_numpy() - 19) / 3),
    }


def numbers(point: DecisionPoint) -> list[Any]:
    found: list[Any] = []
    for one in (point.net_benefit, point.standardised, point.interventions_avoided):
        assert one is not None
        found += [one.value, one.low, one.high, one.standard_error]
    return found


def limits_of(threshold: float, prevalence: float | None) -> dict[str, tuple[float, float]]:
    """Between which values each figure lies, whatever the model; R's script does not cut there."""
    odds = threshold / (1 - threshold)
    if prevalence is None:
        return {"net": (-odds, 1), "standardised": (-np.inf, 1), "avoided": (-1 / odds, 1)}
    needless = odds * (1 - prevalence)
    return {
        "net": (-needless, prevalence),
        "standardised": (-needless / prevalence, 1),
        "avoided": (-prevalence / odds, 1 - prevalence),
    }


def cut(said: dict[str, Any], limits: dict[str, tuple[float, float]]) -> Any:
    found = []
    for name, between in limits.items():
        value, low, high, error = np.array(said[name], dtype=float)
        found += [value, *np.clip([low, high], *between), error]
    return np.array(found)


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    @pytest.fixture
    def said(self, case: str) -> dict[str, Any]:
        return reference("decision")["binary"][case]

    @pytest.fixture
    def table(self, said: dict[str, Any]) -> dict[str, Any]:
        return said.get("table") or breast_risks()

    def test_curves(self, said: dict[str, Any], table: dict[str, Any]) -> None:
        risks = {name: table[name] for name in ("first", "second")}
        thresholds = [one["threshold"] for one in said["answer"]]
        found = decision_curves(
            table["labels"],
            risks,
            thresholds,
            prevalence=said.get("prevalence"),
            clusters=table.get("clusters"),
        )
        for name, curve in (*found.models.items(), ("all", found.treat_all)):
            for point, theirs in zip(curve, said["answer"], strict=True):
                limits = limits_of(theirs["threshold"], said.get("prevalence"))
                expected = cut(theirs["points"][name], limits)
                agree(decision_curves, ORACLE, numbers(point), expected)
                agree(Study.curves, ORACLE, numbers(point), expected)

    def test_one_point(self, said: dict[str, Any], table: dict[str, Any]) -> None:
        theirs = said["answer"][0]
        point = net_benefit(
            table["labels"],
            table["second"],
            theirs["threshold"],
            prevalence=said.get("prevalence"),
            clusters=table.get("clusters"),
        )
        limits = limits_of(theirs["threshold"], said.get("prevalence"))
        expected = cut(theirs["points"]["second"], limits)
        agree(net_benefit, ORACLE, numbers(point), expected)

    def test_difference(self, said: dict[str, Any], table: dict[str, Any]) -> None:
        thresholds = [one["threshold"] for one in said["answer"]]
        found = net_benefit_difference(
            table["labels"],
            table["first"],
            table["second"],
            thresholds,
            prevalence=said.get("prevalence"),
            clusters=table.get("clusters"),
        )
        for point, theirs in zip(found, said["answer"], strict=True):
            one = point.difference
            ours = (one.value, one.low, one.high, one.standard_error, one.p_value)
            expected = np.array(theirs["difference"], dtype=float)
            agree(net_benefit_difference, ORACLE, ours, expected)
            agree(Study.differences, ORACLE, ours, expected)
            assert (one.n, one.events) == (len(table["labels"]), sum(table["labels"]))


@pytest.mark.parametrize("case", ["breast", "breast_at_another_prevalence", "rare"])
def test_several_models_as_dcurves_has_them(case: str) -> None:
    said = reference("decision_python")["binary"][case]
    table = reference("decision")["binary"]["rare"]["table"] if case == "rare" else breast_risks()
    risks = {name: np.maximum(table[name], 1e-4) for name in ("first", "second")}
    prevalence = said["prevalence"] if "another" in case else None
    found = decision_curves(table["labels"], risks, said["thresholds"], prevalence=prevalence)
    curves = {**found.models, "all": found.treat_all, "none": found.treat_none}
    agree(decision_curves, DCURVES, found.prevalence, said["prevalence"])
    for name, points in curves.items():
        # Of those treated dcurves tells the share in the sample, whatever the prevalence.
        columns = 2 if prevalence else 3
        ours, theirs = (side[:, :columns] for side in beside_dcurves(points, said[name]))
        agree(decision_curves, DCURVES, ours, theirs)


def beside_dcurves(points: Any, said: dict[str, Any]) -> tuple[Any, Any]:
    ours = [
        [
            point.net_benefit.value,
            point.interventions_avoided and point.interventions_avoided.value,
            point.treated,
        ]
        for point in points
    ]
    names = ("net_benefit", "net_intervention_avoided", "test_pos_rate")
    theirs = np.array([said[name] for name in names], dtype=float).T
    return np.array(ours, dtype=float), theirs


def as_risks(marker: Marker) -> tuple[np.ndarray, np.ndarray]:
    return marker[0], expit(marker[1])


@given(markers(), st.sampled_from([0.0, 0.1, 0.5, 0.8]))
def test_net_benefit_is_what_its_definition_says(marker: Marker, threshold: float) -> None:
    labels, risks = as_risks(marker)
    treated = risks >= threshold
    odds = threshold / (1 - threshold)
    expected = (treated & (labels == 1)).mean() - odds * (treated & (labels == 0)).mean()
    point = net_benefit(labels, risks, threshold)
    agree(net_benefit, "definition: patients counted", point.net_benefit.value, expected)
    assert point.treated == pytest.approx(treated.mean())
    if threshold:
        needless = labels.mean() - odds * (1 - labels.mean())
        expected = (expected - needless) / odds
        assert point.interventions_avoided.value == pytest.approx(expected, abs=1e-12)
    else:
        assert point.interventions_avoided is None


@given(markers(), st.lists(st.integers(1, 3), min_size=30, max_size=30))
def test_a_weight_of_two_is_the_row_twice(marker: Marker, counts: list[int]) -> None:
    labels, risks = as_risks(marker)
    weights = np.array(counts[: labels.size])
    second = risks[::-1]
    weighted = net_benefit(labels, risks, 0.4, weights=weights)
    twice = [np.repeat(values, weights) for values in (labels, risks, second)]
    repeated = net_benefit(*twice[:2], 0.4)
    assert np.array(numbers(weighted), dtype=float) == pytest.approx(
        np.array(numbers(repeated), dtype=float), nan_ok=True
    )
    ours = net_benefit_difference(labels, risks, second, 0.4, weights=weights)[0]
    theirs = net_benefit_difference(*twice, 0.4)[0]
    assert ours.difference.value == pytest.approx(theirs.difference.value)
    assert ours.difference.standard_error == pytest.approx(theirs.difference.standard_error)


@given(markers(), st.permutations(range(30)))
def test_the_order_of_patients_does_not_matter(marker: Marker, order: list[int]) -> None:
    labels, risks = as_risks(marker)
    mixed = [place for place in order if place < labels.size]
    before, after = (
        net_benefit(labels[index], risks[index], 0.3) for index in (slice(None), mixed)
    )
    assert np.array(numbers(after), dtype=float) == pytest.approx(
        np.array(numbers(before), dtype=float), nan_ok=True
    )


@given(markers())
def test_the_samples_own_prevalence_changes_no_value(marker: Marker) -> None:
    labels, risks = as_risks(marker)
    own = net_benefit(labels, risks, 0.3)
    given_it = net_benefit(labels, risks, 0.3, prevalence=float(labels.mean()))
    for one, other in zip(numbers(own)[::4], numbers(given_it)[::4], strict=True):
        assert one == pytest.approx(other, abs=1e-12)


def broken_weights(figure: Callable[[np.ndarray], float], weights: np.ndarray) -> float:
    """The sandwich variance from numerical derivatives."""
    total = 0.0
    for row in range(weights.size):
        step = np.zeros(weights.size)
        step[row] = 1e-4
        slope = (figure(weights + step) - figure(weights - step)) / 2e-4
        total += (weights[row] * slope) ** 2
    return float(np.sqrt(total))


def test_broken_weights_have_the_sandwich_variance() -> None:
    labels, risks = np.array([1, 0, 1, 0, 0, 1]), np.array([0.9, 0.8, 0.3, 0.2, 0.6, 0.7])
    weights = np.array([0.5, 1.5, 2.0, 0.7, 1.1, 0.3])
    point = net_benefit(labels, risks, 0.5, weights=weights)
    treated = risks >= 0.5

    def value(w: np.ndarray) -> float:
        return float((w @ (treated & (labels == 1)) - w @ (treated & (labels == 0))) / w.sum())

    def standardised(w: np.ndarray) -> float:
        return value(w) / float(w @ labels / w.sum())

    ours = (point.net_benefit.standard_error, point.standardised.standard_error)
    theirs = (broken_weights(value, weights), broken_weights(standardised, weights))
    agree(net_benefit, "second derivation: numerical sandwich", ours, theirs)


@given(markers(), st.sampled_from([0.0, 0.1, 0.5, 0.8]), st.sampled_from([None, 0.02, 0.6]))
def test_no_end_lies_where_no_figure_can(marker: Marker, threshold: float, m: float | None) -> None:
    labels, risks = as_risks(marker)
    found = decision_curves(labels, {"model": risks}, [threshold], prevalence=m)
    odds = threshold / (1 - threshold)
    for point in (found.models["model"][0], found.treat_all[0]):
        if point.net_benefit.low is not None:
            assert -odds <= point.net_benefit.low
            assert point.net_benefit.high <= (m or 1)
        if point.standardised.low is not None:
            assert point.standardised.high <= 1
    far = net_benefit_difference(labels, risks, risks[::-1], threshold, prevalence=m)[0].difference
    if far.low is not None:
        most = max(1, odds) if m is None else m + odds * (1 - m)
        assert -most <= far.low <= far.high <= most


def test_fractions_have_no_scale() -> None:
    labels, risks = np.array([1, 0, 1, 0, 0, 1]), np.array([0.9, 0.8, 0.3, 0.2, 0.6, 0.7])
    weights = np.array([0.5, 1.5, 2.0, 0.7, 1.1, 0.3])
    one, other = (net_benefit(labels, risks, 0.4, weights=w) for w in (weights, 1.7 * weights))
    assert numbers(other) == pytest.approx(numbers(one))


def test_one_cluster_shows_no_spread() -> None:
    """Nor does one of whose rows only the weight is above 0."""
    table = ([1, 0, 1], [0.9, 0.8, 0.3], 0.4)
    for options in (
        {"clusters": [1, 1, 1]},
        {"clusters": [1, 1, 2], "weights": [1, 1, 0]},
    ):
        with pytest.raises(Undefined, match="clusters: found the same in every row"):
            net_benefit(*table, **options)


def test_clusters_of_one_row_change_nothing() -> None:
    table = reference("decision")["binary"]["tiny"]["table"]
    alone, named = (
        net_benefit(table["labels"], table["first"], 0.3, clusters=clusters)
        for clusters in (None, ["e", "a", "d", "b", "c"])
    )
    assert numbers(named) == pytest.approx(numbers(alone))


def test_an_image_twice_is_no_more_than_once() -> None:
    """The same images again tell nothing new, so the error is that of the patients."""
    table = reference("decision")["binary"]["images"]["table"]
    once = decision_curves(
        table["labels"], {"m": table["first"]}, [0.2, 0.4], clusters=table["clusters"]
    )
    labels, risks, whose = (np.repeat(table[name], 3) for name in ("labels", "first", "clusters"))
    thrice = decision_curves(labels, {"m": risks}, [0.2, 0.4], clusters=whose)
    for one, other in zip(once.models["m"], thrice.models["m"], strict=True):
        assert numbers(other) == pytest.approx(numbers(one))


def test_the_error_of_clusters_is_that_of_the_bootstrap_of_patients() -> None:
    table = {k: np.array(v) for k, v in reference("decision")["binary"]["images"]["table"].items()}
    drawn = resample(table["clusters"], generator=np.random.default_rng(5), number=2000)
    labels, treated = table["labels"], table["first"] >= 0.4
    worth = treated * np.where(labels, 1, -2 / 3)
    again = [worth[rows].mean() for rows in drawn_rows(drawn)]
    ours = net_benefit(labels, table["first"], 0.4, clusters=table["clusters"]).net_benefit
    assert ours.standard_error == pytest.approx(np.std(again), rel=0.06)


@given(markers(), st.floats(0.01, 0.99))
def test_the_prevalence_moves_treating_everybody_only_by_itself(marker: Marker, m: float) -> None:
    labels, risks = as_risks(marker)
    found = decision_curves(labels, {"model": risks}, [0.3], prevalence=m)
    everybody = found.treat_all[0]
    assert everybody.net_benefit.value == pytest.approx(m - 3 / 7 * (1 - m))
    assert everybody.net_benefit.standard_error is None
    model = found.models["model"][0]
    assert model.net_benefit.value <= m + 1e-12
    assert model.standardised.value == pytest.approx(model.net_benefit.value / m)


def test_a_perfect_model_reaches_the_prevalence() -> None:
    point = net_benefit([0, 1, 1, 0, 0], [0.0, 1.0, 1.0, 0.0, 0.0], 0.3)
    assert (point.net_benefit.value, point.standardised.value) == (0.4, 1)
    assert point.standardised.low is None
    assert point.interventions_avoided.value == pytest.approx(0.6)


def test_treating_nobody_is_worth_exactly_nothing() -> None:
    found = decision_curves([0, 1, 1], {"model": [0.1, 0.2, 0.3]}, [0.0, 0.25])
    assert [point.net_benefit.value for point in found.treat_none] == [0, 0]
    assert found.treat_none[0].treated == 0
    assert found.treat_all[1].treated == 1
    assert found.treat_all[1].interventions_avoided == Benefit(0.0, None, None, None)
    assert (found.n, found.events, found.prevalence) == (3, 2, pytest.approx(2 / 3))


def test_everybody_has_the_event() -> None:
    found = decision_curves([1, 1], {"model": [0.1, 0.4]}, [0.2])
    assert (found.prevalence, found.treat_all[0].net_benefit.value) == (1, 1)
    assert found.models["model"][0].standardised.value == 0.5


def test_rows_without_weight_are_not_there() -> None:
    every = ([0, 1, 1, 0], [0.3, 0.4, 0.1, 0.9])
    weighted = net_benefit(*every, 0.2, weights=[1, 1, 1, 0], clusters=[1, 2, 2, 3])
    alone = net_benefit(every[0][:3], every[1][:3], 0.2, clusters=[1, 2, 2])
    assert weighted == alone


def test_nobody_has_the_event() -> None:
    found = decision_curves([0, 0], {"model": [0.1, 0.4]}, [0.2])
    point = found.models["model"][0]
    assert point.net_benefit.value == pytest.approx(-0.125)
    assert point.standardised is None


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Risk is the score; at 0.4 the true net benefit is known by integration."""
    random = np.random.default_rng(8)
    truth = (1 - 0.4**2) / 2 - (2 / 3) * (0.6 - (1 - 0.4**2) / 2)
    held = 0
    for _ in range(2000):
        risk = random.random(150)
        found = net_benefit(random.random(150) < risk, risk, 0.4).net_benefit
        held += found.low <= truth <= found.high
    assert 0.935 < held / 2000 < 0.965


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": [0.1, 1.0]}, "found 1.0 in row 1; expected risks from 0 to below 1"),
        ({"thresholds": [-0.1]}, "thresholds: found -0.1 in row 0"),
        ({"models": {"a": [0.5, 1.5, 0.2]}}, "risks of a: found 1.5 in row 1"),
        ({"models": {"a": [0.5, np.nan, 0.2]}}, "risks of a: found nan in row 1"),
        ({"models": {}}, "found no models"),
        ({"labels": [0, 2, 1]}, "labels: found 2 in row 1"),
        ({"prevalence": 1.2}, "found prevalence 1.2"),
        ({"labels": [1, 1, 1], "prevalence": 0.2}, "needs patients of both outcomes"),
        ({"weights": [1, -1, 1]}, "weights: found -1.0 in row 1"),
        ({"confidence": 95}, "found confidence 95"),
        ({"clusters": [1, 2]}, r"found clusters of shape \(2,\)"),
    ],
)
def test_bad_requests_are_refused(options: dict[str, Any], message: str) -> None:
    arguments = {
        "labels": [0, 1, 1],
        "models": {"a": [0.1, 0.2, 0.3]},
        "thresholds": [0.1],
        **options,
    }
    with pytest.raises(ValueError, match=message):
        decision_curves(**arguments)


def test_the_parts() -> None:
    agree(checked_thresholds, "definition: the thresholds", checked_thresholds(0.2), [0.2])
    risks = named_risks({"a": [0.1]}, 1)
    agree(named_risks, "definition: the risks", risks["a"], [0.1])
    weights, kept = np.array([0.5, 2]), np.array([True, False, True])
    agree(square_weights, "definition: the squares", square_weights(weights), [0.25, 4])
    figure = Influences.of(weights, ["b", "a", "a"], kept).on(0.3, np.array([1.0, -0.5]))
    sums = by_cluster(figure.influence, figure.clusters)
    agree(by_cluster, "definition: sums by cluster", sums, [-1, 0.5])
    agree(Influences.on, "definition: weight times influence", figure.influence, [0.5, -1])
    assert figure.clusters.tolist() == [1, 0]
    twice = scaled(Influenced(0.5, np.array([0.3, -0.4])), 2, 1)
    agree(scaled, "definition: a linear function", [twice.value, twice.error], [2, 1])
