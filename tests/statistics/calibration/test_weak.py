"""In the large, slope, observed over expected, Brier and Spiegelhalter, and recalibration."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.calibration.brier import (
    SpiegelhalterTest,
    brier,
    scaled_brier,
    spiegelhalter,
)
from oncotrail.statistics.calibration.observed_expected import observed_expected
from oncotrail.statistics.calibration.odds import log_odds
from oncotrail.statistics.calibration.recalibration import Recalibration, recalibrate
from oncotrail.statistics.calibration.slope import calibration_in_the_large, calibration_slope
from oncotrail.statistics.intervals import Estimate, normal_quantile, wilson
from oncotrail.statistics.uncertainty import metrics
from oncotrail.statistics.uncertainty.resampling import resample
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

TABLES = ("ordinary", "overfitted", "ties", "rare", "common", "small", "tiny")
each_table = pytest.mark.parametrize("table", TABLES)
VAL_PROB, GLM = r("calibration", "rms::val.prob"), r("calibration", "glm")
SCORE = r("calibration", "riskRegression::Score")


def ends(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def answer(table: str) -> tuple[Any, Any, dict[str, Any]]:
    found = reference("calibration")["tables"][table]
    return np.array(found["table"]["y"]), np.array(found["table"]["p"]), found


def test_every_table_of_r_is_compared() -> None:
    assert tuple(reference("calibration")["tables"]) == TABLES


@each_table
def test_in_the_large(table: str) -> None:
    y, p, found = answer(table)
    ours = calibration_in_the_large(y, p, confidence=0.9)
    agree(calibration_in_the_large, GLM, ends(ours), found["weak"]["large"])
    assert (ours.n, ours.events, ours.method) == (len(y), y.sum(), "Wald")


@each_table
def test_slope_its_intercept_and_the_joint_test(table: str) -> None:
    y, p, found = answer(table)
    ours, told = calibration_slope(y, p), found["val_prob"]
    lines = [ends(ours.intercept), ends(ours.slope)]
    agree(calibration_slope, GLM, lines, found["weak"]["line"])
    values = [ours.intercept.value, ours.slope.value, ours.chi_square, ours.p_value]
    theirs = [told[name] for name in ("Intercept", "Slope", "U:Chi-sq", "U:p")]
    agree(calibration_slope, VAL_PROB, values, theirs)


def test_weights() -> None:
    found = reference("calibration")["weighted"]
    y, p, w = (np.array(found["table"][name]) for name in ("y", "p", "w"))
    oracle = r("calibration", "sandwich::sandwich")
    large = calibration_in_the_large(y, p, weights=w, confidence=0.9)
    agree(calibration_in_the_large, oracle, ends(large), found["large"])
    line = calibration_slope(y, p, weights=w)
    agree(calibration_slope, oracle, [ends(line.intercept), ends(line.slope)], found["line"])
    agree(calibration_slope, oracle, line.chi_square, found["joint"])
    learned = recalibrate(y, p, weights=w)
    agree(recalibrate, oracle, [ends(learned.intercept), ends(learned.slope)], found["line"])
    assert calibration_slope(y, p, weights=1.3 * w).p_value == pytest.approx(line.p_value)


@pytest.mark.parametrize("table", ["ordinary", "small"])
def test_clusters(table: str) -> None:
    y, p, _ = answer(table)
    found = reference("calibration")["clustered"][table]
    rows = {"clusters": found["clusters"]}
    oracle = r("calibration", "sandwich::vcovCL")
    large = calibration_in_the_large(y, p, confidence=0.9, **rows)
    agree(calibration_in_the_large, oracle, ends(large), found["large"])
    line = calibration_slope(y, p, **rows)
    agree(calibration_slope, oracle, [ends(line.intercept), ends(line.slope)], found["line"])
    agree(calibration_slope, oracle, line.chi_square, found["joint"])
    ratio = observed_expected(y, p, **rows)
    oracle = r("calibration", "epitools::ageadjust.direct")
    agree(observed_expected, oracle, ends(ratio), found["ratio"])
    level = recalibrate(y, p, update="intercept", **rows).intercept
    assert ends(level) == pytest.approx(ends(calibration_in_the_large(y, p, **rows)))


FIGURES: dict[str, Any] = {
    "in the large": calibration_in_the_large,
    "slope": lambda *table, **rows: calibration_slope(*table, **rows).slope,
    "brier": brier,
    "scaled brier": scaled_brier,
    "observed / expected": observed_expected,
    "log": partial(observed_expected, method="log"),
}


@pytest.mark.parametrize("name", FIGURES)
class TestClusters:
    def test_the_same_images_again_tell_nothing_new(self, name: str) -> None:
        y, p, _ = answer("small")
        patient = np.arange(y.size) // 2
        once = FIGURES[name](y, p, clusters=patient)
        thrice = FIGURES[name](*(np.repeat(each, 3) for each in (y, p)), clusters=patient.repeat(3))
        assert ends(thrice) == pytest.approx(ends(once))
        weighted = FIGURES[name](y, p, clusters=patient, weights=np.full(y.size, 3))
        assert ends(weighted) == pytest.approx(ends(once))

    def test_clusters_of_one_row_are_patients_of_equal_weight(self, name: str) -> None:
        y, p, _ = answer("small")
        named = FIGURES[name](y, p, clusters=range(y.size))
        alone = FIGURES[name](y, p, weights=np.full(y.size, 1.5))
        assert ends(named) == pytest.approx(ends(alone))

    def test_one_cluster_is_refused(self, name: str) -> None:
        y, p, _ = answer("small")
        for weights, clusters in ((None, [1] * 40), ([1] * 20 + [0] * 20, [1] * 20 + [2] * 20)):
            with pytest.raises(Undefined, match="clusters: found the same in every row"):
                FIGURES[name](y, p, weights=weights, clusters=clusters)

    def test_fractions_have_no_scale(self, name: str) -> None:
        y, p, _ = answer("small")
        w = 0.5 + np.arange(y.size) % 3
        found = [FIGURES[name](y, p, weights=scale * w) for scale in (1, 0.7, 1e-9)]
        for other in found[1:]:
            assert ends(other) == pytest.approx(ends(found[0]))


def test_the_error_of_clusters_is_that_of_the_bootstrap_of_patients() -> None:
    random = np.random.default_rng(3)
    y = np.repeat(random.random(150) < 0.4, 2)
    p = np.clip(np.repeat(random.random(150), 2) + random.normal(0, 0.1, 300), 0.05, 0.95)
    drawn = resample(np.repeat(range(150), 2), generator=random, number=2000)
    weights = np.vstack([drawn.clusters.weights(counts) for counts in drawn.blocks()])
    for figure, again in ((brier, metrics.brier), (scaled_brier, metrics.scaled_brier)):
        ours = figure(y, p, clusters=np.repeat(range(150), 2))
        error = (ours.high - ours.low) / 2 / normal_quantile(0.95)
        assert error == pytest.approx(np.std(again(y, p, weights)), rel=0.06)


def test_clusters_that_do_not_differ_have_no_log_interval() -> None:
    table, pairs = ([0, 1, 1, 0], [0.2, 0.3, 0.4, 0.5]), [1, 1, 2, 2]
    with pytest.raises(Undefined, match="the same share of events in every cluster"):
        observed_expected(*table, method="log", clusters=pairs)
    assert brier([0, 1, 1, 0], [0.4, 0.7, 0.7, 0.4], clusters=pairs).method == "Wilson"


def test_the_confidence_is_checked_where_there_is_no_figure_too() -> None:
    for figure, table in (
        (scaled_brier, ([1, 1], [0.2, 0.4])),
        (observed_expected, ([0, 1], [0, 0])),
    ):
        with pytest.raises(ValueError, match="found confidence 95"):
            figure(*table, confidence=95)


def test_two_clusters_are_too_few_for_the_joint_test() -> None:
    y, p, _ = answer("small")
    line = calibration_slope(y, p, clusters=np.arange(y.size) % 2)
    assert (line.chi_square, line.p_value) == (None, None)


def test_weights_of_the_means() -> None:
    """Fractions, which count nobody, and whole ones, which do."""
    for name, step in (("weighted", 0), ("counted", 1)):
        table, said = reference("calibration")["weighted"]["table"], reference("calibration")[name]
        y, p, w = (np.array(table[column]) for column in ("y", "p", "w"))
        w = np.ceil(w) if step else w
        agree(brier, VAL_PROB, brier(y, p, weights=w).value, said["brier"])
        ratio = observed_expected(y, p, weights=w)
        oracle = "poisson.test" if step else "epitools::ageadjust.direct"
        agree(observed_expected, r("calibration", oracle), ends(ratio), said["ratio"])
        if step:
            ours = spiegelhalter(y, p, weights=w).z ** 2
            agree(spiegelhalter, VAL_PROB, ours, said["spiegelhalter"])


def influenced(figure: Any, n: int, weights: Any) -> float:
    """The sandwich's standard error, from what a little more of each patient does."""
    step = 1e-5
    at = [np.where(np.arange(n) == row, step, 0) for row in range(n)]
    slopes = np.array([figure(weights + e) - figure(weights - e) for e in at]) / (2 * step)
    return float(np.sqrt(np.sum((slopes * weights) ** 2)))


