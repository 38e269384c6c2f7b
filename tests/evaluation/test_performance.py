import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.folds import judge_folds
from oncotrail.evaluation.performance import ModelPerformance, performances
from oncotrail.statistics.classification.rules import youden_threshold
from oncotrail.study.evaluation import METRICS
from tests.evaluation.conftest import evaluated
from tests.evaluation.made import STRENGTH, Study


def found(study: Study) -> dict[str, ModelPerformance]:
    judgement = judge_folds(study.predictions, study.cohort, study.split, "relapse")
    return {each.model: each for each in performances(judgement, confidence=0.95)}


def test_every_model_has_every_figure_in_every_role(done: Evaluated) -> None:
    assert {each.model for each in done.performances} == set(STRENGTH)
    for each in done.performances:
        assert list(each.roles) == ["validation", "test", "external"]
        for performance in each.roles.values():
            assert tuple(performance.figures()) == METRICS


@pytest.mark.parametrize("role", ["validation", "test", "external"])
def test_figures_agree_with_scikit_learn(done: Evaluated, role: str) -> None:
    among = done.judged[role]
    for each in done.performances:
        scores = among.scores[each.model]
        called = scores >= each.threshold.value
        expected = {
            "auc": roc_auc_score(among.labels, scores),
            "accuracy": accuracy_score(among.labels, called),
            "sensitivity": recall_score(among.labels, called),
            "specificity": recall_score(among.labels, called, pos_label=0),
            "ppv": precision_score(among.labels, called),
            "npv": precision_score(among.labels, called, pos_label=0),
            "balanced_accuracy": balanced_accuracy_score(among.labels, called),
            "f1": f1_score(among.labels, called),
            "mcc": matthews_corrcoef(among.labels, called),
            "average_precision": average_precision_score(among.labels, scores),
            "brier": brier_score_loss(among.labels, scores),
            "scaled_brier": 1 - brier_score_loss(among.labels, scores) / among.labels.var(),
            "observed_expected": among.labels.sum() / scores.sum(),
        }
        figures = each.roles[role].figures()
        ours = {name: figure.value for name, figure in figures.items() if figure}
        assert {name: ours[name] for name in expected} == pytest.approx(expected)
        assert set(ours) - set(expected) <= {"calibration_in_the_large", "calibration_slope"}


def test_the_threshold_is_youdens_on_the_validation_patients(done: Evaluated) -> None:
    among = done.judged["validation"]
    for each in done.performances:
        assert each.threshold.value == youden_threshold(among.labels, among.scores[each.model])
        applied = [one.threshold for role in each.roles.values() for one in role.applied]
        assert set(applied) == {each.threshold}
        assert len(applied) == len(each.roles)


@pytest.mark.parametrize("role", ["train", "test", "external"])
def test_other_outcomes_outside_validation_move_no_threshold(study: Study, role: str) -> None:
    """Swap the outcome of everybody in the role: its figures change, thresholds do not."""
    swapped = {
        patient: 1 - int(outcome)
        for patient, outcome in zip(study.cohort["patient"], study.cohort["relapse"], strict=True)
    }
    before, after = found(study), found(study.relabelled(role, swapped))
    for model, each in before.items():
        assert after[model].threshold == each.threshold
        if role != "train":
            area = each.roles[role].auc.value
            assert after[model].roles[role].auc.value == pytest.approx(1 - area)


def test_other_outcomes_in_validation_move_thresholds(study: Study) -> None:
    patients = study.of("validation")
    swapped = {patient: place % 2 for place, patient in enumerate(patients)}
    before, after = found(study), found(study.relabelled("validation", swapped))
    assert any(after[model].threshold != before[model].threshold for model in before)


def test_models_are_judged_by_the_same_patients(done: Evaluated) -> None:
    for role, among in done.judged.items():
        counts = {
            (each.roles[role].patients, each.roles[role].events) for each in done.performances
        }
        assert counts == {(len(among.patients), among.events)}


def test_a_model_that_calls_nobody_positive_has_no_ppv(study: Study) -> None:
    tested = study.predictions["role"] == "test"
    silent = Study(
        study.cohort,
        study.split,
        study.predictions.assign(score=study.predictions["score"].mask(tested, 0.0)),
    )
    for each in found(silent).values():
        assert each.roles["test"].at_threshold.ppv is None
        assert each.roles["test"].at_threshold.npv is not None


def test_thresholds_are_fitted_on_validation_patients(study: Study) -> None:
    records = evaluated(study).fitted_on()
    assert {record.object for record in records} == {f"{model}/threshold" for model in STRENGTH}
    assert {record.kind for record in records} == {"threshold"}
    for record in records:
        assert list(record.patients) == study.of("validation")
