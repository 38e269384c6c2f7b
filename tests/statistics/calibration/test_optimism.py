from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.calibration.loess import loess
from oncotrail.statistics.calibration.optimism import correct_optimism, draw_patients
from oncotrail.statistics.calibration.validation import (
    FIGURES,
    Predictor,
    calibrate,
    judged,
    validate,
)
from oncotrail.statistics.regression.logistic import fit_logistic
from tests.reference.tables import lung
from tests.statistics.oracles import agree, r, reference

VALIDATE, CALIBRATE = r("calibration", "rms::validate"), r("calibration", "rms::calibrate")
NAMES = {"Intercept": "intercept", "Slope": "slope"}
each_table = pytest.mark.parametrize("table", ["lung", "noise"])


def logistic(y: Any, x: Any) -> Callable[[Any], Predictor]:
    def fit(rows: Any) -> Predictor:
        model = fit_logistic(y[rows], x[rows])
        return lambda judged_rows: model.predict(x[judged_rows])

    return fit


def patients(table: str) -> tuple[Any, Any, dict[str, Any], list[Any]]:
    found = reference("calibration")[table]
    drawn = [np.array(rows) - 1 for rows in found["drawn"]]
    if table == "noise":
        return np.array(found["table"]["y"]), np.array(found["table"]["x"]), found, drawn
    frame = lung().dropna()
    y = (frame["status"] == frame["status"].max()).to_numpy()
    return y, frame[["age", "sex", "ecog", "loss"]].to_numpy(dtype=float), found, drawn


@each_table
def test_validation_on_the_rows_that_rms_drew(table: str) -> None:
    y, x, found, drawn = patients(table)
    ours = validate(y, logistic(y, x), drawn)
    for name, theirs in zip(found["names"], found["validate"], strict=True):
        if name == "Emax":
            agree(validate, VALIDATE, ours.emax, theirs[4])
            continue
        one = ours[NAMES.get(name, name)]
        row = [one.original, one.training, one.test, one.optimism, one.corrected, one.resamples]
        agree(validate, VALIDATE, row, theirs)
        agree(correct_optimism, VALIDATE, row, theirs)
    assert ours["C"].corrected == pytest.approx(0.5 + ours["Dxy"].corrected / 2)
    assert ours.failed == 0


@each_table
def test_the_632_method(table: str) -> None:
    y, x, found, drawn = patients(table)
    ours = validate(y, logistic(y, x), drawn, method=".632")
    for name, theirs in zip(found["names"], found["efron"], strict=True):
        if name != "Emax":
            one = ours[NAMES.get(name, name)]
            row = [one.original, one.training, one.test, one.optimism, one.corrected]
            agree(validate, VALIDATE, row, theirs[:5])


@each_table
def test_calibration_curve_on_the_rows_that_rms_drew(table: str) -> None:
    y, x, found, drawn = patients(table)
    ours = calibrate(y, logistic(y, x), drawn)
    columns = np.transpose([ours.at, ours.apparent, ours.corrected])
    agree(calibrate, CALIBRATE, columns, found["calibrate"])
    agree(calibrate, CALIBRATE, ours.resamples, found["counted"])


def test_figures_that_need_no_line_agree_with_scikit_learn() -> None:
    y, p = [0, 0, 1, 1, 0], [0.1, 0.4, 0.4, 0.8, 0.3]
    found = dict(zip(FIGURES, judged(y, p), strict=True))
    agree(judged, "scikit-learn roc_auc_score", found["C"], roc_auc_score(y, p))
    assert np.isnan(found["slope"])  # separated but for a tie
    assert found["B"] == pytest.approx(np.mean((np.array(y) - p) ** 2))


def test_figures_by_their_definitions() -> None:
    y, p = np.array([0, 0, 1, 0, 1, 1]), np.array([0.2, 0.3, 0.4, 0.6, 0.5, 0.9])
    found = dict(zip(FIGURES, judged(y, p), strict=True))
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
    agree(judged, "definition: Harrell 2015, 10.8", ours, list(theirs.values()))


def test_one_outcome_has_a_brier_score_only() -> None:
    found = dict(zip(FIGURES, judged([0, 0], [0.1, 0.2]), strict=True))
    assert found.pop("B") == pytest.approx(0.025)
    assert np.isnan(list(found.values())).all()


def test_a_model_that_learns_nothing_has_no_optimism() -> None:
    y, x, _, _ = patients("noise")
    risk = 1 / (1 + np.exp(-x[:, 0]))
    drawn = draw_patients(y.size, 100, np.random.default_rng(2))
    found = validate(y, lambda _: lambda rows: risk[rows], drawn)
    assert found["Dxy"].optimism == pytest.approx(0, abs=0.04)
    assert found["Dxy"].original == pytest.approx(found["Dxy"].test)
    curve = calibrate(y, lambda _: lambda rows: risk[rows], drawn)
    assert curve.corrected == pytest.approx(curve.apparent, abs=0.05)


def test_correction_shrinks_a_model_of_noise_towards_chance() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(size=(80, 6)), random.integers(2, size=80)
    found = validate(y, logistic(y, x), draw_patients(80, 60, random))
    assert found["C"].original > 0.6
    assert found["C"].corrected < found["C"].original - 0.05
    assert found["slope"].corrected < 0.8
    assert found.emax > 0.05


