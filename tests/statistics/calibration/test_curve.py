from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.calibration.curve import (
    CurveSmoother,
    calibration_errors,
    loess_curve,
    spline_curve,
)
from oncotrail.statistics.calibration.loess import (
    Loess,
    direct_operator,
    loess,
    loess_operator,
)
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.intervals import normal_quantile
from tests.statistics.oracles import agree, r, reference

TABLES = ("ordinary", "overfitted", "ties", "rare", "common", "small")
each_table = pytest.mark.parametrize("table", TABLES)
each_smoother = pytest.mark.parametrize("smoother", ["loess", "lowess", "spline"])
LOESS, LOWESS = r("calibration", "loess"), r("calibration", "lowess")


def answer(table: str) -> tuple[Any, Any, dict[str, Any]]:
    found = reference("calibration")["tables"][table]
    return np.array(found["table"]["y"]), np.array(found["table"]["p"]), found["curves"]


def values(labels: Any, risks: Any, smoother: CurveSmoother = "loess") -> list[float]:
    found = calibration_errors(
        labels, risks, np.random.default_rng(0), smoother=smoother, resamples=3
    )
    return [one.value for one in (found.ici, found.e50, found.e90, found.emax)]


def curve_or_none(labels: Any, risks: Any, smoother: CurveSmoother) -> Any:
    """ICI, E50, E90 and Emax again, from the curve at each patient."""
    try:
        curve = {
            "loess": lambda: loess(risks, labels, risks),
            "lowess": lambda: lowess(risks, labels),
            "spline": lambda: spline_curve(labels, risks, risks).observed,
        }[smoother]()
    except ValueError:
        return None
    off = abs(curve - risks)
    return [off.mean(), *np.percentile(off, [50, 90]), off.max()]


def inside(at: Any, p: Any) -> Any:
    return np.clip(at, p.min(), p.max())  # R's sequence may pass the range by a rounding


@each_table
def test_loess_and_its_degrees_of_freedom(table: str) -> None:
    y, p, found = answer(table)
    at, degrees = inside(found["at"], p), loess_operator(p).degrees()
    agree(loess, LOESS, loess(p, y, at), found["fit"])
    agree(loess_operator, LOESS, loess_operator(p).operator(at) @ y, found["fit"])
    ours = [degrees.trace, degrees.first, degrees.second, degrees.residual]
    agree(Loess.degrees, LOESS, ours, found["degrees"])
    agree(loess, LOESS, loess(p, y, at, span=0.6, degree=1), found["line"])
    direct = direct_operator(p, at, span=0.6, degree=1) @ y
    agree(direct_operator, LOESS, direct, found["direct"])


@each_table
def test_lowess(table: str) -> None:
    y, p, found = answer(table)
    order = np.argsort(p)[np.round(np.linspace(1, len(y), 15)).astype(int) - 1]
    agree(lowess, LOWESS, lowess(p, y)[order], found["lowess"])
    agree(lowess, LOWESS, lowess(p, y, span=0.4, gap=0)[order], found["lowess_all"])


@each_table
def test_gaussian_band(table: str) -> None:
    y, p, found = answer(table)
    ours = loess_curve(y, p, inside(found["at"], p), variance="gaussian")
    agree(loess_curve, LOESS, ours.observed, found["fit"])
    theirs = np.clip(found["gaussian"], 0, 1)  # R's band leaves 0 to 1
    agree(loess_curve, LOESS, np.transpose([ours.low, ours.high]), theirs)


@pytest.mark.parametrize("table", ["ordinary", "overfitted", "small"])
def test_binomial_band(table: str) -> None:
    y, p, found = answer(table)
    ours = loess_curve(y, p, inside(found["at"], p), confidence=0.9)
    half = normal_quantile(0.9) * np.array(found["binomial_error"])
    theirs = np.clip([ours.observed - half, ours.observed + half], 0, 1)
    agree(loess_curve, LOESS, [ours.low, ours.high], theirs)


@each_table
def test_spline_curve(table: str) -> None:
    y, p, found = answer(table)
    ours = spline_curve(y, p, inside(found["at"], p))
    theirs = np.transpose(found["spline"])
    agree(spline_curve, r("calibration", "glm"), [ours.observed, ours.low, ours.high], theirs)


@each_table
@each_smoother
def test_errors(table: str, smoother: CurveSmoother) -> None:
    y, p, found = answer(table)
    oracle = {"loess": LOESS, "lowess": LOWESS, "spline": r("calibration", "glm")}[smoother]
    agree(calibration_errors, oracle, values(y, p, smoother), found[f"errors_{smoother}"])


@pytest.mark.parametrize("table", [*TABLES, "tiny"])
def test_errors_of_val_prob(table: str) -> None:
    found = reference("calibration")["tables"][table]
    ours = values(found["table"]["y"], found["table"]["p"], "lowess")
    told = found["val_prob"]
    theirs = [told["Eavg"], told["E90"], told["Emax"]]
    agree(calibration_errors, r("calibration", "rms::val.prob"), np.delete(ours, 1), theirs)


@each_smoother
def test_the_intervals_are_percentiles_of_the_same_draws(smoother: CurveSmoother) -> None:
    y, p, _ = answer("small")
    ours = calibration_errors(
        y, p, np.random.default_rng(2), smoother=smoother, resamples=40, confidence=0.8
    )
    generator = np.random.default_rng(2)
    drawn = [generator.integers(len(y), size=len(y)) for _ in range(40)]
    again = [curve_or_none(y[rows], p[rows], smoother) for rows in drawn]
    defined = [one for one in again if one is not None]
    theirs = np.quantile(defined, [0.1, 0.9], axis=0)
    for place, name in enumerate(("ici", "e50", "e90", "emax")):
        one = getattr(ours, name)
        method = "definition: percentiles of the same draws"
        agree(calibration_errors, method, [one.low, one.high], theirs[:, place])
    assert (ours.resamples, ours.undefined) == (40, 40 - len(defined))


