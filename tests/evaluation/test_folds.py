"""A cross-validation's folds: whose score a patient is judged by, and who decides at what."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from sklearn.metrics import confusion_matrix, roc_auc_score

from oncotrail.cohort.folds import of_fold
from oncotrail.errors import TableError
from oncotrail.evaluation.comparison import OVER_FOLDS, comparison_table
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.folds import reported_roles
from oncotrail.statistics.classification.rules import youden_threshold
from oncotrail.statistics.discrimination.area import paired_test
from tests.evaluation import crossed, made
from tests.evaluation.crossed import FOLDS, SEEDS, WHOLE


@pytest.fixture(scope="module")
def study() -> made.Study:
    return crossed.study()


@pytest.fixture(scope="module")
def done(study: made.Study) -> Evaluated:
    return crossed.evaluated(study)


def of_test(study: made.Study) -> pd.DataFrame:
    """The rows that a reader of the tables would take: test, by the first seed."""
    rows = study.predictions
    return rows[(rows["role"] == "test") & (rows["seed"] == SEEDS[0])]


def test_a_patients_pooled_score_is_of_the_fold_that_did_not_learn_from_the_patient(
    study: made.Study, done: Evaluated
) -> None:
    among = done.judged["test"]
    inside = study.cohort.loc[study.cohort["site"] != "south", "patient"]
    assert list(among.patients) == sorted(inside)
    roles = study.split.set_index(["patient", "outer_fold"])["role"]
    for model, scores in among.scores.items():
        said = of_test(study)[of_test(study)["model"] == model].set_index("patient")
        assert scores.tolist() == said.loc[list(among.patients), "score"].tolist()
        for patient, fold in said["outer_fold"].items():
            assert roles[patient, fold] == "test"
    relapse = study.cohort.set_index("patient")["relapse"]
    assert among.labels.tolist() == relapse.loc[list(among.patients)].astype(bool).tolist()


def test_scores_by_folds_that_learned_from_a_patient_do_not_judge_that_patient(
    study: made.Study, done: Evaluated
) -> None:
    in_sample = study.predictions["role"] == "train"
    again = crossed.evaluated(crossed.rescored(study, in_sample))
    for before, after in zip(done.performances, again.performances, strict=True):
        assert after == before


def test_no_test_patient_moves_the_threshold_of_the_own_fold(
    study: made.Study, done: Evaluated
) -> None:
    tested = study.predictions["role"] == "test"
    turned = crossed.evaluated(crossed.rescored(study, tested))
    for before, after in zip(done.performances, turned.performances, strict=True):
        assert after.thresholds == before.thresholds
        assert after.roles["test"].at_threshold != before.roles["test"].at_threshold


@pytest.mark.parametrize("fold", range(FOLDS))
def test_no_outcome_of_a_test_patient_moves_the_threshold_of_the_own_fold(
    study: made.Study, done: Evaluated, fold: int
) -> None:
    """The same patients choose in other folds, whose thresholds do move."""
    here = of_fold(study.split, fold)
    patients = here.loc[here["role"] == "test", "patient"]
    relapse = study.cohort["relapse"].mask(
        study.cohort["patient"].isin(patients), 1 - study.cohort["relapse"]
    )
    again = crossed.evaluated(replace(study, cohort=study.cohort.assign(relapse=relapse)))
    moved = set()
    for before, after in zip(done.performances, again.performances, strict=True):
        assert after.thresholds[fold] == before.thresholds[fold]
        moved |= {f for f in before.thresholds if after.thresholds[f] != before.thresholds[f]}
    assert moved


def test_each_fold_decides_at_its_own_threshold(study: made.Study, done: Evaluated) -> None:
    relapse = study.cohort.set_index("patient")["relapse"].astype(int)
    first = study.predictions[study.predictions["seed"] == SEEDS[0]]
    for each in done.performances:
        rows = first[first["model"] == each.model]
        table = np.zeros((2, 2), dtype=int)
        for fold in range(FOLDS):
            here = rows[rows["outer_fold"] == fold].set_index("patient")
            chose, tested = (here[here["role"] == role]["score"] for role in ("validation", "test"))
            threshold = youden_threshold(relapse[chose.index], chose)
            assert each.thresholds[fold].value == threshold
            table += confusion_matrix(relapse[tested.index], tested >= threshold)
        (tn, fp), (fn, tp) = table
        found = each.roles["test"].at_threshold
        assert found.sensitivity is not None
        assert found.sensitivity.value == tp / (tp + fn)
        assert found.confusion.false_positive == fp
        assert found.confusion.n == tn + fp + fn + tp == each.roles["test"].patients
        assert np.isnan(found.threshold)


def test_validation_and_external_are_of_the_whole_that_is_served(
    study: made.Study, done: Evaluated
) -> None:
    whole = of_fold(study.split, WHOLE)
    for role in ("validation", "external"):
        among = done.judged[role]
        assert list(among.patients) == sorted(whole.loc[whole["role"] == role, "patient"])
        rows = study.predictions
        rows = rows[(rows["outer_fold"] == WHOLE) & (rows["seed"] == SEEDS[0])]
        for model, scores in among.scores.items():
            said = rows[rows["model"] == model].set_index("patient")["score"]
            assert scores.tolist() == said.loc[list(among.patients)].tolist()
    for each in done.performances:
        assert each.threshold == each.thresholds[WHOLE]
        assert each.roles["external"].applied[0].threshold == each.threshold


def by_fold(study: made.Study, model: str) -> list[float]:
    relapse = study.cohort.set_index("patient")["relapse"].astype(int)
    rows = of_test(study)[of_test(study)["model"] == model]
    return [
        roc_auc_score(relapse[own["patient"]], own["score"])
        for _, own in rows.groupby("outer_fold")
    ]


def correction(study: made.Study) -> float:
    """What Nadeau and Bengio put in the place of 1 / J."""
    folds = study.split[study.split["outer_fold"] != WHOLE]
    tested = folds.loc[folds["role"] == "test"].groupby("outer_fold").size().mean()
    others = folds.loc[folds["role"] != "test"].groupby("outer_fold").size().mean()
    return float(1 / FOLDS + tested / others)


def test_the_mean_over_folds_has_nadeau_and_bengios_interval(
    study: made.Study, done: Evaluated
) -> None:
    for each in done.performances:
        areas = by_fold(study, each.model)
        assert each.averaged is not None
        assert [area.value for area in each.averaged.folds.values()] == pytest.approx(areas)
        mean = each.averaged.mean
        half = student.ppf(0.975, FOLDS - 1) * np.sqrt(correction(study) * np.var(areas, ddof=1))
        ends = max(0, np.mean(areas) - half), min(1, np.mean(areas) + half)
        assert (mean.value, mean.low, mean.high) == pytest.approx((np.mean(areas), *ends))
        assert mean.value != pytest.approx(each.roles["test"].auc.value)


def test_fusions_are_compared_by_patient_and_by_fold(study: made.Study, done: Evaluated) -> None:
    (tested,) = (each for each in done.comparisons if each.role == "test")
    among = done.judged["test"]
    first, second = (among.scores[name] for name in (tested.first, tested.second))
    assert tested.test == paired_test(among.labels, first, second)
    apart = np.subtract(by_fold(study, tested.first), by_fold(study, tested.second))
    t = apart.mean() / np.sqrt(correction(study) * apart.var(ddof=1))
    assert tested.over_folds is not None
    assert tested.over_folds.difference.value == pytest.approx(apart.mean())
    assert tested.over_folds.p_value == pytest.approx(2 * student.sf(abs(t), FOLDS - 1))
    table = comparison_table(done.comparisons).set_index("role")
    assert table.loc["test", list(OVER_FOLDS)].notna().all()
    assert table.loc["external", list(OVER_FOLDS)].isna().all()


def test_in_the_table_of_patients_everybody_inside_is_test(study: made.Study) -> None:
    roles = reported_roles(study.split)
    assert roles["patient"].is_unique
    assert roles["role"].value_counts().to_dict() == {"test": 100, "external": 20}
    once = made.study().split
    assert reported_roles(once)["role"].tolist() == once["role"].tolist()


def without(study: made.Study, model: str, fold: int) -> made.Study:
    gone = (study.predictions["model"] == model) & (study.predictions["outer_fold"] == fold)
    return replace(study, predictions=study.predictions[~gone].reset_index(drop=True))


@pytest.mark.parametrize("fold", [1, WHOLE])
def test_a_model_that_lacks_an_outer_fold_is_named(study: made.Study, fold: int) -> None:
    with pytest.raises(TableError, match=rf"outer fold {fold} has no .* \['made-clinical'\]"):
        crossed.evaluated(without(study, "made-clinical", fold))


def test_predictions_of_a_fold_that_the_split_lacks_are_refused(study: made.Study) -> None:
    more = study.predictions.assign(outer_fold=study.predictions["outer_fold"] + 1)
    with pytest.raises(TableError, match=r"outer folds \[4\], and the split has \[0, 1, 2, 3\]"):
        crossed.evaluated(replace(study, predictions=more))


def test_a_patient_who_is_never_test_is_named(study: made.Study) -> None:
    here = study.split["role"].eq("test") & study.split["outer_fold"].eq(0)
    patient = study.split.loc[here, "patient"].iloc[0]
    frames = {}
    for name in ("split", "predictions"):
        frame = getattr(study, name)
        gone = frame["outer_fold"].eq(0) & frame["patient"].eq(patient)
        frames[name] = frame[~gone].reset_index(drop=True)
    with pytest.raises(TableError, match=f"1 in none, or only there, e.g. {patient}"):
        crossed.evaluated(replace(study, **frames))


def test_a_fault_within_a_fold_names_the_fold(study: made.Study) -> None:
    here = of_fold(study.split, 2)
    patients = here.loc[here["role"] == "test", "patient"]
    alike = study.cohort["relapse"].mask(study.cohort["patient"].isin(patients), 1)
    with pytest.raises(TableError, match=r"outer fold 2: the 33 test patients all have relapse 1"):
        crossed.evaluated(replace(study, cohort=study.cohort.assign(relapse=alike)))
