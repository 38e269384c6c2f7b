from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.survival.kaplan_meier import (
    SurvivalCurve,
    kaplan_meier,
    kaplan_meier_by_group,
)
from oncotrail.statistics.survival.life_table import life_table, sums
from oncotrail.statistics.survival.log_log_band import log_log_band
from oncotrail.statistics.survival.medians import median, quantile
from oncotrail.statistics.survival.risk_table import numbers_at_risk, survival_at
from oncotrail.statistics.survival.tied_times import distinct_times, places_of, settled_times
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference

SAID = reference("survival_curves")
MADE = sorted(SAID["made"])
BANDS = ("log-log", "log", "plain")
SURVFIT = r("survival_curves", "survival::survfit")
QUANTILE = r("survival_curves", "survival::quantile.survfit")
SUMMARY = r("survival_curves", "survival::summary.survfit")

Rows = tuple[list[int], list[bool]]
patients = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=40)


def table_of(case: str) -> dict[str, Any]:
    table: dict[str, Any] = dict(SAID["made"][case]["table"])
    if case == "hidden_tie":  # JSON holds 15 digits
        table["times"] = [0.1 + 0.2, *table["times"][1:]]
    return table


def split(rows: Sequence[tuple[int, bool]]) -> Rows:
    return [time for time, _ in rows], [event for _, event in rows]


