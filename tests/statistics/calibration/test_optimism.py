from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.calibration.corrected_curve import calibrate
from oncotrail.statistics.calibration.loess import loess
from oncotrail.statistics.calibration.lowess import lowess
from oncotrail.statistics.calibration.optimism import correct_optimism
from oncotrail.statistics.calibration.validation import (
    FIGURES,
    Predictor,
    gini_mean_difference,
    validate,
)
from oncotrail.statistics.regression.logistic import fit_logistic
from oncotrail.statistics.uncertainty.resampling import (
    Resamples,
    drawn_rows,
    given_resamples,
    resample,
)
from tests.reference.tables import lung
from tests.statistics.oracles import agree, r, reference

VALIDATE, CALIBRATE = r("calibration", "rms::validate"), r("calibration", "rms::calibrate")
SHIFTED = r("calibration", "boot::boot.ci") + " of rms::validate's training figures"
NAMES = {"Intercept": "intercept", "Slope": "slope"}
each_table = pytest.mark.parametrize("table", ["lung", "noise", "images"])
rows_alone = pytest.mark.parametrize("table", ["lung", "noise"])


def logistic(y: Any, x: Any) -> Callable[[Any], Predictor]:
    def fit(rows: Any) -> Predictor:
        model = fit_logistic(y[rows], x[rows])
        return lambda judged_rows: model.predict(x[judged_rows])

    return fit


def always(risk: Any) -> Callable[[Any], Predictor]:
    """A model that learns nothing."""
    return lambda _: lambda rows: np.asarray(risk)[rows]


def on(patients: Any, drawn: Any) -> Resamples:
    """Resamples by the patients that each draws, from 0."""
    number = len(np.unique(patients))
    return given_resamples(patients, [np.bincount(rows, minlength=number) for rows in drawn])


def patients(table: str) -> tuple[Any, Any, dict[str, Any], Resamples]:
    said = reference("calibration")
    found = said[table]
    if table == "lung":
        frame = lung().dropna()
        y = (frame["status"] == frame["status"].max()).to_numpy()
        x = frame[["age", "sex", "ecog", "loss"]].to_numpy(dtype=float)
    else:
        y, x = (np.array(said["noise"]["table"][name]) for name in ("y", "x"))
    ids = found.get("patients", range(len(y)))
    return y, x, found, on(ids, [np.array(rows) - 1 for rows in found["drawn"]])


@each_table
def test_validation_on_what_rms_drew(table: str) -> None:
    y, x, found, drawn = patients(table)
    ours = validate(y, logistic(y, x), drawn, confidence=0.9)
    for name, theirs in zip(found["names"], found["validate"], strict=True):
        if name == "Emax":
            agree(validate, VALIDATE, ours.emax, theirs[4])
            continue
        one = ours[NAMES.get(name, name)]
        row = [one.original, one.training, one.test, one.optimism, one.corrected, one.resamples]
        agree(validate, VALIDATE, row, theirs)
        agree(correct_optimism, VALIDATE, row, theirs)
    ends = [[ours[name].low, ours[name].high] for name in ("B", "Dxy")]
    agree(validate, SHIFTED, ends, found["ends"])
    agree(correct_optimism, SHIFTED, ends, found["ends"])
    assert ours["C"].corrected == pytest.approx(0.5 + ours["Dxy"].corrected / 2)
    assert (ours["slope"].low, ours["intercept"].high) == (None, None)  # 1 and 0 in training
    assert (ours.failed, ours.n, ours.confidence) == (0, drawn.clusters.n, 0.9)


@rows_alone
def test_the_632_method(table: str) -> None:
    y, x, found, drawn = patients(table)
    ours = validate(y, logistic(y, x), drawn, method=".632")
    for name, theirs in zip(found["names"], found["efron"], strict=True):
        if name != "Emax":
            one = ours[NAMES.get(name, name)]
            row = [one.original, one.training, one.test, one.optimism, one.corrected]
            agree(validate, VALIDATE, row, theirs[:5])


@each_table
def test_calibration_curve_on_what_rms_drew(table: str) -> None:
    y, x, found, drawn = patients(table)
    ours = calibrate(y, logistic(y, x), drawn)
    columns = np.transpose([ours.at, ours.apparent, ours.corrected])
    agree(calibrate, CALIBRATE, columns, found["calibrate"])
    agree(calibrate, CALIBRATE, ours.resamples, found["counted"])
    errors = (ours.mean_absolute_error, ours.mean_squared_error, ours.e90)
    agree(
        calibrate,
        r("calibration", "rms::plot.calibrate"),
        [e.value for e in errors],
        found["errors"],
    )


def test_the_band_of_the_curve_is_that_of_the_uncorrected_one_moved() -> None:
    y, x, _, drawn = patients("noise")
    found = calibrate(y, logistic(y, x), drawn, at=[0.4, 0.5], confidence=0.8)
    heights = []
    for rows in drawn_rows(drawn):
        risk = fit_logistic(y[rows], x[rows]).predict(x[rows])
        heights.append(loess_like(risk, y[rows]))
    spread = np.quantile(np.array(heights)[:, 0], 0.9) - np.quantile(np.array(heights)[:, 0], 0.1)
    assert found.high[0] - found.low[0] == pytest.approx(spread, rel=0.1)
    assert (found.low < found.corrected).all()
    absolute = found.mean_absolute_error
    assert 0 <= absolute.low < absolute.value < absolute.high


