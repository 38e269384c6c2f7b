from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats, Survived, Undefined
from oncotrail.statistics.survival.brier import brier_score
from oncotrail.statistics.survival.concordance import concordance, concordance_ipcw
from oncotrail.statistics.survival.follow_up import FollowUp, followed_to
from oncotrail.statistics.survival.horizon_calibration import (
    calibration_by_group_at,
    log_minus_log,
    survival_calibration_slope,
)
from oncotrail.statistics.survival.horizon_calibration_curve import flexible_calibration_at
from oncotrail.statistics.survival.horizon_estimates import undefined_at
from oncotrail.statistics.survival.horizon_validation import NewPatients
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.observed_at_horizon import (
    calibration_in_the_large_at,
    observed_expected_at,
)
from oncotrail.statistics.survival.time_dependent import time_dependent_auc
from oncotrail.statistics.uncertainty.resampling import Resamples, given_resamples, resample
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import SAID, numbers, patients, repeated, table

CASES = sorted(SAID["calibration"])
SURVFIT, COXPH = (r("survival_prediction", f"survival::{name}") for name in ("survfit", "coxph"))

Patients = tuple[Floats, Floats, Floats]
horizons = st.floats(0.5, 6.5)


def judged(case: str) -> tuple[dict[str, Any], tuple[Floats, Floats, Floats]]:
    t, said = table(case), SAID["calibration"][case]
    return said, (t.times, t.events, t.survival(said["horizon"]))


@pytest.mark.parametrize("case", CASES)
class TestAgainstR:
    def test_observed_over_expected(self, case: str) -> None:
        said, rows = judged(case)
        found = observed_expected_at(*rows, said["horizon"])
        theirs = [said["ratio"], said["ratio_low"], said["ratio_high"]]
        agree(observed_expected_at, SURVFIT, [found.value, found.low, found.high], theirs)

    def test_in_the_large(self, case: str) -> None:
        said, rows = judged(case)
        found = calibration_in_the_large_at(*rows, said["horizon"])
        theirs = [said["large"], said["large_error"]]
        ours = [found.value, found.standard_error]
        agree(calibration_in_the_large_at, COXPH, ours, theirs)
        assert found.high - found.value == pytest.approx(1.959963984540054 * said["large_error"])

    def test_slope(self, case: str) -> None:
        said, rows = judged(case)
        found = survival_calibration_slope(*rows[:2], log_minus_log(rows[2]))
        theirs = [said["slope"], *said["slope_interval"]]
        agree(survival_calibration_slope, COXPH, [found.value, found.low, found.high], theirs)
        stopped = survival_calibration_slope(
            *rows[:2], log_minus_log(rows[2]), horizon=said["horizon"]
        )
        early = said["to_horizon"]
        ours = [stopped.value, stopped.low, stopped.high]
        theirs = [early["slope"], *early["slope_interval"]]
        agree(survival_calibration_slope, COXPH, ours, theirs)

    @pytest.mark.parametrize("follow_up", ["to_horizon", "whole"])
    def test_curve_and_errors(self, case: str, follow_up: FollowUp) -> None:
        said, rows = judged(case)
        asked = (said["horizon"], said["at"])
        found = flexible_calibration_at(*rows, *asked, follow_up=follow_up, resamples=None)
        theirs = said if follow_up == "whole" else said["to_horizon"]
        agree(flexible_calibration_at, COXPH, found.observed, theirs["observed"])
        for name in ("ici", "e50", "e90", "emax"):
            agree(flexible_calibration_at, COXPH, getattr(found, name).value, theirs[name])
        assert (found.low, found.ici.low, found.resamples) == (None, None, 0)

    def test_groups(self, case: str) -> None:
        said, rows = judged(case)
        found = calibration_by_group_at(*rows, said["horizon"], len(said["groups"]))
        for ours, theirs in zip(found, said["groups"], strict=True):
            columns = ("predicted", "observed", "low", "high", "n")
            values = numbers([getattr(ours, name) for name in columns])
            answer = numbers([theirs.get(name) for name in columns])
            agree(calibration_by_group_at, SURVFIT, values, answer)


