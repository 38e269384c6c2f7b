"""The learner's table: by patient id, as declared, blanks kept."""

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import StudyFileError, TableError
from oncotrail.fusion.columns import as_learner_sees, declared_columns, design
from oncotrail.study.fusion import ColumnSet
from tests.fusion.hand_made import COHORT, FUSION, a_study

STUDY = a_study()
BOTH = FUSION.models["clinical_t4_t11"]


def test_columns_are_numbers_then_categories_then_embeddings_by_network() -> None:
    columns = declared_columns(BOTH, COHORT, STUDY.features)
    assert columns.names[:4] == ("age", "cea", "her2", "subtype")
    assert columns.names[4:7] == tuple(f"toy-t4_embedding_0{number}" for number in range(3))
    assert columns.categories == {"her2": ("0", "1"), "subtype": ("1", "2", "3")}
    assert len(columns.names) == 10


def test_row_order_of_every_table_changes_nothing() -> None:
    columns = declared_columns(BOTH, COHORT, STUDY.features)
    shuffled = {
        name: table.sample(frac=1, random_state=1) for name, table in STUDY.features.items()
    }
    cohort = STUDY.cohort.sort_values("patient", ascending=False)
    straight = design(STUDY.split["patient"], columns, STUDY.cohort, STUDY.features)
    pd.testing.assert_frame_equal(
        straight, design(STUDY.split["patient"], columns, cohort, shuffled)
    )


def test_each_value_is_its_patients() -> None:
    columns = declared_columns(BOTH, COHORT, STUDY.features)
    table = design(STUDY.split["patient"], columns, STUDY.cohort, STUDY.features)
    for patient in table.index:
        age = STUDY.cohort.loc[STUDY.cohort["patient"] == patient, "age"].item()
        own = STUDY.features["toy-t11"].query("patient == @patient")
        assert table.loc[patient, "age"] == age or (
            pd.isna(age) and pd.isna(table.loc[patient, "age"])
        )
        assert table.loc[patient, "toy-t11_embedding_02"] == own["embedding_02"].item()


def test_blanks_survive_a_file(tmp_path: object) -> None:
    """Null in a file, NA in a table and NaN here are the same blank."""
    columns = declared_columns(FUSION.models["clinical"], COHORT, {})
    table = design(STUDY.split["patient"], columns, STUDY.cohort, {})
    assert table.isna().any().all()
    path = f"{tmp_path}/columns.parquet"
    table.reset_index().to_parquet(path)
    pd.testing.assert_frame_equal(as_learner_sees(columns, pd.read_parquet(path)), table)
    assert isinstance(table["her2"][table["her2"].isna()].iloc[0], float)
    assert not np.isinf(table["age"]).any()


def test_patient_without_embedding_stops_the_fusion() -> None:
    columns = declared_columns(BOTH, COHORT, STUDY.features)
    features = {**STUDY.features, "toy-t4": STUDY.features["toy-t4"].iloc[1:]}
    with pytest.raises(TableError, match=r"embeddings of toy-t4: 1 patients have no row, e.g. 1;"):
        design(STUDY.split["patient"], columns, STUDY.cohort, features)


def test_two_images_of_a_patient_are_not_chosen_between() -> None:
    columns = declared_columns(BOTH, COHORT, STUDY.features)
    twice = pd.concat([STUDY.features["toy-t4"], STUDY.features["toy-t4"].iloc[:1]])
    with pytest.raises(TableError, match="occur more than once"):
        design(STUDY.split["patient"], columns, STUDY.cohort, {**STUDY.features, "toy-t4": twice})


def test_unknown_network_is_named_with_the_nearest() -> None:
    with pytest.raises(StudyFileError, match="Did you mean 'toy-t4'"):
        declared_columns(ColumnSet(clinical=True, networks=("toy-t5",)), COHORT, STUDY.features)


def test_a_model_that_reads_nothing_is_refused() -> None:
    with pytest.raises(StudyFileError, match="reads no columns"):
        declared_columns(ColumnSet(clinical=False), COHORT, STUDY.features)


def test_undeclared_level_is_refused_with_patient_and_value() -> None:
    columns = declared_columns(FUSION.models["clinical"], COHORT, {})
    table = pd.DataFrame(
        {"patient": ["7"], "age": [50], "cea": [1.0], "her2": ["2"], "subtype": ["1"]}
    )
    with pytest.raises(TableError, match="patient 7 has her2 = '2'"):
        as_learner_sees(columns, table)


def test_missing_column_is_named() -> None:
    columns = declared_columns(FUSION.models["clinical"], COHORT, {})
    with pytest.raises(TableError, match=r"reads columns \['cea', 'subtype'\]"):
        as_learner_sees(columns, pd.DataFrame({"patient": ["7"], "age": [50], "her2": ["1"]}))
