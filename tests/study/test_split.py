"""The split section: one test set, or everybody in turn."""

from typing import Any

import pytest

from oncotrail.errors import StudyFileError
from oncotrail.study.split import SplitPlan

PLAN = {"validation": 0.2, "stratify_by": "m", "folds": 5, "fusion_folds": 2}


@pytest.mark.parametrize("how", [{"test": 0.3}, {"cross_validation": 5}])
def test_either_a_test_set_or_cross_validation(how: dict[str, Any]) -> None:
    assert (
        SplitPlan.read({**PLAN, **how}, "split.s").model_dump(exclude_none=True).items()
        >= how.items()
    )


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({}, "split.s: found neither of test and cross_validation; write test: 0.3"),
        ({"test": 0.3, "cross_validation": 5}, "split.s: found both of test and cross_validation"),
        ({"cross_validation": 1}, "split.s: cross_validation: found 1"),
        ({"test": 0.9}, "leave nobody to train on"),
        ({"cross_validation": 5, "fusion_folds": 5}, "leave the networks nobody"),
    ],
)
def test_what_makes_no_split_is_refused(how: dict[str, Any], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        SplitPlan.read({**PLAN, **how}, "split.s")
