"""Figures of patients with sampling weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import __version__ as sklearn_version
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from oncotrail.statistics.classification.confusion import Confusion, confusion
from oncotrail.statistics.classification.figures import classify
from oncotrail.statistics.intervals import Estimate
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

FIGURES = (
    "accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "balanced_accuracy",
    "f1",
    "mcc",
    "positive_likelihood_ratio",
    "negative_likelihood_ratio",
)


@st.composite
def weighted(draw: st.DrawFn) -> tuple[Marker, np.ndarray]:
    marker = draw(markers())
    size = marker[0].size
    return marker, np.array(draw(st.lists(st.integers(1, 5), min_size=size, max_size=size)))


@pytest.mark.parametrize("case", ["ordinary", "ties", "rare"])
@pytest.mark.parametrize("figure", FIGURES)
def test_values_and_intervals_agree_with_r(case: str, figure: str) -> None:
    said = reference("classification")["weighted"][case]
    rows = said["labels"], said["scores"], said["threshold"]
    ours: Estimate = getattr(classify(*rows, weights=said["weights"]), figure)
    oracle = r("classification", "prop.test, cov.wt of effective numbers (Kish), R")
    agree(classify, oracle, (ours.value, ours.low, ours.high), said["figures"][figure])


@given(weighted(), st.floats(-3, 3))
def test_values_agree_with_scikit_learn(table: tuple[Marker, np.ndarray], threshold: float) -> None:
    (labels, scores), weights = table
    called, found = scores >= threshold, classify(*table[0], threshold, weights=weights / 7)
    oracle = f"sklearn.metrics, sample_weight {sklearn_version}"
    for ours, theirs in (
        (found.accuracy, accuracy_score),
        (found.sensitivity, recall_score),
        (found.ppv, precision_score),
        (found.balanced_accuracy, balanced_accuracy_score),
        (found.f1, f1_score),
        (found.mcc, matthews_corrcoef),
    ):
        if ours is not None:
            value = theirs(labels, called, sample_weight=weights)
            agree(classify, oracle, ours.value, value, within=1e-9)


@given(markers(), st.floats(-3, 3), st.floats(0.01, 100))
def test_equal_ones_change_nothing(marker: Marker, threshold: float, weight: float) -> None:
    plain = classify(*marker, threshold)
    equal = classify(*marker, threshold, weights=np.full(marker[0].size, weight))
    for figure in FIGURES:
        one, other = getattr(plain, figure), getattr(equal, figure)
        assert (one is None) == (other is None), figure
        if one is not None:
            assert (other.n, other.events, other.method) == (one.n, one.events, one.method)
            found, expected = (other.value, other.low, other.high), (one.value, one.low, one.high)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), figure


@given(weighted(), st.floats(-3, 3))
def test_every_interval_holds_its_figure(
    table: tuple[Marker, np.ndarray], threshold: float
) -> None:
    found = classify(*table[0], threshold, weights=table[1])
    for figure in FIGURES:
        one = getattr(found, figure)
        if one is not None:
            assert one.low - 1e-9 <= one.value <= one.high + 1e-9, figure
            assert one.low < one.high, figure


def test_counts_stay_patients() -> None:
    found = classify([0, 0, 1, 1, 1], [1, 3, 2, 4, 5], 2.5, weights=[1, 2, 3, 4, 0])
    counts: Any = found.confusion
    assert (counts.n, counts.events, counts.non_events) == (4, 2, 2)
    assert (found.sensitivity.n, found.sensitivity.events, found.specificity.events) == (2, 2, 0)
    assert found.sensitivity.value == pytest.approx(4 / 7)
    effective = counts.effective(("true_positive", "false_negative"))
    theirs = [(3 + 4) ** 2 / (3**2 + 4**2)]
    agree(confusion, "definition: Kish", [sum(effective.values())], theirs, within=1e-12)


def test_an_exact_interval_of_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="method: found 'exact' and weights; expected 'wilson'"):
        classify([0, 1], [1, 2], 1.5, method="exact", weights=[1, 2])


def test_without_weights_a_cell_is_its_count() -> None:
    assert Confusion(8, 4, 16, 2).effective(("true_negative",)) == {"true_negative": 16.0}


def test_weights_of_very_unequal_sizes_leave_a_ratio_without_an_upper_end() -> None:
    found = classify([1, 0, 0], [0.3, 0.3, 2], 0.5, weights=[2, 0.001, 1e4])
    assert found.negative_likelihood_ratio is not None
    assert found.negative_likelihood_ratio.high == np.inf
