from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from oncotrail.errors import ModelFault
from oncotrail.record import RunRecord
from oncotrail.tracking import labels
from oncotrail.tracking.runs import open_live_run
from oncotrail.tracking.store import open_store
from oncotrail.tracking.sync import Synced, sync
from tests.tracking.contents import all_runs, contents, run_of
from tests.tracking.repository import FIGURES, STUDY, Repository


def trained_live(repository: Repository, record: RunRecord) -> None:
    """What stage.py does while a network trains."""
    live = open_live_run(repository.root, record)
    epochs = {int(epoch) for points in record.history.values() for epoch, _ in points}
    for epoch in sorted(epochs):
        values = {n: v for n, points in record.history.items() for e, v in points if e == epoch}
        live.epoch(epoch, values)
    live.close()


def forget(repository: Repository) -> None:
    """Make the next sync look at MLflow itself."""
    (repository.root / ".oncotrail" / "synced.json").unlink()


def test_a_store_rebuilt_from_pulled_files_shows_what_the_computed_one_shows(
    repository: Repository, another: Repository
) -> None:
    """Live runs, a sync half-way and one at the end here; files and one sync there."""
    repository.split()
    trained_live(repository, repository.network("t4"))
    sync(repository.root)
    trained_live(repository, repository.network("t11"))
    repository.fuse()
    repository.evaluate()
    repository.register()
    sync(repository.root)
    pulled = repository.clone(another.root)
    assert sync(pulled.root) == Synced(8, 4, made=8, versions=5, aliases=5)
    assert contents(pulled.root) == contents(repository.root)


def test_what_a_network_page_shows(repository: Repository) -> None:
    repository.judged_study()
    sync(repository.root)
    page = contents(repository.root).runs[repository.key("train", "t4")]
    assert page.name == "t4"
    assert page.status == "FINISHED"
    assert page.params == {"optimizer.learning_rate": "0.001", "epochs": "2"}
    assert page.metrics == {"best_epoch": 2.0, "epoch/validation_loss": 0.001, **FIGURES["t4"]}
    assert page.history["epoch/validation_loss"] == [(1, 0.9), (2, 0.001)]
    assert set(page.artifacts) == {"weights.safetensors"}
    expected = {
        "study": STUDY,
        "stage": "train",
        "kind": "network",
        "model": "t4",
        "recipe": "demo",
        "seed": "7",
        "split": "digest-of-the-split",
        "bent": "network.epochs: 1000 -> 2",
        "current": "yes",
    }
    assert expected.items() <= page.tags.items()
    assert f"dependency.data/{STUDY}/split" in page.tags
    assert "numpy" in page.tags["packages"]
    assert "validation 0.600 (0.500 to 0.700)" in page.tags[labels.NOTE]


def test_fusions_are_children_of_the_fuse_run_with_the_same_metric_names(
    repository: Repository,
) -> None:
    repository.judged_study()
    sync(repository.root)
    runs = contents(repository.root).runs
    key = repository.key("fuse")
    fuse, child = runs[key], runs[f"{key}/clinical_t4"]
    assert child.parent == key
    assert child.tags["kind"] == "fusion"
    assert child.params == {"learner.trees": "300", "clinical": "True"}
    assert child.metrics == {"fitted_patients": 100.0, **FIGURES["clinical_t4"]}
    assert set(child.artifacts) == {"model.json"}
    assert (fuse.params, fuse.metrics, fuse.artifacts) == ({"learner.trees": "300"}, {}, {})


def test_a_second_sync_changes_nothing(repository: Repository) -> None:
    repository.whole_study()
    sync(repository.root)
    database = repository.root / "mlruns" / "mlflow.db"
    before = database.read_bytes()
    assert sync(repository.root) == Synced(8, 4)
    forget(repository)
    assert sync(repository.root) == Synced(8, 4)
    assert database.read_bytes() == before


def test_an_unchanged_store_is_left_without_importing_mlflow(repository: Repository) -> None:
    repository.judged_study()
    sync(repository.root)
    words = "import sys, pathlib, oncotrail.tracking.sync as s; s.sync(pathlib.Path(sys.argv[1])); "
    program = words + "assert 'mlflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", program, str(repository.root)], check=True)


def test_a_run_that_somebody_deleted_comes_back(repository: Repository) -> None:
    repository.split()
    sync(repository.root)
    store = open_store(repository.root)
    store.client.delete_run(run_of(repository.root, repository.key("split")).info.run_id)
    assert sync(repository.root).made == 1
    assert run_of(repository.root, repository.key("split")).data.params == {"folds": "5"}


def test_a_run_logged_by_hand_is_left_alone(repository: Repository) -> None:
    repository.split()
    sync(repository.root)
    store = open_store(repository.root)
    mine = store.client.create_run(store.experiment(STUDY), run_name="by hand")
    sync(repository.root)
    tags = store.client.get_run(mine.info.run_id).data.tags
    assert set(tags) == {"mlflow.runName"}