def test_failed_and_undefined_resamples_are_counted() -> None:
    y = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    x = np.array([1, 5, 3, 7, 2, 9, 6, 4, 6, 2.0])[:, None]
    drawn = draw_patients(10, 100, np.random.default_rng(4))
    none = sum(y[rows].sum() == 0 for rows in drawn)
    found = validate(y, logistic(y, x), drawn)
    assert none <= found.failed < 100
    assert found["slope"].resamples <= found["B"].resamples == 100 - found.failed


def picky(error: type[ValueError]) -> Callable[[Any], Predictor]:
    """A model that wants four different patients, and says so by this error."""
    risk = np.array([0.2, 0.4, 0.6, 0.8])

    def fit(rows: Any) -> Predictor:
        if len(np.unique(rows)) < 4:
            raise error(f"found {len(np.unique(rows))} patients")
        return lambda judged_rows: risk[judged_rows]

    return fit


def test_where_every_resample_failed_the_first_failure_is_quoted() -> None:
    drawn = [np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2])]
    message = "found no model in any of 2 resamples; the first: found 2 patients"
    with pytest.raises(Undefined, match=message):
        validate([0, 1, 0, 1], picky(Undefined), drawn)
    one = validate([0, 1, 0, 1], picky(Undefined), [*drawn, np.arange(4)])
    assert (one.failed, one["C"].resamples) == (2, 1)


def test_wrong_input_in_a_resample_is_raised() -> None:
    with pytest.raises(ValueError, match="found 2 patients") as raised:
        validate([0, 1, 0, 1], picky(ValueError), [np.array([0, 0, 1, 1])])
    assert raised.type is ValueError


def test_figures_that_no_resample_defines_are_none() -> None:
    found = correct_optimism(
        len, lambda _, rows: np.array([4.0 if rows[0] == rows[1] else np.nan]), ["n"], [[0, 1]], n=2
    )
    assert (found["n"].original, found["n"].corrected, found["n"].resamples) == (None, None, 0)


def test_no_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="found 0 resamples; expected at least 1"):
        draw_patients(4, 0, np.random.default_rng(1))
    with pytest.raises(ValueError, match="found no resamples; expected at least 1"):
        validate([0, 1, 0, 1], picky(Undefined), [])


def test_certain_probabilities_leave_the_line_undefined() -> None:
    y, risk = np.array([0, 1, 0, 1]), np.array([0, 0.4, 0.6, 1])
    found = validate(y, lambda _: lambda rows: risk[rows], [np.arange(4)])
    assert (found["slope"].original, found["slope"].corrected) == (None, None)
    assert (found["C"].corrected, found.emax) == (0.75, None)


def test_a_failure_on_the_original_patients_is_raised() -> None:
    with pytest.raises(ValueError, match="needs patients of both outcomes"):
        validate([0, 0], logistic(np.zeros(2), np.ones((2, 1))), [np.arange(2)])


def test_strata_keep_their_sizes_and_clusters_may_be_drawn() -> None:
    strata = np.array([0, 1, 0, 1, 1, 0, 0])
    drawn = draw_patients(7, 50, np.random.default_rng(5), strata)
    assert (strata[drawn] == strata).all()
    assert len(np.unique(drawn[0])) < 7
    ours, generator = draw_patients(7, 3, np.random.default_rng(6)), np.random.default_rng(6)
    one_by_one = [generator.integers(7) for _ in range(21)]
    agree(draw_patients, "definition: one draw after another", ours, one_by_one)
    clusters = [np.array([0, 1, 2, 2, 3]), np.array([4, 5, 6, 0])]  # of unequal sizes
    found = correct_optimism(len, lambda model, _: np.array([model]), ["n"], clusters, n=7)
    assert (found["n"].training, found["n"].original) == (4.5, 7)


def test_another_smoother_and_places() -> None:
    y, x, _, drawn = patients("noise")
    found = calibrate(
        y, logistic(y, x), drawn[:5], at=[0.4, 0.5], smoother=lambda p, o: loess(p, o, p)
    )
    model = fit_logistic(y, x).predict(x)
    order = np.argsort(model)
    theirs = np.interp([0.4, 0.5], model[order], loess(model, y, model)[order])
    agree(calibrate, "definition: the smoother itself", found.apparent, theirs)


def test_places_that_no_prediction_reaches_are_blank() -> None:
    y, x, _, drawn = patients("noise")
    found = calibrate(y, logistic(y, x), drawn[:3], at=[1e-9, 0.5])
    assert np.isnan(found.apparent[0])
    assert (found.resamples[0], found.resamples[1]) == (0, 3)


def test_too_few_patients_for_places() -> None:
    with pytest.raises(ValueError, match="found 10 patients; expected more than 10, or `at`"):
        calibrate([0, 1] * 5, lambda _: lambda rows: np.full(len(rows), 0.5), [np.arange(10)])


def test_patients_that_every_resample_drew() -> None:
    with pytest.raises(ValueError, match="found 4 patients that every resample drew"):
        validate([0, 1, 0, 1], lambda _: lambda rows: rows / 5 + 0.1, [np.arange(4)], method=".632")


def test_an_unknown_figure() -> None:
    with pytest.raises(KeyError, match="found no figure 'auc'; expected one of C, Dxy"):
        validate([0, 1], lambda _: lambda rows: rows / 5 + 0.1, [np.arange(2)])["auc"]


def test_a_misspelt_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found '632', expected one of bootstrap, \.632"):
        correct_optimism(lambda rows: rows, lambda *_: np.zeros(1), ["x"], [[0]], n=1, method="632")
