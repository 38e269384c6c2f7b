from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from oncotrail.statistics.classification.confusion import confusion
from oncotrail.statistics.classification.figures import classify
from oncotrail.statistics.classification.rules import (
    threshold_at_sensitivity,
    threshold_at_specificity,
    threshold_of_least_cost,
    youden_threshold,
)
from oncotrail.statistics.classification.thresholds import (
    Threshold,
    apply_threshold,
    choose_cost,
    choose_sensitivity,
    choose_specificity,
    choose_youden,
)
from oncotrail.statistics.discrimination.roc import roc_curve
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

COORDS = r("classification", "pROC::coords")
shares = st.integers(1, 20).map(lambda part: part / 20)


def youden(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    found = classify(labels, scores, threshold)
    return found.sensitivity.value + found.specificity.value - 1


def as_in_r(scores: list[float], value: float) -> float | None:
    """Everybody and nobody positive are -Inf and Inf for pROC: null in JSON."""
    return None if value <= min(scores) or value > max(scores) else value


def said() -> dict[str, Any]:
    return reference("classification")["thresholds"]


def test_youden_threshold_is_one_of_procs() -> None:
    for answer in reference("discrimination")["discrimination"].values():
        labels, scores = answer["table"]["labels"], answer["table"]["first"]
        theirs = answer["best_thresholds"]
        finite = [t for t in (theirs if isinstance(theirs, list) else [theirs]) if t is not None]
        ours = youden_threshold(labels, scores)
        chosen = choose_youden(labels, scores, role="validation")
        assert chosen.value == ours
        nearest = min(finite, key=lambda t: abs(t - ours), default=None)
        found = as_in_r(scores, ours)
        oracle = r("discrimination", "pROC::coords")
        agree(youden_threshold, oracle, found, None if found is None else nearest)
        agree(choose_youden, oracle, found, None if found is None else nearest)
        best = max([0, *(youden(labels, scores, t) for t in finite)])
        agree(youden_threshold, oracle, youden(labels, scores, ours), best)


def test_fixed_sensitivity_and_specificity_are_procs() -> None:
    for case in said().values():
        labels, scores = case["marker"]["labels"], case["marker"]["scores"]
        for fixed in case["fixed"]:
            for choose, rule, name in (
                (choose_sensitivity, threshold_at_sensitivity, "sensitivity"),
                (choose_specificity, threshold_at_specificity, "specificity"),
            ):
                ours = choose(labels, scores, fixed["target"], role="validation").value
                agree(choose, COORDS, as_in_r(scores, ours), fixed[name])
                found = as_in_r(scores, rule(labels, scores, fixed["target"]))
                agree(rule, COORDS, found, fixed[name])


def test_the_least_cost_is_procs() -> None:
    for case in said().values():
        labels, scores = case["marker"]["labels"], case["marker"]["scores"]
        for each in case["cost"]:
            ratio, prevalence = each["ratio"], each["prevalence"]
            ours = choose_cost(labels, scores, ratio, role="validation", prevalence=prevalence)
            found = classify(labels, scores, ours.value)
            cost = ratio * prevalence * (1 - found.sensitivity.value)
            cost += (1 - prevalence) * (1 - found.specificity.value)
            agree(choose_cost, COORDS, cost, each["cost"])
            assert ours.value == threshold_of_least_cost(labels, scores, ratio, prevalence)
            # Where several are equally good, rounding decides which of them pROC sees.
            lowest = each["threshold"] is None or ours.value <= each["threshold"] + 1e-9
            assert lowest or as_in_r(scores, ours.value) is None


def test_the_default_prevalence_is_that_of_the_patients() -> None:
    labels, scores = [0, 0, 1, 0, 1], [1, 3, 5, 6, 9]
    ours = choose_cost(labels, scores, 2, role="validation")
    assert ours == choose_cost(labels, scores, 2, role="validation", prevalence=0.4)
    assert ours.rule == "missed event as 2 false alarms, prevalence 0.4"


@given(markers())
def test_equal_costs_at_even_prevalence_are_youdens(marker: Marker) -> None:
    ours = choose_cost(*marker, 1, role="validation", prevalence=0.5)
    assert ours.value == youden_threshold(*marker)


@given(markers())
def test_no_threshold_has_a_higher_youden_index(marker: Marker) -> None:
    labels, scores = marker
    curve = roc_curve(labels, scores)
    best = (curve.true_positive_rate - curve.false_positive_rate).max()
    assert youden(labels, scores, youden_threshold(labels, scores)) == pytest.approx(best)


@given(markers())
def test_of_equally_good_thresholds_the_lowest(marker: Marker) -> None:
    labels, scores = marker
    chosen = youden_threshold(labels, scores)
    best = youden(labels, scores, chosen)
    lower = [value for value in np.unique(scores) if value < chosen]
    # A value below `chosen` calls more patients positive; all of them are worse.
    assert all(youden(labels, scores, value) < best - 1e-12 for value in lower)


@given(markers(), shares)
def test_a_fixed_sensitivity_is_kept_at_the_best_specificity(marker: Marker, target: float) -> None:
    labels, scores = marker
    chosen = classify(*marker, choose_sensitivity(*marker, target, role="a").value)
    assert chosen.sensitivity.value >= target
    every = [classify(labels, scores, value) for value in np.unique(scores)]
    kept = [each.specificity.value for each in every if each.sensitivity.value >= target]
    assert chosen.specificity.value == max(kept)


@given(markers(), shares)
def test_a_fixed_specificity_is_kept_at_the_best_sensitivity(marker: Marker, target: float) -> None:
    labels, scores = marker
    chosen = classify(*marker, choose_specificity(*marker, target, role="a").value)
    assert chosen.specificity.value >= target
    every = [classify(labels, scores, value) for value in [*np.unique(scores), np.inf]]
    kept = [each.sensitivity.value for each in every if each.specificity.value >= target]
    assert chosen.sensitivity.value == max(kept)


@given(markers(), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(marker: Marker, random: Random) -> None:
    labels, scores = marker
    order = random.sample(range(len(labels)), len(labels))
    before = choose_youden(labels, scores, role="validation")
    assert choose_youden(labels[order], scores[order], role="validation") == before


def test_neighbouring_floats_leave_no_room_for_a_midpoint() -> None:
    below = 0.3
    above = np.nextafter(below, 1)
    threshold = youden_threshold([0, 1], [below, above])
    assert confusion([0, 1], [below, above], threshold).true_negative == 1


def test_a_constant_score_calls_everybody_positive() -> None:
    assert youden_threshold([0, 1, 1], [0.4, 0.4, 0.4]) == 0.4


def test_calling_nobody_may_be_all_that_is_specific_enough() -> None:
    chosen = choose_specificity([1, 0], [0.2, 1.0], 0.9, role="validation")
    assert chosen.value > 1
    assert confusion([1, 0], [0.2, 1.0], chosen.value).true_negative == 1


class TestApplied:
    @pytest.fixture
    def chosen(self) -> Threshold:
        return choose_youden([0, 0, 1, 1], [1, 3, 5, 9], role="validation")

    def test_remembers_on_whom_it_was_chosen(self, chosen: Threshold) -> None:
        assert (chosen.chosen_on, chosen.n, chosen.events) == ("validation", 4, 2)
        assert chosen.rule == "Youden"

    def test_gives_the_figures_of_the_other_role(self, chosen: Threshold) -> None:
        labels, scores = [0, 1, 1], [2, 7, 3]
        found = apply_threshold(chosen, labels, scores, role="test", confidence=0.9, method="exact")
        assert found.figures == classify(labels, scores, chosen.value, 0.9, "exact")
        assert (found.role, found.apparent, found.threshold) == ("test", False, chosen)
        theirs = classify(labels, scores, 4.0).sensitivity.value
        ours = found.figures.sensitivity.value
        agree(apply_threshold, "definition: classify at the value", ours, theirs)

    def test_refuses_the_role_that_chose_it(self, chosen: Threshold) -> None:
        with pytest.raises(ValueError, match="found the role validation, and this Threshold was"):
            apply_threshold(chosen, [0, 1], [2, 7], role="validation")

    def test_refuses_the_rows_that_chose_it_in_any_order(self, chosen: Threshold) -> None:
        with pytest.raises(ValueError, match=r"found the same rows as test.* 4 patients of valid"):
            apply_threshold(chosen, [1, 0, 1, 0], [9, 3, 5, 1], role="test")

    def test_says_apparent_where_that_is_permitted(self, chosen: Threshold) -> None:
        again = apply_threshold(
            chosen, [0, 0, 1, 1], [1, 3, 5, 9], role="validation", apparent=True
        )
        assert again.apparent
        other = apply_threshold(chosen, [0, 1], [2, 7], role="test", apparent=True)
        assert not other.apparent

    def test_is_no_number_that_classify_takes_by_mistake(self, chosen: Threshold) -> None:
        with pytest.raises(TypeError):
            classify([0, 1], [2, 7], chosen)


@pytest.mark.parametrize("choose", [choose_sensitivity, choose_specificity])
@pytest.mark.parametrize("share", [-0.5, 1.2, 90, float("nan")])
def test_refuses_what_is_not_a_share(choose: Any, share: float) -> None:
    with pytest.raises(ValueError, match=f"found s.* {share}; expected a number from 0 to 1"):
        choose([0, 1], [1, 2], share, role="validation")


@pytest.mark.parametrize("ratio", [0, -1, float("inf"), float("nan")])
def test_refuses_a_cost_that_is_none(ratio: float) -> None:
    with pytest.raises(ValueError, match=f"found cost_ratio {ratio}; expected a number above 0"):
        choose_cost([0, 1], [1, 2], ratio, role="validation")


def test_refuses_a_prevalence_that_is_none() -> None:
    with pytest.raises(ValueError, match="found prevalence -1; expected a number from 0 to 1"):
        choose_cost([0, 1], [1, 2], 1, role="validation", prevalence=-1)


def test_the_ends_of_the_shares_call_nobody_and_everybody() -> None:
    labels, scores = [0, 1, 0, 1], [1, 2, 3, 4]
    assert threshold_at_sensitivity(labels, scores, 0) > 4
    assert threshold_at_specificity(labels, scores, 0) == 1


@given(markers(), st.floats(0, 1))
def test_the_rules_are_the_nearest_that_suffice(marker: Marker, rate: float) -> None:
    labels, scores = marker
    every = np.append(np.unique(scores), np.inf)
    specific = np.array([(scores[labels == 0] < x).mean() for x in every])
    sensitive = np.array([(scores[labels == 1] >= x).mean() for x in every])
    for rule, nearest in (
        (threshold_at_specificity, every[specific >= rate - 1e-12].min()),
        (threshold_at_sensitivity, every[sensitive >= rate - 1e-12].max()),
    ):
        oracle = "definition: every threshold tried"
        called = (scores >= rule(labels, scores, rate)).astype(int)
        agree(rule, oracle, called, (scores >= nearest).astype(int))


@pytest.mark.parametrize("case", ["ordinary", "ties", "rare"])
class TestWeights:
    @pytest.fixture
    def said(self, case: str) -> dict[str, Any]:
        return reference("classification")["weighted"][case]

    def test_thresholds_are_those_of_every_cut_in_r(self, said: dict[str, Any]) -> None:
        rows, weights = (said["labels"], said["scores"]), said["weights"]
        there = np.array(said["scores"])[np.array(weights) > 0]
        oracle = r("classification", "second derivation: every cut, R")
        for rule, value, name in (
            (youden_threshold, youden_threshold(*rows, weights), "youden"),
            (
                threshold_at_sensitivity,
                threshold_at_sensitivity(*rows, 0.8, weights),
                "sensitivity_0.8",
            ),
            (
                threshold_at_specificity,
                threshold_at_specificity(*rows, 0.8, weights),
                "specificity_0.8",
            ),
            (
                threshold_of_least_cost,
                threshold_of_least_cost(*rows, 3, 0.2, weights),
                "cost",
            ),
        ):
            nobody = value > there.max()
            agree(rule, oracle, 1e300 if nobody else value, said[name] or 1e300)

    def test_only_their_ratios_matter(self, said: dict[str, Any]) -> None:
        rows, weights = (said["labels"], said["scores"]), np.array(said["weights"])
        chosen = choose_youden(*rows, role="validation", weights=weights)
        assert choose_youden(*rows, role="validation", weights=weights / 7) == chosen
        assert (chosen.n, chosen.events) == (
            (weights > 0).sum(),
            np.array(said["labels"])[weights > 0].sum(),
        )

    def test_equal_ones_change_nothing(self, said: dict[str, Any]) -> None:
        rows, equal = (said["labels"], said["scores"]), np.full(len(said["labels"]), 0.3)
        for choose, given_share in (
            (choose_youden, ()),
            (choose_sensitivity, (0.8,)),
            (choose_specificity, (0.8,)),
            (choose_cost, (2,)),
        ):
            plain = choose(*rows, *given_share, role="validation")
            assert choose(*rows, *given_share, role="validation", weights=equal) == plain

    def test_are_applied_to_the_other_role(self, said: dict[str, Any]) -> None:
        rows, weights = (said["labels"], said["scores"]), said["weights"]
        chosen = choose_youden([0, 0, 1, 1], [1, 3, 5, 9], role="validation", weights=[1, 2, 3, 4])
        found = apply_threshold(chosen, *rows, role="test", weights=weights)
        assert found.figures == classify(*rows, chosen.value, weights=weights)

    def test_do_not_hide_that_these_rows_chose_it(self, said: dict[str, Any]) -> None:
        rows, weights = (said["labels"], said["scores"]), said["weights"]
        chosen = choose_youden(*rows, role="validation", weights=weights)
        with pytest.raises(ValueError, match="found the same rows as test"):
            apply_threshold(chosen, *rows, role="test", weights=np.array(weights) * 2)


def test_a_negative_zero_is_the_same_row() -> None:
    chosen = choose_youden([0, 1], [0.0, 1.0], role="validation")
    with pytest.raises(ValueError, match="found the same rows as test"):
        apply_threshold(chosen, [0, 1], [-0.0, 1.0], role="test")
