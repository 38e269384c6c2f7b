"""`dvc repro` in a terminal where nobody activated .venv: a stage gets the system's Python."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("stage", ["demo", "sync"])
def test_a_python_without_our_packages_is_told_in_a_sentence(stage: str) -> None:
    command = [sys.executable, "-S", "-m", f"pipelines.{stage}", "breast_early_fusion"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{sys.executable} lacks numpy, pandas, pydantic: ")
    assert ". .venv/bin/activate in this terminal" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
