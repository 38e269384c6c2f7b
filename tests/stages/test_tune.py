import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from oncotrail.backbones.weights import load_network
from oncotrail.errors import StudyFileError
from oncotrail.record import MemoryRun
from oncotrail.search import machine
from oncotrail.study.load import load
from oncotrail.study.network import Network
from pipelines import train
from pipelines.tune import Settings, main
from tests import declared
from tests.stages.test_train import COHORT, KEY, STUDY, lay_out

ROOT = Path(__file__).parents[2]
COMPUTE = {"threads": 1, "precision": "float64"}
SPACE = [
    {"setting": "optimizer.learning_rate", "low": 1e-4, "high": 1e-2, "log": True},
    {"setting": "augmentation.flips", "choices": [[], ["horizontal_flip"]]},
]


def searched(trials: int, **search: object) -> Settings:
    asked = {"trials": trials, "space": SPACE, "pruner": {"kind": "none"}, **search}
    network = declared.network(STUDY, epochs=3, best_epoch_by="validation_auc", search=asked)
    return Settings.model_validate(
        {
            "seed": 3,
            "compute": COMPUTE,
            "limits": {"trials": None, "epochs": 2},
            "cohort": COHORT,
            "network": network,
        }
    )


def tuned(root: Path, settings: Settings) -> MemoryRun:
    before = lay_out(root)
    split = before.folder("split") / "split.json"
    split.write_text(json.dumps({"digest": "digest-of-the-split"}))
    (before.folder("tune", KEY) / "settings.json").unlink()
    run = MemoryRun(root, STUDY, "tune", KEY)
    main(settings, run)
    return run


def said(run: MemoryRun, name: str = "search.json") -> dict[str, object]:
    found: dict[str, object] = json.loads((run.out / name).read_text())
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryRun:
    assert machine.WORKERS not in os.environ
    return tuned(tmp_path_factory.mktemp("tune"), searched(3))


@pytest.mark.parametrize(("trials", "limit"), [(0, None), (0, 5), (40, 0)])
def test_without_trials_the_declared_settings_pass_through(
    tmp_path: Path, trials: int, limit: int | None
) -> None:
    key = "breast_early_fusion-t4"
    values = load(Settings, key, ROOT, recipe="published").settings.model_dump()
    values["network"]["search"] |= {"trials": trials, "space": SPACE[:1]}
    values["limits"]["trials"] = limit
    asked = Settings.model_validate(values)
    run = MemoryRun(tmp_path, "breast_early_fusion", "tune", key)
    main(asked, run)
    text = (run.out / "settings.json").read_text()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"
    passed = json.loads(text)
    assert passed.pop("search") == {"trials": 0}
    assert passed == asked.network.model_dump(mode="json", exclude={"search"})
    assert sorted(path.name for path in run.out.iterdir()) == ["folds.json", "settings.json"]
    assert json.loads((run.out / "folds.json").read_text()) == {}
    assert run.recorded_params["trials"] == 0
    (in_git,) = run.results.iterdir()
    assert json.loads(in_git.read_text())["trials"] == 0