def test_intervals_under_fractions_are_sandwiches() -> None:
    table = reference("calibration")["weighted"]["table"]
    y, p, w = (np.array(table[column]) for column in ("y", "p", "w"))
    number = w.sum() ** 2 / (w @ w)
    half = normal_quantile(0.95) * np.sqrt(number / (number - 1))

    def score(weights: Any) -> float:
        return float(np.average((p - y) ** 2, weights=weights))

    def scaled(weights: Any) -> float:
        share = np.average(y, weights=weights)
        return float(1 - score(weights) / (share * (1 - share)))

    def ratio(weights: Any) -> float:
        return float(np.log(weights @ y / weights.sum()))

    source = "definition: infinitesimal jackknife"
    for figure, of in ((brier, score), (scaled_brier, scaled)):
        ours, reach = figure(y, p, weights=w), half * influenced(of, len(y), w)
        theirs = [of(w), of(w) - reach, min(1, of(w) + reach)]
        agree(figure, source, ends(ours), theirs)
    ours = observed_expected(y, p, weights=w, method="log")
    reach = normal_quantile(0.95) * influenced(ratio, len(y), w)
    theirs = w @ y / (w @ p) * np.exp([0, -reach, reach])
    agree(observed_expected, source, ends(ours), theirs)


WEIGHTED = (calibration_in_the_large, brier, scaled_brier, observed_expected)


