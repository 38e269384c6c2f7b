from pathlib import Path

import pandas as pd
import pytest

from oncotrail.demo import table
from oncotrail.demo.outcome import EFFECTS, outcomes
from oncotrail.study.cohort import Category, Cohort
from oncotrail.study.load import read_yaml
from tests.demo.crowd import Crowd


@pytest.fixture(scope="module")
def declared() -> Cohort:
    study = read_yaml(Path("studies/breast_early_fusion.yaml"))
    return Cohort.read(study["cohort"]["breast_early_fusion"], "breast_early_fusion")


@pytest.fixture(scope="module")
def clinical(crowd: Crowd) -> pd.DataFrame:
    patients = [str(i) for i in range(len(crowd.people.body.age))]
    happened = outcomes(EFFECTS["planted"], crowd.people, crowd.drawn)
    return pd.DataFrame(table.columns(patients, crowd.people, crowd.blanks, happened))


def test_columns_are_those_that_the_study_declares(
    declared: Cohort, clinical: pd.DataFrame
) -> None:
    times = declared.times_to_event().values()
    outcome_columns = {label.column for label in declared.labels().values()}
    outcome_columns |= {time.time for time in times} | {time.event for time in times}
    expected = {declared.patient, declared.site, *declared.clinical, *outcome_columns}
    assert set(clinical.columns) == expected


def test_values_keep_to_their_codings_and_ranges(declared: Cohort, clinical: pd.DataFrame) -> None:
    adults = clinical[clinical["age"].astype(int) >= 18]
    for name, column in declared.clinical.items():
        present = adults.loc[adults[name] != "", name]
        if isinstance(column, Category):
            assert set(present) == set(column.levels), name
        else:
            assert present.astype(float).between(column.minimum, column.maximum).all(), name


def test_blanks_are_empty_and_together_where_measured_together(clinical: pd.DataFrame) -> None:
    assert ((clinical["pma_t4"] == "") == (clinical["pmi_t4"] == "")).all()
    assert 0.03 < (clinical["pma_t4"] == "").mean() < 0.05
    for column in ("age", "bmi", "n_stage", "subtype", "metastasis", "os_months"):
        assert (clinical[column] != "").all()


def test_the_muscle_index_is_the_area_by_height_squared(clinical: pd.DataFrame) -> None:
    measured = clinical[clinical["pma_t4"] != ""]
    area = measured["pma_t4"].astype(float)
    index = measured["pmi_t4"].astype(float)
    usable = area > 10
    height = (area / index)[usable] ** 0.5
    assert height.between(1.38, 1.82).all()