def test_the_winner_is_what_train_will_read(run: MemoryRun) -> None:
    settings = Network.read(said(run, "settings.json"), "settings.json")
    winner = said(run)
    with (run.out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = [float(row["value"]) for row in rows]
    assert winner["winner"] == int(np.argmax(values))
    best = rows[int(np.argmax(values))]
    assert settings.optimizer.learning_rate == float(best["optimizer.learning_rate"])
    assert winner["settings"] == said(run, "settings.json")
    assert winner["split"] == "digest-of-the-split"
    assert winner["value_as_declared"] == pytest.approx(values[0], abs=1e-6)
    assert (run.results / f"search-{KEY}.json").read_text() == (run.out / "search.json").read_text()
    assert [row["state"] for row in rows] == ["complete"] * 3


def test_what_changed_is_said_and_nothing_else_did(run: MemoryRun) -> None:
    asked = searched(3).network.model_dump(mode="json")
    chosen, changed = said(run, "settings.json"), said(run)["changed"]
    assert isinstance(changed, dict)
    for name, (before, after) in changed.items():
        section, setting = name.split(".")
        assert asked[section][setting] == before
        asked[section][setting] = after
    assert {**asked, "search": {"trials": 0}} == chosen


def test_the_best_of_n_is_corrected(run: MemoryRun) -> None:
    luck = said(run)["best_of"]
    assert isinstance(luck, dict)
    assert luck["figure"] == "auc"
    assert luck["trials"] == 3
    assert luck["apparent"] == pytest.approx(said(run)["value"], abs=1e-6)
    assert luck["optimism"] == pytest.approx(luck["apparent"] - luck["corrected"], abs=2e-6)


def test_each_trial_is_a_nested_run_with_its_weights(run: MemoryRun) -> None:
    assert sorted(run.nested_runs) == ["trial-000", "trial-001", "trial-002"]
    for name, trial in run.nested_runs.items():
        assert trial.tags["trial_state"] == "complete"
        assert set(trial.params) == {"optimizer.learning_rate", "augmentation.flips"}
        assert [epoch for epoch, _ in trial.history["epoch/validation_auc"]] == [1, 2]
        assert [epoch for epoch, _ in run.nested_history[name]] == [1, 2], "and live"
        assert load_network(run.out / trial.folder).network.parameter_count() > 0
        assert set(trial.artifacts) == {
            f"{trial.folder}/weights.safetensors",
            f"{trial.folder}/network.json",
        }


def test_the_record_has_tables_and_figures(run: MemoryRun) -> None:
    names = {path.name for path in run.artifacts}
    tables = {"settings.json", "search.json", "trials.csv", "curves.csv"}
    assert tables | {"search_history.svg"} <= names
    assert all(path.is_file() for path in run.artifacts)
    assert run.recorded_metrics["trials/complete"] == 3
    assert len((run.out / "curves.csv").read_text().splitlines()) == 1 + 3 * 2


def test_a_search_run_twice_writes_the_same_bytes(run: MemoryRun, tmp_path: Path) -> None:
    again = tuned(tmp_path, searched(3))
    names = sorted(p.relative_to(run.out) for p in run.out.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again.out) for p in again.out.rglob("*") if p.is_file())
    assert [n for n in names if (run.out / n).read_bytes() != (again.out / n).read_bytes()] == []


def test_trains_network_is_the_winners_to_the_bit(run: MemoryRun) -> None:
    """Which is why validation patients alone chose it: train sees the same ones."""
    values = {"seed": 3, "compute": COMPUTE, "limits": {"epochs": 2}, "cohort": COHORT}
    trained = MemoryRun(run.root, STUDY, "train", KEY)
    train.main(train.Settings.model_validate(values), trained)
    winner = run.out / "trials" / f"{said(run)['winner']:03d}"
    weights = "weights.safetensors"
    assert (trained.out / weights).read_bytes() == (winner / weights).read_bytes()


def test_more_trials_go_on_and_another_split_starts_anew(tmp_path: Path) -> None:
    first = tuned(tmp_path, searched(1))
    searches = first.work / "search" / KEY
    assert len(list(searches.iterdir())) == 1
    more = MemoryRun(tmp_path, STUDY, "tune", KEY)
    main(searched(2), more)
    started = [line for line in more.lines if "starts" in line]
    assert len(started) == 1
    assert started[0].startswith("trial 1 starts")
    other = MemoryRun(tmp_path, STUDY, "tune", KEY)
    other.dependencies = {"data/study/split": "another"}
    main(searched(1), other)
    assert other.lines[0] == "trial 0 starts: as declared"
    assert len(list(searches.iterdir())) == 2


def test_held_out_patients_cannot_move_the_choice(run: MemoryRun, tmp_path: Path) -> None:
    """Other pixels and labels of test, external and fusion patients: the same search."""
    lay_out(tmp_path, held_out_seed=9)
    (tmp_path / "data" / STUDY / "split" / "split.json").write_text('{"digest": "x"}')
    other = MemoryRun(tmp_path, STUDY, "tune", KEY)
    main(searched(3), other)
    for name in ("settings.json", "trials.csv", "curves.csv", "trials/001/weights.safetensors"):
        assert (run.out / name).read_bytes() == (other.out / name).read_bytes(), name


def test_declared_settings_outside_the_space_are_refused(tmp_path: Path) -> None:
    space = [{"setting": "optimizer.learning_rate", "low": 1e-8, "high": 1e-6}]
    with pytest.raises(StudyFileError, match=rf"network.{KEY}.search.space: optimizer.learning_r"):
        tuned(tmp_path, searched(2, space=space))
