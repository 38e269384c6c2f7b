"""One trial of a real network, in this process."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.weights import load_network
from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError, TrainingFault
from oncotrail.record import MemoryRun
from oncotrail.search.job import Answer, Stopped, Train
from oncotrail.search.network import Task, patients_of
from oncotrail.search.objective import Trials, prepare
from oncotrail.search.patients import Patients, Rows
from oncotrail.study.cohort import Cohort
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network
from tests import declared
from tests.stages.test_train import COHORT, KEY, STUDY, lay_out

COMPUTE = Compute(threads=1, precision="float64")
SEED = 5


def network(**changes: object) -> Network:
    settings = declared.network(STUDY, epochs=3, best_epoch_by="validation_auc", **changes)
    return Network.model_validate(settings)


@pytest.fixture
def run(tmp_path: Path) -> MemoryRun:
    return lay_out(tmp_path)


def trials(run: MemoryRun, **changes: object) -> Trials:
    chosen = network(**changes)
    return Trials(
        network=chosen,
        model=KEY,
        patients=patients_of(chosen, Cohort.model_validate(COHORT), run),
        pixels=run.folder("decode"),
        pretrained=run.folder("pretrain"),
        features=run.work / "features",
        compute=COMPUTE,
        most_epochs=None,
    )


@pytest.fixture
def train(run: MemoryRun, threads_as_before: None) -> Train:  # noqa: ARG001
    return prepare(trials(run).objective().given)


Heard = list[tuple[int, Mapping[str, float]]]


def told(
    train: Train, folder: Path, stop_at: int = 99, **parameters: object
) -> tuple[Answer, Heard]:
    """A trial's answer and the epochs that it reported."""
    folder.mkdir(exist_ok=True)
    heard: Heard = []

    def report(epoch: int, figures: Mapping[str, float]) -> None:
        heard.append((epoch, figures))
        if epoch == stop_at:
            raise Stopped

    named = {name.replace("__", "."): value for name, value in parameters.items()}
    return train(named, SEED, folder, report), heard


def test_a_trial_answers_with_its_best_epoch_and_every_validation_patient(
    train: Train, run: MemoryRun, tmp_path: Path
) -> None:
    answer, heard = told(train, tmp_path / "a")
    assert [epoch for epoch, _ in heard] == [1, 2, 3]
    best = dict(heard)[answer.figures["best_epoch"]]
    assert answer.figures["validation_auc"] == best["validation_auc"]
    assert answer.figures["validation_auc"] == max(f["validation_auc"] for _, f in heard)
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet")
    validation = split.loc[split["role"] == "validation", "patient"]
    assert sorted(answer.more["patients"]) == sorted(validation)
    assert set(answer.more["labels"]) == {0, 1}
    assert all(0 <= score <= 1 for score in answer.more["scores"])


def test_its_settings_are_the_trials(train: Train, tmp_path: Path) -> None:
    first, _ = told(train, tmp_path / "a", optimizer__learning_rate=1e-9)
    again, _ = told(train, tmp_path / "b", optimizer__learning_rate=1e-9)
    other, _ = told(train, tmp_path / "c", optimizer__learning_rate=1e-2)
    assert first == again
    assert first.figures != other.figures


def test_a_stopped_trial_keeps_a_network_that_loads(train: Train, tmp_path: Path) -> None:
    answer, heard = told(train, tmp_path / "a", stop_at=2)
    assert [epoch for epoch, _ in heard] == [1, 2]
    assert answer.figures["best_epoch"] == 2
    assert answer.figures["validation_loss"] == heard[-1][1]["validation_loss"]
    assert load_network(tmp_path / "a").blueprint.model == KEY


