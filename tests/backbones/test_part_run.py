"""What a part says, and where it appears."""

from pathlib import Path

import pytest

from oncotrail.backbones.part_run import PartRun, nested
from oncotrail.cohort.folds import Part
from oncotrail.record import MemoryRun

PART = Part(3, 1)


@pytest.fixture
def run(tmp_path: Path) -> MemoryRun:
    return MemoryRun(tmp_path, "study", "train", "study-t4")


def told(run: PartRun) -> PartRun:
    run.params({"epochs": 2})
    run.epoch(1, {"epoch/loss": 0.5})
    run.epoch(2, {"epoch/loss": 0.25})
    return run


def test_the_main_part_is_the_stages_own_run(run: MemoryRun) -> None:
    main = told(PartRun(run, Part(0), is_main=True))
    main.say("it learns")
    assert (run.recorded_params, run.lines) == ({"epochs": 2}, ["it learns"])
    assert run.history == [(1, {"epoch/loss": 0.5}), (2, {"epoch/loss": 0.25})]
    assert run.nested_history == {}
    assert main.key == "study-t4"


def test_another_part_lies_below_it_and_says_which_it_is(run: MemoryRun) -> None:
    other = told(PartRun(run, PART, is_main=False, place="7/30"))
    other.say("it learns")
    assert run.lines == ["fold3-without1 (7/30): it learns"]
    assert [epoch for epoch, _ in run.nested_history[PART.name]] == [1, 2]
    assert (run.recorded_params, run.history) == ({}, [])
    assert other.key == "study-t4 fold3-without1 (7/30)"
    assert other.checkpoints != PartRun(run, Part(3), is_main=True).checkpoints


@pytest.mark.parametrize("is_main", [True, False])
def test_what_was_said_before_a_kill_is_said_again(tmp_path: Path, *, is_main: bool) -> None:
    runs = [MemoryRun(tmp_path / name, "study", "train", "study-t4") for name in "ab"]
    before, after = (PartRun(run, PART, is_main) for run in runs)
    shown = told(before).shown({"best_epoch": 2})
    after.tell_again(shown)
    assert after.shown({"best_epoch": 2}) == shown
    one, other = runs
    assert one.history == other.history
    assert one.nested_history == other.nested_history
    assert one.recorded_params == other.recorded_params


def test_a_parts_page_says_how_it_differs_from_the_main_one(run: MemoryRun) -> None:
    main = PartRun(run, Part(9), is_main=True)
    main.params({"epochs": 2, "training_images": 90})
    part = PartRun(run, PART, is_main=False)
    part.params({"epochs": 2, "training_images": 60})
    page = nested(PART, part.shown({"best_epoch": 1}), main.shown({}))
    assert page.params == {"outer_fold": 3, "inner_fold": 1, "seed": 0, "training_images": 60}
    assert page.folder == "parts/fold3-without1"
    assert page.artifacts == {}
