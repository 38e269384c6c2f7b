from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn import __version__ as sklearn_version
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as sklearn_curve

from oncotrail.statistics.discrimination.precision_recall import (
    average_precision,
    precision_recall_curve,
)
from oncotrail.statistics.intervals import wilson
from oncotrail.statistics.uncertainty.endpoints import percentile_ends
from oncotrail.statistics.uncertainty.resampling import resample
from tests.reference.tables import breast
from tests.statistics.draws import bootstraps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

CURVE = f"sklearn.metrics.precision_recall_curve {sklearn_version}"
SCORE = f"sklearn.metrics.average_precision_score {sklearn_version}"


@st.composite
def weighted(draw: st.DrawFn) -> tuple[Marker, list[int]]:
    marker = draw(markers())
    size = marker[0].size
    return marker, draw(st.lists(st.integers(1, 5), min_size=size, max_size=size))


@given(weighted())
def test_the_curve_agrees_with_scikit_learn(table: tuple[Marker, list[int]]) -> None:
    marker, weights = table
    for weight in (None, weights):
        precision, recall, thresholds = sklearn_curve(*marker, sample_weight=weight)
        ours = precision_recall_curve(*marker, weight)
        # Theirs rises with the threshold, and ends with a point at which nobody is called.
        found = ours.precision, ours.recall, ours.thresholds
        theirs = precision[:-1][::-1], recall[:-1][::-1], thresholds[::-1]
        agree(precision_recall_curve, CURVE, found, theirs, within=1e-12)


@given(weighted())
def test_the_average_agrees_with_scikit_learn(table: tuple[Marker, list[int]]) -> None:
    marker, weights = table
    for weight in (None, weights):
        ours = average_precision(*marker, weights=weight).value
        theirs = average_precision_score(*marker, sample_weight=weight)
        agree(average_precision, SCORE, ours, theirs, within=1e-12)


def test_agrees_with_scikit_learn_on_real_and_extreme_tables() -> None:
    table = breast()
    ours = average_precision(table["malignant"], table["mean_texture"]).value
    theirs = average_precision_score(table["malignant"], table["mean_texture"])
    agree(average_precision, SCORE, ours, theirs, within=1e-12)
    for answer in reference("discrimination")["discrimination"].values():
        labels, scores = answer["table"]["labels"], answer["table"]["first"]
        theirs = average_precision_score(labels, scores)
        ours = average_precision(labels, scores).value
        agree(average_precision, SCORE, ours, theirs, within=1e-12)


def test_the_interval_is_that_of_the_paper() -> None:
    """Boyd, Eng and Page 2013, section 3.2: e^(eta +- z tau) / (1 + e^(eta +- z tau))."""
    labels, scores = [0, 0, 1, 1, 1, 0], [0.1, 0.4, 0.35, 0.8, 0.5, 0.7]
    ours = average_precision(labels, scores, 0.9)
    tau = (3 * ours.value * (1 - ours.value)) ** -0.5
    theirs = expit(logit(ours.value) + 1.6448536269514722 * tau * np.array([-1, 1]))
    agree(average_precision, "formula: Boyd 2013", (ours.low, ours.high), theirs)
    assert (ours.method, ours.n, ours.events) == ("Boyd, logit", 6, 3)
    # Equal weights, whatever they are, change nothing.
    same = average_precision(labels, scores, 0.9, weights=[7] * 6)
    assert (same.low, same.high) == pytest.approx((ours.low, ours.high))


@pytest.mark.parametrize("positives", [1, 2, 30])
def test_a_perfect_marker_is_one_but_not_certain(positives: int) -> None:
    labels = np.repeat([0, 1], [5, positives])
    estimate = average_precision(labels, labels)
    assert (estimate.value, estimate.high, estimate.method) == (1, 1, "Wilson")
    assert estimate.low == wilson(positives, positives).low


def test_the_baseline_is_the_prevalence_and_a_constant_marker_is_there() -> None:
    labels = np.repeat([0, 1], [999, 1])
    curve = precision_recall_curve(labels, np.full(1000, 0.3))
    assert curve.baseline == 0.001
    assert (curve.precision.tolist(), curve.recall.tolist()) == ([0.001], [1.0])
    assert average_precision(labels, np.full(1000, 0.3)).value == 0.001


@pytest.mark.parametrize("which", range(7))
def test_the_percentiles_agree_with_boot_on_the_rows_that_were_drawn(which: int) -> None:
    drawn, table, resamples = bootstraps()[which]
    rows = table["labels"], table["first"]
    ours = average_precision(*rows, drawn["confidence"], resamples=resamples)
    oracle = r("discrimination", "boot::boot.ci")
    found = ours.value, ours.low, ours.high
    agree(average_precision, oracle, found, drawn["average_precision"])
    assert ours.method == f"bootstrap, {resamples.number}"


def test_resamples_and_weights_go_together() -> None:
    labels, scores = [0, 0, 1, 1, 1, 0], [0.1, 0.4, 0.35, 0.8, 0.5, 0.7]
    drawn = resample(range(6), strata=labels, generator=np.random.default_rng(8), number=99)
    weights = np.array([1, 3, 2, 5, 1, 1])
    ours = average_precision(labels, scores, 0.8, weights=weights, resamples=drawn)
    each = [
        average_precision_score(labels, scores, sample_weight=counts * weights)
        for block in drawn.blocks()
        for counts in block
    ]
    ends = percentile_ends(np.array(each), 0.8)
    agree(average_precision, SCORE, (ours.low, ours.high), (ends.low, ends.high), within=1e-12)


def test_resamples_that_do_not_differ_claim_nothing() -> None:
    labels = np.repeat([0, 1], 5)
    drawn = resample(range(10), strata=labels, generator=np.random.default_rng(8), number=50)
    assert average_precision(labels, range(10), resamples=drawn).method == "Wilson"
    assert average_precision(labels, [1] * 10, resamples=drawn).method == "Boyd, logit"


@given(markers(), st.randoms(use_true_random=False))
def test_neither_order_nor_scale_matters(marker: Marker, random: Random) -> None:
    labels, scores = marker
    order = random.sample(range(labels.size), labels.size)
    before = average_precision(labels, scores)
    after = average_precision(labels[order], np.exp(scores[order]))
    assert (after.value, after.low, after.high) == pytest.approx(
        (before.value, before.low, before.high)
    )
    assert 0 < before.low <= before.value <= before.high <= 1


def test_a_patient_of_weight_zero_is_not_there() -> None:
    found = average_precision([0, 1, 1, 0], [1, 2, 3, 9], weights=[1, 1, 1, 0])
    assert found == average_precision([0, 1, 1], [1, 2, 3])
