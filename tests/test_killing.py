"""`kill -9` of dvc in each stage, then again: the same outputs as an undisturbed run."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from oncotrail.study.load import study_of
from tests import whole_graph as graph


def small(destination: Path) -> Path:
    root = graph.copy_of_repository(destination)
    for limit, value in {"patients": 90, "epochs": 2, "image_side": 32}.items():
        graph.change(root / "params.yaml", "limits", limit, value=value)
    (root / "dvc.lock").unlink(missing_ok=True)
    return root


def stages(root: Path) -> list[str]:
    """The graph's stages in an order in which they can run, without sync: it has no output."""
    names = graph.run(root, "dvc", "stage", "list", "--name-only").split()
    return [name for name in names if name != "sync"]


@pytest.mark.slow
def test_a_graph_killed_in_every_stage_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = small(tmp_path / "undisturbed")
    graph.run(undisturbed, "dvc", "repro")
    expected = graph.outputs_in_lock(undisturbed)

    disturbed = small(tmp_path / "disturbed")
    killed = []
    for name in stages(disturbed):
        process = graph.start(disturbed, "dvc", "repro")
        begun = disturbed / ".oncotrail" / "partial" / name / "out"
        if graph.kill_when(process, begun, after=0.05, wait=600):
            killed.append(name)
            study = study_of(name.split("@")[1])
            assert not finished(disturbed, study, name), f"{name} was killed after it had ended"
        else:
            assert process.wait() == 0
    graph.run(disturbed, "dvc", "repro")
    assert graph.outputs_in_lock(disturbed) == expected
    assert killed == stages(disturbed)
    assert not list((disturbed / ".oncotrail" / "partial").iterdir())


def finished(root: Path, study: str, name: str) -> bool:
    stage, key = name.split("@")
    member = () if key == study else (key,)
    return (root.joinpath("data", study, stage, *member) / "run.json").exists()


@pytest.mark.slow
def test_the_copy_runs_its_own_code(tmp_path: Path) -> None:
    """Guards the other tests of this file: they must not run the repository they came from."""
    root = graph.copy_of_repository(tmp_path / "copy")
    code = "import pipelines, oncotrail; print(oncotrail.__file__)"
    assert str(root) in graph.run(root, "python", "-c", code)
    assert YAML(typ="safe").load(root / "params.yaml")["recipe"] == "demo"
