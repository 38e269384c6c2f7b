import json
from pathlib import Path
from typing import Literal

import pytest

from oncotrail.record import MemoryRun
from oncotrail.study.source import DemoCohort
from pipelines.demo import Limits, Settings, main


def settings(
    limit: int | None, effects: Literal["planted", "none"] = "planted", patients: int = 20
) -> Settings:
    return Settings(
        seed=3,
        limits=Limits(patients=limit),
        demo_cohort=DemoCohort(kind="breast_ct", patients=patients, effects=effects),
    )


@pytest.mark.parametrize(("limit", "expected"), [(6, 6), (None, 20), (25, 25)])
def test_the_limit_is_the_size_of_the_cohort(
    tmp_path: Path, limit: int | None, expected: int
) -> None:
    run = MemoryRun(tmp_path, "breast_early_fusion", "demo")
    main(settings(limit), run)
    raw = run.out / "cohort"
    assert len(list((raw / "images/t4").iterdir())) == expected
    assert len(list((raw / "images/t11").iterdir())) == expected
    assert len((raw / "clinical.csv").read_text(encoding="utf-8").splitlines()) == expected + 1
    assert run.recorded_params["patients"] == expected
    assert run.artifacts == [raw / "invented.json"]


def test_without_effects_nothing_is_attainable(tmp_path: Path) -> None:
    run = MemoryRun(tmp_path, "breast_early_fusion", "demo")
    main(settings(2, effects="none"), run)
    truth = json.loads((run.out / "truth.json").read_text(encoding="utf-8"))
    assert set(truth["attainable_auc"].values()) == {0.5}
    assert not any(value for name, value in truth["coefficients"].items() if name != "intercept")
