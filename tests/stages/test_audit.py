"""The audit stage over a real run: what it writes, and that it looks at what it should."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from oncotrail.errors import AuditFailed, StudyFileError, TableError
from oncotrail.record import folder
from tests.audit.real_run import CHECKS, audit_again, changed, run_study
from tests.fusion.hand_made import STUDY


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    run_study(root)
    return root


def test_a_clean_run_passes_and_says_how_much_was_looked_at(finished: Path) -> None:
    run = audit_again(finished)
    said = json.loads((run.out / "audit.json").read_text())["checks"]
    assert [entry["check"] for entry in said] == list(CHECKS)
    for entry in said:
        assert entry["looked_at"] == sum(entry["looked"].values()) > 0
        assert all(entry["looked"].values()), entry["looked"]
        assert entry["says"] == f"nothing wrong among {entry['looked_at']} looked at"
    assert run.recorded_metrics["misaligned_rows/looked_at"] == said[1]["looked_at"]


def test_every_network_view_and_fusion_is_looked_at(finished: Path) -> None:
    run = audit_again(finished)
    said = {
        entry["check"]: entry["looked"]
        for entry in json.loads((run.out / "audit.json").read_text())["checks"]
    }
    aligned = set(said["misaligned_rows"])
    assert {"images of t4", "images of t11", "embeddings of toy-t4", "scores of toy-t11"} <= aligned
    assert {"columns of toy-clinical", "scores of toy-clinical_t4_t11"} <= aligned
    assert "rows that fitted toy-t11" in said["fitted_on_test"]


def test_twice_is_the_same_bytes(finished: Path) -> None:
    one = (audit_again(finished).out / "audit.json").read_bytes()
    assert (audit_again(finished).out / "audit.json").read_bytes() == one


def test_only_declared_checks_run(finished: Path) -> None:
    run = audit_again(finished, "duplicate_image")
    said = json.loads((run.out / "audit.json").read_text())["checks"]
    assert [entry["check"] for entry in said] == ["duplicate_image"]


def test_empty_tables_prove_nothing(finished: Path, request: pytest.FixtureRequest) -> None:
    path = folder(finished, STUDY, "fuse") / "predictions.parquet"
    whole = pd.read_parquet(path)
    request.addfinalizer(lambda: changed(path, whole))
    changed(path, whole.head(0))
    with pytest.raises(AuditFailed) as failed:
        audit_again(finished)
    assert "leaked_patient: predictions of the fusions: there was nothing" in str(failed.value)
    assert "misaligned_rows: scores of toy-clinical: there was nothing" in str(failed.value)


def test_an_undeclared_network_stops_the_stage(
    finished: Path, request: pytest.FixtureRequest
) -> None:
    lingering = folder(finished, STUDY, "train", "toy-old")
    lingering.mkdir()
    request.addfinalizer(lingering.rmdir)
    with pytest.raises(StudyFileError, match="toy-old"):
        audit_again(finished)


def test_a_row_beyond_the_store_is_a_sentence(
    finished: Path, request: pytest.FixtureRequest
) -> None:
    path = folder(finished, STUDY, "decode") / "pixels.parquet"
    whole = pd.read_parquet(path)
    request.addfinalizer(lambda: changed(path, whole))
    changed(path, whole.assign(row=whole["row"] + 1))
    with pytest.raises(TableError, match=r"names row 120 of t4\.npy|names row 120 of t11\.npy"):
        audit_again(finished)


@pytest.mark.slow
def test_the_room_imports_nothing_heavy() -> None:
    """The stage reaches torch through its own late import; the checks do not."""
    code = (
        "import sys, oncotrail.audit.checks, pipelines.audit; "
        "heavy = {'torch', 'mlflow', 'optuna', 'matplotlib', 'shap', 'sklearn', 'skops'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert said.strip() == "[]"
