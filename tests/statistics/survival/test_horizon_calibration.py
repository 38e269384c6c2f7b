from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats, Survived, Undefined
from oncotrail.statistics.survival.horizon_calibration import (
    calibration_by_group_at,
    calibration_in_the_large_at,
    log_minus_log,
    observed_expected_at,
    survival_calibration_slope,
)
from oncotrail.statistics.survival.horizon_calibration_curve import flexible_calibration_at
from oncotrail.statistics.survival.horizon_estimates import undefined_at
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import SAID, numbers, patients, table

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

    def test_curve_and_errors(self, case: str) -> None:
        said, rows = judged(case)
        found = flexible_calibration_at(*rows, said["horizon"], said["at"])
        agree(flexible_calibration_at, COXPH, found.observed, said["observed"])
        for name in ("ici", "e50", "e90", "emax"):
            agree(flexible_calibration_at, COXPH, getattr(found, name).value, said[name])
        assert (found.low, found.ici.low, found.resamples) == (None, None, 0)

    def test_groups(self, case: str) -> None:
        said, rows = judged(case)
        found = calibration_by_group_at(*rows, said["horizon"], len(said["groups"]))
        for ours, theirs in zip(found, said["groups"], strict=True):
            columns = ("predicted", "observed", "low", "high", "n")
            values = numbers([getattr(ours, name) for name in columns])
            answer = numbers([theirs.get(name) for name in columns])
            agree(calibration_by_group_at, SURVFIT, values, answer)


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


def test_the_band_holds_the_curve_and_the_seed_repeats_it() -> None:
    _, rows = judged("larynx")
    one, two = (
        flexible_calibration_at(
            *rows, 4, [0.3, 0.6], generator=np.random.default_rng(1), resamples=30
        )
        for _ in range(2)
    )
    assert (one.low < one.observed).all()
    assert (one.observed < one.high).all()
    assert np.array_equal(one.low, two.low)
    assert one.ici.low <= one.ici.value <= one.ici.high
    assert (one.resamples, one.ici.method) == (30, "percentile bootstrap, 30")


def test_resamples_without_a_curve_are_counted() -> None:
    rows = ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 1, 0, 1, 0, 1, 0, 0, 1, 0])
    survival = [0.5, 0.2, 0.4, 0.3, 0.7, 0.65, 0.25, 0.6, 0.8, 0.35]
    generator = np.random.default_rng(1)
    found = flexible_calibration_at(*rows, survival, 4, generator=generator, resamples=20)
    assert 0 < found.undefined < 20
    with pytest.raises(ValueError, match="of 1 resamples with a calibration curve"):
        flexible_calibration_at(*rows, survival, 4, generator=generator, resamples=1)


def test_the_places_span_the_predictions() -> None:
    _, rows = judged("ordinary")
    found = flexible_calibration_at(*rows, 0.5)
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
    assert flexible_calibration_at(*rows, 0.5).ici.value < 0.02


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
            flexible_calibration_at(*rows, 0.5, [1.0])

    def test_percentages(self) -> None:
        with pytest.raises(ValueError, match=r"survival: found 50\.0 in row 0"):
            observed_expected_at(*self.rows, [50, 40, 30, 20], 2)

    def test_a_curve_after_the_follow_up(self) -> None:
        _, rows = judged("ordinary")
        with pytest.raises(ValueError, match="follow-up ended"):
            flexible_calibration_at(*rows, 1000)

    def test_a_band_of_another_name(self) -> None:
        with pytest.raises(ValueError, match="band: found 'wide'"):
            calibration_by_group_at(*self.rows, [0.1, 0.2, 0.3, 0.4], 2, 2, band="wide")


def test_what_cannot_be_had_is_not_wrong_input() -> None:
    _, rows = judged("ordinary")
    with pytest.raises(Undefined, match="survival: found 1 in row 0"):
        log_minus_log([1.0])
    with pytest.raises(Undefined, match="follow-up ended"):
        flexible_calibration_at(*rows, 1000)
    with pytest.raises(Undefined, match=r"'risk' is 0\.3 in every patient"):
        survival_calibration_slope([1, 2, 3], [1, 1, 0], [0.3] * 3)
    with pytest.raises(Undefined, match="found no event"):
        survival_calibration_slope([1, 2, 3], [0, 0, 0], [1, 2, 3])
    with pytest.raises(Undefined, match="of 1 resamples with a calibration curve"):
        flexible_calibration_at(*rows, 0.5, generator=np.random.default_rng(1), resamples=1)
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
    found = flexible_calibration_at(times, *rows[1:], 0.1 + 0.2)
    exact = flexible_calibration_at(times, *rows[1:], 0.3)
    assert found.ici.value == exact.ici.value