def loess_like(risk: Any, y: Any) -> Any:
    order = np.argsort(risk, kind="stable")
    return np.interp([0.4, 0.5], risk[order], lowess(risk, y)[order])


def test_several_rows_of_a_patient_are_in_or_out_of_the_bag_together() -> None:
    y, x, _, drawn = patients("images")
    whose = drawn.clusters.patient
    seen = []

    def fit(rows: Any) -> Predictor:
        seen.append(np.bincount(rows, minlength=y.size))
        return logistic(y, x)(rows)

    validate(y, fit, drawn, method=".632")
    for counts in seen[1:]:
        assert all(np.ptp(counts[whose == one]) == 0 for one in range(25))


def apparent(y: Any, p: Any) -> dict[str, Any]:
    """The figures of given probabilities, in the patients themselves."""
    drawn = resample(range(len(y)), generator=np.random.default_rng(0), number=1)
    return {f.name: f.original for f in validate(y, always(p), drawn).figures}


def test_figures_that_need_no_line_agree_with_scikit_learn() -> None:
    y, p = [0, 0, 1, 1, 0], [0.1, 0.4, 0.4, 0.8, 0.3]
    found = apparent(y, p)
    agree(validate, "scikit-learn roc_auc_score", found["C"], roc_auc_score(y, p))
    assert found["slope"] is None  # separated but for a tie
    assert found["B"] == pytest.approx(np.mean((np.array(y) - p) ** 2))


def test_figures_by_their_definitions() -> None:
    y, p = np.array([0, 0, 1, 0, 1, 1]), np.array([0.2, 0.3, 0.4, 0.6, 0.5, 0.9])
    found = apparent(y, p)
    updated = found["intercept"] + found["slope"] * np.log(p / (1 - p))
    risk = 1 / (1 + np.exp(-updated))

    def log_likelihood(q: Any) -> float:
        return float(np.sum(y * np.log(q) + (1 - y) * np.log(1 - q)))

    null, own, best = log_likelihood(np.full(6, 0.5)), log_likelihood(p), log_likelihood(risk)
    pairs = ~np.eye(6, dtype=bool)
    theirs = {
        "R2": (1 - np.exp(2 * (null - best) / 6)) / (1 - np.exp(2 * null / 6)),
        "D": (2 * (best - null) - 1) / 6,
        "U": (2 * (best - own) - 2) / 6,
        "Q": (2 * (own - null) + 1) / 6,
        "g": np.abs(updated[:, None] - updated)[pairs].mean(),
        "gp": np.abs(risk[:, None] - risk)[pairs].mean(),
    }
    ours = [found[name] for name in theirs]
    agree(validate, "definition: Harrell 2015, 10.8", ours, list(theirs.values()))
    agree(gini_mean_difference, "definition: all pairs", gini_mean_difference(risk), theirs["gp"])
    for alone in ([], [0.5]):
        with pytest.raises(Undefined, match=f"found {len(alone)} patients; .* at least 2"):
            gini_mean_difference(np.array(alone))


def test_one_outcome_has_a_brier_score_only() -> None:
    found = apparent([0, 0], [0.1, 0.2])
    assert found.pop("B") == pytest.approx(0.025)
    assert tuple(found) == tuple(name for name in FIGURES if name != "B")
    assert set(found.values()) == {None}


def test_a_model_that_learns_nothing_has_no_optimism() -> None:
    y, x, _, _ = patients("noise")
    risk = 1 / (1 + np.exp(-x[:, 0]))
    drawn = resample(range(y.size), generator=np.random.default_rng(2), number=100)
    found = validate(y, always(risk), drawn)
    assert found["Dxy"].optimism == pytest.approx(0, abs=0.04)
    assert found["Dxy"].original == pytest.approx(found["Dxy"].test)
    assert found["slope"].low < 1 < found["slope"].high  # not made by maximum likelihood here
    curve = calibrate(y, always(risk), drawn)
    assert curve.corrected == pytest.approx(curve.apparent, abs=0.05)


def test_correction_shrinks_a_model_of_noise_towards_chance() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(size=(80, 6)), random.integers(2, size=80)
    found = validate(y, logistic(y, x), resample(range(80), generator=random, number=60))
    assert found["C"].original > 0.6
    assert found["C"].corrected < found["C"].original - 0.05
    assert found["C"].low < found["C"].corrected < found["C"].high
    assert found["slope"].corrected < 0.8
    assert found.emax > 0.05


def test_failed_and_undefined_resamples_are_counted() -> None:
    y = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    x = np.array([1, 5, 3, 7, 2, 9, 6, 4, 6, 2.0])[:, None]
    drawn = resample(range(10), generator=np.random.default_rng(4), number=100)
    none = sum(y[rows].sum() == 0 for rows in drawn_rows(drawn))
    found = validate(y, logistic(y, x), drawn)
    assert none <= found.failed < 100
    assert found["slope"].resamples <= found["B"].resamples == 100 - found.failed
    assert found["B"].corrected is not None
    assert found["B"].low is None  # more than a twentieth failed


