"""Synthetic rows: where they come from, and when there can be none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import TrainingFault
from oncotrail.fusion.resampling import NOBODY, resample
from oncotrail.study.fusion import BorderlineSmote

PLAN = BorderlineSmote(kind="borderline_smote", neighbours=4, border_neighbours=5)


def rows(minority: int = 25, majority: int = 60) -> tuple[pd.DataFrame, pd.Series]:
    stream = np.random.default_rng(5)
    outcome = np.r_[np.ones(minority, dtype=int), np.zeros(majority, dtype=int)]
    table = pd.DataFrame(stream.normal(size=(len(outcome), 6)) + 0.7 * outcome[:, None])
    table.index = pd.Index([f"P{number:03d}" for number in range(len(table))], name="patient")
    return table.sample(frac=1, random_state=2), pd.Series(outcome, index=table.index)


def test_own_rows_are_unchanged_and_first() -> None:
    table, outcome = rows()
    _, made, classes = resample(table, outcome.reindex(table.index), PLAN, 1)
    own = made[made.index.get_level_values("neighbour") == NOBODY]
    pd.testing.assert_frame_equal(own.droplevel("neighbour"), table)
    assert classes.value_counts().to_dict() == {0: 60, 1: 60}


def test_a_synthetic_row_lies_between_its_two_parents_of_the_smaller_class() -> None:
    table, outcome = rows()
    _, made, classes = resample(table, outcome.reindex(table.index), PLAN, 1)
    synthetic = made[made.index.get_level_values("neighbour") != NOBODY]
    assert len(synthetic) == 35
    for (patient, neighbour), row in synthetic.iterrows():
        along = table.loc[neighbour] - table.loc[patient]
        step = (row - table.loc[patient]).dot(along) / along.dot(along)
        np.testing.assert_allclose(row, table.loc[patient] + step * along, atol=1e-12)
        assert 0 <= step <= 1
        assert outcome[patient] == outcome[neighbour] == 1
        assert patient != neighbour
    assert (classes[synthetic.index] == 1).all()


def test_the_parents_are_those_that_the_library_drew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own choice, overheard in its private method."""
    from imblearn.over_sampling import BorderlineSMOTE

    table, outcome = rows()
    drawn: list[np.ndarray] = []
    library = BorderlineSMOTE._generate_samples

    def overheard(self: BorderlineSMOTE, *given: Any) -> Any:
        danger, minority, nearest, rows, columns = given[:5]
        drawn.append(np.stack([danger[rows], minority[nearest[rows, columns]]]))
        return library(self, *given)

    monkeypatch.setattr(BorderlineSMOTE, "_generate_samples", overheard)
    _, made, _ = resample(table, outcome.reindex(table.index), PLAN, 1)
    parents = made.index[made.index.get_level_values("neighbour") != NOBODY]
    (pairs,) = drawn
    for (patient, neighbour), one, other in zip(parents, *pairs, strict=True):
        said = {tuple(table.loc[patient]), tuple(table.loc[neighbour])}
        assert said == {tuple(one), tuple(other)}


def test_equal_classes_make_no_synthetic_rows() -> None:
    table, outcome = rows(30, 30)
    _, made, _ = resample(table, outcome.reindex(table.index), PLAN, 1)
    assert len(made) == 60


def test_too_few_of_the_smaller_class_is_said_with_what_to_do() -> None:
    table, outcome = rows(4, 30)
    with pytest.raises(TrainingFault, match=r"4 of the 34 patients .* at least 5.*fusion_folds"):
        resample(table, outcome.reindex(table.index), PLAN, 1)


def test_just_enough_of_the_smaller_class_works() -> None:
    table, outcome = rows(5, 30)
    _, made, _ = resample(table, outcome.reindex(table.index), PLAN, 1)
    assert len(made) >= 35
