"""Parts that could not be trained are refused before the first one is."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones import parts
from oncotrail.backbones.material import Decoded
from oncotrail.cohort.folds import Part, parts_of
from oncotrail.errors import TableError
from oncotrail.record import MemoryRun
from oncotrail.study.computing import Compute
from tests import declared


@pytest.fixture
def given(tmp_path: Path) -> parts.Given:
    """Three inner folds of four training patients, and four of validation; half are positive."""
    (tmp_path / "settings.json").write_text(json.dumps(declared.network("study")))
    patients = [f"P{number:02d}" for number in range(16)]
    of_training = [number < 12 for number in range(16)]
    split = pd.DataFrame(
        {
            "patient": patients,
            "role": ["train" if learns else "validation" for learns in of_training],
            "fits": ["network" if learns else None for learns in of_training],
            "outer_fold": 0,
            "inner_fold": pd.array([*(np.arange(12) // 4), *[None] * 4], dtype="Int64"),
        }
    )
    cohort = pd.DataFrame({"patient": patients, "metastasis": np.arange(16) % 2})
    no_images = Decoded("t4", np.zeros((0, 8, 8), dtype=np.uint8), pd.DataFrame(), {})
    return parts.Given(
        model="study-t4",
        tuned=tmp_path,
        pretrained=tmp_path,
        decoded=no_images,
        cohort=cohort,
        split=split,
        compute=Compute(threads=1, device="cpu", precision="float32"),
        most_epochs=None,
        seed=1,
        out_of_fold=True,
    )


def with_positives(given: parts.Given, *places: int) -> parts.Given:
    labels = np.isin(np.arange(16), places).astype(int)
    return replace(given, cohort=given.cohort.assign(metastasis=labels))


def test_parts_with_both_classes_may_be_trained(given: parts.Given) -> None:
    parts.check_classes(given, parts_of(given.split, seeds=2, out_of_fold=True))


def test_an_inner_fold_with_all_events_is_told_before_anything_is_trained(
    given: parts.Given, tmp_path: Path
) -> None:
    few = with_positives(given, 4, 5, 13)  # of the inner folds, all in the second
    run = MemoryRun(tmp_path, "study", "train", "study-t4")
    said = (
        r"study-t4: part fold0-without1 learns from 8 patients, of whom 0 have metastasis = 1; "
        r"both .* stratify by metastasis .*, or set the network's out_of_fold: false\.$"
    )
    with pytest.raises(TableError, match=said):
        parts.train_parts(few, parts_of(few.split, seeds=1, out_of_fold=True), run)
    assert run.recorded_params == {}
    parts.check_classes(few, [Part(0)])


def test_validation_needs_both_classes_too(given: parts.Given) -> None:
    few = with_positives(given, 0, 4, 8)
    said = r"part fold0 chooses by 4 patients, of whom 0 have metastasis = 1; .* other folds\.$"
    with pytest.raises(TableError, match=said):
        parts.check_classes(few, [Part(0)])
