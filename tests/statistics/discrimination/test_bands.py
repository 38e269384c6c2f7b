import math

import numpy as np
import pytest
from hypothesis import example, given
from scipy.stats import norm

from oncotrail.statistics.discrimination.bands import (
    kolmogorov_distance,
    pointwise_band,
    simultaneous_band,
)
from oncotrail.statistics.discrimination.resamples import stratified_resamples
from oncotrail.statistics.discrimination.roc import sensitivity_at
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference


@pytest.mark.parametrize("which", range(5))
def test_the_pointwise_band_agrees_with_proc_on_the_rows_it_drew(which: int) -> None:
    said = reference("discrimination")
    drawn = said["bootstrap"][which]
    table = said["discrimination"][drawn["table"]]["table"]
    ours = pointwise_band(
        table["labels"],
        table["first"],
        said["specificities"],
        resamples=drawn["rows"],
        confidence=drawn["confidence"],
    )
    oracle = r("discrimination", "pROC::ci.se")
    agree(pointwise_band, oracle, [ours.low, ours.high], [drawn["low"], drawn["high"]])
    heights = said["heights"][drawn["table"]]
    agree(pointwise_band, r("discrimination", "pROC::coords"), ours.sensitivity, heights)
    assert ours.method == f"bootstrap, {len(drawn['rows'])}"


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
    assert band.sensitivity.tolist() == sensitivity_at(*marker, wanted).tolist()
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
    one = pointwise_band(labels, scores, wanted, resamples=stratified_resamples(labels, random))
    all_ = simultaneous_band(labels, scores, wanted)
    assert (one.high - one.low < all_.high - all_.low).all()
    assert (one.n, one.events) == (all_.n, all_.events) == (120, 60)


def test_no_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="found no resamples; expected at least one"):
        pointwise_band([0, 1], [1, 2], [0.5], resamples=[])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([1, 1], "resample 0: found 2 events in 2 rows; expected rows of both outcomes"),
        ([0, 0], "resample 0: found 0 events in 2 rows; expected rows of both outcomes"),
        ([0, 2], "resample 0: found row 2; expected rows from 0 to 1"),
        ([-1, 0], "resample 0: found row -1; expected rows from 0 to 1"),
    ],
)
def test_impossible_resamples_are_refused(rows: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pointwise_band([0, 1], [1, 2], [0.5], resamples=[rows])
