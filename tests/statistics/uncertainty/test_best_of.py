from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.uncertainty import metrics
from oncotrail.statistics.uncertainty.best_of import (
    expected_maximum,
    expected_optimism,
    fold_correction,
)
from oncotrail.statistics.uncertainty.corrected_winner import corrected_winner
from oncotrail.statistics.uncertainty.resampling import given_resamples, resample
from tests.statistics.oracles import agree, r, reference

answers: dict[str, Any] = reference("uncertainty")


def random() -> np.random.Generator:
    return np.random.default_rng(2018)


@pytest.mark.parametrize("case", answers["maxima"], ids=lambda case: str(case["models"]))
def test_the_expected_maximum_agrees_with_the_integral_in_r(case: dict[str, Any]) -> None:
    oracle = r("uncertainty", "integrate")
    agree(expected_maximum, oracle, expected_maximum(case["models"]), case["expected"], 1e-9)


def test_the_expected_maximum_agrees_with_its_closed_forms() -> None:
    """Of one, two and three: 0, 1 / sqrt(pi), 3 / (2 sqrt(pi))."""
    closed = [0, 1 / np.sqrt(np.pi), 1.5 / np.sqrt(np.pi)]
    found = [expected_maximum(models) for models in (1, 2, 3)]
    agree(expected_maximum, "definition: closed forms", found, closed, 1e-12)


@pytest.mark.parametrize("case", answers["correlated"], ids=lambda case: str(len(case["truth"])))
def test_the_winners_luck_agrees_with_its_exact_form_in_r(case: dict[str, Any]) -> None:
    """A simulation: within four of its own standard errors, which are below 0.5 % of an error."""
    found = expected_optimism(case["truth"], case["covariance"], generator=random(), draws=200_000)
    spread = np.sqrt(np.max(case["covariance"]))
    assert found.standard_error < 0.005 * spread
    oracle = f"definition: exact form, by {r('uncertainty', 'mvtnorm::pmvnorm')} (simulation)"
    agree(expected_optimism, oracle, found.value, case["luck"], absolute=4 * found.standard_error)
    assert sum(found.wins) == pytest.approx(1)


@pytest.mark.parametrize("models", [1, 2, 20])
def test_the_luck_of_equal_models_lies_between_its_quantiles(models: int) -> None:
    """The largest of N falls below x where all do: Phi(x)^N. A simulation of 100,000."""
    found = expected_optimism(np.zeros(models), np.eye(models), generator=random(), confidence=0.9)
    theirs = norm.ppf(np.array([0.05, 0.95]) ** (1 / models))
    oracle = "definition: quantiles of the largest of N (simulation)"
    agree(expected_optimism, oracle, (found.low, found.high), theirs, absolute=0.03)


def test_luck_of_two_agrees_with_its_closed_form_and_shrinks_with_correlation() -> None:
    """Clark, Operations Research 1961, 9:145: theta phi(difference / theta)."""
    last = np.inf
    for correlation in (-0.5, 0, 0.9):
        covariance = np.array([[1, correlation], [correlation, 1]])
        theta = np.sqrt(2 - 2 * correlation)
        found = expected_optimism([0.3, 0], covariance, generator=random())
        expected = theta * norm.pdf(0.3 / theta)
        margin = 4 * found.standard_error
        agree(
            expected_optimism,
            "definition: closed form for two (simulation)",
            found.value,
            expected,
            absolute=margin,
        )
        assert found.value < last
        last = found.value


def test_models_that_err_as_one_have_no_luck() -> None:
    found = expected_optimism([0.8, 0.7, 0.75], np.full((3, 3), 0.01), generator=random())
    assert found.value == pytest.approx(0, abs=4 * found.standard_error)
    assert found.wins == (1, 0, 0)


@pytest.mark.parametrize("number", [0, 1])
def test_the_correction_by_folds_agrees_with_r(number: int) -> None:
    theirs = answers["fold_tables"][number]
    found = fold_correction(theirs["figures"], train=theirs["train"], test=theirs["test"])
    assert found.winner == theirs["winner"] - 1
    assert found.folds == len(theirs["figures"])
    agree(
        fold_correction,
        f"definition: {r('uncertainty', 't.test')} of corrected folds, its error widened",
        (found.apparent, found.optimism, found.corrected, found.low, found.high),
        [theirs[key] for key in ("apparent", "optimism", "corrected", "low", "high")],
        1e-10,
    )


@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 2**32))
def test_the_correction_by_folds_is_never_negative(folds: int, models: int, seed: int) -> None:
    figures = np.random.default_rng(seed).random((folds, models))
    found = fold_correction(figures, train=80, test=20)
    assert found.optimism >= 0
    assert found.corrected == pytest.approx(found.apparent - found.optimism)
    assert found.low < found.corrected < found.high
    assert found.optimism == 0 or models > 1


def test_folds_that_do_not_differ_have_a_correction_and_no_interval() -> None:
    found = fold_correction([[0.8, 0.7]] * 3, train=80, test=20)
    assert found.corrected == pytest.approx(0.8)
    assert (found.low, found.high) == (None, None)


