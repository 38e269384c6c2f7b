"""Parts that are over: whole under their name, or not there."""

import os
from importlib.metadata import version
from pathlib import Path

import pytest

from oncotrail.backbones import finished
from oncotrail.backbones.part_run import EPOCHS, Shown
from oncotrail.cohort.folds import Part

PART = Part(3, 1)
SHOWN = Shown({"epochs": 2, "of": None}, {"best": 0.1 + 0.2}, {"epoch/loss": [[1, 1 / 3]]})


def fill(folder: Path) -> Shown:
    (folder / "weights").write_bytes(b"numbers")
    return SHOWN


def test_a_part_is_found_again_with_all_that_its_page_shows(tmp_path: Path) -> None:
    assert finished.kept(tmp_path, PART) is None
    made = finished.keep(tmp_path, PART, fill)
    assert finished.kept(tmp_path, PART) == made
    assert made.shown == SHOWN
    assert (made.folder / "weights").read_bytes() == b"numbers"
    assert finished.kept(tmp_path, Part(3)) is None


@pytest.mark.parametrize("library", finished.COMPUTED_WITH)
def test_a_part_of_another_library_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    made = finished.keep(tmp_path, PART, fill)
    monkeypatch.setattr(
        finished, "version", lambda name: "0.1" if name == library else version(name)
    )
    assert finished.kept(tmp_path, PART) is None
    assert not made.folder.exists()


def test_its_checkpoints_are_of_no_more_use(tmp_path: Path) -> None:
    for part in (PART, Part(3)):
        (tmp_path / EPOCHS / part.name).mkdir(parents=True)
    finished.keep(tmp_path, PART, fill)
    assert [path.name for path in (tmp_path / EPOCHS).iterdir()] == [Part(3).name]


def test_one_that_failed_is_not_there_and_what_a_kill_left_gives_way(tmp_path: Path) -> None:
    def fails(folder: Path) -> Shown:
        fill(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        finished.keep(tmp_path, PART, fails)
    assert list((tmp_path / finished.FINISHED).iterdir()) == []
    half = tmp_path / finished.FINISHED / f".{PART.name}.partial"
    half.mkdir()
    (half / "half").write_text("half of it")
    assert finished.kept(tmp_path, PART) is None
    made = finished.keep(tmp_path, PART, fill)
    assert {path.name for path in made.folder.iterdir()} == {"weights", finished.PART}


def test_where_no_file_can_have_two_names_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("numbers")
    finished.link(source, target)
    assert source.samefile(target)

    def another_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", another_disk)
    finished.link(source, target)
    assert not source.samefile(target)
    assert target.read_text() == "numbers"
