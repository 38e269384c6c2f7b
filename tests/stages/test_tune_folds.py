"""The tune stage nested in cross-validation: a search per outer fold, on its own patients."""

import json
from pathlib import Path

import pytest

from oncotrail.backbones import plan
from oncotrail.backbones.weights import load_network
from oncotrail.cohort.folds import Part, of_fold
from oncotrail.record import MemoryRun
from oncotrail.search.network import patients_of, tasks_of
from oncotrail.study.cohort import Cohort
from oncotrail.study.computing import Compute
from pipelines import train
from pipelines.tune import Settings, main
from tests.stages.test_train import COHORT, KEY, STUDY
from tests.stages.test_tune import COMPUTE, searched
from tests.stages.train_in_parts import laid_out, split_of

FOLDS = (0, 1)
WHOLE = 2


def tuned(root: Path, settings: Settings, moved: tuple[str, ...] = ()) -> MemoryRun:
    before = laid_out(root, moved)
    (before.folder("split") / "split.json").write_text('{"digest": "digest-of-the-split"}')
    (before.folder("tune", KEY) / "settings.json").unlink()
    run = MemoryRun(root, STUDY, "tune", KEY)
    main(settings, run)
    return run


def said(run: MemoryRun, name: str = "search.json") -> dict[str, object]:
    found: dict[str, object] = json.loads((run.out / name).read_text())
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    return tuned(tmp_path_factory.mktemp("tune_folds"), searched(2))


def test_each_fold_has_a_search_of_its_own(run: MemoryRun) -> None:
    assert len(list((run.work / "search" / KEY).iterdir())) == 1 + len(FOLDS)
    names = {f"{below}trial-{n:03d}" for below in ("", "fold0-", "fold1-") for n in (0, 1)}
    assert set(run.nested_runs) == names
    for name, trial in run.nested_runs.items():
        assert trial.tags.get("part", "") == name.rpartition("trial-")[0].rstrip("-")
        assert [epoch for epoch, _ in run.nested_history[name]] == [1, 2]
        assert load_network(run.out / trial.folder).network.parameter_count() > 0
        assert all((run.out / place).is_file() for place in trial.artifacts)
    assert "trial 0 starts: as declared" in run.lines
    assert "fold1: trial 0 starts: as declared" in run.lines


def test_a_test_patient_of_a_fold_is_unknown_to_its_search(run: MemoryRun) -> None:
    network, cohort = searched(2).network, Cohort.model_validate(COHORT)
    split = split_of(run)
    compute = Compute.model_validate(COMPUTE)
    tasks = tasks_of(network, cohort, run, trials=2, most_epochs=2, compute=compute, seed=3)
    assert list(tasks) == [2, 1, 0], "the one that is kept is searched first"
    keys = set()
    for fold, task in tasks.items():
        own = of_fold(split, fold).set_index("patient")
        learned, judged = (
            set(task.patients.training.patients),
            set(task.patients.validation.patients),
        )
        assert set(own.loc[list(learned), "fits"]) == {"network"}
        assert set(own.loc[list(judged), "role"]) == {"validation"}
        assert not (learned | judged) & set(own.index[own["role"] == "test"])
        keys.add(task.key({}))
    assert len(keys) == len(tasks)
    assert patients_of(network, cohort, run) == tasks[WHOLE].patients


def test_test_patients_cannot_move_the_choice_of_their_fold(run: MemoryRun, tmp_path: Path) -> None:
    own = of_fold(split_of(run), 1)
    tested = tuple(own.loc[own["role"] == "test", "patient"])
    other = tuned(tmp_path, searched(2), tested)
    for below, is_same in (("fold1", True), ("fold0", False), (".", False)):
        for name in ("curves.csv", "trials/001/weights.safetensors"):
            here, there = (of.out / below / name for of in (run, other))
            assert (here.read_bytes() == there.read_bytes()) is is_same, (below, name)


def test_the_choice_of_each_fold_is_what_train_reads(run: MemoryRun) -> None:
    whole = said(run)
    folds = whole["folds"]
    assert isinstance(folds, dict)
    assert set(folds) == set(said(run, "folds.json")) == {"0", "1"}
    declared = searched(2).network
    chosen = {None: whole} | {fold: folds[str(fold)] for fold in FOLDS}
    for fold, of in chosen.items():
        settings = plan.read_settings(run.out, fold)
        changed = {name: after for name, (_, after) in of["changed"].items()}
        expected = changed.get("optimizer.learning_rate", declared.optimizer.learning_rate)
        assert settings.optimizer.learning_rate == expected
        assert of["trials"] == 2
        assert "best_of" in of
    assert plan.read_settings(run.out, WHOLE) == plan.read_settings(run.out)
    assert whole["settings"] == said(run, "settings.json")
    assert (run.results / f"search-{KEY}.json").read_text() == (run.out / "search.json").read_text()
    for fold in FOLDS:
        figure = run.recorded_metrics[f"fold{fold}/winner/validation_auc"]
        assert figure == folds[str(fold)]["value"]


def test_trains_network_of_each_fold_is_its_winners_to_the_bit(run: MemoryRun) -> None:
    values = {"seed": 3, "compute": COMPUTE, "limits": {"epochs": 2}, "cohort": COHORT}
    trained = MemoryRun(run.root, STUDY, "train", KEY)
    train.main(train.Settings.model_validate(values), trained)
    folds = said(run)["folds"]
    assert isinstance(folds, dict)
    winners = {WHOLE: (".", said(run)["winner"])} | {
        fold: (f"fold{fold}", folds[str(fold)]["winner"]) for fold in FOLDS
    }
    for fold, (below, number) in winners.items():
        winner = run.out / below / "trials" / f"{number:03d}" / "weights.safetensors"
        weights = Part(fold).folder(trained.out, Part(WHOLE)) / "weights.safetensors"
        assert weights.read_bytes() == winner.read_bytes()


def test_a_search_goes_on_when_the_winner_is_to_be_trained_more_often(run: MemoryRun) -> None:
    network = searched(2).network
    more = network.model_copy(update={"seeds": 5, "out_of_fold": True})
    compute = Compute.model_validate(COMPUTE)
    cohort = Cohort.model_validate(COHORT)
    keys = [
        [
            task.key({})
            for task in tasks_of(
                of, cohort, run, trials=2, most_epochs=2, compute=compute, seed=3
            ).values()
        ]
        for of in (network, more)
    ]
    assert keys[0] == keys[1]


def test_without_trials_no_fold_is_searched_apart(tmp_path: Path) -> None:
    run = tuned(tmp_path, searched(0))
    assert {path.name for path in run.out.iterdir()} == {"settings.json", "folds.json"}
    assert said(run, "folds.json") == {}
    assert plan.read_settings(run.out, 0) == plan.read_settings(run.out)
