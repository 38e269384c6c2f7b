"""One real run for all checks; each test spoils its own copy."""

import shutil
from pathlib import Path

import pytest

from tests.audit.real_run import run_study


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clean")
    run_study(root)
    return root


@pytest.fixture
def root(clean: Path, tmp_path: Path) -> Path:
    shutil.copytree(clean / "data", tmp_path / "data")
    return tmp_path
