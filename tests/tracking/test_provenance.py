from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from oncotrail.tracking.provenance import provenance


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("1\n")
    (tmp_path / "dvc.lock").write_text("a\n")
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    tags = provenance(checkout)
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert tags["git.uncommitted"] == "none"


def test_what_differs_from_the_commit_has_a_digest(checkout: Path) -> None:
    (checkout / "code.py").write_text("2\n")
    two = provenance(checkout)["git.uncommitted"]
    (checkout / "code.py").write_text("3\n")
    three = provenance(checkout)["git.uncommitted"]
    assert len({"none", two, three}) == 3


def test_what_a_repro_writes_into_git_is_not_a_change_of_the_code(checkout: Path) -> None:
    (checkout / "dvc.lock").write_text("b\n")
    assert provenance(checkout)["git.uncommitted"] == "none"


def test_a_folder_without_git_still_has_versions(tmp_path: Path) -> None:
    tags = provenance(tmp_path)
    assert "mlflow.source.git.commit" not in tags
    assert tags["packages"].startswith("oncotrail ")
    assert {"torch", "mlflow", "numpy"} <= {part.split()[0] for part in tags["packages"].split(",")}


def test_a_dvc_experiment_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "puffy-moth")
    assert provenance(tmp_path)["DVC_EXP_NAME"] == "puffy-moth"
