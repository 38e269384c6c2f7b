"""What a person types, in a repository of one study and a dvc that is made for the test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from oncotrail.cli import app
from tests.small_repository import STUDY, commit_all, small_repository


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = small_repository(tmp_path / "repository")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "dvc"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    return program


@pytest.fixture(autouse=True)
def _debug_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCOTRAIL_DEBUG", "0")


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def put_results(root: Path, auc: float = 0.75) -> None:
    folder = root / "results" / STUDY
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"patients": 9, "events": 4, "auc": {"value": auc, "low": 0.5, "high": 0.9}}
    (folder / "metrics.json").write_text(json.dumps({"clinical": {"test": figures}}))


def test_help_lists_the_commands() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "oncotrail.cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for command in ("repro", "verify", "validate", "check", "sync", "ui"):
        assert command in told


class TestValidate:
    @pytest.mark.usefixtures("root")
    def test_good_settings_are_0(self) -> None:
        result = typed("validate")
        assert result.exit_code == 0
        assert "in order: lungs" in result.stdout

    def test_a_wrong_key_is_2_and_names_the_right_one(self, root: Path) -> None:
        (root / "params.yaml").write_text("sead: 1\n")
        result = typed("validate")
        assert result.exit_code == 2
        assert "params.yaml: sead: unknown key. Did you mean 'seed'?" in result.stderr
        assert "Traceback" not in result.stderr

    def test_debug_shows_the_traceback(self, root: Path) -> None:
        (root / "params.yaml").unlink()
        result = typed("--debug", "validate")
        assert result.exit_code == 2
        assert "Traceback" in result.stderr

    def test_another_folder_is_told_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        result = typed("validate")
        assert result.exit_code == 2
        assert "run from the repository's root" in result.stderr


@pytest.mark.usefixtures("dvc")
class TestRepro:
    def test_ends_with_models_what_was_verified_and_what_to_type(self, root: Path) -> None:
        put_results(root)
        commit_all(root)
        result = typed("repro")
        assert result.exit_code == 0
        assert "0.750 (0.500-0.900)" in result.stdout
        assert "nothing to do" in result.stdout
        assert "5 figures against git: 5 identical" in result.stdout
        assert "next: make ui" in result.stdout
        assert ". .venv/bin/activate, then dvc metrics diff" in result.stdout

    def test_a_different_result_is_1(self, root: Path) -> None:
        put_results(root)
        commit_all(root)
        put_results(root, auc=0.85)
        result = typed("repro")
        assert result.exit_code == 1
        assert "clinical.test.auc.value: 0.85 here, 0.75 in git" in result.stdout
        assert "1 of 5 figures differ" in result.stderr

    def test_settings_are_checked_before_anything_runs(self, root: Path, dvc: Path) -> None:
        dvc.write_text("#!/bin/sh\ntouch ran\n")
        study = root / "studies" / "lungs.yaml"
        study.write_text(study.read_text().replace("folds: 2", "fold: 2"))
        assert typed("repro").exit_code == 2
        assert not (root / "ran").exists()

    @pytest.mark.usefixtures("root")
    def test_an_unknown_study_names_the_nearest(self) -> None:
        result = typed("repro", "--study", "lung")
        assert result.exit_code == 2
        assert "Did you mean 'lungs'?" in result.stderr

    def test_the_published_recipe_is_written_and_said(self, root: Path) -> None:
        result = typed("repro", "--recipe", "published")
        assert "params.yaml now says recipe: published" in result.stdout
        assert "recipe: published" in (root / "params.yaml").read_text()

    def test_a_stage_that_fails_gives_its_code_and_no_table(self, root: Path, dvc: Path) -> None:
        put_results(root)
        message = "failed to reproduce 'probe@lungs': failed to run: x, exited with 2"
        dvc.write_text(f'#!/bin/sh\necho "ERROR: {message}" >&2; exit 255\n')
        result = typed("repro")
        assert result.exit_code == 2
        assert "repro: stopped at probe@lungs" in result.stdout
        assert "0.750" not in result.stdout


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("--trials", "-1", "or equal to 0"), ("--workers", "0", "or equal to 1")],
)
def test_a_search_of_fewer_than_none_is_refused(
    root: Path, option: str, value: str, least: str
) -> None:
    before = (root / "studies" / "lungs.yaml").read_text()
    result = typed("tune", STUDY, "t4", "--trials", "3", option, value)
    assert result.exit_code == 2
    assert least in result.stderr
    assert (root / "studies" / "lungs.yaml").read_text() == before


class TestVerify:
    def test_of_uncommitted_results_says_what_to_commit(self, root: Path) -> None:
        put_results(root)
        result = typed("verify")
        assert result.exit_code == 0
        assert "nothing to compare with: commit results/" in result.stdout


class TestCheck:
    def test_a_cohort_that_is_not_there_is_2(self, root: Path) -> None:
        (root / "raw" / "clinical.csv").unlink()
        (root / "raw").rmdir()
        result = typed("check", STUDY)
        assert result.exit_code == 2
        assert "raw, the raw cohort of lungs, is not there; put it there" in result.stderr

    def test_problems_are_a_table_and_2(self, root: Path) -> None:
        (root / "raw" / "clinical.csv").write_text("id,hospital,died,age\nA,north,1,17\nA,,2,x\n")
        result = typed("check", STUDY)
        assert result.exit_code == 2
        assert "to mend" in result.stdout
        assert "clinical.csv" in result.stdout
        assert "problems to mend, in the table above." in result.stderr


@pytest.mark.usefixtures("root")
def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oncotrail.study.file.read_studies", stop)
    result = typed("validate")
    assert result.exit_code == 130
    assert result.stderr.startswith("validate: interrupted")
