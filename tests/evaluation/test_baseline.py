import pandas as pd
import pytest

from oncotrail.errors import TableError
from oncotrail.evaluation.baseline import baseline
from tests.evaluation.made import DECLARED, Study


@pytest.fixture
def table(study: Study) -> pd.DataFrame:
    return baseline(study.cohort, study.split, DECLARED).set_index(["characteristic", "level"])


def test_a_column_for_everybody_and_for_each_role(table: pd.DataFrame) -> None:
    assert list(table) == ["all", "train", "validation", "test", "external"]
    assert table.loc[("patients", "")].tolist() == ["120", "40", "30", "30", "20"]


def test_rows_in_the_order_of_the_study_file(table: pd.DataFrame) -> None:
    assert table.index.tolist() == [
        ("patients", ""),
        ("site", "north"),
        ("site", "south"),
        ("relapse within 5 years", ""),
        ("overall survival: event", ""),
        ("overall survival: time, months", ""),
        ("age, years", ""),
        ("oestrogen receptor", "negative"),
        ("oestrogen receptor", "positive"),
        ("oestrogen receptor", "missing"),
    ]


def test_counts_and_quartiles_of_one_role(study: Study, table: pd.DataFrame) -> None:
    test = study.cohort[study.cohort["patient"].isin(study.of("test"))]
    events = int(test["relapse"].sum())
    assert table.loc[("relapse within 5 years", ""), "test"] == f"{events} ({events / 0.3:.1f} %)"
    low, middle, high = test["age"].quantile([0.25, 0.5, 0.75])
    assert table.loc[("age, years", ""), "test"] == f"{middle:.1f} ({low:.1f} to {high:.1f})"
    assert table.loc[("site", "south"), "test"] == "0 (0.0 %)"


def test_levels_are_shares_of_the_known_and_the_missing_are_counted(
    study: Study, table: pd.DataFrame
) -> None:
    known = study.cohort["er"].dropna()
    positive = int((known == "1").sum())
    said = table.loc[("oestrogen receptor", "positive"), "all"]
    assert len(known) == 115
    assert said == f"{positive} ({100 * positive / 115:.1f} %)"
    assert table.loc[("oestrogen receptor", "missing"), "all"] == "5 (4.2 %)"


def test_a_column_that_nobody_has_says_so(study: Study) -> None:
    unknown = study.cohort.assign(
        age=pd.Series([None] * 120, dtype="float64"), er=pd.Series([None] * 120, dtype="string")
    )
    table = baseline(unknown, study.split, DECLARED).set_index(["characteristic", "level"])
    assert table.loc[("age, years", ""), "all"] == "none known"
    assert table.loc[("oestrogen receptor", "positive"), "all"] == "none known"
    assert table.loc[("age, years", "missing"), "all"] == "120 (100.0 %)"


def test_a_role_that_everybody_has_is_not_said_twice(study: Study) -> None:
    in_turn = study.split.assign(role="test")
    assert list(baseline(study.cohort, in_turn, DECLARED)) == ["characteristic", "level", "all"]


def test_a_patient_without_a_role_stops(study: Study) -> None:
    with pytest.raises(TableError, match="1 patients have no row"):
        baseline(study.cohort, study.split.iloc[1:], DECLARED)
