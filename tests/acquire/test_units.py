"""Two units in one column are seen, and columns of one unit, however skewed, are left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oncotrail.acquire.factors import OF_ANY_UNIT, QUANTITIES, SPELLINGS, factors_of
from oncotrail.acquire.units import MixedUnits, mixed_units

COHORTS = 50
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def sizes_in_cm(seed: int, patients: int = 400) -> NDArray[np.float64]:
    return np.round(np.random.default_rng(seed).lognormal(np.log(2.4), 0.45, patients), 1)


def partly(values: NDArray[np.float64], share: float, factor: float) -> NDArray[np.float64]:
    """The first rows in another unit; the order does not matter."""
    values = values.copy()
    values[: round(share * len(values))] *= factor
    return values


def found_in_sizes(share: float, factor: float) -> list[MixedUnits]:
    columns = [partly(sizes_in_cm(seed), share, factor) for seed in range(COHORTS)]
    found = [mixed_units(column.tolist(), "cm") for column in columns]
    return [mixed for mixed in found if mixed is not None]


@pytest.mark.parametrize(("share", "least"), [(0.05, 30), (0.1, 45), (0.2, 49), (0.9, 45)])
def test_a_tenth_of_the_sizes_in_millimetres_is_found(share: float, least: int) -> None:
    """Of 50 cohorts of 400. The best cut alone finds 1, 22, 50 and 17, and calls some 12."""
    found = found_in_sizes(share, 10)
    assert len(found) >= least
    assert {mixed.factors[0].times for mixed in found} == {10.0}


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("factor", [10.0, 100.0, 2.54])
@pytest.mark.parametrize("unit", ["cm", "Zentimeter"])
def test_a_part_in_another_unit(share: float, factor: float, unit: str) -> None:
    heights = np.random.default_rng(5).normal(162, 7, 400)
    values = partly(heights if factor < 10 else sizes_in_cm(5), share, factor)
    found = mixed_units(values.tolist(), unit)
    assert found is not None
    assert found.factors[0].times == factor
    assert found.smaller == pytest.approx(min(share, 1 - share) * 400, abs=8)


@pytest.mark.parametrize(
    ("unit", "factor", "draw"),
    [
        ("years", 12, lambda rng, n: np.round(rng.normal(58, 12, n).clip(18))),
        ("kg", 2.20462, lambda rng, n: rng.lognormal(np.log(72), 0.2, n)),
        ("kg", 10, lambda rng, n: np.round(rng.normal(72, 13, n).clip(35), 1)),
        ("months", 30.4375, lambda rng, n: 40 * rng.weibull(1.5, n)),
        ("years", 365.25, lambda rng, n: rng.exponential(4, n)),
        ("ng/ml", 1000, lambda rng, n: rng.lognormal(2, 1.1, n)),
    ],
)
def test_half_a_column_in_another_unit(unit: str, factor: float, draw: Draw) -> None:
    for seed in range(5):
        values = partly(draw(np.random.default_rng(seed), 400), 0.5, factor)
        found = mixed_units(values.tolist(), unit)
        assert found is not None
        assert found.factors[0].times == pytest.approx(factor, rel=1e-4)


def test_every_factor_that_fits_about_as_well_is_named() -> None:
    """Of eighty sizes, twenty-four of them 11 times too large: 10 or 12? The unit tells."""
    values = partly(sizes_in_cm(3, 80), 0.3, 11).tolist()
    of_any, of_cm = mixed_units(values), mixed_units(values, "cm")
    assert of_any is not None
    assert of_cm is not None
    assert {factor.times for factor in of_any.factors} == {10, 12}
    assert [factor.times for factor in of_cm.factors] == [10]


CLEAN: dict[str, Draw] = {
    "normal": lambda rng, n: np.round(rng.normal(60, 12, n)),
    "log-normal": lambda rng, n: np.round(rng.lognormal(1, 0.6, n), 1),
    "wide log-normal": lambda rng, n: rng.lognormal(1, 1.5, n),
    "heavy tails": lambda rng, n: np.exp(1 + 0.5 * rng.standard_t(3, n)),
    "uniform": lambda rng, n: rng.uniform(0, 100, n),
    "heaps at both ends": lambda rng, n: 100 * rng.beta(0.5, 0.5, n),
    "few counts": lambda rng, n: rng.poisson(4, n).astype(float),
    "many counts": lambda rng, n: rng.negative_binomial(0.7, 0.12, n).astype(float),
    "exponential": lambda rng, n: np.round(rng.exponential(3, n), 1),
    "cut follow-up": lambda rng, n: np.minimum(rng.exponential(60, n), rng.uniform(12, 120, n)),
    "below the limit": lambda rng, n: np.maximum(np.round(rng.lognormal(1.5, 1.4, n), 1), 0.5),
    "two sexes": lambda rng, n: rng.normal(np.where(rng.random(n) < 0.5, 163, 177), 7),
}


def test_one_heap_however_skewed_is_hardly_ever_suspected() -> None:
    """At most one column in a hundred: 12 kinds, 4 sizes, 5 seeds."""
    suspected = [
        (name, patients, seed)
        for name, draw in CLEAN.items()
        for patients in (30, 100, 400, 1000)
        for seed in range(5)
        if mixed_units(draw(np.random.default_rng(seed), patients).tolist()) is not None
    ]
    assert len(suspected) <= 2, suspected


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.lognormal(1, 0.5, n),
        lambda rng, n: rng.exponential(20, n),
        lambda rng, n: rng.uniform(0, 100, n),
        lambda rng, n: 100 * rng.beta(0.5, 0.5, n),
    ],
)
@pytest.mark.parametrize("unit", ["cm", "kg", "months"])
def test_a_column_of_one_unit_is_no_suspicion(draw: Callable[..., Any], unit: str) -> None:
    for seed in range(5):
        values = draw(np.random.default_rng(seed), 420)
        assert mixed_units(values.tolist(), unit) is None


def test_two_groups_that_no_unit_explains_are_no_suspicion() -> None:
    """Ages at osteosarcoma have two heaps, 4 times apart: no factor of years."""
    rng = np.random.default_rng(1)
    ages = np.concatenate([rng.normal(16, 2.5, 250), rng.normal(66, 7, 150)])
    assert mixed_units(ages.tolist(), "years") is None


def test_few_values_are_no_suspicion() -> None:
    assert mixed_units([1.0] * 10 + [10.0] * 10) is None


def test_a_column_of_a_few_doses_is_no_suspicion() -> None:
    assert mixed_units([2.0, 5.0, 20.0, 50.0] * 20) is None


def test_the_order_of_the_rows_does_not_matter() -> None:
    values = partly(sizes_in_cm(1), 0.4, 10)
    shuffled = np.random.default_rng(2).permutation(values)
    assert mixed_units(values.tolist()) == mixed_units(shuffled.tolist())


def test_more_values_than_are_looked_at_are_all_counted() -> None:
    found = mixed_units(partly(sizes_in_cm(1, 20_000), 0.3, 10).tolist(), "cm")
    assert found is not None
    assert found.smaller == pytest.approx(6000, rel=0.02)


@pytest.mark.parametrize(
    ("unit", "times"),
    [
        ("cm", {10, 100, 2.54}),
        ("mm", {10, 1000, 25.4}),
        ("Months", {4.348, 12, 30.44, 10}),
        ("yrs.", {12, 52.18, 365.2, 10}),
        ("kg", {1e6, 1000, 2.205, 10}),
        ("%", {100, 10}),
    ],
)
def test_the_declared_unit_says_which_factors_make_sense(unit: str, times: set[float]) -> None:
    assert {float(f"{factor.times:.4g}") for factor in factors_of(unit)} == times


def test_of_a_unit_that_is_not_known_everything_may_be() -> None:
    assert factors_of("ng/ml") == OF_ANY_UNIT


def test_every_unit_can_be_written() -> None:
    assert {name for sizes in QUANTITIES for name in sizes} == set(SPELLINGS)
    for name, spelt in SPELLINGS.items():
        assert all(name in "".join(f.meaning for f in factors_of(text)) for text in spelt)