def test_choosing_among_the_drawn_agrees_with_r_on_its_resamples() -> None:
    theirs, table = answers["bbc"], answers["bootstraps"]["ties"]
    counts = [[int(times) for times in row] for row in table["resamples"]]
    drawn = given_resamples(table["table"]["patient"], counts)
    found = corrected_winner(
        metrics.auc, table["table"]["label"], np.array(theirs["models"]).T, drawn
    )
    assert found.winner == theirs["winner"] - 1
    assert found.undefined == theirs["undefined"]
    agree(
        corrected_winner,
        f"definition: a loop in R, resamples of {r('uncertainty', 'boot::boot')}",
        (found.apparent, found.corrected, found.low, found.high, *found.wins),
        [
            theirs["apparent"],
            theirs["corrected"],
            *theirs["percentile"],
            *(np.array(theirs["wins"]) / len(counts)),
        ],
        1e-10,
    )


def test_the_best_of_many_guesses_is_a_guess() -> None:
    labels = np.repeat([0, 1], 60)
    drawn = resample(range(120), strata=labels, generator=random(), number=400)
    found = corrected_winner(metrics.auc, labels, random().random((120, 40)), drawn)
    assert found.apparent > 0.6
    assert abs(found.corrected - 0.5) < 0.08
    assert found.low < 0.5 < found.high


def test_one_model_wins_always_and_loses_nothing_but_chance() -> None:
    labels = np.tile([0, 1], 60)
    scores = random().normal(labels, 1)[:, None]
    drawn = resample(range(120), generator=random(), number=400)
    found = corrected_winner(metrics.auc, labels, scores, drawn)
    assert found.wins == (1,)
    assert found.corrected == pytest.approx(found.apparent, abs=0.01)


def test_no_models_and_no_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="found 0 models; expected at least 1"):
        expected_maximum(0)
    with pytest.raises(ValueError, match="found 1 draws; expected at least 2"):
        expected_optimism([1], [[1]], generator=random(), draws=1)


@pytest.mark.parametrize("covariance", [[[1, 0.5], [0.2, 1]], [[1, 0, 0], [0, 1, 0]]])
def test_a_covariance_must_be_symmetric(covariance: object) -> None:
    with pytest.raises(ValueError, match="expected a symmetric one, 2 x 2"):
        expected_optimism([1, 2], covariance, generator=random())


def test_a_covariance_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="found a covariance with eigenvalue -1; expected none"):
        expected_optimism([1, 2], [[1, 2], [2, 1]], generator=random())


def test_a_model_without_a_figure_is_refused() -> None:
    drawn = resample(range(4), generator=random(), number=50)
    with pytest.raises(ValueError, match="found a model whose figure is undefined"):
        corrected_winner(metrics.auc, [0] * 4, np.ones((4, 2)), drawn)


def test_many_undefined_resamples_are_refused() -> None:
    """One patient with the outcome: drawn, or not drawn, never both."""
    drawn = resample(range(6), generator=random(), number=200)
    scores = random().random((6, 2))
    labels = [1, 0, 0, 0, 0, 0]
    with pytest.raises(Undefined, match="undefined in 200 of 200 resamples; expected at most"):
        corrected_winner(metrics.auc, labels, scores, drawn)


def test_a_resample_without_any_figure_has_no_winner() -> None:
    """Three resamples of forty lack the outcome among those drawn: nobody is chosen."""
    labels, scores = [1, 1, 0, 0, 0], [[0.5, 0.9], [0.5, 0.8], [0.5, 0.3], [0.5, 0.2], [0.5, 0.1]]
    drawn = given_resamples(range(5), [[0, 0, 2, 2, 1]] * 3 + [[1, 0, 2, 2, 0]] * 37)
    found = corrected_winner(metrics.auc, labels, scores, drawn, most_undefined=0.1)
    assert (found.undefined, found.wins) == (3, (0, 37 / 40))
    assert found.corrected == 1


def test_predictions_of_other_patients_are_refused() -> None:
    drawn = resample(range(4), generator=random(), number=50)
    with pytest.raises(ValueError, match=r"found scores of shape \(3, 2\); expected 4 x columns"):
        corrected_winner(metrics.auc, [0, 1, 0, 1], np.ones((3, 2)), drawn)


def test_one_model_gains_nothing_by_luck() -> None:
    assert expected_maximum(1) == 0


def test_a_corrected_figure_stays_within_its_limits() -> None:
    figures, sizes = [[1.0, 0.9], [0.98, 0.99], [1.0, 0.95], [0.9, 0.9]], {"train": 90, "test": 30}
    free, cut = (fold_correction(figures, **sizes, **each) for each in ({}, {"limits": (0, 1)}))
    assert (free.high > 1, cut.high, cut.low) == (True, 1, free.low)
    few = [[0.3, 0.0], [0.0, 0.9], [0.7, 0.0]]
    free, cut = (fold_correction(few, **sizes, **each) for each in ({}, {"limits": (0, 1)}))
    assert (free.low < 0, cut.low, cut.corrected) == (True, 0, free.corrected)
    with pytest.raises(ValueError, match=r"figures of model 1: found 1\.2 in row 0"):
        fold_correction([[0.8, 1.2], [0.8, 0.9]], **sizes, limits=(0, 1))
