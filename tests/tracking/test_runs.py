from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from oncotrail.record import RunRecord
from oncotrail.tracking import labels
from oncotrail.tracking.runs import open_live_run
from oncotrail.tracking.store import open_store
from oncotrail.tracking.sync import sync
from tests.tracking.contents import all_runs, run_of
from tests.tracking.repository import STUDY, Repository

T = TypeVar("T")


def test_epochs_are_shown_as_they_end(repository: Repository) -> None:
    record = repository.record("train", f"{STUDY}-t4", params={"epochs": 2})
    live = open_live_run(repository.root, record)
    live.epoch(1, {"validation_loss": 0.9})
    store = open_store(repository.root)
    run_id = _eventually(lambda: [run.info.run_id for run in all_runs(store)])[0]
    points = _eventually(lambda: store.client.get_metric_history(run_id, "epoch/validation_loss"))
    assert [(point.step, point.value) for point in points] == [(1, 0.9)]
    run = store.client.get_run(run_id)
    assert (run.info.status, run.info.run_name) == ("RUNNING", "t4")
    assert run.data.params == {"epochs": "2"}
    assert run.data.tags[labels.KEY] == record.key
    live.epoch(2, {"validation_loss": 0.8})
    live.close()
    run = store.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"epoch/validation_loss": 0.8}


def test_a_server_that_is_away_costs_the_training_nothing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mary:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    started = time.monotonic()
    live = open_live_run(repository.root, repository.record("train", f"{STUDY}-t4"))
    for epoch in range(100):
        live.epoch(epoch, {"validation_loss": 0.9})
    assert time.monotonic() - started < 0.5
    live.close()
    (said,) = [line for line in caplog.messages if "not shown live" in line]
    assert "http://127.0.0.1:9" in said
    assert "secret" not in said


def test_a_run_that_mlflow_has_is_not_shown_twice(repository: Repository) -> None:
    repository.split()
    record = repository.network("t4")
    sync(repository.root)
    live = open_live_run(repository.root, record)
    live.epoch(1, {"validation_loss": 0.9})
    live.close()
    assert run_of(repository.root, record.key).info.status == "FINISHED"


TRAINING = """
import pathlib, sys, time
from oncotrail.record import RunRecord
from oncotrail.tracking.runs import open_live_run
live = open_live_run(pathlib.Path(sys.argv[1]), RunRecord.read(pathlib.Path(sys.argv[2])))
live.epoch(1, {"validation_loss": 0.9})
if sys.argv[3] == "fails":
    live._opened.wait(60)
    raise SystemExit(3)
if sys.argv[3] == "fails at once":
    raise SystemExit(3)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_killed_training_is_marked_and_gives_way_to_the_next(repository: Repository) -> None:
    record = repository.record("train", f"{STUDY}-t4")
    store = open_store(repository.root)
    process = _start(repository, record, "stays")
    killed = _eventually(lambda: [run.info.run_id for run in all_runs(store)])[0]
    process.kill()
    process.communicate()
    assert store.client.get_run(killed).info.status == "RUNNING"

    open_live_run(repository.root, repository.record("train", f"{STUDY}-t11")).close()
    assert store.client.get_run(killed).info.status == "KILLED"

    open_live_run(repository.root, record).close()
    assert run_of(repository.root, record.key).info.status == "FINISHED"
    assert store.client.get_run(killed).info.lifecycle_stage == "deleted"


@pytest.mark.slow
def test_a_training_that_failed_says_so(repository: Repository) -> None:
    record = repository.record("train", f"{STUDY}-t4")
    process = _start(repository, record, "fails")
    process.communicate()
    assert process.returncode == 3
    run = run_of(repository.root, record.key)
    assert run.info.status == "FAILED"
    assert run.data.metrics == {"epoch/validation_loss": 0.9}


def test_a_training_that_failed_at_once_adds_no_noise(repository: Repository) -> None:
    """Its thread is importing MLflow while the interpreter ends."""
    process = _start(repository, repository.record("train", f"{STUDY}-t4"), "fails at once")
    _, said = process.communicate()
    assert (process.returncode, said) == (3, b"")


def _start(repository: Repository, record: RunRecord, what: str) -> subprocess.Popen[bytes]:
    path = repository.root / "record.json"
    record.write(path)
    words = [sys.executable, "-c", TRAINING, str(repository.root), str(path), what]
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def _eventually(look: Callable[[], T]) -> T:
    """What `look` finds, as soon as there is something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    message = "nothing came"
    raise AssertionError(message)