@given(markers(smallest_group=2), st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_a_weight_of_two_is_the_row_twice(marker: Marker, counts: list[int]) -> None:
    y, p = probabilities(marker)
    weights = np.array(counts[: len(y)])
    assume(0 < weights @ y < weights.sum() and weights.sum() > 1)
    rows = np.repeat(np.arange(len(y)), weights)
    for figure in WEIGHTED:
        ours, theirs = figure(y, p, weights=weights), figure(y[rows], p[rows])
        assert ends(ours) == pytest.approx(ends(theirs), abs=1e-8)
        assert (ours.n, ours.events) == ((weights > 0).sum(), ((weights > 0) & (y == 1)).sum())
    z, other = spiegelhalter(y, p, weights=weights).z, spiegelhalter(y[rows], p[rows]).z
    assert z == (None if other is None else pytest.approx(other))
    by_log, theirs = (
        observed_expected(*args, method="log", weights=w)
        for args, w in (((y, p), weights), ((y[rows], p[rows]), None))
    )
    assert ends(by_log) == pytest.approx(ends(theirs))


@given(markers(smallest_group=2), st.floats(0.1, 9.9))
def test_the_unit_of_fractions_does_not_matter_to_a_mean(marker: Marker, unit: float) -> None:
    assume(unit % 1)
    y, p = probabilities(marker)
    weights = 0.5 + np.arange(len(y)) % 3
    for figure in (brier, scaled_brier, observed_expected):
        one, other = figure(y, p, weights=weights), figure(y, p, weights=unit * weights)
        assert ends(one) == pytest.approx(ends(other), abs=1e-9)


def test_weights_count_in_the_joint_test() -> None:
    y, p, _ = answer("small")
    twice = calibration_slope(np.tile(y, 2), np.tile(p, 2))
    weighted = calibration_slope(y, p, weights=np.full(len(y), 2))
    assert weighted.chi_square == pytest.approx(twice.chi_square)
    assert ends(weighted.slope) == pytest.approx(ends(twice.slope))


@each_table
def test_recalibration(table: str) -> None:
    y, p, found = answer(table)
    agree(log_odds, "definition: log(p / (1 - p))", log_odds(p), np.log(p / (1 - p)))
    ours = recalibrate(y, p).apply(p)[:5]
    agree(recalibrate, GLM, ours, found["weak"]["updated"])
    ours = recalibrate(y, p, update="intercept").apply(p)[:5]
    agree(Recalibration.apply, GLM, ours, found["weak"]["updated_intercept"])


@each_table
def test_recalibrated_patients_are_calibrated(table: str) -> None:
    y, p, _ = answer(table)
    updated = recalibrate(y, p).apply(p)
    assert calibration_slope(y, updated).slope.value == pytest.approx(1, abs=1e-6)
    level = recalibrate(y, p, update="intercept").apply(p)
    assert calibration_in_the_large(y, level).value == pytest.approx(0, abs=1e-9)
    assert observed_expected(y, level).value == pytest.approx(1)
    assert observed_expected(y, updated).value == pytest.approx(1)


@each_table
def test_observed_over_expected(table: str) -> None:
    y, p, found = answer(table)
    ours = observed_expected(y, p)
    agree(
        observed_expected, r("calibration", "poisson.test"), ends(ours), found["observed_expected"]
    )
    assert ours.method == "exact Poisson"
    by_log = observed_expected(y, p, method="log")
    half = normal_quantile(0.95) * np.sqrt(1 / y.sum() - 1 / len(y))
    theirs = y.sum() / p.sum() * np.exp([0, -half, half])
    agree(observed_expected, "definition: Debray 2017, log scale", ends(by_log), theirs)


def test_no_event_has_an_exact_interval_but_no_log_one() -> None:
    ours = observed_expected([0, 0, 0], [0.5, 0.25, 0.25])
    assert (ours.value, ours.low, ours.high) == (0, 0, pytest.approx(-np.log(0.025)))
    with pytest.raises(ValueError, match="found 0 events in 3 patients; the log interval"):
        observed_expected([0, 0, 0], [0.5, 0.2, 0.2], method="log")
    with pytest.raises(ValueError, match="found 2 events in 2 patients; the log interval"):
        observed_expected([1, 1], [0.5, 0.2], method="log")


def test_nothing_expected() -> None:
    assert observed_expected([0, 1], [0, 0]) is None


@each_table
def test_brier(table: str) -> None:
    y, p, found = answer(table)
    value, low, high = found["brier"]  # R does not cut at 0
    agree(brier, SCORE, ends(brier(y, p)), [value, max(0, low), high])
    agree(brier, VAL_PROB, brier(y, p).value, found["val_prob"]["Brier"])
    agree(scaled_brier, SCORE, scaled_brier(y, p).value, found["ipa"])


@each_table
def test_interval_of_the_scaled_brier_score(table: str) -> None:
    """The variance again, from what a little more weight on each patient does (numerically)."""
    y, p, _ = answer(table)

    def scaled(w: Any) -> float:
        w = w / w.sum()
        return 1 - w @ (p - y) ** 2 / (w @ y * (1 - w @ y))

    n, step = len(y), 1e-5
    at = [np.where(np.arange(n) == row, step, 0) for row in range(n)]
    influence = np.array([scaled(1 + e) - scaled(1 - e) for e in at]) * n / (2 * step)
    half = normal_quantile(0.95) * influence.std(ddof=1) / np.sqrt(n)
    ours = scaled_brier(y, p)
    theirs = [ours.value - half, min(1, ours.value + half)]
    agree(scaled_brier, "definition: infinitesimal jackknife", [ours.low, ours.high], theirs)


def test_certain_probabilities_have_wilsons_interval() -> None:
    ours, wrong = brier([0, 1, 1, 0], [0, 1, 1, 0]), brier([0, 1, 1, 0], [0, 0, 1, 0])
    agree(brier, "definition: Wilson", [ours.low, ours.high], [0, wilson(0, 4).high])
    assert (wrong.value, wrong.low, wrong.method) == (0.25, wilson(1, 4).low, "Wilson")


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 0, 0, 1]])
def test_equal_errors_do_not_claim_certainty(labels: list[int]) -> None:
    p = np.where(np.array(labels) == 1, 0.9, 0.1)
    ours = brier(labels, p)
    assert (ours.value, ours.method) == (pytest.approx(0.01), "Wilson")
    z = normal_quantile(0.95)
    for end in (ours.low, ours.high):  # where a score test of the largest variance just rejects
        reach = z * np.sqrt(end * (1 - end) / 4)
        agree(brier, "definition: score test of a bounded mean", abs(0.01 - end), reach)
    assert ours.low < 0.01 < ours.high


