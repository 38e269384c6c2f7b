from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from oncotrail.statistics.uncertainty import metrics
from oncotrail.statistics.uncertainty.cross_validation import (
    fold_interval,
    fold_test,
    seed_interval,
    seed_spread,
)
from oncotrail.statistics.uncertainty.held_out import pooled_and_averaged
from tests.statistics.oracles import agree, r, reference

several = st.lists(st.floats(0.4, 1), min_size=2, max_size=30)
either = pytest.mark.parametrize("number", [0, 1, 2])
answers: dict[str, Any] = reference("uncertainty_python")


@either
def test_agrees_with_the_t_test_of_r_with_its_error_widened(number: int) -> None:
    theirs = reference("uncertainty")["folds"][number]
    plainly, sizes = r("uncertainty", "t.test"), {key: theirs[key] for key in ("train", "test")}
    oracle = f"definition: {plainly} with its standard error widened"
    found = fold_interval(theirs["figures"], **sizes)
    agree(
        fold_interval,
        oracle,
        (found.low, found.high, found.standard_error, found.degrees_of_freedom),
        [theirs[key] for key in ("low", "high", "standard_error", "df")],
        1e-10,
    )
    test = fold_test(theirs["figures"], **sizes)
    agree(fold_test, oracle, (test.t, test.p_value), (theirs["t"], theirs["p"]), 1e-10)
    plain = seed_interval(theirs["figures"])
    agree(seed_interval, plainly, (plain.low, plain.high), theirs["naive"], 1e-10)
    spread = seed_spread(theirs["figures"])
    oracle = f"definition: {r('uncertainty', 'sd')}, widened by qchisq"
    agree(seed_spread, oracle, (spread.value, spread.low, spread.high), theirs["spread"], 1e-10)


@pytest.mark.parametrize("case", answers["folds"], ids=lambda case: f"{case['repeats']} repeats")
def test_repeated_folds_agree_with_the_correlated_t_test(case: dict[str, Any]) -> None:
    """Of ten repeats of ten folds, 100 figures: baycomp calls the same t a posterior."""
    oracle = r("uncertainty_python", "baycomp::CorrelatedTTest")
    sizes = {"train": case["folds"] - 1, "test": 1}
    found = fold_interval(case["differences"], **sizes)
    ours = (found.value, found.standard_error, found.low, found.high, found.degrees_of_freedom)
    theirs = [case[key] for key in ("mean", "standard_error", "low", "high", "df")]
    agree(fold_interval, oracle, ours, theirs, 1e-10)
    test = fold_test(case["differences"], **sizes)
    ours = (test.difference.value, test.difference.low, test.p_value)
    agree(fold_test, oracle, ours, (case["mean"], case["low"], case["p"]), 1e-10)


@given(several, st.integers(10, 1000), st.integers(1, 500))
def test_agrees_with_the_formula(figures: list[float], train: int, test: int) -> None:
    found = fold_interval(figures, train=train, test=test, confidence=0.9)
    folds, values = len(figures), np.array(figures)
    if found.low is None:
        assert np.ptp(values) == pytest.approx(0)
        return
    variance = (1 / folds + test / train) * values.var(ddof=1)
    expected = stats.t(folds - 1, values.mean(), np.sqrt(variance)).interval(0.9)
    definition = "definition: (1/J + n2/n1) s^2"
    agree(fold_interval, definition, (found.low, found.high), expected)
    plain = seed_interval(figures, 0.9)
    assert plain.low is not None
    assert found.low < plain.low <= plain.value <= plain.high < found.high


@given(several, st.randoms(use_true_random=False))
def test_the_order_of_folds_does_not_matter(figures: list[float], random: Random) -> None:
    mixed = random.sample(figures, len(figures))
    before, after = (fold_interval(f, train=80, test=20) for f in (figures, mixed))
    assert after.value == pytest.approx(before.value)
    assert after.standard_error == pytest.approx(before.standard_error, abs=1e-12)


@given(several)
def test_the_test_rejects_where_the_interval_leaves_zero_out(figures: list[float]) -> None:
    differences = np.array(figures) - 0.5
    interval = fold_interval(differences, train=80, test=20)
    test = fold_test(differences, train=80, test=20)
    if interval.low is not None and abs(test.p_value - 0.05) > 1e-9:
        assert (test.p_value < 0.05) == (interval.low > 0 or interval.high < 0)


