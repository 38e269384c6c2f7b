from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from oncotrail.demo import attainable, outcome
from oncotrail.demo.blanks import Blanks
from oncotrail.demo.draws import Floats
from oncotrail.demo.outcome import EFFECTS
from tests.demo.crowd import Crowd

PLANTED = EFFECTS["planted"]


@pytest.fixture(scope="module")
def scores(crowd: Crowd) -> dict[str, Floats]:
    return attainable.scores(PLANTED, crowd.people, crowd.blanks)


@pytest.mark.parametrize("column_set", attainable.COLUMN_SETS)
def test_the_bayes_score_is_the_observed_frequency(
    crowd: Crowd, scores: dict[str, Floats], column_set: str
) -> None:
    """In each tenth of the patients by score, as many have metastasis as the score says."""
    metastasis = outcome.outcomes(PLANTED, crowd.people, crowd.drawn).metastasis
    order = np.argsort(scores[column_set])
    for tenth in np.array_split(order, 10):
        assert abs(metastasis[tenth].mean() - scores[column_set][tenth].mean()) < 0.035


def test_the_bayes_score_is_right_where_values_are_blank(
    crowd: Crowd, scores: dict[str, Floats]
) -> None:
    metastasis = outcome.outcomes(PLANTED, crowd.people, crowd.drawn).metastasis
    for blank in (crowd.blanks.lvi, crowd.blanks.muscle, crowd.blanks.visceral):
        order = np.flatnonzero(blank)[np.argsort(scores["clinical"][blank])]
        for third in np.array_split(order, 3):
            assert abs(metastasis[third].mean() - scores["clinical"][third].mean()) < 0.07


@pytest.mark.parametrize("column_set", attainable.COLUMN_SETS)
def test_the_bayes_score_is_right_within_every_pair_of_groups(
    crowd: Crowd, scores: dict[str, Floats], column_set: str
) -> None:
    """Where the images tell the groups, also in each of the 2 x 2; else over the group unseen."""
    metastasis = outcome.outcomes(PLANTED, crowd.people, crowd.drawn).metastasis
    body, everybody = crowd.people.body, np.zeros_like(crowd.people.body.sarcopenia)
    views = attainable.COLUMN_SETS[column_set]
    pair = 2 * (body.sarcopenia if "t4" in views else everybody)
    pair = pair + (body.visceral_obesity if "t11" in views else everybody)
    for group in np.unique(pair):
        order = np.flatnonzero(pair == group)
        order = order[np.argsort(scores[column_set][order])]
        for fifth in np.array_split(order, 5):
            assert abs(metastasis[fifth].mean() - scores[column_set][fifth].mean()) < 0.045


def test_a_chance_of_a_group_is_its_observed_frequency(crowd: Crowd) -> None:
    body, blanks = crowd.people.body, crowd.blanks
    for chance_of, group, lost in (
        (attainable.sarcopenia_chance, body.sarcopenia, blanks.muscle),
        (attainable.visceral_obesity_chance, body.visceral_obesity, blanks.visceral),
    ):
        measured = chance_of(body, blanks, seen=False)
        for tenth in np.array_split(np.argsort(measured), 10):
            assert abs(group[tenth].mean() - measured[tenth].mean()) < 0.04
        assert abs(group[lost].mean() - measured[lost].mean()) < 0.04
        assert np.abs(chance_of(body, blanks, seen=True) - group).mean() < 0.005


def test_more_columns_never_hurt_and_reach_the_published_order(scores: dict[str, Floats]) -> None:
    reached = {name: attainable.expected_auc(score) for name, score in scores.items()}
    assert reached["clinical"] == pytest.approx(0.81, abs=0.015)
    assert reached["clinical_t11"] == pytest.approx(0.87, abs=0.015)
    assert reached["clinical_t4"] == pytest.approx(0.89, abs=0.015)
    assert reached["clinical_t4_t11"] == pytest.approx(0.945, abs=0.015)


def test_a_fitted_model_on_the_causes_does_not_beat_the_bayes_score(
    crowd: Crowd, scores: dict[str, Floats]
) -> None:
    metastasis = outcome.outcomes(PLANTED, crowd.people, crowd.drawn).metastasis
    body, tumour = crowd.people.body, crowd.people.tumour
    causes = np.stack([body.muscle, body.visceral, tumour.n_stage > 0, tumour.lvi], axis=1)
    causes = (causes - causes.mean(axis=0)) / causes.std(axis=0)
    train, test = slice(0, 10_000), slice(10_000, None)
    fitted = LogisticRegression().fit(causes[train], metastasis[train])
    own = roc_auc_score(metastasis[test], fitted.decision_function(causes[test]))
    best = roc_auc_score(metastasis[test], scores["clinical_t4_t11"][test])
    assert best - 0.02 < own < best


def test_without_effects_every_score_is_the_prevalence(crowd: Crowd) -> None:
    for score in attainable.scores(EFFECTS["none"], crowd.people, crowd.blanks).values():
        assert score == pytest.approx(outcome.PREVALENCE)


def test_a_blank_everywhere_lowers_what_can_be_attained(crowd: Crowd) -> None:
    lost = np.ones_like(crowd.blanks.muscle)
    worse: Blanks = replace(crowd.blanks, muscle=lost, visceral=lost)
    full = attainable.scores(PLANTED, crowd.people, crowd.blanks)
    less = attainable.scores(PLANTED, crowd.people, worse)
    assert attainable.expected_auc(less["clinical"]) < attainable.expected_auc(full["clinical"])
    assert less["clinical_t4_t11"] == pytest.approx(full["clinical_t4_t11"])


def test_expected_auc_is_the_mean_over_the_outcomes_that_it_expects() -> None:
    rng = np.random.default_rng(0)
    probability = rng.uniform(0.02, 0.98, 400)
    drawn = [
        roc_auc_score((rng.random(400) < probability).astype(int), probability) for _ in range(400)
    ]
    assert attainable.expected_auc(probability) == pytest.approx(np.mean(drawn), abs=0.005)
