"""`oncotrail prune` gives back space, and nobody loses what may be gone on with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oncotrail import stage
from oncotrail.commands.prune import prune
from oncotrail.commands.prune_bounds import DAY, GIB, Bounds, Leftover, doomed
from oncotrail.commands.prune_searches import CHECKPOINTS
from oncotrail.imaging import store
from oncotrail.imaging.decode import ImageSource
from oncotrail.search.lock import held
from oncotrail.search.network import lock_of
from oncotrail.study.pixels import ViewPixels
from pipelines import tune
from tests import declared
from tests.search.searching import search
from tests.small_repository import PARAMS, small_repository, start_probe
from tests.stages.test_train import COHORT, KEY, STUDY, lay_out

NOW = 1.7e9
AT_ONCE = Bounds(days=0, gib=0)
KEPT_ALL = Bounds(days=1e6, gib=1e6)


def repository(root: Path) -> Path:
    """One with a study and nothing to prune."""
    return small_repository(root, LEAVES)


LEAVES = """\
run.checkpoints.mkdir(parents=True, exist_ok=True)
    (run.checkpoints / "00000001.safetensors").write_bytes(bytes(2**20))
    print(f"left {run.checkpoints.name}", flush=True)
    raise SystemExit(9)"""


def pruned(root: Path, *words: str) -> list[str]:
    """What the command says, as a person starts it."""
    command = [sys.executable, "-m", "oncotrail.cli", "prune", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def mebibytes(path: Path, count: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(count * 2**20))
    return path


def test_what_is_old_goes_and_of_the_rest_what_was_not_used_for_longest() -> None:
    bounds = Bounds(days=7, gib=3, now=NOW)
    ages = {"today": 0, "yesterday": 1, "tuesday": 5, "monday": 6, "long_ago": 8}
    found = [Leftover(Path(name), GIB, NOW - days * DAY) for name, days in ages.items()]
    assert [str(one.path) for one in doomed(found, bounds)] == ["long_ago", "monday"]
    assert doomed(found[:3], bounds) == []
    assert doomed(found, Bounds(days=0, gib=3, now=NOW + 1)) == found[::-1]


def test_what_an_output_links_to_gives_nothing_back(tmp_path: Path) -> None:
    mebibytes(tmp_path / "trial" / "log")
    weights = mebibytes(tmp_path / "trial" / "weights", 3)
    os.utime(tmp_path / "trial" / "log", (NOW, NOW))
    os.utime(weights, (NOW - DAY, NOW - DAY))
    assert Leftover.at(tmp_path / "trial") == Leftover(tmp_path / "trial", 4 * 2**20, NOW)
    (tmp_path / "output").hardlink_to(weights)
    assert Leftover.at(tmp_path / "trial").bytes == 2**20


def test_packs_that_no_output_links_to_are_removed(tmp_path: Path) -> None:
    repository(tmp_path)
    view = ViewPixels(window=None, rows=1024, columns=1024)
    Image.fromarray(np.zeros((1024, 1024), np.uint8)).save(tmp_path / "a.png")
    sources = [ImageSource(tmp_path / "a.png")] * 3
    for name in ("one", "two"):
        output = tmp_path / f"{name}.npy"
        store.fill(tmp_path / store.PLACE, output, sources, view, label=f"x/{name}")
        sources.append(sources[0])
    (tmp_path / "one.npy").unlink()
    assert next(prune(tmp_path, KEPT_ALL)) == "decoded pixels: 1 packs removed, 3 MiB."
    assert np.load(tmp_path / "two.npy").shape == (4, 1024, 1024)
    with stage_running(tmp_path / store.PLACE / "store.lock"):
        assert next(prune(tmp_path, AT_ONCE)).startswith("decoded pixels stay: ")


def stage_running(lock: Path) -> ExitStack:
    """Somebody holds this lock, as another process would: by an open file of its own."""
    import fcntl

    lock.parent.mkdir(parents=True, exist_ok=True)
    stack = ExitStack()
    file = stack.enter_context(lock.open("a", encoding="utf-8"))
    fcntl.flock(file, fcntl.LOCK_EX)
    return stack


def test_checkpoints_that_a_stage_would_go_on_from_stay(tmp_path: Path) -> None:
    """A stage that was cut off names its folder; the command finds it by the same name."""
    root = repository(tmp_path)
    probe = start_probe(root)
    said, _ = probe.communicate()
    (name,) = [line.split()[1] for line in said.splitlines() if line.startswith("left ")]
    kept = root / ".oncotrail" / "checkpoints"
    mebibytes(kept / "0123456789abcdef" / "00000001.safetensors", 2)
    assert "prune: checkpoints: 0 removed, 0 MiB." in pruned(root), "it was used today"
    assert "prune: checkpoints: 1 removed, 2 MiB." in pruned(root, "--days", "0")
    assert [path.name for path in kept.iterdir()] == [name]
    (root / "params.yaml").write_text(PARAMS.replace("seed: 7", "seed: 8"))
    assert "prune: checkpoints: 1 removed, 1 MiB." in pruned(root, "--gib", "0")
    assert list(kept.iterdir()) == []


def test_while_a_stage_runs_checkpoints_and_features_stay(tmp_path: Path) -> None:
    root = repository(tmp_path)
    checkpoint = mebibytes(root / ".oncotrail" / "checkpoints" / "0123456789abcdef" / "one")
    features = mebibytes(root / ".oncotrail" / "features" / "ab.npy")
    with stage_running(root / ".oncotrail" / "locks" / "train@lungs-ct.lock"):
        lines = pruned(root, "--days", "0")
    assert "prune: checkpoints and features stay: train@lungs-ct runs." in lines
    assert checkpoint.exists()
    assert features.exists()
    lines = pruned(root, "--days", "0")
    assert "prune: checkpoints: 1 removed, 1 MiB." in lines
    assert "prune: features: 1 removed, 1 MiB." in lines


def test_what_cannot_be_judged_stays(tmp_path: Path) -> None:
    root = repository(tmp_path)
    checkpoint = mebibytes(root / ".oncotrail" / "checkpoints" / "0123456789abcdef" / "one")
    (root / "raw" / "clinical.csv").unlink()
    (root / "raw").rmdir()
    (line,) = [line for line in pruned(root, "--days", "0") if line.startswith("prune: ch")]
    assert line.startswith("prune: checkpoints stay, for nobody can tell whose they are: probe@")
    assert "raw is missing" in line
    assert checkpoint.exists()


TUNE = """\
vars:
  - studies/study.yaml
