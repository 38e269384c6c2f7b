"""Real runs for all checks; each test spoils its own copy."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.audit.real_run import run_study
from tests.marked_study import Marked, crossed


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clean")
    run_study(root)
    return root


@pytest.fixture
def root(clean: Path, tmp_path: Path) -> Path:
    shutil.copytree(clean / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture(scope="session")
def marked_clean(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    study = Marked(tmp_path_factory.mktemp("marked"))
    study.run_all()
    return study


@pytest.fixture
def marked(marked_clean: Marked, tmp_path: Path) -> Marked:
    """A study of boxes, masks and volumes."""
    return copied(marked_clean, tmp_path)


@pytest.fixture(scope="session")
def crossed_clean(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    study = crossed(tmp_path_factory.mktemp("crossed"))
    study.run_all()
    return study


@pytest.fixture
def folds(crossed_clean: Marked, tmp_path: Path) -> Marked:
    """A cross-validated study whose networks are out of fold, one of them with two seeds."""
    return copied(crossed_clean, tmp_path)


def copied(study: Marked, root: Path) -> Marked:
    shutil.copytree(study.root / "data", root / "data")
    return replace(study, root=root)
