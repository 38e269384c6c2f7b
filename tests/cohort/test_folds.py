"""Outer folds, and the parts of a training: who learns, who is scored, what each is called."""

from pathlib import Path

import pandas as pd
import pytest

from oncotrail.cohort.folds import (
    Part,
    last_fold,
    of_fold,
    outer_folds,
    parts_of,
)
from oncotrail.cohort.split import split_patients
from oncotrail.errors import TableError
from tests.cohort.test_split import CROSSED, PLAN, a_cohort

TRAINED = Path("train")


@pytest.fixture(scope="module")
def crossed() -> pd.DataFrame:
    return split_patients(a_cohort(300), **CROSSED).frame


@pytest.fixture(scope="module")
def single() -> pd.DataFrame:
    return split_patients(a_cohort(300), **PLAN).frame


def test_the_last_fold_is_the_one_that_is_kept(crossed: pd.DataFrame, single: pd.DataFrame) -> None:
    assert outer_folds(crossed) == (0, 1, 2, 3)
    assert last_fold(crossed) == 3
    assert Part.main(crossed) == Part(3)
    assert outer_folds(single) == (0,)
    assert Part.main(single) == Part(0)


def test_a_fold_has_a_row_per_patient_and_one_that_is_not_there_is_named(
    crossed: pd.DataFrame,
) -> None:
    for fold in outer_folds(crossed):
        assert of_fold(crossed, fold)["patient"].is_unique
    with pytest.raises(TableError, match=r"no outer fold 7; it has \[0, 1, 2, 3\]"):
        of_fold(crossed, 7)


@pytest.mark.parametrize(
    ("part", "name", "called"),
    [
        (Part(0), "fold0", "s-t4"),
        (Part(3, 1), "fold3-without1", "s-t4/without1"),
        (Part(10, seed=1), "fold10-seed1", "s-t4/seed1"),
        (Part(2, 0, 4), "fold2-without0-seed4", "s-t4/without0/seed4"),
    ],
)
def test_each_part_has_a_name_of_its_own(part: Part, name: str, called: str) -> None:
    assert part.name == name
    assert part.object("s-t4") == called
    assert part.folder(TRAINED, part) == TRAINED
    assert part.folder(TRAINED, Part(99)) == TRAINED / "parts" / name


def test_the_parts_are_every_fold_seed_and_left_out_fold_and_the_main_one_is_first(
    crossed: pd.DataFrame, single: pd.DataFrame
) -> None:
    assert parts_of(single, seeds=1, out_of_fold=False) == (Part(0),)
    assert parts_of(single, seeds=3, out_of_fold=False) == (
        Part(0),
        Part(0, None, 1),
        Part(0, None, 2),
    )
    found = parts_of(crossed, seeds=2, out_of_fold=True)
    expected = {Part(o, i, s) for o in range(4) for i in (None, 0, 1, 2) for s in range(2)}
    assert found[0] == Part(3)
    assert len(found) == len(expected)
    assert set(found) == expected
    assert len({part.name for part in found}) == len(found)


def test_out_of_fold_each_patient_is_scored_once_and_by_a_network_that_did_not_learn_from_them(
    crossed: pd.DataFrame,
) -> None:
    parts = parts_of(crossed, seeds=1, out_of_fold=True)
    for fold in outer_folds(crossed):
        frame = of_fold(crossed, fold)
        own = [part for part in parts if part.outer_fold == fold]
        scored = sum(part.scores(frame, out_of_fold=True).astype(int) for part in own)
        assert (scored == 1).all()
        for part in own:
            learns = part.learns(frame)
            assert not (learns & part.scores(frame, out_of_fold=True)).any()
            assert set(frame.loc[learns, "fits"]) == {"network"}
            assert set(frame.loc[learns, "role"]) == {"train"}
            if part.inner_fold is not None:
                assert part.inner_fold not in set(frame.loc[learns, "inner_fold"])
        whole = Part(fold).learns(frame)
        once = sum(~part.learns(frame) & whole for part in own if part.inner_fold is not None)
        assert (once[whole] == 1).all(), "each is left out by exactly one"


def test_otherwise_the_whole_part_scores_everybody(single: pd.DataFrame) -> None:
    assert Part(0).scores(single, out_of_fold=False).all()


def test_leaving_out_the_only_inner_fold_of_the_networks_is_refused() -> None:
    frame = split_patients(a_cohort(300), **{**PLAN, "fusion_folds": 4}).frame
    with pytest.raises(TableError, match=r"networks have the inner folds \[0\]; .* raise folds"):
        parts_of(frame, seeds=1, out_of_fold=True)