def test_sizes_may_differ_between_folds() -> None:
    figures = [0.7, 0.8, 0.75]
    found = fold_interval(figures, train=[66, 67, 67], test=[34, 33, 33])
    assert found == fold_interval(figures, train=200 / 3, test=100 / 3)


def test_intervals_end_where_the_figure_does() -> None:
    figures, sizes = [0.99, 0.9, 1.0, 0.97], {"train": 90, "test": 30}
    area, apart = (0.0, 1.0), (-1.0, 1.0)
    for found, free in (
        (fold_interval(figures, **sizes, limits=area), fold_interval(figures, **sizes)),
        (seed_interval(figures, limits=area), seed_interval(figures)),
    ):
        assert (found.low, found.high) == (free.low, 1)
        assert free.high is not None
        assert free.high > 1
    test = fold_test([0.9, -0.9, 0.8], **sizes, limits=apart)
    assert (test.difference.low, test.difference.high) == apart
    assert test.p_value == fold_test([0.9, -0.9, 0.8], **sizes).p_value
    with pytest.raises(ValueError, match=r"figures: found 1.2 in row 1; .* at most 1"):
        seed_interval([0.8, 1.2], limits=area)


def test_equal_figures_have_no_interval() -> None:
    found, test = (of([0.1 + 0.2] * 3, train=80, test=20) for of in (fold_interval, fold_test))
    assert (found.low, found.high, found.standard_error) == (None, None, 0)
    assert (test.t, test.p_value) == (None, None)
    spread = seed_spread([0.1 + 0.2] * 3)
    assert (spread.value, spread.low, spread.high) == (0, None, None)


def test_the_spread_of_seeds_is_covered_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    found = [seed_spread(random.normal(0.8, 0.02, size=6), 0.9) for _ in range(1000)]
    held = np.mean([one.low <= 0.02 <= one.high for one in found])
    assert 0.87 < held < 0.93


def test_an_interval_over_seeds_says_what_it_covers() -> None:
    assert "not other patients" in seed_interval([0.7, 0.8]).covers
    assert "other training and test sets" in fold_interval([0.7, 0.8], train=8, test=2).covers


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_pooled_and_averaged_agree_with_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    folds = np.tile(["a", "b", "c"], 8)
    labels = np.repeat([0, 1], 12)
    scores = random.integers(10, size=24) / 10
    found = pooled_and_averaged(metrics.auc, labels, scores, folds)
    each = [roc_auc_score(labels[folds == name], scores[folds == name]) for name in "abc"]
    definition = "definition: fold by fold"
    agree(pooled_and_averaged, definition, found.folds, each, 1e-12)
    agree(pooled_and_averaged, definition, found.averaged, np.mean(each), 1e-12)
    agree(pooled_and_averaged, definition, found.pooled, roc_auc_score(labels, scores), 1e-12)
    assert (found.n, found.events) == (24, 12)


def test_a_fold_with_one_outcome_leaves_the_average_undefined() -> None:
    found = pooled_and_averaged(metrics.auc, [0, 1, 0, 0], [0.1, 0.3, 0.5, 0.2], [1, 1, 2, 2])
    assert found.folds == (1.0, None)
    assert found.averaged is None
    assert found.pooled == pytest.approx(2 / 3)
    nobody = pooled_and_averaged(metrics.auc, [0, 0], [0.1, 0.3], [1, 2])
    assert (nobody.pooled, nobody.averaged) == (None, None)


def test_one_figure_has_no_spread() -> None:
    with pytest.raises(ValueError, match="figures: found 1; expected at least 2"):
        seed_interval([0.7])
    with pytest.raises(ValueError, match="figures: found 1; expected at least 2"):
        fold_test([0.7], train=8, test=2)


def test_sizes_for_other_folds_are_refused() -> None:
    with pytest.raises(ValueError, match="test: found 2 sizes; expected 1 or one for each of 3"):
        fold_interval([0.7, 0.8, 0.6], train=8, test=[2, 2])
    with pytest.raises(ValueError, match=r"train: found 0.0 in row 0; expected .* at least 1"):
        fold_interval([0.7, 0.8, 0.6], train=0, test=2)
