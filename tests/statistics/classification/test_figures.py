from dataclasses import astuple
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from oncotrail.statistics.classification.confusion import Confusion, confusion
from oncotrail.statistics.classification.figures import classify, figures_of
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

FIGURES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


COUNTS = ("tp", "fp", "tn", "fn")


def test_figures_agree_with_proc() -> None:
    oracle = r("discrimination", "pROC::coords")
    for answer in reference("discrimination")["discrimination"].values():
        table, theirs = answer["table"], answer["figures"]
        ours = classify(table["labels"], table["first"], answer["threshold"])
        counts = confusion(table["labels"], table["first"], answer["threshold"])
        assert ours.confusion == counts
        agree(confusion, oracle, astuple(counts)[:4], [theirs[name] for name in COUNTS])
        found = [getattr(ours, name) for name in FIGURES]
        values = [None if each is None else each.value for each in found]
        agree(classify, oracle, values, [theirs[name] for name in FIGURES])


@pytest.mark.parametrize(("method", "oracle"), [("wilson", "prop.test"), ("exact", "binom.test")])
def test_every_proportion_has_the_interval_asked_for(method: str, oracle: str) -> None:
    for case in reference("discrimination")[method]:
        hits, n = case["successes"], case["n"]
        counts = Confusion(hits, 0, 0, n - hits)
        ours = figures_of(counts, 0.5, case["confidence"], method).sensitivity
        theirs = hits / n, case["low"], case["high"]
        found = ours.value, ours.low, ours.high
        agree(figures_of, r("discrimination", oracle), found, theirs)


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


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="found threshold nan; expected a number on the scale"):
        classify([0, 1], [0.1, 0.2], float("nan"))


def test_infinite_thresholds_call_nobody_and_everybody() -> None:
    assert confusion([1, 0], [1.0, 2.0], np.inf) == Confusion(0, 0, 1, 1)
    assert confusion([1, 0], [1.0, 2.0], -np.inf) == Confusion(1, 1, 0, 0)
