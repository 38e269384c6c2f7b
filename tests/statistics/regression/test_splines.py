import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.regression.splines import knots, restricted_cubic, turning_points
from tests.reference.tables import gbsg2
from tests.statistics.oracles import agree, r, reference

TABLES = ("few", "hundred", "many", "zeros", "ceiling", "both", "zeros_few", "both_few")
ORACLE = r("logistic", "Hmisc::rcspline.eval")


def test_every_table_of_r_is_compared() -> None:
    assert set(reference("logistic")["splines"]) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("count", [3, 4, 5, 6, 7])
def test_knots(table: str, count: int) -> None:
    answer = reference("logistic")["splines"][table]
    agree(knots, ORACLE, knots(answer["x"], count), answer["knots"][count - 3])


def test_columns_of_a_real_table() -> None:
    answer, age = reference("logistic")["spline"], gbsg2()["age"].to_numpy()
    at = knots(age, 5)
    agree(knots, ORACLE, at, answer["gbsg2_knots"])
    agree(restricted_cubic, ORACLE, restricted_cubic(age, at)[:20], answer["gbsg2"])


def test_columns_at_given_knots_and_beyond_them() -> None:
    ours = restricted_cubic([-3, 0, 0.5, 1, 2.5, 4, 9], [0, 1, 3, 4])
    agree(restricted_cubic, ORACLE, ours, reference("logistic")["spline"]["given"])


@given(st.floats(-5, 5), st.floats(0.1, 3), st.integers(3, 7))
def test_the_curve_is_straight_beyond_the_outer_knots(start: float, gap: float, count: int) -> None:
    at = start + gap * np.arange(count)
    below = restricted_cubic(at[0] - np.array([3.0, 2.0, 1.0]), at)
    above = restricted_cubic(at[-1] + np.array([1.0, 2.0, 3.0]), at)
    assert (below[:, 1:] == 0).all()
    assert np.diff(above, 2, axis=0) == pytest.approx(0, abs=1e-8)


@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_knots_move_with_the_values(scale: float, shift: float) -> None:
    values = np.random.default_rng(3).normal(size=150)
    assert knots(shift + scale * values, 5) == pytest.approx(shift + scale * knots(values, 5))


def test_the_order_of_patients_does_not_matter() -> None:
    values = np.random.default_rng(4).gamma(2, size=80)
    assert (knots(values[::-1], 4) == knots(values, 4)).all()


@pytest.mark.parametrize("count", [2, 8])
def test_too_few_or_too_many_knots(count: int) -> None:
    with pytest.raises(ValueError, match=f"found {count} knots; expected 3 to 7"):
        knots(range(200), count)


def test_too_few_distinct_values() -> None:
    with pytest.raises(ValueError, match="found 4 distinct values; 3 knots need at least 6"):
        knots([1, 2, 3, 4] * 30, 3)


def test_ties_that_collapse_knots() -> None:
    values = np.concatenate([np.zeros(20), np.full(150, 5.0), np.arange(6, 30)])
    with pytest.raises(ValueError, match=r"found only \d distinct knots of the 4 asked, at .*5"):
        knots(values, 4)


def test_so_many_ties_at_one_end_that_no_fifth_value_is_left() -> None:
    values = np.concatenate([np.zeros(25), [1, 2, 3, 4, 5.0]])
    with pytest.raises(ValueError, match="found 4 values beyond the ties at the ends"):
        knots(values, 3)


@pytest.mark.parametrize("at", [[1, 2], [1, 3, 2], [1, 2, 2]])
def test_knots_that_do_not_ascend(at: list[float]) -> None:
    with pytest.raises(ValueError, match="expected at least 3, ascending, each once"):
        restricted_cubic([1.0, 2.0], at)


def test_a_blank_is_refused() -> None:
    with pytest.raises(ValueError, match="found nan in row 1"):
        knots([1.0, np.nan], 3)


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_a_curve_is_steepest_up_and_down_between_its_turning_points(
    coefficients: list[float],
) -> None:
    """Its extremes on a fine grid are never beyond those at the ends and where it turns."""
    at, beta = np.array([0.0, 0.7, 1.5, 4.0, 6.0]), np.array(coefficients)
    curve = restricted_cubic(np.linspace(0, 6, 5001), at) @ beta
    turns = turning_points(beta, at)
    exact = restricted_cubic(np.concatenate([[0, 6], turns]), at) @ beta
    assert exact.min() <= curve.min() + 1e-9
    assert exact.max() >= curve.max() - 1e-9
    assert np.abs(exact.min() - curve.min()) < 1e-4
    assert (np.diff(turns) >= 0).all()


def test_where_a_cubic_turns() -> None:
    """x^3 / 4 - x until the first inner knot, from which 2 (x - 1)^3 / 4 are taken off."""
    at = [0.0, 1.0, 2.0]
    root = 2 - np.sqrt(2 / 3)  # of (3 x^2 - 6 (x - 1)^2) / 4 = 1, between 1 and 2
    found = turning_points([-1.0, 1.0], at)
    agree(turning_points, "definition: slope of 0, by hand", found, [root])
    assert turning_points([1.0, 0.0], at).size == 0
