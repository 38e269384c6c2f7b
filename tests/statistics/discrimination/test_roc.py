import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import __version__ as sklearn_version
from sklearn.metrics import roc_curve as sklearn_roc_curve

from oncotrail.statistics.discrimination.roc import height, roc_curve
from oncotrail.statistics.discrimination.steps import steps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference


def test_every_bend_is_a_point_of_procs_curve() -> None:
    for answer in reference("discrimination")["discrimination"].values():
        for marker in ("first", "second"):
            points = answer[marker]["points"]
            theirs = np.array([points["false_positive_rate"], points["true_positive_rate"]])
            ours = roc_curve(answer["table"]["labels"], answer["table"][marker])
            mine = np.array([ours.false_positive_rate, ours.true_positive_rate])
            nearest = np.abs(mine[:, :, None] - theirs[:, None, :]).max(axis=0).argmin(axis=1)
            agree(roc_curve, r("discrimination", "pROC::roc"), mine, theirs[:, nearest])


def test_heights_agree_with_proc() -> None:
    said = reference("discrimination")
    wanted = said["specificities"]
    for case, theirs in said["heights"].items():
        table = said["discrimination"][case]["table"]
        ours = height(steps(table["labels"], table["first"]), np.array(wanted))
        agree(height, r("discrimination", "pROC::coords"), ours, theirs)


@given(markers())
def test_curve_agrees_with_scikit_learn(marker: Marker) -> None:
    x, y, thresholds = sklearn_roc_curve(*marker, drop_intermediate=False)
    ours = roc_curve(*marker)
    kept = np.isin(thresholds, ours.thresholds)
    oracle = f"sklearn.metrics.roc_curve {sklearn_version}"
    agree(roc_curve, oracle, ours.false_positive_rate, x[kept], within=1e-12)
    agree(roc_curve, oracle, ours.true_positive_rate, y[kept], within=1e-12)
    # Nothing but points on straight lines was left out: the area is the same.
    assert np.trapezoid(ours.true_positive_rate, ours.false_positive_rate) == pytest.approx(
        np.trapezoid(y, x)
    )


@given(markers())
def test_the_heights_lie_on_the_curve_and_fall_with_specificity(marker: Marker) -> None:
    wanted = np.linspace(0, 1, 41)
    heights = height(steps(*marker), wanted)
    assert heights[0] == 1
    assert (np.diff(heights) <= 1e-12).all()
    curve = roc_curve(*marker)
    at_bends = height(steps(*marker), 1 - curve.false_positive_rate)
    assert (at_bends >= curve.true_positive_rate - 1e-9).all()


@given(markers())
def test_the_curve_rises_from_corner_to_corner_without_idle_points(marker: Marker) -> None:
    curve = roc_curve(*marker)
    x, y = curve.false_positive_rate, curve.true_positive_rate
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.isinf(curve.thresholds[0])
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()
    cross = np.diff(x)[:-1] * np.diff(y)[1:] - np.diff(y)[:-1] * np.diff(x)[1:]
    assert (np.abs(cross) > 1e-12).all()


@given(markers(), st.data())
def test_weighted_curve_agrees_with_scikit_learn(marker: Marker, data: st.DataObject) -> None:
    size = marker[0].size
    weights = np.array(data.draw(st.lists(st.integers(1, 5), min_size=size, max_size=size))) / 7
    x, y, thresholds = sklearn_roc_curve(*marker, sample_weight=weights, drop_intermediate=False)
    ours = roc_curve(*marker, weights)
    kept = np.isin(thresholds, ours.thresholds)
    oracle = f"sklearn.metrics.roc_curve {sklearn_version}"
    agree(roc_curve, oracle, ours.false_positive_rate, x[kept], within=1e-12)
    agree(roc_curve, oracle, ours.true_positive_rate, y[kept], within=1e-12)


def test_steps_of_weights_that_differ_by_rounding_are_no_bend() -> None:
    curve = roc_curve([0, 1, 0, 1], [1, 1, 2, 2], [0.1, 0.3, 0.3, 0.9])
    assert curve.thresholds.tolist() == [np.inf, 1]