WEIGHTED = SAID["weighted_calibration"]


@pytest.mark.parametrize("case", sorted(WEIGHTED))
class TestWeightsAndClustersAgainstR:
    def rows(self, case: str) -> tuple[Any, Any, dict[str, dict[str, Any]]]:
        t, said = table(case), WEIGHTED[case]
        columns = t.said["table"]
        fractions, clusters = np.array(columns["weights"]), columns["clusters"]
        counts = np.ceil(fractions)
        how = {
            "counts": {"weights": counts},
            "fractions": {"weights": fractions},
            "clusters": {"clusters": clusters},
            "both": {"weights": counts, "clusters": clusters},
        }
        return (t.times, t.events, t.survival(said["horizon"])), said, how

    def test_observed_over_expected(self, case: str) -> None:
        rows, said, how = self.rows(case)
        for name, options in how.items():
            found = observed_expected_at(*rows, said["horizon"], **options)
            ours = [found.value, found.standard_error]
            agree(observed_expected_at, SURVFIT, ours, said["ratio"][name])
            assert found.method.endswith("robust") == (name != "counts")

    def test_slope(self, case: str) -> None:
        rows, said, how = self.rows(case)
        for name, options in how.items():
            for horizon, theirs in ((None, said), (said["horizon"], said["to_horizon"])):
                found = survival_calibration_slope(
                    *rows[:2], log_minus_log(rows[2]), horizon=horizon, **options
                )
                error = (found.high - found.value) / 1.959963984540054
                ours = [found.value, error]
                agree(survival_calibration_slope, COXPH, ours, theirs["slope"][name])

    def test_in_the_large(self, case: str) -> None:
        rows, said, how = self.rows(case)
        found = calibration_in_the_large_at(*rows, said["horizon"], **how["counts"])
        ours = [found.value, found.standard_error]
        agree(calibration_in_the_large_at, COXPH, ours, said["large"])

    def test_curve(self, case: str) -> None:
        rows, said, how = self.rows(case)
        for name in ("counts", "fractions"):
            for follow_up, theirs in (("whole", said), ("to_horizon", said["to_horizon"])):
                options = {**how[name], "follow_up": follow_up}
                found = flexible_calibration_at(*rows, said["horizon"], **options, resamples=None)
                ours = [error.value for error in (found.ici, found.e50, found.e90, found.emax)]
                agree(flexible_calibration_at, COXPH, ours, theirs["curve"][name])


@given(patients, horizons, st.booleans())
def test_robust_errors_are_numerical_derivatives(
    rows: Patients, horizon: float, together: bool
) -> None:
    times, events, risk = rows
    survival, weights = 0.9 - risk / 4, 0.5 + np.arange(times.size) % 3
    clusters = np.arange(times.size) // 2 if together else np.arange(times.size)
    if not clusters.any():
        return  # a single cluster shows no spread
    step = 1e-5
    for figure, log in ((observed_expected_at, np.log), (calibration_in_the_large_at, float)):
        found = figure(times, events, survival, horizon, weights=weights, clusters=clusters)
        if found.standard_error is None:
            continue
        moved = []
        for row in range(times.size):
            both = []
            for sign in (1, -1):
                other = weights.copy()
                other[row] += sign * step
                at = figure(times, events, survival, horizon, weights=other)
                # The predictions are taken as known.
                expected = np.average(1 - survival, weights=other)
                both.append(at.value * expected if log is np.log else at.value)
            moved.append(weights[row] * (both[0] - both[1]) / (2 * step))
        theirs = np.sqrt((np.bincount(clusters, moved) ** 2).sum())
        if log is np.log:
            theirs /= np.average(1 - survival, weights=weights)
        oracle = "definition: numerical derivative"
        agree(figure, oracle, found.standard_error, theirs)


