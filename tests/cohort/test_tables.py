from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncotrail.cohort import tables
from oncotrail.cohort.tables import ColumnOf, Table
from oncotrail.errors import TableError
from oncotrail.record import FittedOn

COHORT = tables.cohort_table(
    ["death"],
    ["os"],
    {
        "age": ColumnOf("number", blank=True, low=18, high=100),
        "stage": ColumnOf("text", blank=True, allowed=("1", "2")),
    },
)


def a_cohort(**columns: list[object]) -> pd.DataFrame:
    values: dict[str, list[object]] = {
        "patient": ["A", "B", "C"],
        "site": ["north", "north", "south"],
        "death": [1, 0, 0],
        "os_time": [12.0, 30.5, 4.0],
        "os_event": [1, 0, 0],
        "age": [50.0, None, 70.0],
        "stage": ["1", "2", None],
    }
    return pd.DataFrame({**values, **columns})


def predictions(**columns: list[object]) -> pd.DataFrame:
    values: dict[str, list[object]] = {
        "patient": ["A", "B"],
        "model": ["lungs-ct"] * 2,
        "outcome": ["death"] * 2,
        "horizon": [None, None],
        "role": ["test", "test"],
        "outer_fold": [0, 0],
        "inner_fold": [None, None],
        "seed": [7, 7],
        "mode": ["honest"] * 2,
        "reader": [None, None],
        "seniority": [None, None],
        "score": [0.2, 0.8],
        "risk": [None, None],
    }
    return pd.DataFrame({**values, **columns})


def refused(table: Table, frame: pd.DataFrame) -> str:
    with pytest.raises(TableError) as caught:
        tables.checked(table, frame, "cohort.parquet")
    return str(caught.value)


class TestChecked:
    def test_a_good_table_gets_its_types(self) -> None:
        frame = tables.checked(COHORT, a_cohort(), "here")
        assert [str(kind) for kind in frame.dtypes] == [
            "string",
            "string",
            "Int64",
            "float64",
            "Int64",
            "float64",
            "string",
        ]

    def test_the_order_of_columns_is_the_declarations(self) -> None:
        frame = a_cohort()[["stage", "age", "os_event", "os_time", "death", "site", "patient"]]
        assert list(tables.checked(COHORT, frame, "here")) == list(COHORT.columns)

    @pytest.mark.parametrize(
        ("columns", "says"),
        [
            ({"patient": ["A", "A", "B"]}, "one row per patient, but {'patient': 'A'} occurs"),
            ({"patient": ["A", None, "B"]}, "patient is blank in 1 rows, first in row 1"),
            ({"patient": ["A", "B", " "]}, "patient is blank in 1 rows, first in row 2"),
            ({"site": ["", "x", "y"]}, "site is blank in 1 rows, first in row 0 (patient A"),
            ({"death": [1, 2, 0]}, "death is above 1 in 1 rows, first in row 1 (patient B"),
            ({"death": [1, 0.5, 0]}, "death holds values that are no integer"),
            ({"death": [1, None, 0]}, "death is blank"),
            ({"os_time": [1, -2, 3]}, "os_time is below 0"),
            ({"os_time": [1, np.inf, 3]}, "os_time is not finite"),
            ({"os_time": ["soon", 1, 2]}, "os_time holds values that are no number"),
            ({"age": [17, 50, 101]}, "age is below 18 in 1 rows, first in row 0 (patient A"),
            ({"stage": ["1", "2", "3"]}, "stage is none of ['1', '2'] in 1 rows, first in row 2"),
            ({"stage": [1.0, 2.0, 1.0]}, "stage is none of ['1', '2'] in 3 rows"),
        ],
    )
    def test_a_wrong_value_is_named_with_row_and_mend(
        self, columns: dict[str, list[object]], says: str
    ) -> None:
        told = refused(COHORT, a_cohort(**columns))
        assert told.startswith("cohort.parquet: ")
        assert says in told

    def test_a_missing_and_an_undeclared_column_are_named(self) -> None:
        told = refused(COHORT, a_cohort(smoker=[1, 0, 1]).drop(columns="age"))
        assert "lacks columns ['age'] and has undeclared ['smoker']" in told

    def test_the_frame_that_was_given_is_left_as_it_was(self) -> None:
        frame = a_cohort()
        before = frame.copy()
        tables.checked(COHORT, frame, "here")
        pd.testing.assert_frame_equal(frame, before)

    def test_an_empty_table_is_a_table(self) -> None:
        empty = pd.DataFrame(columns=list(tables.EXCLUSIONS.columns))
        assert len(tables.checked(tables.EXCLUSIONS, empty, "here")) == 0

    def test_embeddings_are_numbers(self) -> None:
        frame = pd.DataFrame(
            {
                "patient": ["A"],
                "image": ["A-ct"],
                "source": ["lungs-ct"],
                "outer_fold": [0],
                "seed": [7],
                "e0": [0.5],
            }
        )
        assert tables.checked(tables.FEATURES, frame, "here")["e0"].tolist() == [0.5]
        assert "e0 is not finite" in refused(tables.FEATURES, frame.assign(e0=-np.inf))
        assert "e0 is blank" in refused(tables.FEATURES, frame.assign(e0=np.nan))

    @pytest.mark.parametrize("score", [1.2, -0.1])
    def test_a_score_that_is_no_probability_is_refused(self, score: float) -> None:
        told = refused(tables.PREDICTIONS, predictions(score=[score, 0.5]))
        assert "score is" in told

    def test_one_patient_cannot_be_scored_twice_by_a_model(self) -> None:
        told = refused(tables.PREDICTIONS, predictions(patient=["A", "A"]))
        assert "one row per patient x model" in told

    def test_one_patient_cannot_have_two_roles(self) -> None:
        frame = pd.DataFrame(
            {
                "patient": ["A", "A"],
                "role": ["train", "test"],
                "fits": ["network", None],
                "outer_fold": [0, 0],
                "inner_fold": [0, None],
            }
        )
        assert "one row per patient x outer_fold" in refused(tables.SPLIT, frame)