stages:
  tune:
    foreach: ${network}
    do:
      cmd: python -m pipelines.tune ${key}
      deps:
        - data/${item.study}/split
      params:
        - seed
        - compute
        - recipe
        - limits.epochs
        - limits.trials
        - studies/study.yaml:
            - cohort.study
            - network.${key}
      outs:
        - data/study/tune/${key}
"""
SPACE = [{"setting": "batch_size", "choices": [4, 8]}]


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose tune stage was cut off when its search was over, before it told."""
    root = tmp_path_factory.mktemp("cut_off")
    lay_out(root)
    params = PARAMS.replace("epochs: 3", "epochs: 1").replace("trials: 0", "trials: 2")
    (root / "params.yaml").write_text(params)
    write_study(root)
    (root / "dvc.yaml").write_text(TUNE)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tune.results, "write_found", cut)
        with pytest.raises(KeyboardInterrupt):
            stage.execute(tune.main, "tune", KEY, root)
    return root


@pytest.fixture
def searched(cut_off: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, where the command runs."""
    root = tmp_path / "repository"
    shutil.copytree(cut_off, root)
    monkeypatch.syspath_prepend(root)
    return root


def write_study(root: Path, **changes: object) -> None:
    network = declared.network(STUDY, search={"trials": 1, "space": SPACE}, **changes)
    (root / "studies").mkdir(exist_ok=True)
    sections = {"cohort": {STUDY: COHORT}, "network": {KEY: network}}
    (root / "studies" / "study.yaml").write_text(json.dumps(sections))


def searches(root: Path, model: str = KEY) -> list[str]:
    return sorted(path.name for path in (root / ".oncotrail" / "search" / model).iterdir())


def test_a_search_stays_as_long_as_its_network_asks_for_it(searched: Path) -> None:
    (present,) = searches(searched)
    search(searched / ".oncotrail" / "search" / KEY / "abandoned", 2)
    assert "searches: 0 removed, 0 MiB." in list(prune(searched, KEPT_ALL))
    assert "searches: 1 removed, " in str(list(prune(searched, AT_ONCE)))
    assert searches(searched) == [present]
    write_study(searched, batch_size=4)
    list(prune(searched, AT_ONCE))
    assert searches(searched) == []


def test_a_search_of_a_network_that_no_study_declares_goes(searched: Path) -> None:
    folder = searched / ".oncotrail" / "search" / "study-t5" / "key"
    search(folder, 1, name="study-t5/key")
    list(prune(searched, AT_ONCE))
    assert searches(searched, "study-t5") == []
    assert len(searches(searched)) == 1


def test_what_is_being_searched_stays(searched: Path) -> None:
    work = searched / ".oncotrail"
    search(work / "search" / KEY / "abandoned", 1)
    with held(lock_of(work, KEY), KEY):
        lines = list(prune(searched, AT_ONCE))
    assert any("abandoned stays: study-t4 is being searched by process" in line for line in lines)
    with stage_running(work / "locks" / f"tune@{KEY}.lock"):
        list(prune(searched, AT_ONCE))
    assert "abandoned" in searches(searched)


def test_without_its_data_no_search_is_called_abandoned(searched: Path) -> None:
    (searched / "data" / STUDY / "split" / "split.parquet").unlink()
    (searched / "data" / STUDY / "split").rmdir()
    lines = list(prune(searched, AT_ONCE))
    assert any(f"searches of {KEY} stay: " in line and "split is missing" in line for line in lines)
    assert len(searches(searched)) == 1


def test_checkpoints_of_trials_that_are_over_go_and_those_of_others_stay(searched: Path) -> None:
    """As a kill leaves them that comes before the driver removes them."""
    (present,) = searches(searched)
    trials = searched / ".oncotrail" / "search" / KEY / present / "trials"
    over = mebibytes(trials / "0000" / CHECKPOINTS / "00000001.safetensors")
    under_way = mebibytes(trials / "0001" / CHECKPOINTS / "00000001.safetensors")
    lines = list(prune(searched, KEPT_ALL))
    assert "searches' checkpoints of trials that are over: 1 removed, 1 MiB." in lines
    assert not over.parent.exists()
    assert under_way.exists()
    assert (trials / "0000" / "weights.safetensors").is_file()