@given(patients, horizons)
def test_a_whole_weight_is_so_many_patients(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    counts = np.arange(times.size) % 3 + (np.arange(times.size) == 0)
    columns = (times, events, 0.9 - risk / 4)
    for figure in (observed_expected_at, calibration_in_the_large_at):
        one = figure(*columns, horizon, weights=counts)
        other = figure(*repeated(columns, counts), horizon)
        ours, theirs = (numbers([x.value, x.low, x.high]) for x in (one, other))
        assert ours == pytest.approx(theirs, nan_ok=True)
        assert one.n == (counts > 0).sum()


def test_a_whole_weight_in_the_slope_is_so_many_patients() -> None:
    t = table("times_of_zero")
    counts = np.ceil(t.said["table"]["weights"])
    columns = (t.times, t.events, t.first)
    one = survival_calibration_slope(*columns, weights=counts, ties="breslow")
    other = survival_calibration_slope(*repeated(columns, counts), ties="breslow")
    assert (one.value, one.low) == pytest.approx((other.value, other.low))


def test_one_cluster_shows_no_spread() -> None:
    outcome, predicted, one = ([1, 2, 3, 4], [1, 1, 0, 0]), [0.4, 0.6, 0.7, 0.9], ["a"] * 4
    for refused in (
        lambda: observed_expected_at(*outcome, predicted, 2, clusters=one),
        lambda: calibration_in_the_large_at(*outcome, predicted, 2, clusters=one),
        lambda: survival_calibration_slope(*outcome, predicted, clusters=one),
        lambda: brier_score(*outcome, predicted, 2, clusters=one),
        lambda: time_dependent_auc(*outcome, predicted, 2, clusters=one),
        lambda: concordance(*outcome, predicted, clusters=one),
        lambda: concordance_ipcw(*outcome, predicted, clusters=one),
    ):
        with pytest.raises(Undefined, match="clusters: found the same in every row"):
            refused()


# After the horizon of 3: who was followed beyond it, for how long, and whether the event came.
fates = st.lists(st.tuples(st.floats(3.1, 6), st.booleans()), min_size=40, max_size=40)


@given(fates)
def test_what_comes_after_the_horizon_changes_nothing(later: list[tuple[float, bool]]) -> None:
    times = np.tile([3.0, 1.0, 5.0, 0.5, 4.0, 2.0, 6.0, 1.5], 5)
    events, survival = np.tile([1, 0, 1, 1, 0], 8), np.linspace(0.2, 0.9, 40)
    beyond = times > 3
    other_times = np.where(beyond, [time for time, _ in later], times)
    other_events = np.where(beyond, [event for _, event in later], events)
    nothing = dict.fromkeys(("competing", "weights", "clusters", "censoring", "resamples"))
    one, other = (
        NewPatients(*outcome, **nothing, confidence=0.9).at(3, survival, [])
        for outcome in ((times, events), (other_times, other_events))
    )
    for name in (field.name for field in fields(one)):
        if name not in {"horizon", "calibration", "slope"}:
            mine, theirs = getattr(one, name), getattr(other, name)
            assert (mine.value, mine.low) == pytest.approx((theirs.value, theirs.low)), name
    assert (one.slope.value, one.slope.low) == pytest.approx((other.slope.value, other.slope.low))
    for name in ("ici", "e50", "e90", "emax"):
        mine, theirs = getattr(one.calibration, name), getattr(other.calibration, name)
        assert (mine.value, mine.controls) == pytest.approx((theirs.value, theirs.controls)), name
    assert one.calibration.observed == pytest.approx(other.calibration.observed)
    found = followed_to(Survived(other_times, other_events > 0), 3)
    known = np.minimum(times, 3), events * (times <= 3)
    oracle = "definition: nothing after the horizon"
    agree(followed_to, oracle, [found.times, found.events], known)


def test_one_patient_of_some_weight_shows_no_spread() -> None:
    found = calibration_in_the_large_at([1], [1], [0.5], 1, weights=[0.5])
    assert (found.value, found.standard_error) == (pytest.approx(-np.log(np.log(2))), None)


def test_too_few_events_for_a_spline_are_said_to_be_too_few() -> None:
    """Events that a spline parts from the others by hazards beyond all numbers."""
    t = table("ordinary")
    clusters = t.said["table"]["clusters"]
    rows = resample(clusters, generator=np.random.default_rng(1), number=60)
    weights = np.ceil(t.said["table"]["weights"])
    found = flexible_calibration_at(
        t.times, t.events, t.survival(0.1), 0.1, weights=weights, resamples=rows
    )
    assert found.undefined > 0


def test_the_whole_follow_up_looks_further() -> None:
    said, rows = judged("gbsg2")
    early, whole = (
        flexible_calibration_at(*rows, said["horizon"], follow_up=which, resamples=None)
        for which in ("to_horizon", "whole")
    )
    assert early.ici.value != pytest.approx(whole.ici.value, abs=1e-4)
    assert (early.ici.events, early.ici.controls) == (whole.ici.events, whole.ici.controls)
    with pytest.raises(ValueError, match="follow_up: found 'half', expected one of to_horizon"):
        flexible_calibration_at(*rows, said["horizon"], follow_up="half", resamples=None)
    with pytest.raises(ValueError, match="found horizon -1"):
        survival_calibration_slope(*rows, horizon=-1)


def test_a_weight_of_zero_is_no_patient_of_the_curve() -> None:
    t = table("ordinary")
    rows = (t.times, t.events, t.survival(0.5))
    there = np.arange(120) % 4 > 0
    resamples = drawn(np.arange(120) // 2, 40)
    counts = np.array([block for part in resamples.blocks() for block in part])
    found = flexible_calibration_at(*rows, 0.5, weights=1.0 * there, resamples=resamples)
    kept = given_resamples((np.arange(120) // 2)[there], counts)
    other = flexible_calibration_at(*(column[there] for column in rows), 0.5, resamples=kept)
    assert (found.ici.value, found.ici.low) == pytest.approx((other.ici.value, other.ici.low))
    assert found.ici.n == 90


@given(patients, horizons)
def test_observed_over_expected_is_one_risk_over_another(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    curve = kaplan_meier(times, events)
    followed = times.max() >= horizon or curve.survival[-1] == 0
    theirs = np.nan
    if followed and risk.any():
        theirs = float(1 - curve.at(horizon)) / (risk / 3).mean()
    found = observed_expected_at(times, events, 1 - risk / 3, horizon)
    agree(observed_expected_at, "definition: ratio of risks", numbers([found.value]), [theirs])
    if found.low is not None:
        assert 0 < found.low < found.value < found.high


@given(patients, horizons)
def test_in_the_large_is_breslows_sum(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    survival = 0.9 - risk / 4
    hazard = sum(
        1 / -np.log(survival[times >= time]).sum()
        for time, event in zip(times, events, strict=True)
        if event and time <= horizon
    )
    theirs = np.log(hazard) if hazard > 0 and times.max() >= horizon else np.nan
    found = calibration_in_the_large_at(times, events, survival, horizon)
    agree(calibration_in_the_large_at, "definition: Breslow", numbers([found.value]), [theirs])


def test_doubled_hazards_shift_the_large_and_leave_the_slope() -> None:
    said, (times, events, survival) = judged("ordinary")
    before, after = (
        calibration_in_the_large_at(times, events, survival**power, said["horizon"]).value
        for power in (1, 2)
    )
    assert after == pytest.approx(before - np.log(2))
    slopes = [
        survival_calibration_slope(times, events, log_minus_log(survival**power)).value
        for power in (1, 2)
    ]
    assert slopes[0] == pytest.approx(slopes[1])
    halved = survival_calibration_slope(times, events, log_minus_log(survival) / 2).value
    assert halved == pytest.approx(2 * slopes[0])


def test_log_minus_log_and_back() -> None:
    survival = np.array([0.001, 0.5, 0.999])
    agree(
        log_minus_log,
        "definition: inverse",
        np.exp(-np.exp(log_minus_log(survival))),
        survival,
    )


def drawn(patients: Any, number: int) -> Resamples:
    return resample(patients, generator=np.random.default_rng(1), number=number)


def test_the_interval_of_r_on_its_resamples() -> None:
    """Patients are drawn with all of their rows."""
    t, said = table("ordinary"), SAID["bootstrapped"]
    resamples = given_resamples(t.said["table"]["clusters"], said["counts"])
    rows = (t.times, t.events, t.survival(said["horizon"]), said["horizon"])
    for follow_up, theirs in (("whole", said["ends"]), ("to_horizon", said["to_horizon"])):
        options = {"follow_up": follow_up, "confidence": 0.9}
        found = flexible_calibration_at(*rows, resamples=resamples, **options)
        ours = [[error.low, error.high] for error in (found.ici, found.e50, found.e90)]
        agree(flexible_calibration_at, r("survival_prediction", "boot::boot.ci"), ours, theirs)


def test_the_band_holds_the_curve_and_the_seed_repeats_it() -> None:
    _, rows = judged("larynx")
    one, two = (
        flexible_calibration_at(*rows, 4, [0.3, 0.6], resamples=drawn(range(90), 40))
        for _ in range(2)
    )
    assert (one.low < one.observed).all()
    assert (one.observed < one.high).all()
    assert np.array_equal(one.low, two.low)
    assert one.ici.low <= one.ici.value <= one.ici.high
    assert (one.resamples, one.ici.method) == (40, "percentile bootstrap, 40")


def test_resamples_without_a_curve_are_counted() -> None:
    rows = ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 1, 0, 1, 0, 1, 0, 0, 1, 0])
    survival = [0.5, 0.2, 0.4, 0.3, 0.7, 0.65, 0.25, 0.6, 0.8, 0.35]
    resamples = drawn(range(10), 60)
    found = flexible_calibration_at(*rows, survival, 4, resamples=resamples, most_undefined=0.99)
    assert 0 < found.undefined < 60
    with pytest.raises(Undefined, match=r"of 60 resamples; expected at most a share of 0\.05"):
        flexible_calibration_at(*rows, survival, 4, resamples=resamples)


def test_the_places_span_the_predictions() -> None:
    _, rows = judged("ordinary")
    found = flexible_calibration_at(*rows, 0.5, resamples=None)
    assert found.at.size == 100
    assert found.at[0] == pytest.approx(1 - rows[2].max())
    assert found.at[-1] == pytest.approx(1 - rows[2].min())


def test_a_cohort_that_the_model_describes_is_calibrated() -> None:
    random = np.random.default_rng(7)
    risk = random.normal(size=4000) / 2
    times = random.exponential(size=4000) * np.exp(-risk)
    lost = random.exponential(size=4000) * 2
    rows = (np.minimum(times, lost), times <= lost, np.exp(-0.5 * np.exp(risk)))
    ratio = observed_expected_at(*rows, 0.5)
    large = calibration_in_the_large_at(*rows, 0.5)
    slope = survival_calibration_slope(*rows[:2], log_minus_log(rows[2]))
    assert ratio.low < 1 < ratio.high
    assert large.low < 0 < large.high
    assert slope.low < 1 < slope.high
    assert flexible_calibration_at(*rows, 0.5, resamples=None).ici.value < 0.02


def test_where_follow_up_ends_there_is_nothing_to_observe() -> None:
    rows = ([1, 2, 3, 3], [1, 0, 0, 0], [0.5, 0.4, 0.3, 0.2])
    assert observed_expected_at(*rows, 3.5).value is None
    assert calibration_in_the_large_at(*rows, 3.5).value is None
    groups = calibration_by_group_at(*rows, 3.5, 2)
    assert [group.observed for group in groups] == [None, None]


def test_where_nobody_or_everybody_had_the_event_there_is_no_interval() -> None:
    rows = ([1, 2, 3], [1, 1, 1], [0.5, 0.4, 0.3])
    before, after = observed_expected_at(*rows, 0.5), observed_expected_at(*rows, 3)
    assert (before.value, before.low) == (0, None)
    assert (after.value, after.low) == (pytest.approx(1 / 0.6), None)
    assert observed_expected_at(*rows[:2], [1, 1, 1], 2).value is None
    assert calibration_in_the_large_at(*rows, 0.5).value is None
    early = calibration_by_group_at(*rows, 0.5, 2)[0]
    assert (early.observed, early.low, early.events) == (1, None, 0)


class TestRefusals:
    rows = ([1, 2, 3, 4], [1, 1, 0, 1])

    @pytest.mark.parametrize("certain", [0, 1])
    def test_certainty(self, certain: float) -> None:
        with pytest.raises(ValueError, match=f"found {certain} in row 1; expected a chance above"):
            log_minus_log([0.5, certain])

    def test_a_constant_prediction_has_no_slope(self) -> None:
        with pytest.raises(ValueError, match=r"'risk' is 0\.3 in every patient"):
            survival_calibration_slope(*self.rows, [0.3] * 4)

    def test_a_curve_does_not_extrapolate(self) -> None:
        _, rows = judged("ordinary")
        with pytest.raises(ValueError, match=r"at: found 1\.0 in row 0"):
            flexible_calibration_at(*rows, 0.5, [1.0], resamples=None)

    def test_percentages(self) -> None:
        with pytest.raises(ValueError, match=r"survival: found 50\.0 in row 0"):
            observed_expected_at(*self.rows, [50, 40, 30, 20], 2)

    def test_a_curve_after_the_follow_up(self) -> None:
        _, rows = judged("ordinary")
        with pytest.raises(ValueError, match="follow-up ended"):
            flexible_calibration_at(*rows, 1000, resamples=None)

    def test_a_band_of_another_name(self) -> None:
        with pytest.raises(ValueError, match="band: found 'wide'"):
            calibration_by_group_at(*self.rows, [0.1, 0.2, 0.3, 0.4], 2, 2, band="wide")


def test_what_cannot_be_had_is_not_wrong_input() -> None:
    _, rows = judged("ordinary")
    with pytest.raises(Undefined, match="survival: found 1 in row 0"):
        log_minus_log([1.0])
    with pytest.raises(Undefined, match="follow-up ended"):
        flexible_calibration_at(*rows, 1000, resamples=None)
    with pytest.raises(Undefined, match=r"'risk' is 0\.3 in every patient"):
        survival_calibration_slope([1, 2, 3], [1, 1, 0], [0.3] * 3)
    with pytest.raises(Undefined, match="found no event"):
        survival_calibration_slope([1, 2, 3], [0, 0, 0], [1, 2, 3])
    with pytest.raises(Undefined, match="too few distinct values for 2 groups"):
        calibration_by_group_at([1, 2, 3], [1, 1, 0], [0.5] * 3, 2, 2)


def test_a_horizon_counts_times_that_are_it_but_for_rounding() -> None:
    survival = [0.2, 0.6, 0.7, 0.9]
    for last in (0.3, 0.1 + 0.2):
        rows = ([0.1, 0.1 + 0.2, last, last], [1, 1, 0, 0], survival)
        ratio, large = observed_expected_at(*rows, 0.3), calibration_in_the_large_at(*rows, 0.3)
        agree(observed_expected_at, "definition: 2 of 4 by then", ratio.value, 0.5 / 0.4)
        assert (ratio.events, ratio.controls, large.events) == (2, 0, 2)
        exact = calibration_in_the_large_at([0.1, 0.3, 0.3, 0.3], *rows[1:], 0.3)
        agree(calibration_in_the_large_at, "definition: the same times", large.value, exact.value)
        groups = calibration_by_group_at(*rows, 0.3, 2)
        assert [(group.events, group.observed) for group in groups] == [(2, 0.0), (0, 1.0)]
    nothing = undefined_at(
        Survived(np.array([0.1 + 0.2, 1.0]), np.array([True, True])), 0.3, 0.9, ""
    )
    agree(
        undefined_at, "definition: one of two by then", [nothing.events, nothing.controls], [1, 1]
    )


def test_a_curve_at_the_last_follow_up_but_for_rounding() -> None:
    _, rows = judged("ordinary")
    times = np.where(np.arange(rows[0].size) % 4 == 0, 0.3, np.minimum(rows[0], 0.3))
    found = flexible_calibration_at(times, *rows[1:], 0.1 + 0.2, resamples=None)
    exact = flexible_calibration_at(times, *rows[1:], 0.3, resamples=None)
    assert found.ici.value == exact.ici.value
