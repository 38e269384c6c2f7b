"""A search in MLflow: one run, and below it one per trial."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oncotrail.record import Nested, RunRecord, sha256_of
from oncotrail.tracking import labels
from oncotrail.tracking.pages import pages_of
from oncotrail.tracking.runs import open_live_run
from oncotrail.tracking.sync import sync
from tests.tracking.contents import contents
from tests.tracking.repository import STUDY, Repository

MODEL = f"{STUDY}-t4"
STATES = ("complete", "pruned", "failed")


def searched(repository: Repository) -> RunRecord:
    """A search of three trials, as the stage leaves it."""
    nested = {}
    for number, state in enumerate(STATES):
        folder = f"trials/{number:03d}"
        repository.file("tune", f"{MODEL}/{folder}/weights.safetensors", f"weights {number}")
        path = repository.root / "data" / STUDY / "tune" / MODEL / folder / "weights.safetensors"
        nested[f"trial-{number:03d}"] = Nested(
            params={"optimizer.learning_rate": 0.1 * number},
            metrics={"validation_auc": 0.6 + 0.1 * number},
            history={"epoch/validation_auc": [[1, 0.5], [2, 0.6 + 0.1 * number]]},
            artifacts={f"{folder}/weights.safetensors": sha256_of(path)},
            tags={"trial": str(number), "trial_state": state},
            folder=folder,
        )
    record = repository.record("tune", MODEL, params={"trials": 3})
    return repository.write(replace(record, nested=nested))


def test_a_record_with_nested_runs_is_read_back(repository: Repository) -> None:
    record = searched(repository)
    path = repository.root / "data" / STUDY / "tune" / MODEL / "run.json"
    assert RunRecord.read(path) == record


def test_every_trial_is_a_run_below_the_searchs(repository: Repository) -> None:
    record = searched(repository)
    sync(repository.root)
    shown = contents(repository.root).runs
    assert shown[record.key].name == "tune t4"
    for number, state in enumerate(STATES):
        trial = shown[f"{record.key}/trial-{number:03d}"]
        assert (trial.parent, trial.status) == (record.key, "FINISHED")
        assert trial.tags["trial_state"] == state
        assert trial.tags["kind"] == "trial"
        assert trial.params == {"optimizer.learning_rate": str(0.1 * number)}
        assert trial.metrics["validation_auc"] == pytest.approx(0.6 + 0.1 * number)
        assert [epoch for epoch, _ in trial.history["epoch/validation_auc"]] == [1, 2]
        assert list(trial.artifacts) == ["weights.safetensors"]


def test_trials_seen_live_end_as_the_files_say(repository: Repository) -> None:
    """Live first, then the files: one run per trial, complete, and the same as from files alone."""
    record = searched(repository)
    live = open_live_run(repository.root, replace(record, nested={}))
    for name, run in record.nested.items():
        for epoch, value in run.history["epoch/validation_auc"]:
            live.epoch(int(epoch), {"epoch/validation_auc": value}, below=name)
        live.epoch(1, {"epoch/validation_auc": 0.5}, below=name)  # again, after a kill
        live.ended(name, replace(run, artifacts={}))
    live.close()
    seen = contents(repository.root).runs
    assert len(seen) == 1 + len(STATES)
    pruned = seen[f"{record.key}/trial-001"]
    assert (pruned.status, pruned.parent) == ("FINISHED", record.key)
    assert pruned.tags["trial_state"] == "pruned"
    assert len(pruned.history["epoch/validation_auc"]) == 2

    sync(repository.root)
    other = Repository(repository.root / "clone")
    other.root.mkdir()
    repository.clone(other.root)
    sync(other.root)
    here, there = contents(repository.root).runs, contents(other.root).runs
    assert {k: without_machine(r.tags) for k, r in here.items()} == {
        k: without_machine(r.tags) for k, r in there.items()
    }
    assert [replace(r, tags={}) for _, r in sorted(here.items())] == [
        replace(r, tags={}) for _, r in sorted(there.items())
    ]


def test_a_search_that_is_interrupted_ends_its_open_trials(repository: Repository) -> None:
    record = repository.record("tune", MODEL)
    live = open_live_run(repository.root, record)
    live.epoch(1, {"epoch/validation_auc": 0.5}, below="trial-000")
    live.close("FAILED")
    shown = contents(repository.root).runs
    assert {run.status for run in shown.values()} == {"FAILED"}
    assert len(shown) == 2


def test_trials_are_no_models(repository: Repository) -> None:
    """They have no colour of a model's, and the view of models leaves them out."""
    searched(repository)
    trials = [page for page in pages_of(repository.root) if page.tags["kind"] == "trial"]
    assert len(trials) == len(STATES)
    assert all(labels.COLOUR not in page.tags for page in trials)


def without_machine(tags: dict[str, str]) -> dict[str, str]:
    """Tags without what only the machine that shows them knows."""
    own = ("packages", "python", "mlflow.source.git.commit", "git.uncommitted", "mlflow.user")
    return {name: value for name, value in tags.items() if name not in own}