def test_another_evaluation_changes_the_figures_on_the_models_pages(repository: Repository) -> None:
    repository.judged_study()
    sync(repository.root)
    before = run_of(repository.root, repository.key("train", "t4")).info.run_id
    better = {**FIGURES, "t4": {**FIGURES["t4"], "validation_auc": 0.65}}
    repository.evaluate(better)
    assert sync(repository.root).completed == 1
    run = run_of(repository.root, repository.key("train", "t4"))
    assert run.info.run_id == before
    assert run.data.metrics["validation_auc"] == 0.65
    repository.evaluate()
    sync(repository.root)
    assert (
        run_of(repository.root, repository.key("train", "t4")).data.metrics["validation_auc"] == 0.6
    )


def test_a_figure_that_is_no_longer_reported_is_no_longer_shown(repository: Repository) -> None:
    repository.judged_study()
    sync(repository.root)
    fewer = {**FIGURES, "t4": {"validation_auc": 0.6}}
    repository.evaluate(fewer)
    sync(repository.root)
    metrics = run_of(repository.root, repository.key("train", "t4")).data.metrics
    assert set(metrics) == {"best_epoch", "epoch/validation_loss", "validation_auc"}


def test_an_evaluation_of_other_networks_is_not_shown_on_these(repository: Repository) -> None:
    """The network was trained anew, and the repro stopped before evaluate."""
    repository.judged_study()
    sync(repository.root)
    repository.network("t4", rate=0.1)
    sync(repository.root)
    anew = run_of(repository.root, repository.key("train", "t4"))
    untouched = run_of(repository.root, repository.key("train", "t11"))
    assert "validation_auc" not in anew.data.metrics
    assert untouched.data.metrics["validation_auc"] == 0.62


def test_going_to_other_params_and_back(repository: Repository) -> None:
    repository.whole_study()
    slow = repository.key("train", "t4")
    sync(repository.root)
    first = contents(repository.root)
    repository.whole_study(rate=0.1)
    fast = repository.key("train", "t4")
    sync(repository.root)
    second = contents(repository.root)
    old, new = second.runs[slow], second.runs[fast]
    assert (old.tags["current"], new.tags["current"]) == ("no", "yes")
    assert second.aliases != first.aliases
    repository.whole_study()
    back = sync(repository.root)
    third = contents(repository.root)
    assert (back.made, back.versions) == (0, 0)
    assert third.aliases == first.aliases
    assert third.runs[slow] == first.runs[slow]
    assert third.runs[fast].tags["current"] == "no"


def test_a_file_that_its_stage_did_not_write_is_refused(repository: Repository) -> None:
    repository.split()
    repository.network("t4")
    repository.file("train", f"{STUDY}-t4/weights.safetensors", "other weights")
    with pytest.raises(ModelFault, match=r"t4/weights.safetensors should have sha256"):
        sync(repository.root)


def test_a_queued_experiment_adds_its_runs_and_moves_nothing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC runs it in a copy below .dvc/tmp, while the repository's own files stay as they are."""
    repository.whole_study()
    sync(repository.root)
    before = contents(repository.root)
    monkeypatch.setenv("DVC_EXP_NAME", "puffy-moth")
    queued = repository.clone(repository.root / ".dvc" / "tmp" / "exps" / "tmp1")
    queued.whole_study(rate=0.1)
    sync(queued.root)
    after = contents(repository.root)
    assert after.aliases == before.aliases
    assert {key: after.runs[key] for key in before.runs} == before.runs
    tags = after.runs[queued.key("train", "t4")].tags
    assert (tags["current"], tags["DVC_EXP_NAME"]) == ("no", "puffy-moth")
    assert not (queued.root / "mlruns").exists()


def test_two_machines_that_made_the_same_run_end_with_one(repository: Repository) -> None:
    repository.split()
    sync(repository.root)
    store = open_store(repository.root)
    key = repository.key("split")
    other = store.client.create_run(store.experiment(STUDY), tags={labels.KEY: key})
    store.client.set_terminated(other.info.run_id)
    sync(repository.root)
    assert run_of(repository.root, key).info.run_id != other.info.run_id


KILLED = """
import importlib, os, pathlib, signal, sys
from oncotrail.tracking.sync import sync
root, module, function, times = sys.argv[1:]
module = importlib.import_module("oncotrail.tracking." + module)
original, calls = getattr(module, function), []
def dying(*arguments):
    calls.append(arguments)
    if len(calls) == int(times):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)
setattr(module, function, dying)
sync(pathlib.Path(root))
"""


@pytest.mark.parametrize(
    ("module", "function", "times"),
    [("writing", "_upload", 3), ("writing", "_log", 6), ("logged_models", "_save", 2)],
)
@pytest.mark.slow
def test_a_sync_that_was_killed_is_finished_by_the_next(
    repository: Repository, another: Repository, module: str, function: str, times: int
) -> None:
    repository.whole_study()
    words = [sys.executable, "-c", KILLED, str(repository.root), module, function, str(times)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    sync(repository.root)
    pulled = repository.clone(another.root)
    sync(pulled.root)
    assert contents(repository.root) == contents(pulled.root)
    store = open_store(repository.root)
    assert all(run.info.status == "FINISHED" for run in all_runs(store))
