from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from oncotrail.statistics.classification.figures import classify, confusion
from oncotrail.statistics.classification.thresholds import youden_threshold
from oncotrail.statistics.discrimination.roc import roc_curve
from tests.statistics.markers import Marker, markers

FIGURES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


def youden(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    found = classify(labels, scores, threshold)
    return found.sensitivity.value + found.specificity.value - 1


def test_figures_agree_with_proc(said_by_r: dict[str, Any]) -> None:
    for case, answer in said_by_r["discrimination"].items():
        table, theirs = answer["table"], answer["figures"]
        ours = classify(table["labels"], table["first"], answer["threshold"])
        assert ours.confusion.true_positive == theirs["tp"], case
        assert ours.confusion.false_positive == theirs["fp"], case
        assert ours.confusion.true_negative == theirs["tn"], case
        assert ours.confusion.false_negative == theirs["fn"], case
        for name in FIGURES:
            estimate = getattr(ours, name)
            value = None if estimate is None else estimate.value
            assert value == pytest.approx(theirs[name], abs=1e-6), (case, name)


def test_youden_threshold_is_one_of_procs(said_by_r: dict[str, Any]) -> None:
    for case, answer in said_by_r["discrimination"].items():
        labels, scores = answer["table"]["labels"], answer["table"]["first"]
        theirs = answer["best_thresholds"]
        finite = [t for t in (theirs if isinstance(theirs, list) else [theirs]) if t is not None]
        ours = youden_threshold(labels, scores)
        # "Everybody is positive" is minus infinity for pROC (null in JSON), our lowest score.
        lowest = min(scores)
        assert ours == lowest or min(abs(ours - t) for t in finite) < 1e-6, case
        assert youden(labels, scores, ours) == pytest.approx(
            max([0, *(youden(labels, scores, t) for t in finite)])
        ), case


@given(markers(), st.floats(-3, 3))
def test_counts_agree_with_scikit_learn(marker: Marker, threshold: float) -> None:
    labels, scores = marker
    called = scores >= threshold
    tn, fp, fn, tp = confusion_matrix(labels, called, labels=[0, 1]).ravel()
    ours = confusion(labels, scores, threshold)
    assert (ours.true_negative, ours.false_positive) == (tn, fp)
    assert (ours.false_negative, ours.true_positive) == (fn, tp)
    found = classify(labels, scores, threshold)
    assert found.sensitivity.value == pytest.approx(recall_score(labels, called))
    if found.ppv is not None:
        assert found.ppv.value == pytest.approx(precision_score(labels, called))


@given(markers(), st.floats(-3, 3), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(
    marker: Marker, threshold: float, random: Random
) -> None:
    labels, scores = marker
    order = random.sample(range(len(labels)), len(labels))
    assert classify(labels[order], scores[order], threshold) == classify(labels, scores, threshold)
    assert youden_threshold(labels[order], scores[order]) == youden_threshold(labels, scores)


def test_a_figure_without_a_denominator_is_none() -> None:
    nobody_called = classify([0, 1], [0.1, 0.2], threshold=0.5)
    assert nobody_called.ppv is None
    assert nobody_called.npv.value == 0.5
    everybody_called = classify([0, 1], [0.6, 0.7], threshold=0.5)
    assert everybody_called.npv is None
    no_events = classify([0, 0], [0.1, 0.7], threshold=0.5)
    assert no_events.sensitivity is None
    assert no_events.specificity.value == 0.5


def test_each_figure_says_what_it_rests_on() -> None:
    found = classify([1, 1, 1, 0, 0], [0.9, 0.8, 0.1, 0.7, 0.2], threshold=0.5, confidence=0.9)
    rests_on = {name: (getattr(found, name).n, getattr(found, name).events) for name in FIGURES}
    assert rests_on == {
        "accuracy": (5, 3),
        "sensitivity": (3, 3),
        "specificity": (2, 0),
        "ppv": (3, 2),
        "npv": (2, 1),
    }
    assert {getattr(found, name).confidence for name in FIGURES} == {0.9}


def test_a_score_at_the_threshold_is_positive() -> None:
    assert confusion([1, 0], [0.5, 0.4], threshold=0.5).true_positive == 1


@given(markers())
def test_no_threshold_has_a_higher_youden_index(marker: Marker) -> None:
    labels, scores = marker
    curve = roc_curve(labels, scores)
    best = (curve.true_positive_rate - curve.false_positive_rate).max()
    assert youden(labels, scores, youden_threshold(labels, scores)) == pytest.approx(best)


@given(markers())
def test_of_equally_good_thresholds_the_lowest(marker: Marker) -> None:
    labels, scores = marker
    chosen = youden_threshold(labels, scores)
    best = youden(labels, scores, chosen)
    lower = [value for value in np.unique(scores) if value < chosen]
    # A value below `chosen` calls more patients positive; all of them are worse.
    assert all(youden(labels, scores, value) < best - 1e-12 for value in lower)


def test_neighbouring_floats_leave_no_room_for_a_midpoint() -> None:
    below = 0.3
    above = np.nextafter(below, 1)
    threshold = youden_threshold([0, 1], [below, above])
    assert confusion([0, 1], [below, above], threshold).true_negative == 1


def test_a_constant_score_calls_everybody_positive() -> None:
    assert youden_threshold([0, 1, 1], [0.4, 0.4, 0.4]) == 0.4
