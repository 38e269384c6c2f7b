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
from oncotrail.statistics.intervals import wilson
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, reference

SKLEARN = f"scikit-learn calibration_curve {sklearn_version}"
each_table = pytest.mark.parametrize("table", ["ordinary", "ties", "rare", "tiny"])
each_binning = pytest.mark.parametrize("by", ["width", "mass"])


def table_of(name: str) -> tuple[Any, Any]:
    found = reference("calibration")["tables"][name]["table"]
    return np.array(found["y"]), np.array(found["p"])


def error(labels: Any, risks: Any, by: Binning = "width", seed: int = 0, **more: Any) -> Any:
    generator = np.random.default_rng(seed)
    return expected_calibration_error(labels, risks, generator, by=by, resamples=50, **more)


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


@each_table
def test_debiased_squared_error(table: str) -> None:
    y, p = table_of(table)
    found = calibration_bins(y, p, bins=2, by="mass")
    theirs = 0
    for one in found:
        inside = (p > one.low) & (p <= one.high) | (p == one.low) & (one is found[0])
        chance = y[inside].var(ddof=1) / inside.sum()
        theirs += inside.mean() * ((y[inside].mean() - p[inside].mean()) ** 2 - chance)
    ours = debiased_squared_error(y, p, bins=2)
    agree(debiased_squared_error, "definition: Kumar 2019, by bin", ours, theirs)


def test_the_debiased_error_of_a_calibrated_model_is_zero_on_average() -> None:
    random = np.random.default_rng(8)
    p = random.uniform(size=(400, 200))
    y = random.uniform(size=p.shape) < p
    found = [debiased_squared_error(*pair) for pair in zip(y, p, strict=True)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 20
    assert min(found) < 0


def test_the_interval_is_the_basic_bootstrap_of_the_same_draws() -> None:
    y, p = table_of("ordinary")
    ours, generator = error(y, p, seed=3, confidence=0.8), np.random.default_rng(3)
    bin_of, again = np.ceil(p * 10), []
    for _ in range(50):
        rows = generator.integers(len(y), size=len(y))
        of = [rows[bin_of[rows] == place] for place in range(1, 11)]
        again.append(sum(abs((y[inside] - p[inside]).sum()) for inside in of) / len(y))
    low, high = 2 * ours.value - np.quantile(again, [0.9, 0.1])
    theirs = [max(0, low), high]
    agree(expected_calibration_error, "definition: basic bootstrap", [ours.low, ours.high], theirs)
    assert ours.method == "basic bootstrap, 50"


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
    found = error(y, (scores + 2) / 4)
    assert 0 <= found.low <= found.high <= 1
    assert abs(y.mean() - (scores + 2).mean() / 4) <= found.value + 1e-12


def test_perfect_calibration_has_no_error() -> None:
    assert error([1, 0, 0, 0, 1, 1, 1, 0], [0.25] * 4 + [0.75] * 4).value == 0


def test_zero_and_one_are_in_the_outer_bins() -> None:
    found = calibration_bins([0, 1, 1], [0, 1, 0.5], bins=2)
    assert [(one.low, one.high, one.observed.n) for one in found] == [(0, 0.5, 2), (0.5, 1, 1)]


def test_a_bin_of_one_patient_has_no_debiased_error() -> None:
    assert debiased_squared_error([0, 1, 1], [0.1, 0.5, 0.9], bins=3) is None


def test_no_bins() -> None:
    with pytest.raises(ValueError, match="found 0 bins; expected at least 1"):
        calibration_bins([0, 1], [0.1, 0.2], bins=0)
