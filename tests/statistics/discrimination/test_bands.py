import math

import numpy as np
import pytest
from hypothesis import example, given
from scipy.stats import norm

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.discrimination.bands import (
    kolmogorov_distance,
    pointwise_band,
    simultaneous_band,
)
from oncotrail.statistics.discrimination.roc import height
from oncotrail.statistics.discrimination.steps import steps
from oncotrail.statistics.uncertainty.resampling import given_resamples, resample
from tests.statistics.draws import bootstraps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference


@pytest.mark.parametrize("which", range(7))
def test_the_pointwise_band_agrees_with_proc_and_boot_on_the_rows_that_were_drawn(
    which: int,
) -> None:
    said = reference("discrimination")
    drawn, table, resamples = bootstraps()[which]
    ours = pointwise_band(
        table["labels"],
        table["first"],
        said["specificities"],
        resamples=resamples,
        confidence=drawn["confidence"],
    )
    oracle = r("discrimination", "pROC::coords") + ", " + r("discrimination", "boot::boot.ci")
    agree(pointwise_band, oracle, [ours.low, ours.high], [drawn["low"], drawn["high"]])
    if drawn["table"] in said["heights"]:
        heights = said["heights"][drawn["table"]]
        agree(pointwise_band, r("discrimination", "pROC::coords"), ours.sensitivity, heights)
    assert ours.method == f"bootstrap, {resamples.number}"
    patients = table.get("patient", range(len(table["labels"])))
    whose = np.array(patients)
    assert (ours.n, ours.events) == (
        np.unique(whose).size,
        np.unique(whose[np.array(table["labels"]) == 1]).size,
    )


def test_the_distance_agrees_with_kolmogorovs_distribution_in_r() -> None:
    for case in reference("discrimination")["kolmogorov"]:
        ours = kolmogorov_distance(case["n"], case["confidence"])
        agree(kolmogorov_distance, r("discrimination", "ks.test"), ours, case["distance"])


@given(markers())
def test_the_simultaneous_band_is_the_reach_of_rectangles_around_the_points(
    marker: Marker,
) -> None:
    labels, scores = marker
    wanted = np.array([0.03, 0.33, 0.61, 0.97])  # off the points, where either side may be meant
    ours = simultaneous_band(labels, scores, wanted, 0.8)
    across, up = (
        kolmogorov_distance(size, math.sqrt(0.8))
        for size in ((labels == 0).sum(), (labels == 1).sum())
    )
    cuts = np.append(np.inf, np.unique(scores))
    specific = np.array([(scores[labels == 0] < cut).mean() for cut in cuts])
    sensitive = np.array([(scores[labels == 1] >= cut).mean() for cut in cuts])
    low = [sensitive[specific <= each + across].min(initial=1) - up for each in wanted]
    high = [sensitive[specific >= each - across].max(initial=0) + up for each in wanted]
    oracle = "definition: reach of every threshold"
    curve = ours.sensitivity
    low_or_curve = np.minimum(np.maximum(low, 0), curve)
    high_or_curve = np.maximum(np.minimum(high, 1), curve)
    agree(simultaneous_band, oracle, ours.low, low_or_curve, within=1e-12)
    agree(simultaneous_band, oracle, ours.high, high_or_curve, within=1e-12)


@example((np.repeat([1, 0], 8), np.zeros(16)))  # one chord from end to end
@given(markers())
def test_the_simultaneous_band_holds_the_curve(marker: Marker) -> None:
    wanted = np.linspace(0, 1, 11)
    band = simultaneous_band(*marker, wanted)
    assert band.sensitivity.tolist() == height(steps(*marker), wanted).tolist()
    assert (band.low <= band.sensitivity).all()
    assert (band.sensitivity <= band.high).all()


def test_the_simultaneous_band_holds_the_whole_truth_as_often_as_it_says() -> None:
    """Two normal groups: in at least 80 % of 150 studies the band holds the true curve."""
    random = np.random.default_rng(4)
    labels = np.repeat([0, 1], [40, 30])
    wanted = np.linspace(0.01, 0.99, 99)
    truth = norm.sf(norm.ppf(wanted) - 1)
    held = 0
    for _ in range(150):
        band = simultaneous_band(labels, random.normal(size=70) + labels, wanted, 0.8)
        held += bool(((band.low <= truth) & (truth <= band.high)).all())
    assert held / 150 >= 0.8


def test_the_pointwise_band_is_narrower() -> None:
    random = np.random.default_rng(6)
    labels = np.repeat([0, 1], 60)
    scores = labels + random.normal(size=120)
    wanted = [0.5, 0.7, 0.9]
    drawn = resample(range(120), strata=labels, generator=random)
    one = pointwise_band(labels, scores, wanted, resamples=drawn)
    all_ = simultaneous_band(labels, scores, wanted)
    assert (one.high - one.low < all_.high - all_.low).all()
    assert (one.n, one.events) == (all_.n, all_.events) == (120, 60)


def test_weights_of_two_are_rows_written_twice_where_the_draws_are_the_same() -> None:
    labels, scores = np.array([0, 1, 0, 1, 1, 0]), np.array([1.0, 2, 3, 4, 5, 6])
    times = [1, 2, 1, 3, 1, 2]
    drawn = resample(range(6), strata=labels, generator=np.random.default_rng(1), number=60)
    ours = pointwise_band(labels, scores, [0.3, 0.6], resamples=drawn, weights=times)
    whole = given_resamples(np.repeat(range(6), times), np.concatenate(list(drawn.blocks())))
    twice = pointwise_band(
        np.repeat(labels, times), np.repeat(scores, times), [0.3, 0.6], resamples=whole
    )
    oracle = "definition: rows written repeatedly"
    agree(pointwise_band, oracle, [ours.low, ours.high], [twice.low, twice.high], within=1e-12)
    assert (ours.n, ours.events) == (twice.n, twice.events) == (6, 3)


def test_no_array_of_a_band_can_be_written_to() -> None:
    band = simultaneous_band([0, 1], [1, 2], [0.5])
    with pytest.raises(ValueError, match="read-only"):
        band.low[0] = 0


def test_resamples_of_one_outcome_only_leave_the_band_undefined() -> None:
    drawn = given_resamples(range(3), [[1, 1, 1], [0, 1, 2]] * 20)
    with pytest.raises(Undefined, match=r"undefined in 20 of 40 resamples; .* Stratify"):
        pointwise_band([0, 1, 1], [1, 2, 3], [0.5], resamples=drawn)


def test_a_few_resamples_of_one_outcome_are_left_out() -> None:
    drawn = given_resamples(range(3), [[0, 1, 2]] + [[1, 1, 1], [1, 2, 0]] * 20)
    band = pointwise_band([0, 1, 1], [1, 0, 3], [0.5], resamples=drawn)
    assert (band.low[0], band.high[0]) == (0, 0.5)
