from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import __version__ as sklearn_version
from sklearn.calibration import calibration_curve

from oncotrail.statistics.calibration.bins import (
    Binning,
    calibration_bins,
    debiased_squared_error,
    expected_calibration_error,
)
from oncotrail.statistics.calibration.curve import calibration_errors
from oncotrail.statistics.calibration.errors import calibration_error, judged_rows
from oncotrail.statistics.intervals import wilson
from oncotrail.statistics.uncertainty.endpoints import basic_ends, percentile_ends
from oncotrail.statistics.uncertainty.resampling import (
    Resamples,
    drawn_rows,
    given_resamples,
    resample,
)
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, reference

SKLEARN = f"scikit-learn calibration_curve {sklearn_version}"
each_table = pytest.mark.parametrize("table", ["ordinary", "ties", "rare", "tiny"])
each_binning = pytest.mark.parametrize("by", ["width", "mass"])


def table_of(name: str) -> tuple[Any, Any]:
    found = reference("calibration")["tables"][name]["table"]
    return np.array(found["y"]), np.array(found["p"])


def error(labels: Any, risks: Any, by: Binning = "width", **more: Any) -> Any:
    return expected_calibration_error(labels, risks, by=by, **{"resamples": None, **more})


def images(n: int, seed: int = 3, number: int = 60) -> Resamples:
    """Patients with two rows each, but for the last."""
    generator = np.random.default_rng(seed)
    return resample(np.arange(n) // 2, generator=generator, number=number)


@each_table
@each_binning
def test_bins(table: str, by: Binning) -> None:
    y, p = table_of(table)
    found = calibration_bins(y, p, bins=7, by=by)
    strategy = {"width": "uniform", "mass": "quantile"}[by]
    observed, predicted = calibration_curve(y, p, n_bins=7, strategy=strategy)
    agree(calibration_bins, SKLEARN, [one.observed.value for one in found], observed)
    agree(calibration_bins, SKLEARN, [one.predicted for one in found], predicted)
    assert sum(one.observed.n for one in found) == len(y)
    assert sum(one.observed.events for one in found) == y.sum()
    first = found[0].observed
    assert first.low == wilson(first.events, first.n).low
    # By definition, the error is the mean over patients of their bin's difference.
    sizes = [one.observed.n for one in found]
    theirs = np.average(np.abs(observed - predicted), weights=sizes)
    agree(expected_calibration_error, SKLEARN, error(y, p, by, bins=7).value, theirs)


def debiased(y: Any, p: Any, place: Any, whose: Any) -> float:
    """By its definition, bin by bin and patient by patient."""
    total = 0.0
    for one in np.unique(place):
        inside = place == one
        share, size = y[inside].mean(), inside.sum()
        off = [(y[inside & (whose == who)] - share).sum() for who in np.unique(whose[inside])]
        chance = len(off) / (len(off) - 1) * np.sum(np.square(off)) / size**2
        total += size * ((share - p[inside].mean()) ** 2 - chance)
    return total / len(y)


def halves(p: Any) -> Any:
    return (p > np.median(p)).astype(int)


@each_table
def test_debiased_squared_error(table: str) -> None:
    y, p = table_of(table)
    inside = [halves(p) == half for half in (0, 1)]
    chance = [y[one].var(ddof=1) / one.sum() for one in inside]
    off = [(y[one].mean() - p[one].mean()) ** 2 for one in inside]
    theirs = np.average(np.subtract(off, chance), weights=[one.mean() for one in inside])
    ours = debiased_squared_error(y, p, bins=2, resamples=None).value
    agree(debiased_squared_error, "definition: Kumar 2019, by bin", ours, theirs)


@each_table
def test_rows_of_a_patient_vary_together_in_the_debiased_error(table: str) -> None:
    y, p = table_of(table)
    if table == "tiny":
        p = np.array([0.2, 0.3, 0.6, 0.4, 0.5, 0.9])  # two patients in each bin
    whose, place = np.arange(len(y)) // 2, halves(p)
    drawn = images(len(y))
    ours = debiased_squared_error(y, p, bins=2, resamples=drawn).value
    theirs = debiased(y, p, place, whose)
    agree(debiased_squared_error, "definition: by bin and patient", ours, theirs)


def test_the_interval_of_the_debiased_error() -> None:
    y, p = table_of("ordinary")
    drawn, place = images(len(y)), halves(p)
    again = []
    for counts in np.concatenate(list(drawn.blocks())):
        # A patient drawn again is another patient with the same rows.
        rows = [np.arange(len(y)).reshape(-1, 2)[who] for who in np.repeat(np.arange(100), counts)]
        whose = np.repeat(np.arange(100), 2)
        rows = np.concatenate(rows)
        again.append(debiased(y[rows], p[rows], place[rows], whose))
    ours = debiased_squared_error(y, p, bins=2, resamples=drawn, confidence=0.8)
    ends = percentile_ends(np.array(again), 0.8)
    theirs = [ends.low, ends.high]
    agree(debiased_squared_error, "definition: percentiles", [ours.low, ours.high], theirs)
    assert ours.method == "percentile bootstrap, 60"


def test_the_debiased_error_of_a_calibrated_model_is_zero_on_average() -> None:
    random = np.random.default_rng(8)
    p = random.uniform(size=(400, 200))
    y = random.uniform(size=p.shape) < p
    found = [debiased_squared_error(*pair, resamples=None).value for pair in zip(y, p, strict=True)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 20
    assert min(found) < 0


def test_it_is_also_where_images_of_a_patient_have_one_outcome() -> None:
    random, drawn = np.random.default_rng(9), images(200, number=39)
    found = []
    for _ in range(400):
        p = np.repeat(random.uniform(size=100), 2)
        y = np.repeat(random.uniform(size=100), 2) < p
        found.append(debiased_squared_error(y, p, bins=5, resamples=drawn).value)
    assert abs(np.mean(found)) < 3 * np.std(found) / 20


def test_the_interval_is_the_basic_bootstrap_of_the_same_draws() -> None:
    y, p = table_of("ordinary")
    drawn = images(len(y))
    ours = error(y, p, resamples=drawn, confidence=0.8)
    bin_of, again = np.ceil(p * 10), []
    for rows in drawn_rows(drawn):
        of = [rows[bin_of[rows] == place] for place in range(1, 11)]
        again.append(sum(abs((y[inside] - p[inside]).sum()) for inside in of) / len(rows))
    ends = basic_ends(ours.value, np.array(again), 0.8)
    theirs = [max(0, ends.low), ends.high]
    agree(expected_calibration_error, "definition: basic bootstrap", [ours.low, ours.high], theirs)
    assert (ours.n, ours.method) == (100, "basic bootstrap, 60")
    assert ours.events == (y.reshape(-1, 2).max(axis=1) == 1).sum()


@given(markers(), st.sampled_from(["width", "mass"]))
def test_complementing_mirrors(marker: Marker, by: Binning) -> None:
    y, scores = marker
    p = (scores + 2.1) / 4.3  # none on an edge, where a bin holds its upper end only
    if by == "width":
        assert error(1 - y, 1 - p, by).value == pytest.approx(error(y, p, by).value)
    assert error(y, p, by, bins=1).value == pytest.approx(abs(y.mean() - p.mean()))


@given(markers())
def test_the_error_lies_within_its_bounds(marker: Marker) -> None:
    y, scores = marker
    drawn = resample(range(len(y)), generator=np.random.default_rng(0), number=50)
    found = error(y, (scores + 2) / 4, resamples=drawn)
    if found.low is not None:
        assert 0 <= found.low <= found.high <= 1
    assert abs(y.mean() - (scores + 2).mean() / 4) <= found.value + 1e-12


@given(markers(smallest_group=2), st.permutations(range(30)))
def test_the_order_of_rows_does_not_matter(marker: Marker, order: list[int]) -> None:
    y, p = marker[0], (marker[1] + 2) / 4
    mixed = [row for row in order if row < len(y)]
    for figure in (expected_calibration_error, debiased_squared_error):
        before, after = (
            figure(y[rows], p[rows], bins=2, resamples=None).value
            for rows in (range(len(y)), mixed)
        )
        assert after == (None if before is None else pytest.approx(before))


def test_replicates_that_do_not_differ_or_are_too_few() -> None:
    drawn = resample(range(4), generator=np.random.default_rng(1), number=40)
    labels = np.array([True, False, True, False])
    same = calibration_error(0.5, labels, drawn, np.full(40, 0.5), confidence=0.9)
    assert (same.value, same.low, same.undefined) == (0.5, None, 0)
    assert same.method.endswith("the resamples do not differ")
    few = np.append(np.full(30, np.nan), np.arange(10) / 10)
    found = calibration_error(0.5, labels, drawn, few, confidence=0.9)
    assert (found.low, found.undefined) == (None, 30)
    assert "undefined in 30 of 40 resamples" in found.method
    spread = np.arange(40) / 40
    ours = calibration_error(0.5, labels, drawn, spread, confidence=0.9)
    ends = percentile_ends(spread, 0.9)
    theirs = [ends.low, ends.high]
    agree(calibration_error, "uncertainty.endpoints.percentile_ends", [ours.low, ours.high], theirs)
    lost = calibration_error(float("nan"), labels, drawn, spread, confidence=0.9)
    assert (lost.value, lost.low) == (None, None)


def test_perfect_calibration_has_no_error() -> None:
    assert error([1, 0, 0, 0, 1, 1, 1, 0], [0.25] * 4 + [0.75] * 4).value == 0


def test_zero_and_one_are_in_the_outer_bins() -> None:
    found = calibration_bins([0, 1, 1], [0, 1, 0.5], bins=2)
    assert [(one.low, one.high, one.observed.n) for one in found] == [(0, 0.5, 2), (0.5, 1, 1)]


def test_a_bin_of_one_patient_has_no_debiased_error() -> None:
    found = debiased_squared_error([0, 1, 1], [0.1, 0.5, 0.9], bins=3, resamples=None)
    assert (found.value, found.n, found.events, found.method) == (None, 3, 2, "no resamples")
    assert (
        debiased_squared_error([0, 1, 1], [0.1, 0.5, 0.9], bins=3, resamples=images(3)).low is None
    )


def test_resamples_of_other_rows() -> None:
    four = given_resamples(range(4), [[1, 1, 1, 1]])
    for figure in (expected_calibration_error, debiased_squared_error, calibration_errors):
        with pytest.raises(ValueError, match=r"found labels of shape \(2,\); .* each of 4 rows"):
            figure([0, 1], [0.1, 0.2], resamples=four)
    rows = judged_rows([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], four)
    agree(judged_rows, "definition: the rows", rows.scores, [0.1, 0.2, 0.3, 0.4])


def test_no_bins() -> None:
    with pytest.raises(ValueError, match="found 0 bins; expected at least 1"):
        calibration_bins([0, 1], [0.1, 0.2], bins=0)