def picky(error: type[ValueError]) -> Callable[[Any], Predictor]:
    """A model that wants four different patients, and says so by this error."""
    risk = np.array([0.2, 0.4, 0.6, 0.8])

    def fit(rows: Any) -> Predictor:
        if len(np.unique(rows)) < 4:
            raise error(f"found {len(np.unique(rows))} patients")
        return lambda judged_rows: risk[judged_rows]

    return fit


def test_where_every_resample_failed_the_first_failure_is_quoted() -> None:
    drawn = [[0, 0, 1, 1], [0, 1, 2, 2]]
    message = "found no model in any of 2 resamples; the first: found 2 patients"
    with pytest.raises(Undefined, match=message):
        validate([0, 1, 0, 1], picky(Undefined), on(range(4), drawn))
    one = validate([0, 1, 0, 1], picky(Undefined), on(range(4), [*drawn, range(4)]))
    assert (one.failed, one["C"].resamples) == (2, 1)


def test_wrong_input_in_a_resample_is_raised() -> None:
    with pytest.raises(ValueError, match="found 2 patients") as raised:
        validate([0, 1, 0, 1], picky(ValueError), on(range(4), [[0, 0, 1, 1]]))
    assert raised.type is ValueError


def test_figures_that_no_resample_defines_are_none() -> None:
    def judge(_: Any, rows: Any) -> Any:
        return np.array([4.0 if rows[0] == rows[1] else np.nan])

    found = correct_optimism(len, judge, ["n"], on(range(2), [[0, 1]]))
    assert (found["n"].original, found["n"].corrected, found["n"].resamples) == (None, None, 0)


def test_a_figure_that_the_original_patients_lack_is_not_corrected() -> None:
    def judge(_: Any, rows: Any) -> Any:
        return np.array([np.nan if len(np.unique(rows)) == 3 else rows[0]])

    drawn = on(range(3), [[0, 0, 1], [1, 1, 2], [2, 2, 0]] * 30)
    for method in ("bootstrap", ".632"):
        one = correct_optimism(len, judge, ["first"], drawn, method=method)["first"]
        assert (one.original, one.corrected, one.low) == (None, None, None)


def test_certain_probabilities_leave_the_line_undefined() -> None:
    y, risk = np.array([0, 1, 0, 1]), np.array([0, 0.4, 0.6, 1])
    found = validate(y, always(risk), on(range(4), [range(4)]))
    assert (found["slope"].original, found["slope"].corrected) == (None, None)
    assert (found["C"].corrected, found.emax) == (0.75, None)


def test_a_failure_on_the_original_patients_is_raised() -> None:
    with pytest.raises(ValueError, match="needs patients of both outcomes"):
        validate([0, 0], logistic(np.zeros(2), np.ones((2, 1))), on(range(2), [range(2)]))


def test_resamples_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found labels of shape \(3,\); expected .* of 2 rows"):
        validate([0, 1, 1], always([0.1, 0.2, 0.3]), on(range(2), [range(2)]))


def test_another_smoother_and_places() -> None:
    y, x, _, drawn = patients("noise")
    found = calibrate(y, logistic(y, x), drawn, at=[0.5, 0.4], smoother=lambda p, o: loess(p, o, p))
    model = fit_logistic(y, x).predict(x)
    order = np.argsort(model)
    theirs = np.interp([0.4, 0.5], model[order], loess(model, y, model)[order])
    agree(calibrate, "definition: the smoother itself", found.apparent, theirs)


def test_places_that_no_prediction_reaches_are_blank() -> None:
    y, x, _, drawn = patients("noise")
    found = calibrate(y, logistic(y, x), drawn, at=[1e-9, 0.5])
    assert np.isnan([found.apparent[0], found.low[0], found.high[0]]).all()
    assert (found.resamples[0], found.resamples[1]) == (0, 60)
    beyond = calibrate(y, logistic(y, x), drawn, at=[1e-9])
    assert (beyond.mean_absolute_error.value, beyond.e90.low) == (None, None)


def test_too_few_patients_for_places() -> None:
    with pytest.raises(ValueError, match="found 10 rows; expected more than 10, or `at`"):
        calibrate([0, 1] * 5, always([0.5] * 10), on(range(10), [range(10)]))


def test_patients_that_every_resample_drew() -> None:
    with pytest.raises(ValueError, match="found 4 patients that every resample drew"):
        validate(
            [0, 1, 0, 1], always([0.1, 0.3, 0.5, 0.7]), on(range(4), [range(4)]), method=".632"
        )


def test_an_unknown_figure() -> None:
    with pytest.raises(KeyError, match="found no figure 'auc'; expected one of C, Dxy"):
        validate([0, 1], always([0.1, 0.3]), on(range(2), [range(2)]))["auc"]


def test_a_misspelt_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found '632', expected one of bootstrap, \.632"):
        correct_optimism(len, lambda *_: np.zeros(1), ["x"], on(range(2), [[0, 1]]), method="632")
