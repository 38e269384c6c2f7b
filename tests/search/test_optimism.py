from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oncotrail.search.optimism import best_of, log_likelihood
from oncotrail.search.outcome import Found, State, TrialResult
from oncotrail.statistics.uncertainty import metrics

PATIENTS = [f"P{number}" for number in range(60)]
LABELS = [number % 2 for number in range(60)]


def trial(number: int, scores: Any, state: State = "complete", **more: Any) -> TrialResult:
    value = float(metrics.auc(LABELS, scores)[0])
    said = {"patients": PATIENTS, "labels": LABELS, "scores": list(scores)} | more
    return TrialResult(number, state, {}, value, {}, {}, Path(), more=said)


def found(*trials: TrialResult, objective: str = "validation_auc") -> Found:
    return Found(trials, objective, not objective.endswith("_loss"), {})


def test_the_best_of_many_guesses_is_luck() -> None:
    """Scores that know nothing: the best is well above chance, and its correction near it."""
    random = np.random.default_rng(1)
    luck = best_of(found(*(trial(n, random.random(60)) for n in range(20))), random)
    assert luck is not None
    assert luck.apparent > 0.6
    assert abs(luck.corrected - 0.5) < 0.06
    assert luck.optimism > 0.07
    assert (luck.trials, luck.patients) == (20, 60)


def test_one_that_is_truly_better_loses_little() -> None:
    random = np.random.default_rng(2)
    good = 0.9 * np.array(LABELS) + 0.2 * random.random(60)
    luck = best_of(found(*(trial(n, random.random(60)) for n in range(5)), trial(5, good)), random)
    assert luck is not None
    assert luck.optimism == pytest.approx(0, abs=1e-9)
    assert luck.chance_of_winner == 1


def test_trials_that_could_not_win_are_counted_and_not_judged() -> None:
    random = np.random.default_rng(3)
    scores = random.random((3, 60))
    all_three = (trial(0, scores[0]), trial(1, scores[1], "pruned"), trial(2, scores[2], "failed"))
    luck = best_of(found(*all_three), random)
    assert luck is not None
    assert (luck.trials, luck.pruned, luck.failed) == (1, 1, 1)


@pytest.mark.parametrize(
    ("objective", "figure"),
    [
        ("validation_auc", "auc"),
        ("validation_accuracy", "accuracy"),
        ("validation_loss", "log_likelihood"),
    ],
)
def test_each_objective_has_its_figure(objective: str, figure: str) -> None:
    random = np.random.default_rng(4)
    trials = [trial(n, random.random(60)) for n in range(3)]
    luck = best_of(found(*trials, objective=objective), random)
    assert luck is not None
    assert luck.figure == figure


def test_other_patients_are_not_compared() -> None:
    random = np.random.default_rng(5)
    other = trial(1, random.random(60), patients=[*PATIENTS[1:], "P99"])
    with pytest.raises(ValueError, match="trial 1 was judged by other patients"):
        best_of(found(trial(0, random.random(60)), other), random)


def test_several_classes_have_no_correction() -> None:
    scores = np.random.default_rng(6).random(60)
    labels = [number % 3 for number in range(60)]
    assert best_of(found(trial(0, scores, labels=labels)), np.random.default_rng(6)) is None


def test_a_resample_without_patients_has_no_likelihood() -> None:
    """And numpy says nothing of it: warnings are errors here."""
    first, second = log_likelihood([0, 1], [0.5, 0.5], [[1, 1], [0, 0]])
    assert first == pytest.approx(np.log(0.5))
    assert np.isnan(second)


@pytest.mark.parametrize(
    ("objective", "patients"),
    [(f"validation_{of}", few) for of in ("auc", "accuracy", "loss") for few in (2, 4, 6)],
)
def test_few_patients_give_no_warning(objective: str, patients: int) -> None:
    """Some resamples leave nobody out: they are left out, or too many for a correction."""
    random = np.random.default_rng(8)
    more = {"patients": PATIENTS[:patients], "labels": LABELS[:patients]}
    trials = [trial(n, random.random(60)) for n in range(3)]
    few = [replace(one, more={**more, "scores": one.more["scores"][:patients]}) for one in trials]
    luck = best_of(found(*few, objective=objective), random)
    assert luck is None or np.isfinite([luck.corrected, luck.low, luck.high]).all()


def test_likelihood_is_scikit_learns() -> None:
    from sklearn.metrics import log_loss

    scores = np.random.default_rng(7).random(60)
    expected = -log_loss(LABELS, scores)
    assert log_likelihood(LABELS, scores)[0] == pytest.approx(expected, rel=1e-12)
    assert np.isfinite(log_likelihood([0, 1], [1.0, 0.0])).all()