def nan(values: Sequence[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]


def compare(curves: dict[str, SurvivalCurve], theirs: dict[str, Any]) -> None:
    one = curves["plain"]
    rows = np.isin(one.times, np.asarray(theirs["time"]))  # late entry adds times of ours
    columns = ("survival", "at_risk", "events", "censored")
    for name in columns:
        agree(kaplan_meier, SURVFIT, getattr(one, name)[rows], nan(theirs[name]))
    agree(kaplan_meier, SUMMARY, one.standard_error[rows], nan(theirs["error"]))
    for band, curve in curves.items():
        said = theirs["bands"][band]
        agree(kaplan_meier, SURVFIT, curve.low[rows], nan(said["low"]))
        agree(kaplan_meier, SURVFIT, curve.high[rows], nan(said["high"]))
        if band == "log-log":
            quantile_used = normal_quantile(curve.confidence)
            low, high = log_log_band(one.survival, one.standard_error, quantile_used)
            agree(log_log_band, SURVFIT, low[rows], nan(said["low"]))
            agree(log_log_band, SURVFIT, high[rows], nan(said["high"]))
        found = [quantile(curve, p) for p in SAID["probabilities"]]
        agree(quantile, QUANTILE, nan([one.time for one in found]), nan(said["quantiles"]))
        agree(quantile, QUANTILE, nan([one.low for one in found]), nan(said["quantiles_low"]))
        agree(quantile, QUANTILE, nan([one.high for one in found]), nan(said["quantiles_high"]))
        middle = median(curve)
        ours = nan([middle.time, middle.low, middle.high])
        agree(median, SUMMARY, ours, nan(said["printed_median"]))


@pytest.mark.parametrize("case", MADE)
@pytest.mark.parametrize("way", ["unweighted", "unweighted_80", "counts", "weights", "robust"])
def test_curves_bands_and_quantiles_are_those_of_survfit(case: str, way: str) -> None:
    theirs = SAID["made"][case].get(way)
    if theirs is None:
        assert way in {"unweighted_80", "robust"}
        return
    table = table_of(case)
    weights = {"counts": table["counts"], "robust": table["counts"], "weights": table["weights"]}
    curves = {
        band: kaplan_meier(
            table["times"],
            table["events"],
            weights=weights.get(way),
            confidence=0.8 if way == "unweighted_80" else 0.95,
            band=band,
            robust=True if way == "robust" else None,
        )
        for band in BANDS
    }
    compare(curves, theirs)


@pytest.mark.parametrize("way", ["unweighted", "weights"])
def test_late_entry_is_as_in_survfit(way: str) -> None:
    late = SAID["late"]
    table = late["table"]
    weights = table["weights"] if way == "weights" else None
    curves = {
        band: kaplan_meier(
            table["times"], table["events"], entry=table["entry"], weights=weights, band=band
        )
        for band in BANDS
    }
    compare(curves, late[way])


def real(name: str) -> tuple[Any, Any, Any]:
    frame = getattr(tables, name)()
    if name == "larynx":
        stage = 1 + frame["Stage_II"] + 2 * frame["Stage_III"] + 3 * frame["Stage_IV"]
        return frame["time"], frame["event"], stage
    if name == "lung":
        return frame["time"], frame["status"], frame["sex"]
    if name == "gbsg2":
        return frame["time"], frame["event"], frame["grade"]
    return frame["time"], frame["event"], frame["prio"] // 3


@pytest.mark.parametrize("name", ["lung", "gbsg2", "rossi", "larynx"])
def test_groups_of_real_patients(name: str) -> None:
    curves = kaplan_meier_by_group(*real(name))
    said = SAID["real"][name]["curves"]
    assert [str(label) for label in curves] == list(said)
    for curve, theirs in zip(curves.values(), said.values(), strict=True):
        times = np.atleast_1d(theirs["time"])
        agree(kaplan_meier_by_group, SURVFIT, curve.at(times), theirs["survival"])
        found = survival_at(curve, times)
        for ours, column in (
            ("value", "survival"),
            ("standard_error", "error"),
            ("low", "low"),
            ("high", "high"),
            ("at_risk", "at_risk"),
        ):
            # Before the first patient has left, R's log-log interval is 1 to 1; ours is undefined.
            known = [place for place, one in enumerate(found) if one.time >= curve.times[0]]
            numbers = np.array(nan([getattr(one, ours) for one in found]))[known]
            said_here = np.array(nan(np.atleast_1d(theirs[column]).tolist()))[known]
            if known:
                agree(survival_at, SUMMARY, numbers, said_here)
        table = numbers_at_risk(curve, times)
        for column in ("at_risk", "events", "censored"):
            agree(numbers_at_risk, SUMMARY, getattr(table, column), theirs[column])
        quantiles = [quantile(curve, p).time for p in SAID["probabilities"]]
        agree(quantile, QUANTILE, nan(quantiles), nan(theirs["quantiles"]))


def test_hidden_ties_are_those_of_r() -> None:
    times = np.array(table_of("hidden_tie")["times"])
    distinct, place = distinct_times(times)
    agree(distinct_times, r("survival_curves", "survival::aeqSurv"), distinct[place], SAID["same"])
    assert distinct.size == 3
    assert np.unique(times).size == 4


def test_a_tie_does_not_depend_on_the_unit() -> None:
    times = np.array([0.1 + 0.2, 0.3, 0.4])
    for unit in (1e-9, 1.0, 365.25, 1e12):
        assert distinct_times(times * unit)[1].tolist() == [0, 0, 1]


@given(patients)
def test_counts_are_those_of_the_definition(rows: list[tuple[int, bool]]) -> None:
    times, events = (np.array(column) for column in split(rows))
    table = life_table(times.astype(float), events)
    survival, passed = [], 1.0
    for time in table.times:
        at_risk, died = (times >= time).sum(), ((times == time) & events).sum()
        passed *= 1 - died / at_risk
        survival.append(passed)
    agree(life_table, "definition: patients counted at each time", table.survival, survival)
    at_risk = [(times >= time).sum() for time in table.times]
    agree(life_table, "definition: patients counted at each time", table.at_risk, at_risk)
    place = np.searchsorted(table.times, times)
    totals = [times[place == one].sum() for one in range(table.times.size)]
    counted = sums(place, times.astype(float), table.times.size)
    agree(sums, "definition: a sum for each place", counted, totals)


@given(patients, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(rows: list[tuple[int, bool]], random: Any) -> None:
    before = kaplan_meier(*split(rows))
    after = kaplan_meier(*split(random.sample(rows, len(rows))))
    for name in ("times", "survival", "low", "high"):
        assert np.array_equal(getattr(before, name), getattr(after, name), equal_nan=True)


@given(patients, st.floats(1e-3, 1e3))
def test_the_unit_of_time_does_not_matter(rows: list[tuple[int, bool]], unit: float) -> None:
    times, events = split(rows)
    before = kaplan_meier(times, events)
    after = kaplan_meier(np.array(times) * unit, events)
    assert after.times == pytest.approx(before.times * unit)
    assert np.array_equal(before.low, after.low, equal_nan=True)
    assert nan([median(after).time]) == pytest.approx(
        nan([None if median(before).time is None else median(before).time * unit]), nan_ok=True
    )


@given(patients, st.data())
def test_a_weight_of_two_is_the_row_twice(
    rows: list[tuple[int, bool]], data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    if not any(weights):
        return
    weighted = kaplan_meier(*split(rows), weights=weights)
    repeated = kaplan_meier(
        *split([row for row, times in zip(rows, weights, strict=True) for _ in range(times)])
    )
    for name in ("times", "survival", "standard_error", "low", "high", "at_risk", "events"):
        ours, theirs = getattr(weighted, name), getattr(repeated, name)
        assert ours == pytest.approx(theirs, nan_ok=True)


@given(patients, st.floats(0.1, 10))
def test_the_jackknife_does_not_depend_on_the_size_of_the_weights(
    rows: list[tuple[int, bool]], factor: float
) -> None:
    times, events = split(rows)
    weights = np.linspace(0.5, 2.2, len(rows))
    before = kaplan_meier(times, events, weights=weights, robust=True)
    after = kaplan_meier(times, events, weights=weights * factor, robust=True)
    assert after.standard_error == pytest.approx(before.standard_error, abs=1e-9)


@given(patients)
def test_the_jackknife_of_equal_weights_is_greenwoods(rows: list[tuple[int, bool]]) -> None:
    greenwood, jackknife = (kaplan_meier(*split(rows), robust=robust) for robust in (False, True))
    known = ~np.isnan(greenwood.standard_error)
    assert jackknife.standard_error[known] == pytest.approx(
        greenwood.standard_error[known], abs=1e-9
    )


@given(st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_without_censoring_survival_is_the_share_that_lives_on(times: list[int]) -> None:
    curve = kaplan_meier(times, [1] * len(times))
    share = [np.mean(np.array(times) > time) for time in curve.times]
    assert curve.survival == pytest.approx(np.array(share))
    binomial = np.sqrt(np.array(share) * (1 - np.array(share)) / len(times))
    assert curve.standard_error[:-1] == pytest.approx(binomial[:-1])


@given(patients)
def test_a_curve_falls_within_its_band(rows: list[tuple[int, bool]]) -> None:
    for band in BANDS:
        curve = kaplan_meier(*split(rows), band=band)
        assert (np.diff(np.append(1.0, curve.survival)) <= 0).all()
        known = ~np.isnan(curve.low)
        assert (curve.low[known] >= 0).all()
        assert (curve.high[known] <= 1).all()
        assert (curve.low[known] <= curve.survival[known] + 1e-12).all()
        assert (curve.high[known] >= curve.survival[known] - 1e-12).all()


@given(patients)
def test_late_entry_at_nought_is_no_late_entry(rows: list[tuple[int, bool]]) -> None:
    times, events = split(rows)
    assert np.array_equal(
        kaplan_meier(times, events, entry=[0] * len(times)).standard_error,
        kaplan_meier(times, events).standard_error,
        equal_nan=True,
    )


def test_late_entry_and_weights_go_with_their_group() -> None:
    late = SAID["late"]["table"]
    columns = {name: np.array(values) for name, values in late.items()}
    found = kaplan_meier_by_group(
        columns["times"],
        columns["events"],
        columns["groups"],
        entry=columns["entry"],
        weights=columns["weights"],
    )
    for label, curve in found.items():
        kept = columns["groups"] == label
        alone = kaplan_meier(
            columns["times"][kept],
            columns["events"][kept],
            entry=columns["entry"][kept],
            weights=columns["weights"][kept],
        )
        assert np.array_equal(curve.low, alone.low, equal_nan=True)


def test_one_rule_of_variance_for_all_groups() -> None:
    """Whole weights in one group only: all have the jackknife."""
    times, events, groups = [1, 2, 3, 1, 2, 3], [1, 1, 0, 1, 1, 0], list("aaabbb")
    found = kaplan_meier_by_group(times, events, groups, weights=[2, 2, 2, 0.5, 1, 1])
    expected = kaplan_meier(times[:3], events[:3], weights=[2, 2, 2], robust=True)
    assert found["a"].standard_error == pytest.approx(expected.standard_error)
    counted = kaplan_meier_by_group(times, events, groups, weights=[2] * 6, robust=True)
    assert counted["a"].standard_error == pytest.approx(expected.standard_error)


def test_the_table_of_late_patients_counts_only_those_who_came() -> None:
    curve = kaplan_meier([4, 5, 6], [1, 1, 1], entry=[0, 2, 3])
    assert numbers_at_risk(curve, [0, 1, 2.5, 4, 7]).at_risk.tolist() == [1, 1, 2, 3, 0]


class TestTheEndsOfACurve:
    def test_before_the_first_time_nobody_has_had_the_event(self) -> None:
        for band, low in (("log-log", None), ("log", 1.0), ("plain", 1.0)):
            found = survival_at(kaplan_meier([2, 3], [1, 0], band=band), [1])[0]
            assert (found.value, found.low, found.standard_error) == (1.0, low, 0.0)

    def test_after_a_last_censoring_survival_is_unknown(self) -> None:
        found = survival_at(kaplan_meier([2, 3], [1, 0]), [3, 3.5])
        assert (found[0].value, found[1].value, found[1].low) == (0.5, None, None)

    def test_after_a_last_event_survival_is_nought(self) -> None:
        found = survival_at(kaplan_meier([2, 3], [1, 1]), [99])[0]
        assert (found.value, found.low, found.standard_error, found.at_risk) == (0, None, None, 0)

    def test_a_median_that_is_not_reached(self) -> None:
        found = median(kaplan_meier([1, 2, 3, 4], [1, 0, 0, 0]))
        assert (found.time, found.low, found.high) == (None, 1.0, None)
        assert (found.n, found.events) == (4, 1)

    def test_a_flat_stretch_at_one_half_that_never_ends(self) -> None:
        """R prints where it begins; quantile(survfit) says its middle."""
        curve = kaplan_meier([1, 2, 3, 5], [1, 1, 0, 0])
        assert (median(curve).time, quantile(curve, 0.5).time) == (2.0, 3.5)

    def test_a_band_that_ends_at_the_level_and_is_then_unknown(self) -> None:
        curve = kaplan_meier([1, 2, 3], [1, 1, 1])
        unknown_after = replace(curve, low=np.array([0.7, 0.5, np.nan]))
        assert (quantile(unknown_after, 0.5).low, median(unknown_after).low) == (None, 2.0)

    def test_a_band_that_rises_again(self) -> None:
        """Printed: the first time below one half; quantile(survfit): where it is nearest to it."""
        curve = kaplan_meier([1, 2, 3], [1, 1, 0])
        rising = replace(curve, high=np.array([0.9, 0.3, 0.4]))
        assert (median(rising).high, quantile(rising, 0.5).high) == (2.0, 3.0)


@pytest.mark.parametrize("case", sorted(SAID["at_nought"]))
def test_a_time_of_nought_is_a_time(case: str) -> None:
    table, theirs = SAID["made"][case]["table"], SAID["at_nought"][case]
    curve = kaplan_meier(table["times"], table["events"])
    assert curve.times[0] == 0
    agree(kaplan_meier, SUMMARY, curve.at(theirs["times"]), theirs["survival"])
    counted = numbers_at_risk(curve, theirs["times"])
    agree(numbers_at_risk, SUMMARY, counted.at_risk, theirs["at_risk"])
    agree(numbers_at_risk, SUMMARY, counted.events, theirs["events"])
    found = [one.value for one in survival_at(curve, theirs["times"])]
    agree(survival_at, SUMMARY, found, theirs["survival"])


class TestATimeThatIsAskedFor:
    """0.1 + 0.2 and 0.3 are one time, whichever of them was measured."""

    def test_it_is_one_of_the_curve_but_for_rounding(self) -> None:
        for measured, asked in ((0.1 + 0.2, 0.3), (0.3, 0.1 + 0.2)):
            curve = kaplan_meier([0.1, measured, 0.5], [1, 1, 0])
            assert curve.at([asked, 0.29]) == pytest.approx([1 / 3, 2 / 3])
            assert survival_at(curve, [asked])[0].value == pytest.approx(1 / 3)
            table = numbers_at_risk(curve, [asked])
            assert (table.at_risk.tolist(), table.events.tolist()) == ([2], [2])

    def test_the_last_time_is_still_within_the_follow_up(self) -> None:
        curve = kaplan_meier([0.1, 0.3], [1, 0])
        assert survival_at(curve, [0.1 + 0.2])[0].value == 0.5

    def test_any_shape(self) -> None:
        curve = kaplan_meier([1, 2], [1, 1])
        assert curve.at(1) == 0.5
        assert curve.at([[0, 1], [2, 3]]).tolist() == [[1, 0.5], [0, 0]]

    def test_a_blank_is_refused(self) -> None:
        with pytest.raises(ValueError, match="found a blank among the times asked for"):
            kaplan_meier([1, 2], [1, 1]).at([1, float("nan")])

    @given(
        st.lists(st.integers(0, 20), min_size=1, unique=True).map(sorted),
        st.lists(st.integers(-1, 22), min_size=1),
        st.floats(-1e-9, 1e-9),
        st.floats(0.01, 100),
    )
    def test_places_are_counted(
        self, moments: list[int], asked: list[int], rounding: float, unit: float
    ) -> None:
        scaled = np.array(moments) * unit
        wanted = np.array(asked) * unit + rounding * scaled.mean()
        definition = "definition: moments counted"
        until = [sum(moment <= one for moment in moments) for one in asked]
        agree(places_of, definition, places_of(scaled, wanted), until)
        before = [sum(moment < one for moment in moments) for one in asked]
        agree(places_of, definition, places_of(scaled, wanted, side="before"), before)

    @given(st.lists(st.integers(0, 9), min_size=1), st.integers(1, 9), st.floats(-1e-9, 1e-9))
    def test_settled_times_are_at_the_horizon_or_not(
        self, times: list[int], horizon: int, rounding: float
    ) -> None:
        near = np.array(times) * (1 + rounding)
        found = settled_times(near, horizon) <= horizon
        agree(settled_times, "definition: whole times", found, np.array(times) <= horizon)

    def test_settled_times_without_a_horizon_are_the_first_of_equals(self) -> None:
        found = settled_times(np.array([0.1 + 0.2, 1.0, 0.3]))
        agree(settled_times, "definition: whole times", found * 10, [3, 10, 3])
        assert found[0] == found[2]


def test_late_entry_that_differs_by_rounding_is_at_the_time() -> None:
    with pytest.raises(ValueError, match=r"entry: found 0.3 in row 1, where the time is 0.3"):
        kaplan_meier([1, 0.1 + 0.2], [1, 1], entry=[0, 0.3])


def test_a_group_without_weight_is_no_group() -> None:
    found = kaplan_meier_by_group([1, 2, 3], [1, 1, 1], ["a", "b", "b"], weights=[0, 1, 2])
    assert list(found) == ["b"]
    assert found["b"].survival.tolist() == pytest.approx([2 / 3, 0])


class TestRefused:
    def test_an_entry_of_nought_at_a_time_of_nought(self) -> None:
        with pytest.raises(ValueError, match=r"entry: found 0.0 in row 0, where the time is 0.0"):
            kaplan_meier([0, 2], [1, 1], entry=[0, 0])

    def test_an_unknown_band(self) -> None:
        with pytest.raises(ValueError, match="band: found 'arcsine', expected one of log-log, log"):
            kaplan_meier([1], [1], band="arcsine")  # type: ignore[arg-type]

    def test_an_entry_after_the_time(self) -> None:
        with pytest.raises(ValueError, match=r"entry: found 2.0 in row 1, where the time is 2.0"):
            kaplan_meier([1, 2], [1, 1], entry=[0, 2])

    @pytest.mark.parametrize("probability", [0, 1, -0.5, float("nan")])
    def test_a_share_that_is_none(self, probability: float) -> None:
        with pytest.raises(ValueError, match="expected a number between 0 and 1"):
            quantile(kaplan_meier([1], [1]), probability)

    def test_a_confidence_above_one(self) -> None:
        with pytest.raises(ValueError, match="found confidence 95"):
            kaplan_meier([1], [1], confidence=95)

    def test_a_blank_time(self) -> None:
        with pytest.raises(ValueError, match="times: found nan in row 1"):
            kaplan_meier([1, float("nan")], [1, 1])


def test_a_side_that_wobbles_in_its_last_digit_runs_flat() -> None:
    """R's own curve has equal levels here: quantile(survfit(...), 0.75)$lower is 2."""
    curve = kaplan_meier(
        [2, 3, 1, 4, 5], [1, 0, 1, 1, 1], weights=[1.9, 2, 2.8, 0.7, 2.8], band="plain"
    )
    assert curve.low[1] != curve.low[2]  # by one unit in the last place
    assert quantile(curve, 0.75).low == 2