def test_a_scaled_score_without_spread_does_not_claim_certainty() -> None:
    most = wilson(0, 4).high
    perfect, known = scaled_brier([0, 0, 1, 1], [0, 0, 1, 1]), scaled_brier([0, 1], [0.5, 0.5])
    assert (perfect.value, perfect.low, perfect.high) == (1, pytest.approx(1 - 4 * most), 1)
    assert (known.value, known.method) == (0, "Wilson")
    assert known.low < 0 < known.high


@each_table
def test_spiegelhalter(table: str) -> None:
    y, p, found = answer(table)
    told, ours = found["val_prob"], spiegelhalter(y, p)
    agree(spiegelhalter, VAL_PROB, [ours.z, ours.p_value], [told["S:z"], told["S:p"]])


def test_spiegelhalter_of_even_chances_is_undefined() -> None:
    assert spiegelhalter([0, 1], [0.5, 0.5]) == SpiegelhalterTest(None, None, 2, 1)


def test_brier_of_one_patient_or_outcome() -> None:
    with pytest.raises(ValueError, match="found 1 patient; an interval needs at least 2"):
        brier([1], [0.4])
    assert scaled_brier([1, 1], [0.4, 0.5]) is None


def probabilities(marker: Marker) -> tuple[Any, Any]:
    labels, scores = marker
    return labels, 1 / (1 + np.exp(-scores))


