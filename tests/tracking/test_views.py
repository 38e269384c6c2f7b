from __future__ import annotations

import json

from oncotrail.tracking.store import open_store
from oncotrail.tracking.sync import sync
from tests.tracking.contents import all_runs
from tests.tracking.repository import STUDY, Repository

STUDY_FILE = f"study: {{{STUDY}: {{title: A title, question: A question?, methods: How}}}}\n"


def test_a_study_opens_on_its_models_side_by_side(repository: Repository) -> None:
    path = repository.root / "studies" / f"{STUDY}.yaml"
    path.parent.mkdir()
    path.write_text(STUDY_FILE)
    repository.judged_study()
    sync(repository.root)
    store = open_store(repository.root)
    experiment = store.client.get_experiment_by_name(STUDY)
    note = experiment.tags["mlflow.note.content"]
    address = f"#/experiments/{experiment.experiment_id}/runs?viewStateShareKey=models"
    assert f"({address})" in note.splitlines()[0]
    assert note.endswith("**A title.** A question?")
    view = json.loads(json.loads(experiment.tags["mlflow.sharedViewState.models"])["state"])
    found = store.runs([experiment.experiment_id], view["searchFilter"])
    assert {run.info.run_name for run in found} == {"t4", "t11", "clinical", "clinical_t4"}
    shown = {name.strip("`") for name in (c.split(".", 1)[1] for c in view["selectedColumns"])}
    known = {name for run in found for name in (*run.data.metrics, *run.data.tags)}
    assert {"kind", "validation_auc", "validation_auc_low", "validation_auc_high"} <= shown & known


def test_a_description_that_a_person_wrote_stays(repository: Repository) -> None:
    repository.split()
    store = open_store(repository.root)
    experiment = store.experiment(STUDY)
    store.client.set_experiment_tag(experiment, "mlflow.note.content", "ours")
    sync(repository.root)
    assert store.client.get_experiment(experiment).tags["mlflow.note.content"] == "ours"


def test_the_models_of_a_study_differ_in_colour(repository: Repository) -> None:
    repository.judged_study()
    sync(repository.root)
    runs = [r for r in all_runs(open_store(repository.root)) if r.data.tags["kind"] != "stage"]
    assert len({run.data.tags["mlflow.runColor"] for run in runs}) == len(runs) == 4
