"""Numbers that are none, and requests that cannot be met, are answered with a sentence."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from oncotrail.statistics import arrays
from oncotrail.statistics.calibration.bins import expected_calibration_error
from oncotrail.statistics.classification.rules import (
    threshold_at_sensitivity,
    threshold_at_specificity,
)
from oncotrail.statistics.intervals import newcombe
from oncotrail.statistics.uncertainty.resampling import resample

Y, P = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["0.1", "2"], "^x: found '0.1' in row 0; expected a finite number of at least 0"),
        ([0.1, "high"], "^x: found 'high' in row 1; expected a finite number"),
        ([0.1, None], "^x: found None in row 1; expected a finite number"),
        ([0.1, [2, 3]], r"^x: found \[2, 3\] in row 1; expected rows .* as long as row 0"),
        ([1j, 2], "^x: found 1j in row 0"),
    ],
)
def test_a_column_names_what_is_no_number(values: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        arrays.column(values, "x", low=0)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[1, 2], [3, "a"]], "^x: found 'a' in row 1, column 1; expected a finite number"),
        ([[1, 2], [3]], r"^x: found \[3\] in row 1; expected rows of numbers .* as row 0"),
        ([1, 2, "a"], "^x: found 'a' in row 2; expected a finite number"),
        ([[[1], 2], [[3, 4], 5]], r"^x: found \[\[1\], 2\] in row 0; expected rows of numbers"),
    ],
)
def test_a_matrix_names_what_is_no_number(values: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        arrays.matrix(values, "x")


def test_numbers_of_any_kind_pass() -> None:
    mixed: Any = [Decimal("0.5"), 1, np.float32(2)]
    assert arrays.column(mixed, "x").tolist() == [0.5, 1, 2]
    assert arrays.matrix(np.array([[1, 2.5]], dtype=object), "x").tolist() == [[1, 2.5]]


def test_text_is_shown_as_text() -> None:
    ragged: Any = [0, [1]]
    with pytest.raises(ValueError, match=r"^y: found '0' in row 0 .* more\); expected 0 .* or 1"):
        arrays.binary(["0", "1"], "y")
    with pytest.raises(ValueError, match=r"^y: found \[1\] in row 1; expected rows"):
        arrays.binary(ragged, "y")


@pytest.mark.parametrize("share", [1.5, -0.1, np.nan])
def test_a_share_beyond_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=f"found sensitivity {share}; expected .* 0 to 1"):
        threshold_at_sensitivity(Y, P, share)
    with pytest.raises(ValueError, match=f"found specificity {share}; expected .* 0 to 1"):
        threshold_at_specificity(Y, P, share)


def test_an_area_beyond_1_has_no_interval() -> None:
    with pytest.raises(ValueError, match="found auc 2; expected an area of at least 0"):
        newcombe(2, 10, 10)
    with pytest.raises(ValueError, match="found groups of 0 and 10; expected finite sizes"):
        newcombe(0.5, 0, 10)


def test_no_resamples_have_no_interval() -> None:
    drawn = resample(range(4), generator=np.random.default_rng(1), number=9)
    with pytest.raises(ValueError, match=r"found 9 resamples; an interval .* needs at least 39"):
        expected_calibration_error(Y, P, resamples=drawn)
