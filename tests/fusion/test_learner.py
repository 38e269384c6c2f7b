"""The learner: fitted on training rows alone, records from the rows themselves, the same twice."""

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import TrainingFault
from oncotrail.fusion.columns import Columns, declared_columns, design
from oncotrail.fusion.learner import FittedLearner, fit, fitted_rows, score
from oncotrail.study.fusion import Imputation
from tests.fusion.hand_made import COHORT, FUSION, SEED, a_study

STUDY = a_study()
OUTCOME = STUDY.cohort.set_index("patient")["metastasis"].astype(int)
TRAINING = STUDY.split.loc[STUDY.split["fits"] == "fusion", "patient"]


def table_of(model: str) -> tuple[Columns, pd.DataFrame]:
    columns = declared_columns(FUSION.models[model], COHORT, STUDY.features)
    return columns, design(STUDY.split["patient"], columns, STUDY.cohort, STUDY.features)


def fitted(model: str, seed: int = SEED) -> tuple[FittedLearner, pd.DataFrame]:
    columns, table = table_of(model)
    learned = fit(table.loc[TRAINING], OUTCOME, columns, FUSION, model=model, seed=seed)
    return learned, table


@pytest.mark.parametrize("model", list(FUSION.models))
def test_every_part_says_whose_rows_it_saw(model: str) -> None:
    learned, _ = fitted(model)
    kinds = [record.kind for record in learned.fitted_on]
    assert kinds == ["imputer", "encoder", "scaler", "sampler", "learner"]
    for record in learned.fitted_on:
        own = {p for p, made in zip(record.patients, record.synthetic, strict=True) if not made}
        assert own == set(TRAINING), record.object
    assert set(learned.fitted_on[-1].patients) <= set(TRAINING)
    assert learned.synthetic_rows > 0


def test_records_are_of_the_rows_not_of_what_the_caller_says() -> None:
    """Hand it two test patients: their names come out."""
    columns, table = table_of("clinical")
    test = STUDY.split.loc[STUDY.split["role"] == "test", "patient"].iloc[:2]
    rows = table.loc[[*TRAINING, *test]]
    learned = fit(rows, OUTCOME, columns, FUSION, model="clinical", seed=SEED)
    for record in learned.fitted_on:
        assert set(test) <= set(record.patients), record.object


def test_what_scikit_learn_counted_is_what_the_records_say() -> None:
    learned, _ = fitted("clinical_t4_t11")
    records = {record.kind: record for record in learned.fitted_on}
    assert learned.pipeline["scaler"].n_samples_seen_ == len(records["scaler"].patients)
    in_the_root = learned.pipeline["learner"].estimators_[0].tree_.n_node_samples[0]
    assert in_the_root == len(TRAINING) + learned.synthetic_rows


def test_imputer_and_scaler_hold_the_training_rows_figures() -> None:
    learned, table = fitted("clinical")
    numbers = learned.pipeline["imputer"].named_transformers_["numbers"]
    expected = table.loc[TRAINING, ["age", "cea"]].median()
    np.testing.assert_allclose(numbers.statistics_, expected)
    filled = table.loc[TRAINING, "age"].fillna(expected["age"])
    scaler = learned.pipeline["scaler"]
    age = list(scaler.feature_names_in_).index("age")
    assert scaler.mean_[age] == pytest.approx(filled.mean(), rel=1e-12)


def test_the_same_seed_is_the_same_forest_and_another_is_another() -> None:
    one, table = fitted("clinical_t4_t11")
    two, _ = fitted("clinical_t4_t11")
    three, _ = fitted("clinical_t4_t11", seed=SEED + 1)
    assert score(one.pipeline, table).equals(score(two.pipeline, table))
    assert not score(one.pipeline, table).equals(score(three.pipeline, table))


def test_a_score_does_not_depend_on_who_is_scored_beside() -> None:
    learned, table = fitted("clinical_t4_t11")
    together = score(learned.pipeline, table)
    shuffled = score(learned.pipeline, table.sample(frac=1, random_state=3))
    alone = pd.concat(
        [score(learned.pipeline, table.loc[[patient]]) for patient in table.index[:12]]
    )
    pd.testing.assert_series_equal(together, shuffled.reindex(together.index), rtol=1e-12)
    pd.testing.assert_series_equal(together.iloc[:12], alone, rtol=1e-12)


def test_higher_is_more_likely() -> None:
    learned, table = fitted("clinical_t4_t11")
    scores = score(learned.pipeline, table.loc[TRAINING])
    assert scores[OUTCOME[TRAINING] == 1].mean() > scores[OUTCOME[TRAINING] == 0].mean() + 0.1


def test_without_resampling_no_row_is_synthetic() -> None:
    columns, table = table_of("clinical")
    plan = FUSION.model_copy(update={"resampling": None})
    learned = fit(table.loc[TRAINING], OUTCOME, columns, plan, model="clinical", seed=SEED)
    assert [record.kind for record in learned.fitted_on] == [
        "imputer",
        "encoder",
        "scaler",
        "learner",
    ]
    assert learned.synthetic_rows == 0


def test_not_recorded_can_be_a_level_of_its_own() -> None:
    columns, table = table_of("clinical")
    plan = FUSION.model_copy(
        update={"imputation": Imputation(numbers="mean", categories="own_level")}
    )
    learned = fit(table.loc[TRAINING], OUTCOME, columns, plan, model="clinical", seed=SEED)
    names = list(learned.pipeline["scaler"].feature_names_in_)
    assert "her2_not recorded" in names
    numbers = learned.pipeline["imputer"].named_transformers_["numbers"]
    np.testing.assert_allclose(numbers.statistics_, table.loc[TRAINING, ["age", "cea"]].mean())


def test_one_class_is_refused() -> None:
    columns, table = table_of("clinical")
    positive = [patient for patient in TRAINING if OUTCOME[patient] == 1]
    with pytest.raises(TrainingFault, match="both 0 and 1 are needed"):
        fit(table.loc[positive], OUTCOME, columns, FUSION, model="clinical", seed=SEED)


def test_a_column_blank_for_all_training_rows_is_refused() -> None:
    columns, table = table_of("clinical")
    with pytest.raises(TrainingFault, match=r"columns \['cea'\] are blank"):
        fit(
            table.loc[TRAINING].assign(cea=np.nan),
            OUTCOME,
            columns,
            FUSION,
            model="clinical",
            seed=SEED,
        )


def test_a_synthetic_row_counts_for_both_parents() -> None:
    index = pd.MultiIndex.from_tuples(
        [("a", ""), ("b", ""), ("c", ""), ("a", "b"), ("a", "b")], names=["patient", "neighbour"]
    )
    record = fitted_rows("m/learner", "learner", index)
    assert record.patients == ("a", "b", "c", "a", "b")
    assert record.times == (1, 1, 1, 2, 2)
    assert record.synthetic == (False, False, False, True, True)
