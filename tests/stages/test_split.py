import json
from pathlib import Path
from typing import Any

import pytest

from oncotrail.cohort import tables
from oncotrail.record import MemoryRun
from oncotrail.study.cohort import Cohort
from pipelines.split import Settings, main
from tests import declared
from tests.cohort.test_split import a_cohort

COHORT = declared.cohort({})
PLAN = {"validation": 0.2, "stratify_by": "metastasis", "folds": 5, "fusion_folds": 2}


def splitted(root: Path, **how: Any) -> MemoryRun:
    run = MemoryRun(root, "study", "split")
    cohort = Cohort.model_validate(COHORT)
    tables.write(cohort.table(), a_cohort(240), run.folder("acquire") / "cohort.parquet")
    main(Settings.model_validate({"seed": 3, "cohort": COHORT, "split": {**PLAN, **how}}), run)
    return run


@pytest.mark.parametrize(
    ("how", "folds"), [({"test": 0.3}, [0]), ({"cross_validation": 2}, [0, 1, 2])]
)
def test_the_table_has_the_folds_that_were_asked_for(
    tmp_path: Path, how: dict[str, Any], folds: list[int]
) -> None:
    run = splitted(tmp_path, **how)
    frame = tables.read(tables.SPLIT, run.out / "split.parquet")
    assert sorted(frame["outer_fold"].unique()) == folds
    said = json.loads((run.out / "split.json").read_text())
    assert run.recorded_params["split_digest"] == said["digest"]
    assert {f"patients/{name}": n for name, n in said["patients"].items()} == run.recorded_metrics
    assert sum(said["patients"].values()) == len(frame)
    assert len(run.lines) == 1


def test_only_what_was_asked_is_a_param(tmp_path: Path) -> None:
    one = splitted(tmp_path / "one", test=0.3).recorded_params
    crossed = splitted(tmp_path / "crossed", cross_validation=4).recorded_params
    assert one["test"] == 0.3
    assert "cross_validation" not in one
    assert crossed["cross_validation"] == 4
    assert "test" not in crossed
