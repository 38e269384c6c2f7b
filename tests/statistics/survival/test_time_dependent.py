from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats, survived
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.influence import Influenced, weighted_sum, with_interval
from oncotrail.statistics.survival.censoring import censoring_distribution
from oncotrail.statistics.survival.horizon_estimates import (
    AtHorizon,
    at_horizon,
    checked_horizons,
    difference_at,
    for_each_horizon,
    over_horizons,
    trapezoid_shares,
    undefined_at,
)
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.known_states import known_by
from oncotrail.statistics.survival.time_dependent import (
    MeanOver,
    integrated_auc,
    time_dependent_auc,
    time_dependent_auc_difference,
    time_dependent_roc,
)
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import (
    CASES,
    PYTHON,
    SAID,
    SMALL,
    hidden_ties,
    numbers,
    patients,
    repeated,
    spread,
    table,
    training_and_new,
)

SCORE = r("survival_prediction", "riskRegression::Score")
PAIRS = "definition: weighted pairs counted"

Patients = tuple[Floats, Floats, Floats]
horizons = st.floats(0.5, 6.5)


def figures(found: AtHorizon) -> list[float]:
    return numbers([found.value, found.standard_error, found.low, found.high])


def said(answer: dict[str, list[float]], name: str, place: int) -> list[float]:
    error = spread(answer["se"][place])
    ends = [answer["lower"][place], answer["upper"][place]]
    return [answer[name][place], error, *([np.nan, np.nan] if np.isnan(error) else ends)]


class TestAgainstR:
    @pytest.mark.parametrize("case", CASES)
    def test_areas(self, case: str) -> None:
        t = table(case)
        fixed = censoring_distribution(t.times, t.events)
        for place, horizon in enumerate(t.horizons):
            risk = 1 - t.survival(horizon)
            ours = time_dependent_auc(t.times, t.events, risk, horizon)
            theirs = said(t.said["scores"]["auc"]["first"], "AUC", place)
            agree(time_dependent_auc, SCORE, figures(ours), theirs)
            as_known = time_dependent_auc(t.times, t.events, risk, horizon, censoring=fixed)
            theirs = said(t.said["conservative"]["auc"]["first"], "AUC", place)
            agree(time_dependent_auc, SCORE, figures(as_known), theirs)

    @pytest.mark.parametrize("case", CASES)
    def test_differences(self, case: str) -> None:
        t = table(case)
        answer = t.said["scores"]["auc_difference"]
        for place, horizon in enumerate(t.horizons):
            risks = (1 - t.survival(horizon, which) for which in ("first", "second"))
            ours = time_dependent_auc_difference(t.times, t.events, *risks, horizon)
            theirs = [answer[key][place] for key in ("delta.AUC", "se", "lower", "upper", "p")]
            if np.isnan(spread(theirs[1])):  # R's interval is then a point
                theirs[1:] = [np.nan] * 4
            found = [ours.value, ours.standard_error, ours.low, ours.high, ours.p_value]
            agree(time_dependent_auc_difference, SCORE, found, theirs)

    @pytest.mark.parametrize("case", SMALL)
    def test_curves(self, case: str) -> None:
        t = table(case)
        for horizon in t.horizons:
            found = time_dependent_roc(t.times, t.events, t.first, horizon)
            answer = t.said["roc"][f"{horizon:g}"]
            ours = [found.true_positive_rate[1:], found.false_positive_rate[1:]]
            agree(time_dependent_roc, SCORE, ours, [answer["TPR"], answer["FPR"]])
            area = np.trapezoid(found.true_positive_rate, found.false_positive_rate)
            value = time_dependent_auc(t.times, t.events, t.first, horizon).value
            assert area == pytest.approx(value)

    def test_competing_risks(self) -> None:
        answer = SAID["competing"]
        t = {name: np.array(column) for name, column in answer["table"].items()}
        outcome = (t["time"], t["cause"] == 1)
        for place, horizon in enumerate(t["horizons"]):
            ours = time_dependent_auc(*outcome, t["first"], horizon, competing=t["cause"] == 2)
            theirs = said(answer["auc"]["first"], "AUC", place)
            agree(time_dependent_auc, SCORE, figures(ours), theirs)
            both = time_dependent_auc_difference(
                *outcome, t["first"], t["second"], horizon, competing=t["cause"] == 2
            )
            theirs = [answer["auc_difference"][key][place] for key in ("delta.AUC", "se", "p")]
            found = [both.value, both.standard_error, both.p_value]
            agree(time_dependent_auc_difference, SCORE, found, theirs)


