"""Results stay as they were computed."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.results import result


@result
class Band:
    heights: Floats
    ends: tuple[Floats, Floats]
    by_model: dict[str, Floats]
    name: str = "band"

    def __post_init__(self) -> None:
        if self.heights.size == 0:
            raise ValueError("found no heights; expected some.")


def band() -> Band:
    heights = np.array([1.0, 0.5])
    return Band(heights, (heights, heights), {"forest": heights})


@pytest.mark.parametrize(
    "array",
    [lambda made: made.heights, lambda made: made.ends[1], lambda made: made.by_model["forest"]],
)
def test_no_array_of_a_result_can_be_written_to(array: Callable[[Band], Floats]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        array(band())[0] = 2.0


def test_what_was_given_stays_writable_and_apart() -> None:
    given = np.array([1.0, 0.5])
    made = Band(given, (given, given), {})
    given[0] = 9.0
    assert made.heights.tolist() == [1.0, 0.5]


def test_names_are_frozen_the_check_of_the_class_runs_and_results_equal_only_themselves() -> None:
    made = band()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"
    with pytest.raises(ValueError, match="no heights"):
        Band(np.array([]), (made.heights, made.heights), {})
    assert made == made  # noqa: PLR0124
    assert made != band()


def test_a_copy_with_another_name_and_a_pickled_one_are_closed_too() -> None:
    again = pickle.loads(pickle.dumps(dataclasses.replace(band(), name="other")))  # noqa: S301
    assert again.name == "other"
    assert again.heights.tolist() == [1.0, 0.5]
    for copied in (again, copy.deepcopy(band()), copy.copy(band())):
        with pytest.raises(ValueError, match="read-only"):
            copied.heights[0] = 2.0
        with pytest.raises(ValueError, match="read-only"):
            copied.by_model["forest"][0] = 2.0
