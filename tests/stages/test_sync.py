from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from oncotrail.tracking.sync import Synced
from pipelines import sync

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_it_says_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Path] = []

    def recorded(root: Path) -> Synced:
        asked.append(root)
        return Synced(8, 4, made=8, versions=5, aliases=5)

    monkeypatch.setattr(sync, "sync", recorded)
    sync.main(tmp_path)
    assert asked == [tmp_path]
    said = "sync: 8 runs (8 new, 0 completed), 4 models (5 new versions, 5 aliases moved).\n"
    assert capsys.readouterr().out == said


def test_a_damaged_record_is_the_users_to_mend(tmp_path: Path) -> None:
    damaged = tmp_path / "data" / "study" / "split" / "run.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.sync"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"sync: {damaged} is not a run's record")
    assert len(done.stderr.splitlines()) == 1