@given(markers(smallest_group=2))
def test_complementing_labels_and_probabilities_mirrors(marker: Marker) -> None:
    y, p = probabilities(marker)
    large, mirrored = calibration_in_the_large(y, p), calibration_in_the_large(1 - y, 1 - p)
    assert ends(mirrored) == pytest.approx([-large.value, -large.high, -large.low], abs=1e-7)
    assert ends(brier(1 - y, 1 - p)) == pytest.approx(ends(brier(y, p)))
    assert ends(scaled_brier(1 - y, 1 - p)) == pytest.approx(ends(scaled_brier(y, p)))
    z, other = spiegelhalter(y, p).z, spiegelhalter(1 - y, 1 - p).z
    assert other == (None if z is None else pytest.approx(z))


@given(markers(smallest_group=2))
def test_complementing_keeps_the_slope_and_turns_its_intercept(marker: Marker) -> None:
    y, p = probabilities(marker)
    events, others = p[y == 1], p[y == 0]
    assume(events.min() < others.max() and others.min() < events.max())
    ours, mirrored = calibration_slope(y, p), calibration_slope(1 - y, 1 - p)
    assert ends(mirrored.slope) == pytest.approx(ends(ours.slope), abs=1e-6)
    assert mirrored.intercept.value == pytest.approx(-ours.intercept.value, abs=1e-6)
    assert mirrored.p_value == pytest.approx(ours.p_value, abs=1e-6)


@given(markers(smallest_group=2), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(marker: Marker, random: Any) -> None:
    y, p = probabilities(marker)
    order = random.sample(range(len(y)), len(y))
    for figure in (calibration_in_the_large, brier, scaled_brier, observed_expected):
        assert ends(figure(y[order], p[order])) == pytest.approx(ends(figure(y, p)), abs=1e-8)


def test_perfect_calibration() -> None:
    """Of 4 patients at 1/4 one had the outcome, of 4 at 3/4 three."""
    y, p = [1, 0, 0, 0, 1, 1, 1, 0], [0.25] * 4 + [0.75] * 4
    line = calibration_slope(y, p)
    assert [line.slope.value, line.intercept.value] == pytest.approx([1, 0], abs=1e-9)
    assert (line.chi_square, line.p_value) == pytest.approx((0, 1), abs=1e-9)
    assert calibration_in_the_large(y, p).value == pytest.approx(0, abs=1e-12)
    assert observed_expected(y, p).value == 1
    assert spiegelhalter(y, p).z == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("figure", [calibration_in_the_large, calibration_slope, recalibrate])
def test_exact_zeros_and_ones_are_refused_where_log_odds_are_needed(figure: Any) -> None:
    with pytest.raises(ValueError, match=r"found 1 in row 2 \(2 of 4\); log odds need"):
        figure([0, 1, 1, 0], [0.2, 0.4, 1, 0])


def test_equal_probabilities_have_no_slope() -> None:
    with pytest.raises(ValueError, match="found the same probability for all 3 patients"):
        calibration_slope([0, 1, 0], [0.3, 0.3, 0.3])


def test_predictions_that_separate_have_no_slope() -> None:
    with pytest.raises(ValueError, match="predicted log odds separates the outcomes"):
        calibration_slope([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.7])


def test_out_of_range_probabilities_are_refused() -> None:
    for figure in (brier, scaled_brier, spiegelhalter, observed_expected, calibration_slope):
        with pytest.raises(ValueError, match=r"found 1.2 in row 1; expected .* at most 1"):
            figure([0, 1], [0.2, 1.2])


def test_a_cluster_of_rows_of_weight_0_is_not_there() -> None:
    found = observed_expected(
        [1, 0, 1, 0], [0.3, 0.4, 0.5, 0.6], weights=[1, 0, 1, 1], clusters=[0, 1, 2, 3]
    )
    without = observed_expected([1, 1, 0], [0.3, 0.5, 0.6], clusters=[0, 2, 3])
    assert found == without
