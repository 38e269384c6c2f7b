from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from oncotrail.errors import TrackingFault
from oncotrail.tracking import store
from tests.tracking.repository import Repository


def test_the_default_is_one_absolute_place_for_a_repository_and_its_queued_copies(
    tmp_path: Path,
) -> None:
    expected = f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert store.tracking_uri(tmp_path) == expected
    for copy in (".dvc/tmp/exps/tmp4x", ".dvc/tmp/exps/standalone/tmp4x"):
        (tmp_path / copy).mkdir(parents=True)
        assert store.tracking_uri(tmp_path / copy) == expected


def test_a_relative_database_is_the_repositorys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///runs.db")
    assert store.tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/runs.db"


@pytest.mark.parametrize("asked", ["https://mlflow.example", "postgresql://host/runs"])
def test_a_server_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", asked)
    assert store.tracking_uri(tmp_path) == asked


def test_a_folder_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:./mlruns")
    with pytest.raises(TrackingFault, match=r"expected http\(s\)://"):
        store.tracking_uri(tmp_path)


def test_artifacts_of_an_experiment_lie_in_the_repository(repository: Repository) -> None:
    opened = store.open_store(repository.root)
    found = opened.client.get_experiment(opened.experiment("a study"))
    expected = repository.root / "mlruns" / "artifacts" / "a study"
    assert found.artifact_location == expected.as_uri()


def test_an_experiment_that_was_deleted_is_restored(repository: Repository) -> None:
    opened = store.open_store(repository.root)
    experiment = opened.experiment("study")
    opened.client.delete_experiment(experiment)
    assert opened.experiment("study") == experiment
    assert opened.client.get_experiment(experiment).lifecycle_stage == "active"


def test_a_damaged_database_is_named_with_the_mend(repository: Repository) -> None:
    database = repository.root / "mlruns" / "mlflow.db"
    database.write_text("not a database, but long enough to be read as one" * 100)
    with pytest.raises(TrackingFault, match=r"mlflow\.db cannot be used .*move that file away"):
        store.open_store(repository.root)


def test_a_half_built_database_is_built_anew(tmp_path: Path) -> None:
    """A process was killed while it migrated; nobody has seen its file."""
    beside = tmp_path / "mlruns" / ".mlflow.db.partial"
    beside.parent.mkdir()
    beside.write_text("half a schema")
    opened = store.open_store(tmp_path)
    assert opened.runs([opened.experiment("study")]) == []
    assert not beside.exists()


def test_pickles_and_telemetry_are_off_whatever_the_user_has_set(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    store.open_store(repository.root)
    from mlflow.environment_variables import (
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION,
        MLFLOW_DISABLE_TELEMETRY,
    )

    assert MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get() is False
    assert MLFLOW_DISABLE_TELEMETRY.get() is True


FIRST_USE = """
import pathlib, sys
from oncotrail.tracking.store import open_store
store = open_store(pathlib.Path(sys.argv[1]))
run = store.client.create_run(store.experiment("study"))
store.client.set_terminated(run.info.run_id)
"""


@pytest.mark.slow
def test_twelve_processes_on_a_store_that_is_not_there_yet(tmp_path: Path) -> None:
    words = [sys.executable, "-c", FIRST_USE, str(tmp_path)]
    processes = [subprocess.Popen(words) for _ in range(12)]
    assert [process.wait() for process in processes] == [0] * 12
    opened = store.open_store(tmp_path)
    assert len(opened.runs([opened.experiment("study")])) == 12
