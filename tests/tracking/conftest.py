from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from oncotrail.tracking import logged_models
from oncotrail.tracking.store import DATABASE, FOLDER, open_store
from tests.tracking.repository import Repository


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person who runs the tests has set."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def little_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """One room in each registered model instead of all: copying hundreds of files takes a while."""
    monkeypatch.setattr(logged_models, "CARRIED", ("serving",))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once: the migration takes seconds."""
    root = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store(root)
    return root / FOLDER / DATABASE


@pytest.fixture
def repository(tmp_path: Path, empty_database: Path) -> Repository:
    """A repository with an empty store and no data."""
    return with_store(tmp_path / "repository", empty_database)


@pytest.fixture
def another(tmp_path: Path, empty_database: Path) -> Repository:
    """A second one, for comparing."""
    return with_store(tmp_path / "another", empty_database)


def with_store(root: Path, empty_database: Path) -> Repository:
    (root / FOLDER).mkdir(parents=True)
    shutil.copyfile(empty_database, root / FOLDER / DATABASE)
    return Repository(root)