def test_a_cut_off_trial_goes_on_to_the_same_answer(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = told(train, tmp_path / "whole")

    class CutError(Exception):
        """As a kill would."""

    def cut(epoch: int, _figures: Mapping[str, float]) -> None:
        if epoch == 2:
            raise CutError

    monkeypatch.setattr(FolderCheckpoints, "due", lambda _: True)
    (tmp_path / "cut").mkdir()
    with pytest.raises(CutError):
        train({}, SEED, tmp_path / "cut", cut)
    assert list((tmp_path / "cut" / "checkpoints").iterdir())
    again, heard = told(train, tmp_path / "cut")
    assert again == whole
    assert [epoch for epoch, _ in heard] == [1, 2, 3], "those before the kill are told again"


def test_settings_that_do_not_go_together_fail_their_trial(train: Train, tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="a trial's settings"):
        told(train, tmp_path / "a", optimizer__kind="sgd", batch_size=1)


def test_a_frozen_trunk_is_run_once_for_all_trials(
    run: MemoryRun,
    tmp_path: Path,
    threads_as_before: None,  # noqa: ARG001
) -> None:
    frozen = trials(run, route={"kind": "frozen"})
    train = prepare(frozen.objective().given)
    told(train, tmp_path / "a")
    kept = places(frozen.features)
    told(train, tmp_path / "b", optimizer__learning_rate=1e-2)
    assert kept
    assert places(frozen.features) == kept


def places(folder: Path) -> dict[str, int]:
    """Each file's place on the disk: one that is written again has another."""
    return {str(path): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_no_test_patient_is_given_to_a_search(run: MemoryRun) -> None:
    given = patients_of(network(), Cohort.model_validate(COHORT), run)
    split = tables.read(tables.SPLIT, run.folder("split") / "split.parquet").set_index("patient")
    assert set(split.loc[list(given.training.patients), "role"]) == {"train"}
    assert set(split.loc[list(given.training.patients), "fits"]) == {"network"}
    assert set(split.loc[list(given.validation.patients), "role"]) == {"validation"}


def test_a_patient_cannot_be_learned_from_and_judged_by() -> None:
    rows = Rows((0, 1), (0, 1), ("P1", "P2"))
    with pytest.raises(TrainingFault, match=r"2 patients are both .* e.g. P1, P2"):
        Patients(rows, rows)


def test_a_route_without_epochs_is_not_searched(run: MemoryRun) -> None:
    shelf = network(
        route={"kind": "off_the_shelf", "estimator": {"name": "sklearn.svm.SVC"}},
        search={"trials": 1},
    )
    task = task_of(shelf, run)
    with pytest.raises(StudyFileError, match="off_the_shelf has no epochs to search by"):
        task.plan()


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        (lambda task: {"trials": task.trials + 5}, False),
        (lambda task: {"seed": task.seed + 1}, True),
        (lambda _: {"most_epochs": 9}, True),
        (lambda _: {"network": network(batch_size=4)}, True),
        (lambda _: {"network": network(search={"trials": 1, "retries": 9})}, False),
        (lambda task: {"compute": task.compute.model_copy(update={"threads": 7})}, True),
    ],
)
def test_another_search_has_another_key(
    run: MemoryRun, change: Callable[[Task], dict[str, object]], is_another: bool
) -> None:
    task = task_of(network(search={"trials": 1}), run)
    reads = {"data/study/split": "a", "src/oncotrail/figures/search.py": "a"}
    other = replace(task, **change(task))
    assert (other.key(reads) != task.key(reads)) == is_another
    assert task.key(reads | {"src/oncotrail/figures/search.py": "b"}) == task.key(reads)
    assert task.key(reads | {"data/study/split": "b"}) != task.key(reads)


def task_of(chosen: Network, run: MemoryRun) -> Task:
    return Task(
        network=chosen,
        model=KEY,
        patients=patients_of(network(), Cohort.model_validate(COHORT), run),
        pixels=run.folder("decode"),
        pretrained=run.folder("pretrain"),
        trials=1,
        most_epochs=None,
        compute=COMPUTE,
        seed=1,
    )
