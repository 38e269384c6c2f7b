from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.calibration.curve import (
    CurveSmoother,
    calibration_errors,
    loess_curve,
    spline_curve,
)
from oncotrail.statistics.calibration.loess import (
    Loess,
    loess,
    loess_operator,
)
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.uncertainty.endpoints import percentile_ends
from oncotrail.statistics.uncertainty.resampling import drawn_rows, resample
from tests.statistics.oracles import agree, r, reference

TABLES = ("ordinary", "overfitted", "ties", "rare", "common", "small")
each_table = pytest.mark.parametrize("table", TABLES)
each_smoother = pytest.mark.parametrize("smoother", ["loess", "lowess", "spline"])
LOESS, LOWESS = r("calibration", "loess"), r("calibration", "lowess")


def answer(table: str) -> tuple[Any, Any, dict[str, Any]]:
    found = reference("calibration")["tables"][table]
    return np.array(found["table"]["y"]), np.array(found["table"]["p"]), found["curves"]


def values(labels: Any, risks: Any, smoother: CurveSmoother = "loess") -> list[float]:
    found = calibration_errors(labels, risks, smoother=smoother, resamples=None)
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
    agree(loess_operator, LOESS, loess_operator(p).curve(y, at), found["fit"])
    ours = [degrees.trace, degrees.first, degrees.second, degrees.residual]
    agree(Loess.degrees, LOESS, ours, found["degrees"])
    agree(loess, LOESS, loess(p, y, at, span=0.6, degree=1), found["line"])


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
    ours_and_band = [ours.observed, ours.low, ours.high]
    agree(spline_curve, r("calibration", "glm"), ours_and_band, theirs, absolute=1e-10)


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
    drawn = resample(np.arange(40) // 2, generator=np.random.default_rng(2), number=40)
    ours = calibration_errors(y, p, smoother=smoother, resamples=drawn, confidence=0.8)
    again = [curve_or_none(y[rows], p[rows], smoother) for rows in drawn_rows(drawn)]
    defined = np.array([one for one in again if one is not None])
    for place, name in enumerate(("ici", "e50", "e90", "emax")):
        one, ends = getattr(ours, name), percentile_ends(defined[:, place], 0.8)
        method = "definition: percentiles of the same draws"
        agree(calibration_errors, method, [one.low, one.high], [ends.low, ends.high])
        assert (one.n, one.undefined) == (20, 40 - len(defined))


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
    drawn = resample(range(8), generator=np.random.default_rng(1), number=60)
    found = calibration_errors(y, p, resamples=drawn)
    assert 0 < found.ici.undefined < 60
    assert (found.ici.low, found.ici.value) == (None, values(y, p)[0])


def test_weights_of_a_curve() -> None:
    found = reference("calibration")["weighted"]
    y, p, w = (np.array(found["table"][name]) for name in ("y", "p", "w"))
    at = inside(found["at"], p)
    ours = loess_curve(y, p, at, variance="gaussian", weights=w)
    fit, low, high = np.transpose(found["loess"])
    agree(loess_curve, LOESS, ours.observed, fit)
    agree(loess_curve, LOESS, [ours.low, ours.high], np.clip([low, high], 0, 1))
    agree(loess_operator, LOESS, loess_operator(p, weights=w).curve(y, at), fit)
    line = spline_curve(y, p, at, weights=w)
    theirs = np.transpose(found["spline"])
    oracle = r("calibration", "sandwich::sandwich")
    agree(spline_curve, oracle, [line.observed, line.low, line.high], theirs)


@pytest.mark.parametrize("table", ["ordinary", "small"])
def test_clusters_of_a_spline_curve(table: str) -> None:
    y, p, _ = answer(table)
    found = reference("calibration")["clustered"][table]
    rows = np.array(found["clusters"])
    line = spline_curve(y, p, inside(found["at"], p), clusters=rows)
    theirs, oracle = np.transpose(found["spline"]), r("calibration", "sandwich::vcovCL")
    agree(spline_curve, oracle, [line.observed, line.low, line.high], theirs)
    half = np.arange(y.size) % 4 < 2  # whole clusters
    zero = spline_curve(y, p, [0.3, 0.6], clusters=rows, weights=half.astype(int), count=3)
    without = spline_curve(y[half], p[half], [0.3, 0.6], clusters=rows[half], count=3)
    assert zero.low == pytest.approx(without.low)
    with pytest.raises(Undefined, match="clusters: found the same in every row"):
        spline_curve(y, p, clusters=[1] * y.size)


@pytest.mark.parametrize("curve", [loess_curve, spline_curve])
def test_fractions_have_no_scale(curve: Any) -> None:
    y, p, _ = answer("ordinary")
    w = 0.5 + np.arange(y.size) % 3
    one, other = (curve(y, p, weights=scale * w) for scale in (1, 0.7))
    for side in ("observed", "low", "high"):
        assert getattr(other, side) == pytest.approx(getattr(one, side))


@pytest.mark.parametrize("curve", [loess_curve, spline_curve])
def test_a_weight_of_nothing_leaves_the_row_out(curve: Any) -> None:
    y, p, _ = answer("small")
    weights = np.append(np.ones(35), np.zeros(5))
    ours, theirs = curve(y, p, weights=weights), curve(y[:35], p[:35])
    assert ours.observed == pytest.approx(theirs.observed)
    assert ours.low == pytest.approx(theirs.low)
    assert (ours.n, ours.events) == (35, y[:35].sum())


@pytest.mark.parametrize("weight", [2, 0.5])
def test_what_equal_weights_say(weight: float) -> None:
    """Whole ones count patients, so the band is narrower; others only weigh, and change nothing."""
    y, p, _ = answer("ordinary")
    one, other = loess_curve(y, p), loess_curve(y, p, weights=np.full(len(y), weight))
    assert other.observed == pytest.approx(one.observed)
    inner = (one.low > 0) & (one.high < 1) & (other.low > 0) & (other.high < 1)
    narrower = np.sqrt(2) if weight == 2 else 1
    assert (one.high - one.low)[inner] == pytest.approx((other.high - other.low)[inner] * narrower)


def test_exact_zeros_have_no_spline_but_a_loess_curve() -> None:
    y, p, _ = answer("ordinary")
    p = np.append(p[1:], 0)
    assert np.isfinite(values(y, p)).all()
    with pytest.raises(ValueError, match="log odds need probabilities strictly between"):
        spline_curve(y, p)
