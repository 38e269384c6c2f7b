"""Two units in one column are seen, and skewed columns are left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oncotrail.acquire.units import mixed_units


def sizes_in_cm(seed: int, patients: int = 400) -> NDArray[np.float64]:
    return np.round(np.random.default_rng(seed).lognormal(np.log(2.4), 0.45, patients), 1)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("factor", [10.0, 100.0, 2.54])
def test_a_part_in_another_unit(share: float, factor: float) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(162, 7, 400) if factor < 10 else sizes_in_cm(5)
    values[: int(share * 400)] *= factor
    found = mixed_units(values.tolist())
    assert found is not None
    assert found.factor == factor
    assert found.smaller == pytest.approx(min(share, 1 - share) * 400, abs=8)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.lognormal(1, 0.5, n),
        lambda rng, n: rng.lognormal(1, 1.5, n),
        lambda rng, n: rng.exponential(20, n),
        lambda rng, n: rng.normal(60, 12, n),
        lambda rng, n: rng.uniform(0, 100, n),
        lambda rng, n: 100 * rng.beta(0.5, 0.5, n),
        lambda rng, n: np.round(rng.exponential(3, n), 1),
    ],
)
def test_one_heap_however_skewed_is_no_suspicion(draw: Callable[..., Any]) -> None:
    for seed in range(30):
        values = draw(np.random.default_rng(seed), 420)
        assert mixed_units(values.tolist()) is None


def test_few_values_are_no_suspicion() -> None:
    assert mixed_units([1.0] * 10 + [10.0] * 10) is None


def test_a_column_of_a_few_doses_is_no_suspicion() -> None:
    assert mixed_units([2.0, 5.0, 20.0, 50.0] * 20) is None


def test_the_order_of_the_rows_does_not_matter() -> None:
    values = sizes_in_cm(1)
    values[:150] *= 10
    shuffled = np.random.default_rng(2).permutation(values)
    assert mixed_units(values.tolist()) == mixed_units(shuffled.tolist())
