"""Ratios are of the same round, never of two medians."""

import pytest

from bench.ratios import ratio
from bench.routes import parts
from bench.training_task import Task


def test_a_machine_that_slows_down_moves_no_ratio() -> None:
    theirs = [10.0, 5.0, 2.0]
    of = ratio([2 * speed for speed in theirs], theirs)
    assert (of.median, of.lowest, of.highest) == (2, 2, 2)


def test_the_range_is_that_of_the_rounds() -> None:
    of = ratio([1.0, 3.0, 2.0], [1.0, 1.0, 1.0])
    assert (of.median, of.lowest, of.highest) == (2, 1, 3)


def test_rounds_that_one_side_did_not_run_are_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_a_task_reaches_another_process_as_it_was() -> None:
    task = Task("timm", "resnet50", "images", 224, 16, "cpu", 2, 4, "bfloat16", "contiguous")
    assert Task.read(task.text) == task
    assert Task.read(task.by("ours", compile=True).text).compile


@pytest.mark.parametrize("images", [16, 17, 64])
def test_nobody_learns_from_the_images_that_choose_the_epoch(images: int) -> None:
    learns, chooses = (set(range(images)[part]) for part in parts(images))
    assert not learns & chooses
    assert learns | chooses == set(range(images))
