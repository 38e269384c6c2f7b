"""The peers' environment: the project's own packages, at the same versions, and the peers."""

import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = {"lightning", "monai", "optuna-integration"}


def pinned(name: str) -> dict[str, str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))


def test_what_the_project_needs_is_measured_at_the_projects_versions() -> None:
    ours, theirs = pinned("requirements.lock"), pinned("bench/requirements.lock")
    shared = ours.keys() & theirs.keys()
    assert {"torch", "torchvision", "timm", "mlflow", "optuna", "pydicom"} <= shared
    assert {name: theirs[name] for name in shared} == {name: ours[name] for name in shared}
    assert theirs.keys() - ours.keys() >= PEERS


def test_no_address_is_in_the_peers_files() -> None:
    for name in ("bench/requirements.txt", "bench/requirements.lock"):
        assert "://" not in (REPOSITORY / name).read_text(encoding="utf-8")


def test_make_bench_runs_each_bench_with_the_peers_python() -> None:
    ready = ["-o", ".venv/.set-up", "-o", ".venv-bench/.set-up"]
    command = ["make", "-n", *ready, "bench", "QUICK=1"]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    ran = re.findall(r"\.venv-bench/bin/python -m bench\.(\w+) --quick", told.stdout)
    assert ran == ["training", "cache", "routes", "search"]
    assert all((REPOSITORY / "bench" / f"{name}.py").is_file() for name in ran)
