from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving import study


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which the study ran and was registered; tests only read it."""
    root = tmp_path_factory.mktemp("served")
    study.lay_out(root)
    study.registered(root)
    return root


@pytest.fixture
def models(root: Path) -> Path:
    """The register stage's output."""
    return root / "data" / study.STUDY / "register"
