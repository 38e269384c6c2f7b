import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oncotrail.demo import outcome
from oncotrail.demo.outcome import EFFECTS, EffectsName
from tests.demo.crowd import Crowd


@pytest.mark.parametrize("name", ["planted", "none"])
def test_times_and_events_agree(crowd: Crowd, name: EffectsName) -> None:
    found = outcome.outcomes(EFFECTS[name], crowd.people, crowd.drawn)
    assert found.dmfs_months.min() > 0
    assert (found.dmfs_months <= found.os_months).all()
    without = found.metastasis == 0
    assert (found.dmfs_months[without] == found.os_months[without]).all()
    assert 0.36 < found.metastasis.mean() < 0.44


def test_metastasis_is_a_dmfs_event_within_follow_up(crowd: Crowd) -> None:
    found = outcome.outcomes(EFFECTS["planted"], crowd.people, crowd.drawn)
    follow_up = 60 * np.exp(0.3 * crowd.drawn["follow_up"])
    assert (
        found.dmfs_months[found.metastasis == 1] <= follow_up[found.metastasis == 1] + 0.1
    ).all()
    assert found.os_months == pytest.approx(np.minimum(found.os_months, follow_up), abs=0.1)


def test_little_muscle_and_much_visceral_fat_are_worse(crowd: Crowd) -> None:
    found = outcome.outcomes(EFFECTS["planted"], crowd.people, crowd.drawn)
    body = crowd.people.body
    assert roc_auc_score(found.metastasis, -body.muscle) > 0.68
    assert roc_auc_score(found.metastasis, body.visceral) > 0.62
    assert roc_auc_score(found.death, -body.muscle) > 0.6


def test_within_a_group_the_area_tells_nothing(crowd: Crowd) -> None:
    found = outcome.outcomes(EFFECTS["planted"], crowd.people, crowd.drawn)
    body = crowd.people.body
    for group, area in (
        (body.sarcopenia, body.muscle),
        (body.visceral_obesity, body.visceral),
    ):
        for state in (0, 1):
            own = group == state
            assert abs(roc_auc_score(found.metastasis[own], area[own]) - 0.5) < 0.02


def test_without_effects_nothing_tells_the_outcome(crowd: Crowd) -> None:
    found = outcome.outcomes(EFFECTS["none"], crowd.people, crowd.drawn)
    body, tumour = crowd.people.body, crowd.people.tumour
    for marker in (body.muscle, body.visceral, body.age, tumour.n_stage, tumour.ki67):
        assert abs(roc_auc_score(found.metastasis, marker) - 0.5) < 0.015
        assert abs(roc_auc_score(found.death, marker) - 0.5) < 0.015
