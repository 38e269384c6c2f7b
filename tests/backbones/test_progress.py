import io
from pathlib import Path

import pytest

from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.progress import watched
from oncotrail.record import MemoryRun

EPOCH = Epoch(2, 0.41, 0.52, 0.8, 0.75, 0.9, 1e-3)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(tmp_path: Path) -> MemoryRun:
    return MemoryRun(tmp_path, "study", "train", "study-t4")


def test_a_log_gets_one_line_per_epoch(run: MemoryRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    with watched(run, 16) as on_epoch:
        on_epoch(EPOCH)
    said = "epoch  2/16  loss 0.410, validation loss 0.520, accuracy 0.750, AUC 0.900"
    assert run.lines == [said]


def test_a_terminal_gets_a_bar_and_no_lines(
    run: MemoryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    with watched(run, 16) as on_epoch:
        on_epoch(EPOCH)
    assert run.lines == []
    assert "study-t4" in screen.getvalue()
    assert "1/16" in screen.getvalue()
    assert "loss 0.520, AUC 0.900" in screen.getvalue()


def test_the_curves_are_recorded_apart_from_evaluations_figures(run: MemoryRun) -> None:
    with watched(run, 16) as on_epoch:
        on_epoch(EPOCH)
    [(number, values)] = run.history
    assert number == 2
    assert values["epoch/validation_auc"] == 0.9
    assert all(name.startswith("epoch/") for name in values)
