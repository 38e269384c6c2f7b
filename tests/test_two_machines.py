"""What one machine computed and pushed, another pulls: nothing runs, the pages are the same."""

import subprocess
from pathlib import Path

import pytest

from oncotrail.tracking import labels
from tests import whole_graph as graph
from tests.tracking.contents import Shown, contents

# Of the machine and the commit, not of the run.
LOCAL = (labels.COMPUTED, "mlflow.source.git.commit", "git.uncommitted")


def pages(root: Path) -> dict[str, Shown]:
    shown = contents(root).runs
    for page in shown.values():
        for tag in LOCAL:
            page.tags.pop(tag, None)
    return shown


@pytest.mark.slow
def test_a_clone_that_pulls_ends_with_the_same_pages(tmp_path: Path) -> None:
    here, there, remote = tmp_path / "here", tmp_path / "there", tmp_path / "remote"
    graph.small_copy(here)
    graph.run(here, "oncotrail", "repro")
    graph.run(here, "dvc", "remote", "add", "--default", "shared", str(remote))
    graph.run(here, "dvc", "push")
    graph.run(here, "git", "add", "-A")
    graph.run(here, "git", *graph.IDENTITY, "commit", "-qm", "computed here")

    subprocess.run(["git", "clone", "-q", str(here), str(there)], check=True)
    graph.run(there, "dvc", "pull")
    told = graph.run(there, "oncotrail", "sync")
    assert "20 runs (20 new, 0 completed), 6 models" in told
    assert pages(there) == pages(here)
    assert contents(there).aliases == contents(here).aliases
    assert contents(there).versions == contents(here).versions
    assert "nothing to do" in graph.run(there, "oncotrail", "repro")
