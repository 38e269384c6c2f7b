from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import TableError
from oncotrail.evaluation.judged import Judged, judge
from tests.evaluation.made import Study


def judged(study: Study) -> dict[str, Judged]:
    return judge(study.predictions, study.cohort, study.split, "relapse")


def test_every_role_but_training_judges_with_all_its_patients(study: Study) -> None:
    found = judged(study)
    assert list(found) == ["validation", "test", "external"]
    for role, among in found.items():
        assert list(among.patients) == study.of(role)
        assert set(among.scores) == {"made-t4", "made-t11", "made-clinical", "made-both"}


def test_scores_and_outcomes_belong_to_their_patients(study: Study) -> None:
    outcome = study.cohort.set_index("patient")["relapse"]
    score = study.predictions.set_index(["model", "patient"])["score"]
    among = judged(study)["test"]
    for place, patient in enumerate(among.patients):
        assert among.labels[place] == outcome[patient]
        for model, scores in among.scores.items():
            assert scores[place] == score[model, patient]
    assert among.events == among.labels.sum()


def test_the_order_of_rows_does_not_matter(study: Study) -> None:
    shuffled = Study(
        study.cohort.sample(frac=1, random_state=1),
        study.split.sample(frac=1, random_state=2),
        study.predictions.sample(frac=1, random_state=3),
    )
    before, after = judged(study)["test"], judged(shuffled)["test"]
    assert before.patients == after.patients
    assert np.array_equal(before.labels, after.labels)
    for model, scores in before.scores.items():
        assert np.array_equal(scores, after.scores[model])


def test_a_model_that_lacks_patients_stops_and_names_them(study: Study) -> None:
    gone = study.of("test")[3:5]
    with pytest.raises(TableError, match=f"made-t4 in test: 2 patients have no row.*{gone[0]}"):
        judged(study.without("made-t4", gone))


def test_a_model_may_lack_training_patients(study: Study) -> None:
    fused_only = study.without("made-both", study.of("train"))
    assert len(judged(fused_only)["test"].patients) == 30


@pytest.mark.parametrize("role", ["validation", "test", "external"])
@pytest.mark.parametrize("outcome", [0, 1])
def test_a_role_of_one_class_is_refused(study: Study, role: str, outcome: int) -> None:
    one_class = study.relabelled(role, outcome)
    with pytest.raises(TableError, match=f"{role} patients all have relapse {outcome}"):
        judged(one_class)


@pytest.mark.parametrize("role", ["validation", "test"])
def test_a_split_without_the_role_is_refused(study: Study, role: str) -> None:
    split, predictions = (
        frame.assign(role=frame["role"].mask(frame["role"] == role, "train"))
        for frame in (study.split, study.predictions)
    )
    with pytest.raises(TableError, match=f"no {role} patients"):
        judge(predictions, study.cohort, split, "relapse")


def changed(study: Study, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Study:
    return replace(study, predictions=change(study.predictions.copy()))


def in_another_role(frame: pd.DataFrame) -> pd.DataFrame:
    tested = (frame["role"] == "test") & (frame["model"] == "made-t4")
    return frame.assign(role=frame["role"].mask(tested, "train"))


def a_stranger(frame: pd.DataFrame) -> pd.DataFrame:
    row = frame.iloc[:1].assign(patient="STRANGER")
    return pd.concat([frame, row], ignore_index=True)


def a_blank_score(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(score=frame["score"].mask(frame["patient"] == "P003"))


def another_outcome(frame: pd.DataFrame) -> pd.DataFrame:
    other = frame["outcome"].mask(frame["model"] == "made-t11", "death")
    return frame.assign(outcome=other)


def another_seed(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[:120].assign(seed=2)], ignore_index=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (in_another_role, "made-t4 gives 30 patients another role than the split"),
        (a_stranger, "predicts 1 patients that the split does not have, e.g. STRANGER"),
        (a_blank_score, "has no score for 1 patients, e.g. P003"),
        (another_outcome, "made-t11 has no honest predictions of relapse.*death"),
        (another_seed, "occur more than once"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(
    study: Study, change: Callable[[pd.DataFrame], pd.DataFrame], says: str
) -> None:
    with pytest.raises(TableError, match=says):
        judged(changed(study, change))


def test_predictions_of_other_modes_are_left_aside(study: Study) -> None:
    null = study.predictions.assign(mode="null", score=0.5)
    both = pd.concat([study.predictions, null], ignore_index=True)
    found = judge(both, study.cohort, study.split, "relapse")
    assert np.array_equal(found["test"].scores["made-t4"], judged(study)["test"].scores["made-t4"])


def test_several_outer_folds_are_refused(study: Study) -> None:
    folds = pd.concat([study.split, study.split.assign(outer_fold=1)], ignore_index=True)
    with pytest.raises(TableError, match="several outer folds"):
        judge(study.predictions, study.cohort, folds, "relapse")