@each_smoother
def test_complementing_labels_and_probabilities_mirrors(smoother: CurveSmoother) -> None:
    y, p, _ = answer("ordinary")
    # Loess' vertices are medians of halves, which are not the same from above: a little apart.
    within = {"loess": 5e-3, "lowess": 2e-3, "spline": 1e-7}[smoother]
    mirrored = values(1 - y, 1 - p, smoother)
    assert values(y, p, smoother) == pytest.approx(mirrored, abs=within)


@given(st.floats(-1, 1), st.floats(-2, 2), st.floats(-2, 2), st.integers(15, 60))
def test_loess_keeps_a_parabola(a: float, b: float, c: float, n: int) -> None:
    x = np.random.default_rng(n).uniform(size=n)
    parabola = a + b * x + c * x**2
    assert loess(x, parabola, x) == pytest.approx(parabola, abs=1e-8)
    assert lowess(x, a + b * x, gap=0) == pytest.approx(a + b * x, abs=1e-8)


def test_direct_and_interpolated_curves_are_near() -> None:
    y, p, _ = answer("rare")
    at = np.linspace(p.min(), p.max(), 11)
    assert direct_operator(p, at) @ y == pytest.approx(loess(p, y, at), abs=0.04)


def test_the_order_of_patients_does_not_matter() -> None:
    y, p, _ = answer("ties")
    order = np.random.default_rng(5).permutation(len(y))
    assert lowess(p[order], y[order]) == pytest.approx(lowess(p, y)[order])
    assert loess(p[order], y[order], [0.3, 0.5]) == pytest.approx(loess(p, y, [0.3, 0.5]))


def test_a_calibrated_model_lies_within_its_band_and_has_small_errors() -> None:
    random = np.random.default_rng(6)
    p = random.uniform(0.02, 0.98, size=4000)
    y = random.uniform(size=p.size) < p
    for curve in (loess_curve(y, p), spline_curve(y, p)):
        assert np.mean((curve.low <= curve.at) & (curve.at <= curve.high)) > 0.8
        assert (curve.low <= curve.high).all()
        assert (curve.n, curve.events) == (4000, y.sum())
        assert (curve.at[0], curve.at[-1]) == (p.min(), p.max())
    assert values(y, p)[0] < 0.02


def test_the_binomial_band_covers_as_often_as_it_says() -> None:
    random, held = np.random.default_rng(7), []
    for _ in range(300):
        p = random.uniform(0.05, 0.95, size=200)
        curve = loess_curve(random.uniform(size=200) < p, p, [0.2, 0.5, 0.8])
        held.append((curve.low <= curve.at) & (curve.at <= curve.high))
    assert 0.9 < np.mean(held) < 0.98


def test_places_beyond_the_predictions_are_refused() -> None:
    y, p, _ = answer("small")
    for curve in (loess_curve, spline_curve):
        with pytest.raises(ValueError, match=r"at: found 0.999 in row 1; expected"):
            curve(y, p, [0.5, 0.999])


def test_too_few_distinct_values_for_a_parabola() -> None:
    with pytest.raises(ValueError, match="found 1 distinct values in the neighbourhood of"):
        loess_curve([0, 1, 0, 1] * 5, [0.2, 0.6] * 10)
    with pytest.raises(ValueError, match="found 0 distinct values in the neighbourhood"):
        loess([0.3] * 5, [0, 1, 0, 1, 1], [0.3])
    with pytest.raises(ValueError, match="found 0 distinct values"):
        loess([0.3, 0.4], [0, 1], [0.3], span=0.1)


@pytest.mark.parametrize(("span", "degree"), [(0, 2), (1.1, 2), (0.5, 0), (0.5, 3)])
def test_spans_and_degrees_are_checked(span: float, degree: int) -> None:
    with pytest.raises(ValueError, match="expected a span above 0 to 1, degree 1 or 2"):
        loess_operator([1, 2, 3], span=span, degree=degree)


@pytest.mark.parametrize(("span", "gap"), [(0, 0), (1.5, None), (0.5, -1)])
def test_lowess_spans_and_gaps_are_checked(span: float, gap: float | None) -> None:
    with pytest.raises(ValueError, match="expected a span above 0 to 1, a gap of at least 0"):
        lowess([1, 2, 3], [0, 1, 0], span=span, gap=gap)


def test_lowess_of_equal_values_is_their_mean() -> None:
    assert lowess([0.3] * 4, [0, 1, 0, 0]).tolist() == [0.25] * 4
    assert lowess([0.3], [1]).tolist() == [1]


def test_resamples_without_a_curve_are_counted() -> None:
    """Eight patients carry a parabola, but a resample of them may have too few distinct values."""
    p = np.array([0.1, 0.2, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9])
    y = np.array([0, 1, 0, 0, 1, 0, 1, 0])
    found = calibration_errors(y, p, np.random.default_rng(1), resamples=60)
    assert 0 < found.undefined < 60
    with pytest.raises(ValueError, match=r"found [01] of 1 resamples with a loess curve"):
        calibration_errors(y, p, np.random.default_rng(1), resamples=1)


def test_exact_zeros_have_no_spline_but_a_loess_curve() -> None:
    y, p, _ = answer("ordinary")
    p = np.append(p[1:], 0)
    assert np.isfinite(values(y, p)).all()
    with pytest.raises(ValueError, match="log odds need probabilities strictly between"):
        spline_curve(y, p)
