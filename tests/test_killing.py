"""`kill -9` in each stage, then again: the same outputs as an undisturbed run."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import whole_graph as graph


@dataclass(frozen=True)
class Undisturbed:
    """A run of the small graph that nobody killed."""

    stages: list[str]  # in the order in which dvc runs them
    outputs: dict[str, str]  # path -> digest


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    root = graph.small_copy(tmp_path_factory.mktemp("undisturbed") / "copy")
    told = graph.run(root, "dvc", "repro")
    return Undisturbed(
        re.findall(r"Running stage '(\w+@[\w-]+)'", told), graph.outputs_in_lock(root)
    )


def kill_dvc(process: subprocess.Popen[bytes]) -> None:
    """Only dvc: its stage must notice."""
    process.send_signal(signal.SIGKILL)


def kill_everything(process: subprocess.Popen[bytes]) -> None:
    """Dvc, its shell and its stage at once, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_dvc, kill_everything])
def test_a_graph_killed_in_every_stage_ends_as_an_undisturbed_one(
    tmp_path: Path, undisturbed: Undisturbed, kill: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    root = graph.small_copy(tmp_path / "copy")
    for name in undisturbed.stages:
        process = graph.start(root, "dvc", "repro")
        # The lock's file stays, so that a stage of milliseconds is not missed.
        graph.wait_for(process, root / ".oncotrail" / "locks" / f"{name}.lock")
        kill(process)
        process.wait()
        assert name not in graph.stages_in_lock(root)
    graph.run(root, "dvc", "repro")
    assert graph.outputs_in_lock(root) == undisturbed.outputs
    assert set(undisturbed.stages) == graph.stages_in_lock(root) - {"sync"}
    assert not list((root / ".oncotrail" / "partial").iterdir())


@pytest.mark.slow
def test_the_copy_runs_its_own_code(tmp_path: Path) -> None:
    """Guards the other tests of this file: they must not run the repository they came from."""
    root = graph.copy_of_repository(tmp_path / "copy")
    code = "import pipelines, oncotrail; print(oncotrail.__file__)"
    assert str(root) in graph.run(root, "python", "-c", code)
