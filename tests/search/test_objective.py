"""One trial of a real network, in this process."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.learning import runs_trunk_once
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.weights import load_network
from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError, TrainingFault, UserFault
from oncotrail.record import MemoryRun, generator
from oncotrail.search.job import Answer, Stopped, Train
from oncotrail.search.network import Task, patients_of
from oncotrail.search.objective import Trials, prepare
from oncotrail.search.patients import Patients, Rows
from oncotrail.study.cohort import Cohort
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network
from oncotrail.study.training import Augmentation
from pipelines import train as train_stage
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


def trials(run: MemoryRun, compute: Compute = COMPUTE, **changes: object) -> Trials:
    chosen = network(**changes)
    return Trials(
        network=chosen,
        model=KEY,
        patients=patients_of(chosen, Cohort.model_validate(COHORT), run),
        pixels=run.folder("decode"),
        pretrained=run.folder("pretrain"),
        features=run.work / "features",
        compute=compute,
        most_epochs=None,
    )


@pytest.fixture
def train(run: MemoryRun, threads_as_before: None) -> Train:  # noqa: ARG001
    return prepare(trials(run).objective().given)


Heard = list[tuple[int, Mapping[str, float]]]


def never(_: Heard) -> bool:
    return False


def told(
    train: Train, folder: Path, stop: Callable[[Heard], bool] = never, **parameters: object
) -> tuple[Answer, Heard]:
    """A trial's answer and the epochs that it reported."""
    folder.mkdir(exist_ok=True)
    heard: Heard = []

    def report(epoch: int, figures: Mapping[str, float]) -> None:
        heard.append((epoch, figures))
        if stop(heard):
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
    answer, heard = told(train, tmp_path / "a", lambda heard: len(heard) == 2)
    assert [epoch for epoch, _ in heard] == [1, 2]
    assert answer.more == {}
    assert load_network(tmp_path / "a").blueprint.model == KEY


def got_worse(heard: Heard) -> bool:
    ranks = [(figures["validation_auc"], -figures["validation_loss"]) for _, figures in heard]
    return ranks[-1] < max(ranks)


@pytest.mark.parametrize(
    "changes",
    [{}, {"average_decay": 0.5}, {"route": {"kind": "frozen"}, "optimizer__learning_rate": 0.3}],
    ids=["all", "average", "head"],
)
def test_a_stopped_trial_keeps_its_best_epoch_and_not_its_last(
    train: Train, tmp_path: Path, changes: dict[str, object]
) -> None:
    """The same weights as those of a trial that had ended after its best epoch."""
    answer, heard = told(train, tmp_path / "a", got_worse, epochs=30, **changes)
    figures, best = dict(heard), int(answer.figures["best_epoch"])
    assert best == len(heard) - 1 < 29
    assert answer.figures["validation_auc"] == max(f["validation_auc"] for f in figures.values())
    assert answer.figures["validation_loss"] == figures[best]["validation_loss"]
    told(train, tmp_path / "b", epochs=best, **changes)
    weights = "weights.safetensors"
    assert (tmp_path / "a" / weights).read_bytes() == (tmp_path / "b" / weights).read_bytes()


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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning:lightning_fabric")
@pytest.mark.filterwarnings("ignore:.*:FutureWarning:lightning_fabric")
def test_a_trial_of_two_processes_is_what_train_makes_with_two_to_the_bit(
    run: MemoryRun,
    tmp_path: Path,
    threads_as_before: None,  # noqa: ARG001
) -> None:
    two = COMPUTE.model_copy(update={"threads": 2, "processes": 2})
    prepared = trials(run, two)
    seed = int(generator(SEED, "train", KEY).integers(2**62))
    train = prepare(prepared.objective().given)
    (tmp_path / "a").mkdir()
    train({}, seed, tmp_path / "a", lambda *_: None)
    settings = json.dumps(prepared.network.model_dump(mode="json"))
    (run.folder("tune", KEY) / "settings.json").write_text(settings)
    values = {"seed": SEED, "compute": two.model_dump(), "limits": {"epochs": None}}
    train_stage.main(train_stage.Settings.model_validate({**values, "cohort": COHORT}), run)
    weights = "weights.safetensors"
    assert (tmp_path / "a" / weights).read_bytes() == (run.out / weights).read_bytes()
    answer, heard = told(train, tmp_path / "b", got_worse, epochs=30)
    assert int(answer.figures["best_epoch"]) == len(heard) - 1, "and it can be stopped"


def test_more_processes_than_a_workers_threads_are_refused(run: MemoryRun) -> None:
    crowded = trials(run, COMPUTE.model_copy(update={"threads": 1, "processes": 2}))
    says = r"compute.processes is 2, and a worker's share of compute.threads is 1.*fewer workers"
    with pytest.raises(UserFault, match=says):
        crowded.objective()


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


def test_an_augmented_frozen_trunk_is_run_in_every_epoch(
    run: MemoryRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threads_as_before: None,  # noqa: ARG001
) -> None:
    """What is kept of an image holds for the image as it is: a trial that turns it looks again."""
    frozen = trials(run, route={"kind": "frozen"})
    train = prepare(frozen.objective().given)
    plain, _ = told(train, tmp_path / "a")
    kept = places(frozen.features)
    seen: list[int] = []
    features = EmbeddingNetwork.features

    def counted(self: EmbeddingNetwork, pixels: Any) -> Any:
        seen.append(len(pixels))
        return features(self, pixels)

    monkeypatch.setattr(EmbeddingNetwork, "features", counted)
    turned, heard = told(train, tmp_path / "b", augmentation={"rotation": 30})
    learns, chooses = frozen.patients.training.rows, frozen.patients.validation.rows
    again = len(chooses)  # of the trained network, for the answer
    assert sum(seen) == len(heard) * (len(learns) + len(chooses)) + again
    assert places(frozen.features) == kept
    assert turned.figures["train_loss"] != plain.figures["train_loss"]


AUGMENTATIONS = {
    "flips": ["horizontal_flip"],
    "rotation": 5,
    "shear": 5,
    "translation": 0.1,
    "scale": [0.9, 1.1],
    "brightness": 0.1,
    "contrast": 0.1,
    "gamma": 0.1,
    "noise": 0.1,
    "mixup": 0.1,
}


@pytest.mark.parametrize("name", Augmentation.model_fields)
def test_whatever_the_augmentation_features_are_not_kept_for_it(name: str) -> None:
    route = {"kind": "frozen"}
    assert runs_trunk_once(network(route=route, augmentation={}))
    augmented = network(route=route, augmentation={name: AUGMENTATIONS[name]})
    assert not runs_trunk_once(augmented)


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