@given(patients, horizons)
def test_the_area_is_a_share_of_weighted_pairs(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    found = time_dependent_auc(times, events, risk, horizon)
    known = known_by(times, events, horizon)
    above = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    pairs = np.outer(known.weights * known.cases, known.weights * known.controls)
    theirs = (pairs * above).sum() / pairs.sum() if pairs.any() else np.nan
    agree(time_dependent_auc, PAIRS, numbers([found.value]), [theirs])
    assert (found.events, found.controls) == (known.cases.sum(), known.controls.sum())


@given(patients, horizons, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(
    rows: Patients, horizon: float, random: Random
) -> None:
    order = random.sample(range(rows[0].size), rows[0].size)
    before = time_dependent_auc(*rows, horizon)
    after = time_dependent_auc(*(column[order] for column in rows), horizon)
    assert figures(after) == pytest.approx(figures(before), nan_ok=True)


@given(patients, horizons)
def test_only_the_ranking_matters(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    moved = time_dependent_auc(times, events, np.exp(risk) - 5, horizon)
    assert moved == time_dependent_auc(*rows, horizon)


@given(patients, horizons)
def test_the_opposite_risk_mirrors_the_area(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    found = time_dependent_auc(*rows, horizon)
    mirrored = time_dependent_auc(times, events, -risk, horizon)
    if found.standard_error is None:
        assert mirrored.standard_error is None
    else:
        assert mirrored.value == pytest.approx(1 - found.value)
        assert mirrored.standard_error == pytest.approx(found.standard_error)


@given(patients, horizons)
def test_a_weight_of_two_is_the_patient_twice(rows: Patients, horizon: float) -> None:
    counts = 1.0 + np.arange(rows[0].size) % 3
    twice = repeated(rows, counts)
    weighted = time_dependent_auc(*rows, horizon, weights=counts)
    listed = time_dependent_auc(*twice, horizon)
    assert figures(weighted) == pytest.approx(figures(listed), nan_ok=True)
    over, other = (
        integrated_auc(*columns, [horizon / 2, horizon], weights=weights)
        for columns, weights in ((rows, counts), (twice, None))
    )
    assert figures(over) == pytest.approx(figures(other), nan_ok=True)
    if rows[0].size == 1:
        return  # a single cluster shows no spread
    clusters = np.repeat(np.arange(rows[0].size), 2)
    double = time_dependent_auc(*repeated(rows, 0 * counts + 2), horizon, clusters=clusters)
    assert figures(double) == pytest.approx(
        figures(time_dependent_auc(*rows, horizon)), nan_ok=True
    )


@given(patients)
def test_ties_hidden_by_rounding(rows: Patients) -> None:
    times, events, risk = rows
    horizon = 3 * (1 + 1e-12)
    hidden = hidden_ties(times)
    one, other = (
        time_dependent_auc(times, events, risk, 3),
        time_dependent_auc(hidden, events, risk, horizon),
    )
    assert figures(one) == pytest.approx(figures(other), nan_ok=True)
    assert (one.events, one.controls) == (other.events, other.controls)


@pytest.mark.parametrize("rows", ["same", "split"])
@pytest.mark.parametrize("case", sorted(PYTHON["weighted"]))
def test_scikit_survival(case: str, rows: str) -> None:
    t, said = table(case), PYTHON["weighted"][case][rows]
    kept, training = training_and_new(t, rows)
    judged = (t.times[kept], t.events[kept], t.first[kept])
    areas = [time_dependent_auc(*judged, h, censoring=training).value for h in t.horizons]
    oracle = r("survival_prediction_python", "sksurv::cumulative_dynamic_auc")
    agree(time_dependent_auc, oracle, areas, said["areas"])
    if rows == "same":  # its shares are Kaplan-Meier's here, ours are weighted as the areas are
        mean = integrated_auc(*judged, t.horizons, censoring=training).value
        agree(integrated_auc, oracle, mean, said["mean_area"])


@given(patients, horizons)
def test_a_weight_of_zero_is_no_patient(rows: Patients, horizon: float) -> None:
    more = [np.append(column, value) for column, value in zip(rows, (3.0, 1.0, 2.0), strict=True)]
    weights = np.append(np.ones(rows[0].size), 0)
    ours = time_dependent_auc(*more, horizon, weights=weights)
    assert figures(ours) == pytest.approx(figures(time_dependent_auc(*rows, horizon)), nan_ok=True)


def test_without_censoring_it_is_the_ordinary_area() -> None:
    t = table("ordinary")
    ours = time_dependent_auc(t.times, np.ones(t.times.size), t.first, 0.5)
    theirs = auc(t.times <= 0.5, t.first).value
    agree(time_dependent_auc, "definition: area without censoring", ours.value, theirs)


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_perfect_marker_is_one_but_not_certain(cases: int, controls: int) -> None:
    times = np.arange(1, cases + controls + 1)
    found = time_dependent_auc(times, times <= cases, -times, cases)
    assert (found.value, found.standard_error, found.low) == (1, None, None)


def test_a_constant_marker_is_chance() -> None:
    found = time_dependent_auc([1, 2, 3, 4], [1, 0, 1, 0], [7, 7, 7, 7], 2.5)
    assert (found.value, found.standard_error, found.high) == (0.5, None, None)


@pytest.mark.parametrize("horizon", [0.5, 5])
def test_without_cases_or_controls_there_is_no_area(horizon: float) -> None:
    rows = ([1, 2, 3], [0, 1, 0], [3, 2, 1])
    found = time_dependent_auc(*rows, horizon)
    assert (found.value, found.standard_error, found.low, found.high) == (None,) * 4
    assert time_dependent_roc(*rows, horizon) is None
    assert time_dependent_auc_difference(*rows, [1, 2, 3], horizon) is None


def test_all_censored_before_the_horizon_says_nothing() -> None:
    found = time_dependent_auc([1, 2, 3], [0, 0, 0], [3, 2, 1], 4)
    assert (found.value, found.events, found.controls) == (None, 0, 0)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """300 patients, a third censored: about 95 % of 400 intervals hold the area at one half."""
    random = np.random.default_rng(5)
    truth = time_dependent_auc(*_simulated(random, 200_000), 0.5).value
    found = [time_dependent_auc(*_simulated(random, 300), 0.5) for _ in range(400)]
    held = sum(each.low <= truth <= each.high for each in found)
    assert 0.91 < held / 400 < 0.98


def _simulated(random: np.random.Generator, n: int) -> Patients:
    risk = random.normal(size=n)
    times = random.exponential(size=n) * np.exp(-risk)
    lost = random.exponential(size=n) * 2
    return np.minimum(times, lost), (times <= lost).astype(float), risk


class TestIntegrated:
    def test_over_events_and_over_time(self) -> None:
        t = table("tied_both")
        outcome = (t.times, t.events, t.first)
        moments = [0.2, 0.5, 1.0]
        areas = [time_dependent_auc(*outcome, moment).value for moment in moments]
        survival = kaplan_meier(t.times, t.events).at(moments)
        shares = -np.diff(survival, prepend=1.0)
        theirs = (areas * shares).sum() / (1 - survival[-1])
        ours = integrated_auc(*outcome, moments)
        agree(integrated_auc, "definition: Lambert and Chevret 2016", ours.value, theirs)
        assert ours.low < ours.value < ours.high
        over_time = integrated_auc(*outcome, moments, mean_over="time")
        theirs = np.trapezoid(areas, moments) / (moments[-1] - moments[0])
        agree(integrated_auc, "definition: trapezoid rule", over_time.value, theirs)
        agree(
            trapezoid_shares,
            "definition: trapezoid rule",
            trapezoid_shares(np.array(moments)) @ areas,
            theirs,
        )

    def test_the_error_is_that_of_the_mean_influence(self) -> None:
        t = table("ordinary")
        outcome = (t.times, t.events, t.first)
        ours = integrated_auc(*outcome, [0.1, 0.5], mean_over="time")
        one, two = (time_dependent_auc(*outcome, moment).standard_error for moment in (0.1, 0.5))
        assert abs(one - two) / 2 <= ours.standard_error <= (one + two) / 2

    @pytest.mark.parametrize("mean_over", ["events", "time"])
    def test_the_error_agrees_with_resampling(self, mean_over: MeanOver) -> None:
        t = table("ordinary")
        random = np.random.default_rng(3)
        rows, again = (t.times, t.events, t.first), []
        for _ in range(300):
            drawn = random.integers(t.times.size, size=t.times.size)
            resampled = (column[drawn] for column in rows)
            again.append(integrated_auc(*resampled, [0.1, 0.5], mean_over=mean_over).value)
        ours = integrated_auc(*rows, [0.1, 0.5], mean_over=mean_over)
        assert ours.standard_error == pytest.approx(np.std(again), rel=0.15)

    def test_one_horizon_is_its_area(self) -> None:
        t = table("ordinary")
        rows = (t.times, t.events, t.first)
        alone = time_dependent_auc(*rows, 0.5)
        for mean_over in ("events", "time"):
            found = integrated_auc(*rows, [0.5], mean_over=mean_over)
            ours = [found.value, found.standard_error]
            agree(integrated_auc, "definition: one area", ours, figures(alone)[:2])

    def test_a_risk_for_each_horizon(self) -> None:
        t = table("ordinary")
        risks = np.column_stack([t.first, np.exp(t.first)])
        found = integrated_auc(t.times, t.events, risks, [0.1, 0.5])
        assert found == integrated_auc(t.times, t.events, t.first, [0.1, 0.5])

    def test_a_horizon_without_new_events_does_not_count(self) -> None:
        rows = ([1, 2, 3, 4], [1, 0, 1, 0], [4, 2, 3, 1])
        assert integrated_auc(*rows, [0.5, 2.5]).value == time_dependent_auc(*rows, 2.5).value
        assert integrated_auc(*rows, [0.5, 2.5], mean_over="time").value is None
        assert integrated_auc(*rows, [0.2, 0.5]).value is None

    def test_refusals(self) -> None:
        rows = ([1, 2, 3], [1, 1, 0], [3, 2, 1])
        with pytest.raises(ValueError, match=r"found 1 in place 1, after 2; expected ascending"):
            integrated_auc(*rows, [2, 1])
        with pytest.raises(ValueError, match="mean_over: found 'weeks'"):
            integrated_auc(*rows, [1, 2], mean_over="weeks")
        with pytest.raises(ValueError, match=r"risk: found shape \(3, 3\).*or 2, one for each"):
            integrated_auc(*rows[:2], np.ones((3, 3)), [1, 2])


class TestEstimates:
    known = known_by([1, 2, 3, 4], [1, 1, 0, 0], 2.5)
    figure = Influenced(0.9, np.array([0.4, -0.4, 0.2, -0.2]) / np.sqrt(12))
    error = np.sqrt(0.4 / 12)
    half = 1.959963984540054 * error
    normal = r("survival_prediction", "qnorm")

    def test_an_interval_is_normal_and_cut(self) -> None:
        cut = [0.9, self.error, 0.9 - self.half, 1]
        found = at_horizon(self.known, self.figure, 0.95)
        agree(at_horizon, self.normal, figures(found), cut)
        agree(with_interval, self.normal, with_interval(self.figure, 0.95), cut)
        mean = over_horizons(self.known, np.array([1.0, 2.5]), self.figure, 0.95)
        agree(over_horizons, self.normal, [mean.low, mean.high], cut[2:])
        assert mean.horizons == (1.0, 2.5)

    def test_sums_and_differences_are_those_of_influences(self) -> None:
        double = weighted_sum([self.figure, None, self.figure], np.array([1.5, 0.0, 0.5]))
        ours = [double.value, *double.influence]
        agree(weighted_sum, "definition: sum", ours, [1.8, *(2 * self.figure.influence)])
        other = Influenced(0.5, np.zeros(4))
        difference = difference_at(self.known, self.figure, other, 0.95)
        ours = [difference.value, difference.low, difference.high]
        agree(difference_at, self.normal, ours, [0.4, 0.4 - self.half, 0.4 + self.half])
        ratio = self.figure.over(other)
        assert (ratio.value, ratio.error) == pytest.approx((1.8, 2 * self.error))
        assert weighted_sum([None], np.array([0.0])) is None

    def test_counts(self) -> None:
        nothing = undefined_at(survived([1, 2, 3, 4], [1, 1, 0, 0]), 2.5, 0.95, "none")
        counts = [nothing.n, nothing.events, nothing.controls]
        agree(undefined_at, "definition: counted", counts, [4, 2, 2])

    def test_one_patient_has_no_spread(self) -> None:
        assert time_dependent_auc([1], [1], [1], 2).standard_error is None
        assert Influenced(0.5, np.array([0.0])).error is None

    def test_horizons_ascend(self) -> None:
        agree(checked_horizons, "definition: as given", checked_horizons([1, 2.5]), [1, 2.5])
        with pytest.raises(ValueError, match=r"horizons: found 0\.0 in row 0"):
            checked_horizons([0, 1])
        with pytest.raises(ValueError, match=r"found 0\.3 in place 1, after 0\.3"):
            checked_horizons([0.3, 0.1 + 0.2])

    def test_predictions_for_each_horizon(self) -> None:
        found = for_each_horizon([[0.9, 0.5]], 1, np.array([1.0, 2.0]))
        agree(for_each_horizon, "definition: as given", found, [0.9, 0.5])
