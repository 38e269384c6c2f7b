"""What is left when a search, or a part of it, is ended from outside."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
import psutil
import pytest

from oncotrail.search.job import Objective
from oncotrail.search.machine import CLUSTER
from tests.search.searching import Heard, search
from tests.search.toy import worked

TRIALS = 5
ROOT = Path(__file__).parents[2]


class Driver:
    """A search in a process of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        trials: int = TRIALS,
        address: str = "",
        name: str = "study-t4/key",
        cluster: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
        **given: object,
    ) -> None:
        said = given if "place" in given else {"seconds": 0.05} | given
        words = [str(folder), str(trials), str(workers), json.dumps(said), address, name]
        home = {"HOME": str(folder)} if cluster else {}  # where Ray puts its token
        path = os.pathsep.join([str(ROOT / "src"), *sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.search.driver", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, CLUSTER: cluster, **home, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def until(self, said: str) -> None:
        heard = []
        for line in self.process.stdout or ():
            heard.append(line)
            if line.strip() == said:
                return
        self.process.communicate()
        message = f"{said!r} was never said, but:\n{''.join(heard)}"
        raise AssertionError(message)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        self.process.communicate()
        return self.process.returncode


@pytest.fixture
def undisturbed(tmp_path: Path) -> list[object]:
    found = search(tmp_path / "undisturbed", TRIALS)
    return [(trial.number, trial.state, trial.parameters, trial.curves) for trial in found.trials]


def gone(processes: list[psutil.Process]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(process.is_running() and process.status() != "zombie" for process in processes):
            return True
        time.sleep(0.05)
    return False


def test_a_killed_search_goes_on_where_it_was(tmp_path: Path, undisturbed: list[object]) -> None:
    """Its workers die with it; the same call again gives what an undisturbed search gives."""
    folder = tmp_path / "search"
    driver = Driver(folder)
    driver.until("epoch 1 2")
    workers = driver.workers()
    driver.end(signal.SIGKILL)
    assert len(workers) == 1
    assert gone(workers)
    heard = Heard()
    found = search(folder, TRIALS, heard=heard)
    assert heard.lines[0] == "started 1"
    assert [(t.number, t.state, t.parameters, t.curves) for t in found.trials] == undisturbed
    epochs = worked(found.trials[1].folder)
    assert epochs == sorted(set(epochs)), "it went on from its checkpoint"


def test_fewer_trials_after_an_interruption_leave_the_later_ones_alone(
    tmp_path: Path, undisturbed: list[object]
) -> None:
    """What a kill left of them waits, until so many trials are asked for again."""
    folder = tmp_path / "search"
    driver = Driver(folder)
    driver.until("epoch 3 1")
    driver.end(signal.SIGKILL)
    heard = Heard()
    assert len(search(folder, 2, heard=heard).trials) == 2
    assert heard.lines == []
    found = search(folder, TRIALS, heard=heard)
    assert heard.lines[0] == "started 3"
    assert [(t.number, t.state, t.parameters, t.curves) for t in found.trials] == undisturbed


@pytest.mark.slow
def test_kills_at_any_moment_change_nothing(tmp_path: Path, undisturbed: list[object]) -> None:
    folder, chance = tmp_path / "search", np.random.default_rng(4)
    for _ in range(12):
        driver = Driver(folder)
        with suppress(subprocess.TimeoutExpired):
            driver.process.communicate(timeout=chance.uniform(0.3, 2.5))
        driver.end(signal.SIGKILL)
    found = search(folder, TRIALS)
    assert [(t.number, t.state, t.parameters, t.curves) for t in found.trials] == undisturbed


@pytest.mark.parametrize("workers", [1, 3])
def test_ctrl_c_leaves_nobody_running_and_goes_on_later(tmp_path: Path, workers: int) -> None:
    folder = tmp_path / "search"
    driver = Driver(folder, workers=workers)
    driver.until("epoch 1 1")
    crew = driver.workers()
    os.killpg(driver.process.pid, signal.SIGINT)  # as a terminal does: to driver and workers
    driver.process.communicate()
    assert len(crew) == workers
    assert gone(crew)
    assert states(folder).count("RUNNING") == 0
    assert states(folder).count("WAITING") >= 1
    found = search(folder, TRIALS, workers=workers)
    assert [trial.state for trial in found.trials] == ["complete"] * TRIALS


def test_a_second_search_of_the_same_network_is_refused_by_name_of_the_first(
    tmp_path: Path,
) -> None:
    first = Driver(tmp_path)
    first.until("started 0")
    second = Driver(tmp_path)
    said, _ = second.process.communicate()
    assert second.process.returncode == 2
    holder = f"process {first.process.pid} on {platform.node()}"
    assert said.strip() == f"study-t4 is being searched by {holder}; wait for it, or end it."
    first.end(signal.SIGKILL)
    third = Driver(tmp_path, trials=1)  # a kill frees the lock
    third.process.communicate()
    assert third.process.returncode == 0


def test_searches_of_two_networks_run_side_by_side(tmp_path: Path) -> None:
    both = [Driver(tmp_path / name, trials=2) for name in ("t4", "t11")]
    for driver in both:
        driver.process.communicate()
    assert [driver.process.returncode for driver in both] == [0, 0]


def test_a_worker_imports_nothing_heavy_before_its_objective_and_has_its_threads(
    tmp_path: Path,
) -> None:
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY"]
    code = Objective("tests.search.toy:heavy_imports", {"names": names})
    (trial,) = search(tmp_path, 1, code=code).trials
    assert trial.more["loaded"] == []
    assert trial.more["threads"] == dict(zip(names, ("1", "1", "1", "PASSIVE"), strict=True))


def states(folder: Path) -> list[str]:
    """What the database says of every start."""
    from optuna import load_study

    study = load_study(study_name="study-t4/key", storage=f"sqlite:///{folder / 'study.db'}")
    found = [trial.state.name for trial in study.get_trials()]
    study._storage._backend.engine.dispose()
    return found
