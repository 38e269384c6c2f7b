"""A copy of the repository in which the real graph runs, small, through the real DVC."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).resolve().parent.parent
STUDY = "breast_early_fusion"
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@localhost")


def copy_of_repository(destination: Path) -> Path:
    """What git tracks or would track, as a git repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source = REPOSITORY / name
        if source.is_file():
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "copy"]):
        subprocess.run(["git", *IDENTITY, *command], cwd=destination, check=True)
    return destination


def small_copy(destination: Path) -> Path:
    """A copy whose whole graph takes half a minute, as if nothing had ever run."""
    root = copy_of_repository(destination)
    for limit, value in {"patients": 90, "epochs": 1, "image_side": 32}.items():
        change(root / "params.yaml", "limits", limit, value=value)
    (root / "dvc.lock").unlink()
    return root


def change(path: Path, *steps: str, value: Any) -> None:
    """Set one value of a YAML file, leaving the rest as it is."""
    yaml = YAML()
    content = yaml.load(path)
    inner = content
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def environment(root: Path) -> dict[str, str]:
    """The environment of a user who has just activated `.venv`; MLflow's store is the copy's."""
    inherited = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
    return {**inherited, "PATH": path, "PYTHONPATH": str(root / "src"), "DVC_NO_ANALYTICS": "1"}


def start(root: Path, *command: str) -> subprocess.Popen[bytes]:
    """Start a command with a process group of its own; its output goes to a file in the copy."""
    log = root / ".oncotrail" / "test.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            cwd=root,
            env=environment(root),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def run(
    root: Path, *command: str, timeout: float = 900, more: Mapping[str, str] | None = None
) -> str:
    """Run a command that must end well, with `more` in its environment; its output."""
    code, output = answer(root, *command, timeout=timeout, more=more)
    assert code == 0, output
    return output


def answer(
    root: Path, *command: str, timeout: float = 900, more: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command to its end: the exit code, and all that it said."""
    finished = subprocess.run(
        command,
        cwd=root,
        env={**environment(root), **(more or {})},
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return finished.returncode, finished.stdout + finished.stderr


def wait_for(process: subprocess.Popen[bytes], sign: Path, seconds: float = 600) -> None:
    """Until `sign` exists; the process must still run then."""
    deadline = time.monotonic() + seconds
    while not sign.exists():
        assert process.poll() is None, f"ended with {process.returncode} before {sign} was there"
        assert time.monotonic() < deadline, f"{sign} is not there after {seconds:g} s"
        time.sleep(0.001)


def stages_in_lock(root: Path) -> set[str]:
    """The stages that ended, as dvc.lock has it."""
    lock = root / "dvc.lock"
    return set(YAML(typ="safe").load(lock)["stages"]) if lock.exists() else set()


def outputs_in_lock(root: Path) -> dict[str, str]:
    """Every output's digest, as dvc.lock has it."""
    lock = YAML(typ="safe").load(root / "dvc.lock")
    return {
        out["path"]: out["md5"]
        for stage in lock["stages"].values()
        for out in stage.get("outs", [])
    }
