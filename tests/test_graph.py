from pathlib import Path

import pytest

from oncotrail.errors import MissingDependency, StudyFileError
from oncotrail.graph import digest, stage_in_graph
from tests.small_repository import small_repository

REPOSITORY = Path(__file__).resolve().parent.parent


def test_a_stage_has_its_template_filled_in(tmp_path: Path) -> None:
    stage = stage_in_graph("probe", "lungs", small_repository(tmp_path))
    assert stage.command == "python -m pipelines.probe lungs"
    assert stage.dependencies == ("raw",)
    assert stage.parameters == {
        "params.yaml": ["seed"],
        "studies/lungs.yaml": ["split.lungs"],
    }
    assert stage.outputs == ("data/lungs/probe",)


def test_a_network_finds_its_study() -> None:
    stage = stage_in_graph("train", "breast_early_fusion-t4", REPOSITORY)
    assert "data/breast_early_fusion/split" in stage.dependencies
    assert stage.outputs == ("data/breast_early_fusion/train/breast_early_fusion-t4",)
    assert "studies/breast_early_fusion.yaml" in stage.parameters


def test_metrics_and_plots_are_outputs() -> None:
    stage = stage_in_graph("evaluate", "breast_early_fusion", REPOSITORY)
    assert "results/breast_early_fusion/metrics.json" in stage.outputs
    assert "results/breast_early_fusion/roc.csv" in stage.outputs


def test_a_stage_without_foreach_needs_no_key() -> None:
    assert stage_in_graph("sync", "", REPOSITORY).command == "python -m pipelines.sync"


def test_no_placeholder_is_left() -> None:
    for name, key in [("train", "breast_early_fusion-t11"), ("acquire", "breast_early_fusion")]:
        assert "$" not in str(stage_in_graph(name, key, REPOSITORY))


def test_an_unknown_stage_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"no stage 'prob'.*probe, sync"):
        stage_in_graph("prob", "lungs", small_repository(tmp_path))


def test_an_undeclared_key_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="no 'lungs-mr'; it has lungs"):
        stage_in_graph("probe", "lungs-mr", small_repository(tmp_path))


class TestDigest:
    def test_of_a_file_is_its_md5(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_bytes(b"")
        assert digest(tmp_path / "empty") == "d41d8cd98f00b204e9800998ecf8427e"

    def test_of_a_folder_sees_content_names_and_additions(self, tmp_path: Path) -> None:
        found = set()
        for name, content in [("a", "1"), ("a", "2"), ("b", "2")]:
            folder = tmp_path / f"{name}{content}"
            folder.mkdir()
            (folder / name).write_text(content)
            found.add(digest(folder))
        (tmp_path / "b2" / "more").write_text("")
        assert len(found | {digest(tmp_path / "b2")}) == 4

    def test_of_a_folder_does_not_see_bytecode_or_its_own_place(self, tmp_path: Path) -> None:
        for place in ("here", "there"):
            (tmp_path / place / "room").mkdir(parents=True)
            (tmp_path / place / "room" / "a.py").write_text("x = 1")
        (tmp_path / "there" / "room" / "__pycache__").mkdir()
        (tmp_path / "there" / "room" / "__pycache__" / "a.pyc").write_bytes(b"1")
        assert digest(tmp_path / "here") == digest(tmp_path / "there")

    def test_of_nothing_is_refused(self, tmp_path: Path) -> None:
        """It was once the digest of an empty folder: a run key that says nothing."""
        with pytest.raises(MissingDependency, match=r"gone is missing.*make repro"):
            digest(tmp_path / "gone")