class TestFiles:
    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "cohort.parquet"
        written = tables.write(COHORT, a_cohort(), path)
        pd.testing.assert_frame_equal(tables.read(COHORT, path), written)

    def test_the_order_of_rows_does_not_change_the_bytes(self, tmp_path: Path) -> None:
        tables.write(COHORT, a_cohort(), tmp_path / "one")
        tables.write(COHORT, a_cohort().iloc[[2, 0, 1]], tmp_path / "other")
        assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()

    def test_a_refused_table_leaves_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(TableError):
            tables.write(COHORT, a_cohort(death=[1, 2, 3]), tmp_path / "cohort.parquet")
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_table_says_what_to_run(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="the split table is missing; run the stage"):
            tables.read(tables.SPLIT, tmp_path / "split.parquet")

    def test_a_damaged_table_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "split.parquet").write_bytes(b"PAR1 and then nothing")
        with pytest.raises(TableError, match=r"cannot be read .* delete it and run make repro"):
            tables.read(tables.SPLIT, tmp_path / "split.parquet")

    def test_a_table_is_checked_on_reading_too(self, tmp_path: Path) -> None:
        a_cohort(death=[1, 0, 7]).to_parquet(tmp_path / "cohort.parquet")
        with pytest.raises(TableError, match="death is above 1"):
            tables.read(COHORT, tmp_path / "cohort.parquet")


class TestJoin:
    LEFT = pd.DataFrame({"patient": ["B", "A", "C"], "score": [0.2, 0.1, 0.3]})
    RIGHT = pd.DataFrame({"patient": ["A", "B", "C", "D"], "age": [1, 2, 3, 4]})

    def test_values_follow_the_patient_and_not_the_position(self) -> None:
        joined = tables.join(self.LEFT, self.RIGHT, "ages")
        assert list(joined["patient"]) == ["B", "A", "C"]
        assert list(joined["age"]) == [2, 1, 3]

    @given(order=st.permutations([0, 1, 2, 3]))
    @settings(max_examples=10, deadline=None)
    def test_the_order_of_the_right_table_changes_nothing(self, order: list[int]) -> None:
        shuffled = self.RIGHT.iloc[order].reset_index(drop=True)
        joined = tables.join(self.LEFT, shuffled, "ages")
        pd.testing.assert_frame_equal(joined, tables.join(self.LEFT, self.RIGHT, "ages"))

    def test_a_patient_with_several_rows_keeps_them(self) -> None:
        left = pd.DataFrame({"patient": ["A", "A"], "fold": [0, 1]})
        assert list(tables.join(left, self.RIGHT, "ages")["age"]) == [1, 1]

    def test_a_patient_without_a_row_stops_it(self) -> None:
        with pytest.raises(TableError, match=r"ages: 1 patients have no row, e\.g\. C;"):
            tables.join(self.LEFT, self.RIGHT[self.RIGHT["patient"] != "C"], "ages")

    def test_a_patient_with_two_rows_to_the_right_stops_it(self) -> None:
        twice = pd.concat([self.RIGHT, self.RIGHT.iloc[:1]])
        with pytest.raises(TableError, match="patients A occur more than once; aggregate"):
            tables.join(self.LEFT, twice, "ages")

    def test_a_column_that_both_have_stops_it(self) -> None:
        """It would come out as score_x and score_y, and somebody would take the wrong one."""
        with pytest.raises(TableError, match=r"both tables have \['score'\]"):
            tables.join(self.LEFT, self.RIGHT.assign(score=0.5), "ages")


class TestFittedOn:
    def test_every_row_that_was_seen_is_a_row(self) -> None:
        frame = tables.fitted_on_frame(
            [
                FittedOn("scaler", "scaler", ("A", "B")),
                FittedOn("sampler", "sampler", ("A", "A"), 1, (1, 3), (False, True)),
            ]
        )
        typed = tables.checked(tables.FITTED_ON, frame, "here")
        assert list(typed["times"]) == [1, 1, 1, 3]
        assert list(typed["synthetic"]) == [False, False, False, True]
        assert list(typed["outer_fold"]) == [0, 0, 1, 1]

    def test_nothing_fitted_is_an_empty_table(self) -> None:
        assert len(tables.checked(tables.FITTED_ON, tables.fitted_on_frame([]), "here")) == 0
