"""A fan-in stage reads declared members, all of them, and stops on any other."""

from pathlib import Path

import pytest

from oncotrail.errors import StudyFileError
from oncotrail.study.members import only_declared


def test_declared_members_come_back_in_the_study_files_order(tmp_path: Path) -> None:
    for name in ("toy-b", "toy-a"):
        (tmp_path / name).mkdir()
    (tmp_path / "run.json").write_text("{}")
    assert only_declared(tmp_path, ["toy-b", "toy-a"]) == ("toy-b", "toy-a")


def test_a_renamed_network_does_not_linger(tmp_path: Path) -> None:
    for name in ("toy-old", "toy-new"):
        (tmp_path / name).mkdir()
    with pytest.raises(StudyFileError, match=r"holds \['toy-old'\].*declares \['toy-new'\]"):
        only_declared(tmp_path, ["toy-new"])


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"lacks \['toy-a'\]"):
        only_declared(tmp_path / "nothing", ["toy-a"])


def test_a_study_without_networks_needs_no_folder(tmp_path: Path) -> None:
    assert only_declared(tmp_path / "nothing", []) == ()
