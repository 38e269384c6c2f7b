from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.clusters import numbered_clusters
from oncotrail.statistics.regression.binomial import Binomial, maximum
from oncotrail.statistics.regression.logistic import LogisticFit, fit_logistic
from oncotrail.statistics.regression.logistic_sample import (
    logistic_sample,
    offsets,
    with_intercept,
)
from oncotrail.statistics.regression.odds_ratio import wald_coefficient
from oncotrail.statistics.regression.profile_likelihood import profile_interval
from oncotrail.statistics.regression.robust import is_robust, robust_covariance, sandwich
from oncotrail.statistics.regression.separation import refuse_separation
from tests.reference.tables import breast, gbsg2, lung
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree, r, reference

GLM = r("logistic", "glm")
COVARIATES = ["hormones", "age", "size", "grade", "nodes", "progesterone"]
OVERLAPPING = ([0, 0, 1, 0, 1, 1], [1, 2, 3, 4, 5, 6])


def compared(answer: dict[str, Any], fit: LogisticFit, probabilities: Any) -> None:
    theirs = np.atleast_1d(answer["coefficients"])
    agree(fit_logistic, GLM, fit.coefficients, theirs)
    # As ratios, because many covariances are small.
    agree(fit_logistic, GLM, fit.covariance / np.array(answer["covariance"]), fit.covariance**0)
    agree(fit_logistic, GLM, fit.log_likelihood, answer["log_likelihood"])
    agree(fit_logistic, GLM, fit.null_log_likelihood, answer["null_log_likelihood"])
    agree(fit_logistic, GLM, probabilities[:5], answer["probabilities_head"])
    agree(LogisticFit.wald, GLM, [row.standard_error for row in fit.wald()], answer["errors"])
    agree(LogisticFit.wald, GLM, [row.z for row in fit.wald()], answer["z"])
    agree(LogisticFit.wald, GLM, [row.p_value for row in fit.wald()], answer["p"])
    ends = [(row.low, row.high) for row in fit.wald(0.9)]
    agree(LogisticFit.wald, GLM, ends, answer["wald_90"])
    rows = [wald_coefficient(row.name, row.value, row.standard_error) for row in fit.wald()]
    agree(wald_coefficient, GLM, [row.p_value for row in rows], answer["p"])
    odds = [(row.odds_ratio_low, row.odds_ratio_high) for row in fit.wald()]
    theirs_odds = np.array(answer["odds"], dtype=float)  # JSON has null for infinite
    agree(LogisticFit.wald, GLM, odds, np.nan_to_num(theirs_odds, nan=np.inf))
    assert [row.odds_ratio for row in fit.wald()] == pytest.approx(np.exp(theirs))


@pytest.mark.parametrize("table", ["gbsg2", "breast", "lung"])
def test_real_tables(table: str) -> None:
    frame = {"gbsg2": gbsg2, "breast": breast, "lung": lung}[table]().dropna()
    labels, columns = {
        "gbsg2": ("event", COVARIATES),
        "breast": ("malignant", ["mean_texture", "mean_smoothness", "mean_symmetry"]),
        "lung": ("status", ["age", "sex", "ecog"]),
    }[table]
    x, y = frame[columns].to_numpy(dtype=float), frame[labels] == frame[labels].max()
    fit = fit_logistic(y, x, names=columns)
    assert [row.name for row in fit.wald()] == ["intercept", *columns]
    compared(reference("logistic")[table], fit, fit.predict(x))


@pytest.mark.parametrize("table", ["rare", "tiny", "badly_scaled"])
def test_extreme_prevalence_tiny_tables_and_bad_scales(table: str) -> None:
    answer = reference("logistic")[table]
    x, y = answer["table"]["x"], answer["table"]["y"]
    fit = fit_logistic(y, x)
    compared(answer, fit, fit.predict(x))


def test_weights_and_offset() -> None:
    answer = reference("logistic")["weighted"]
    y, x, w, offset = (np.array(answer["table"][name]) for name in ("y", "x", "w", "offset"))
    fit = fit_logistic(y, x, weights=w, offset=offset, robust=False)  # as glm, fractions or not
    compared(answer, fit, fit.predict(x, offset)[w > 0])
    design = np.column_stack([np.ones(y.size), x])
    best = maximum(Binomial(design, y == 1, w, offset, ("intercept", "x")))
    agree(maximum, GLM, best.coefficients, answer["coefficients"])
    agree(maximum, GLM, best.covariance, answer["covariance"])
    assert (fit.n, fit.events) == (np.count_nonzero(w), y[w > 0].sum())


def test_without_intercept_one_outcome_may_do() -> None:
    answer = reference("logistic")["paired"]
    fit = fit_logistic(answer["table"]["y"], answer["table"]["x"], intercept=False)
    compared(answer, fit, fit.predict(answer["table"]["x"]))


@pytest.mark.parametrize("table", ["gbsg2", "breast"])
def test_agrees_with_lrm(table: str) -> None:
    answer, frame = (
        reference("logistic")[f"{table}_lrm"],
        {"gbsg2": gbsg2, "breast": breast}[table](),
    )
    columns = {
        "gbsg2": COVARIATES,
        "breast": ["mean_texture", "mean_smoothness", "mean_symmetry"],
    }[table]
    fit = fit_logistic(frame["event" if table == "gbsg2" else "malignant"], frame[columns])
    test, oracle = fit.likelihood_ratio_test(), r("logistic", "rms::lrm")
    agree(fit_logistic, oracle, fit.coefficients, answer["coefficients"])
    agree(fit_logistic, oracle, fit.standard_errors, answer["errors"])
    ours = [test.statistic, test.p_value]
    agree(LogisticFit.likelihood_ratio_test, oracle, ours, [answer["chi_square"], answer["p"]])
    assert test.degrees_of_freedom == len(columns)


def test_several_rows_per_patient() -> None:
    answer = reference("logistic")["repeated"]
    y, x, w, patient = (np.array(answer["table"][name]) for name in ("y", "x", "w", "patient"))
    rows, patients = fit_logistic(y, x, robust=True), fit_logistic(y, x, clusters=patient)
    agree(fit_logistic, r("logistic", "sandwich::sandwich"), rows.covariance, answer["rows"])
    oracle = r("logistic", "sandwich::vcovCL")
    agree(fit_logistic, oracle, patients.covariance, answer["patients"])
    agree(fit_logistic, r("logistic", "rms::robcov"), patients.covariance, answer["robcov"])
    weighted = fit_logistic(y, x, weights=w, clusters=patient)
    agree(fit_logistic, oracle, weighted.covariance, answer["weighted"])
    fractions = fit_logistic(y, x, weights=w)
    oracle = r("logistic", "sandwich::sandwich")
    agree(fit_logistic, oracle, fractions.covariance, answer["fractions"])
    assert fractions.robust
    plain = fit_logistic(y, x)
    agree(LogisticFit.wald_test, GLM, plain.wald_test([1, 2]).statistic, answer["wald"])
    assert plain.aic == pytest.approx(answer["aic"])
    assert (plain.robust, rows.robust, patients.robust) == (False, True, True)
    assert (patients.model_covariance == plain.covariance).all()


def test_fractions_have_no_scale_and_whole_weights_count() -> None:
    answer = reference("logistic")["repeated"]["table"]
    y, x, w = (np.array(answer[name]) for name in ("y", "x", "w"))
    one, other = (fit_logistic(y, x, weights=each) for each in (w, 1.3 * w))
    assert other.covariance == pytest.approx(one.covariance)
    counted = fit_logistic(y, x, weights=2 * w)
    rows = np.repeat(np.arange(y.size), (2 * w).astype(int))
    assert not counted.robust
    assert counted.covariance == pytest.approx(fit_logistic(y[rows], x[rows]).covariance)


def test_what_is_robust() -> None:
    halves, pairs = np.array([0.5, 1.0]), np.array([0, 1])
    found = [
        is_robust(asked, weights, clusters)
        for asked in (None, True)
        for weights in (halves, 2 * halves)
        for clusters in (None, pairs)
    ] + [is_robust(asked=False, weights=halves, clusters=None)]
    expected = [1, 1, 0, 1, 1, 1, 1, 1, 0]
    agree(is_robust, "definition: fractions or clusters, if not asked", found, expected)
    with pytest.raises(ValueError, match="found robust=False with clusters"):
        fit_logistic(*OVERLAPPING, robust=False, clusters=range(6))


@pytest.mark.parametrize("weights", [None, [1, 1, 1, 1, 0, 0]])
def test_one_cluster_is_refused(weights: Any) -> None:
    clusters = [1] * 6 if weights is None else [1, 1, 1, 1, 2, 3]
    with pytest.raises(Undefined, match="clusters: found the same in every row"):
        fit_logistic([0, 1, 0, 1, 0, 1], range(6), weights=weights, clusters=clusters)


def test_what_was_given_may_change_afterwards() -> None:
    x, y, w = np.arange(6.0)[:, None], np.array([0, 0, 1, 0, 1, 1]), np.ones(6)
    fit = fit_logistic(y, x, weights=w)
    before = fit.predict([[2.0]]).tolist(), fit.wald()
    x[:], y[:], w[:] = 9, 0, 0
    assert (fit.predict([[2.0]]).tolist(), fit.wald()) == before


def test_a_cluster_whose_rows_have_no_weight_is_not_there() -> None:
    answer = reference("logistic")["repeated"]["table"]
    y, x, patient = (np.array(answer[name]) for name in ("y", "x", "patient"))
    kept = patient % 5 > 0
    zero = fit_logistic(y, x, weights=kept.astype(float), clusters=patient)
    without = fit_logistic(y[kept], x[kept], clusters=patient[kept])
    assert zero.covariance == pytest.approx(without.covariance)
    agree(
        numbered_clusters,
        "definition: numpy's inverse",
        numbered_clusters(patient, patient.size),
        np.unique(patient, return_inverse=True)[1],
    )
    influence = np.column_stack([x, y]).astype(float)
    sums = np.array([influence[patient == one].sum(axis=0) for one in np.unique(patient)])
    agree(sandwich, "definition: sums by cluster", sandwich(influence, patient), sums.T @ sums)


def test_the_sample_of_a_fit() -> None:
    sample = logistic_sample([0, 1, 1], [3, 4, 5], weights=[1, 0, 2], offset=None, intercept=True)
    agree(logistic_sample, "definition: rows by hand", sample.design, [[1, 3], [1, 5]])
    agree(
        with_intercept, "definition: rows by hand", with_intercept([3], 1, intercept=True), [[1, 3]]
    )
    agree(offsets, "definition: rows by hand", offsets([0.5], 1), [0.5])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_profile_interval(place: int) -> None:
    frame = gbsg2()
    ends = profile_interval(frame["event"], frame[COVARIATES], place)
    theirs = reference("logistic")["gbsg2_profile"][place]
    agree(profile_interval, r("logistic", "glm"), [ends.low, ends.high], theirs)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", ["gravity", "year"])
def test_profile_interval_of_a_column_far_from_zero(name: str, place: int) -> None:
    answer = reference("logistic")["far"]
    ends = profile_interval(answer["table"]["y"], answer["table"][name], place)
    agree(profile_interval, GLM, [ends.low, ends.high], answer[name][place])


def test_profile_intervals_of_several_columns_far_from_zero() -> None:
    answer = reference("logistic")["far"]["several"]
    ends = [profile_interval(answer["y"], answer["x"], place) for place in range(5)]
    agree(profile_interval, GLM, [(each.low, each.high) for each in ends], answer["profile"])


def test_profile_interval_through_flat_country() -> None:
    """Refitted far from the maximum, where R's glm does not converge: by another optimiser."""
    x = np.array([[3.0, -0.4], [0.0, 0.8], [1.0, 0.9], [0.3, -1.0], [0.3, -1.6]])
    sign, others = np.array([1, 1, 1, -1, 1]), np.column_stack([np.ones(5), x[:, 1]])
    ends = profile_interval(sign > 0, x, 1)

    def loss(value: float) -> float:
        fallen = minimize(
            lambda b: np.logaddexp(0, -sign * (others @ b + value * x[:, 0])).sum(),
            np.array([-value / 3, value / 3]),
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000},
        )
        return float(fallen.fun)

    best = -fit_logistic(sign > 0, x).log_likelihood
    losses = [loss(end) - best for end in (ends.low, ends.high)]
    agree(profile_interval, "definition: loss by Nelder-Mead", losses, [1.9207294103] * 2)


def test_an_offset_that_the_intercept_takes_back() -> None:
    answer = reference("logistic")["far"]
    labels, x, offset = answer["table"]["y"], answer["table"]["gravity"], np.full(10, 40.0)
    found = fit_logistic(labels, None, offset=offset).coefficients
    agree(fit_logistic, GLM, found, [answer["offset"]], absolute=1e-6)
    found = fit_logistic(labels, x, offset=offset).coefficients
    agree(fit_logistic, GLM, found, answer["offset_gravity"])


def test_fractions_have_no_profile_interval() -> None:
    with pytest.raises(ValueError, match=r"weights: found 0.5 in row 0; expected whole numbers"):
        profile_interval(*OVERLAPPING, 1, weights=[0.5, 1, 1, 1, 1, 1])
    doubled = profile_interval(*(np.repeat(each, 2) for each in OVERLAPPING), 1)
    assert profile_interval(*OVERLAPPING, 1, weights=[2] * 6).low == pytest.approx(doubled.low)


def test_profile_interval_of_six_patients() -> None:
    ends = profile_interval(*OVERLAPPING, 1)
    theirs = reference("logistic")["tiny"]["profile"]
    agree(profile_interval, r("logistic", "glm"), [ends.low, ends.high], theirs)


def test_profile_interval_of_a_single_coefficient() -> None:
    """A proportion of 3 in 10: the odds at which the likelihood has fallen by 1.92."""
    ends = profile_interval([1] * 3 + [0] * 7, [1] * 10, 0, intercept=False)
    probability = 1 / (1 + np.exp(-np.array([ends.low, ends.high])))
    fallen = 3 * np.log(0.3 / probability) + 7 * np.log(0.7 / (1 - probability))
    agree(profile_interval, "definition: likelihood of a proportion", fallen, [1.9207294103] * 2)


def drawn(marker: Marker) -> tuple[Any, Any]:
    labels, scores = marker
    low, high = scores[labels == 1], scores[labels == 0]
    assume(low.min() < high.max() and high.min() < low.max())  # overlap: a maximum exists
    return labels, scores


@given(markers(smallest_group=2))
def test_the_score_equations_hold(marker: Marker) -> None:
    """At the maximum, expected and observed sums are equal: of patients, and of the covariate."""
    labels, scores = drawn(marker)
    residual = labels - fit_logistic(labels, scores).predict(scores)
    assert [residual.sum(), residual @ scores] == pytest.approx([0, 0], abs=1e-8)


@given(markers(smallest_group=2))
def test_complementing_labels_turns_the_signs(marker: Marker) -> None:
    labels, scores = drawn(marker)
    fit, turned = fit_logistic(labels, scores), fit_logistic(1 - labels, scores)
    assert turned.coefficients == pytest.approx(-fit.coefficients, abs=1e-7)
    assert turned.covariance == pytest.approx(fit.covariance, rel=1e-6, abs=1e-9)


@given(markers(smallest_group=2), st.floats(0.001, 1000), st.floats(-100, 100))
def test_units_do_not_matter(marker: Marker, scale: float, shift: float) -> None:
    labels, scores = drawn(marker)
    moved = fit_logistic(labels, shift + scale * scores)
    fit = fit_logistic(labels, scores)
    assert moved.coefficients[1] * scale == pytest.approx(fit.coefficients[1], abs=1e-6)
    assert moved.log_likelihood == pytest.approx(fit.log_likelihood)


@given(markers(smallest_group=2), st.data())
def test_a_weight_is_so_many_rows(marker: Marker, data: st.DataObject) -> None:
    labels, scores = drawn(marker)
    n = len(labels)
    extra = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    rows = np.repeat(np.arange(n), 1 + extra)
    weighted = fit_logistic(labels, scores, weights=1.0 + extra)
    repeated = fit_logistic(labels[rows], scores[rows])
    assert weighted.coefficients == pytest.approx(repeated.coefficients, abs=1e-7)
    assert weighted.covariance == pytest.approx(repeated.covariance, rel=1e-6, abs=1e-9)


@given(markers())
def test_separation_is_found_exactly_when_the_order_separates(marker: Marker) -> None:
    labels, scores = marker
    low, high = scores[labels == 1], scores[labels == 0]
    assume(np.ptp(scores) > 0)
    if low.min() < high.max() and high.min() < low.max():
        assert np.isfinite(fit_logistic(labels, scores).coefficients).all()
        return
    with pytest.raises(ValueError, match="column 0 separates the outcomes: its values alone tell"):
        fit_logistic(labels, scores)


def test_a_level_in_which_everybody_had_the_outcome() -> None:
    level, age = [0, 0, 0, 0, 1, 1], [3, 4, 1, 2, 2, 3]
    with pytest.raises(ValueError, match="stage_4 separates the outcomes"):
        fit_logistic([0, 1, 0, 1, 1, 1], np.transpose([age, level]), names=["age", "stage_4"])


def test_separation_by_two_columns_together() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(40, 2))
    with pytest.raises(ValueError, match=r"column \d separates the outcomes: with others it tells"):
        fit_logistic(x[:, 0] + x[:, 1] > 0, x)


def test_separation_without_an_intercept() -> None:
    with pytest.raises(ValueError, match="column 0 separates the outcomes: with others"):
        fit_logistic([1, 1, 0, 0], [1, 2, -1, -3], intercept=False)


def test_separation_that_rests_on_tiny_weights() -> None:
    """The steps end before the log odds are large, as nobody of any weight gains."""
    with pytest.raises(Undefined, match="column 0 separates the outcomes"):
        fit_logistic([0, 1, 0, 1, 0, 1], [0, 0, 0, 0, 0, 1], weights=[1, 1, 1, 1, 1, 1e-12])


ALMOST = 0.1 + 0.2  # and 0.3 are the same but for rounding


@pytest.mark.parametrize(
    ("labels", "x"),
    [
        ([1, 0, 0, 0], [ALMOST, 3, 0.3, 1]),
        ([0, 0, 1, 1, 1, 0, 1, 1], [ALMOST, ALMOST, 0, 0.3, ALMOST, 0.3, 0, ALMOST]),
    ],
)
def test_separation_but_for_rounding(labels: list[int], x: list[float]) -> None:
    for fit in (lambda: fit_logistic(labels, x), lambda: profile_interval(labels, x, 1)):
        with pytest.raises(Undefined, match="column 0 separates the outcomes: its values alone"):
            fit()


def test_rows_that_show_no_spread() -> None:
    """Both centres have the same share, so nothing moves the intercept."""
    centres = [1, 1, 2, 2]
    with pytest.raises(Undefined, match="the robust standard error of 'intercept' is 0"):
        fit_logistic([0, 1, 0, 1], None, offset=[0.0] * 4, clusters=centres)
    influence = np.array([[0.5], [-0.25], [0.25]])
    found = robust_covariance(influence, np.array([0, 0, 1]), np.ones((1, 1)), ["age"])
    agree(robust_covariance, "definition: sums by cluster", found, [[0.125]])


def test_separation_at_the_first_step() -> None:
    """An offset so far out that every probability is 0 or 1: no information is left."""
    with pytest.raises(ValueError, match="column 0 separates"):
        fit_logistic([0, 0, 1, 1], [1, 2, 3, 4], offset=[-800, -800, 800, 800])


def test_a_fit_that_cannot_start_says_so() -> None:
    with pytest.raises(Undefined, match="did not converge in 60 steps"):
        fit_logistic([0, 1, 0, 1], [1, 2, 3, 1], offset=[800, -800, 800, -800])


def test_a_climb_that_does_not_come_to_rest_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncotrail.statistics.regression.binomial._STEPS", 1)
    with pytest.raises(Undefined, match="did not converge in 1 steps"):
        fit_logistic(*OVERLAPPING)


def test_separation_agrees_with_the_linear_program_on_whole_numbers() -> None:
    """Small whole numbers, on which the program needs no scaling and no tolerance."""
    random, ours, theirs = np.random.default_rng(11), [], []
    while len(ours) < 150:
        n = random.integers(5, 30)
        x = np.column_stack([np.ones(n), random.integers(-3, 4, size=(n, 2))])
        y = random.uniform(size=n) < 1 / (1 + np.exp(-x.sum(axis=1)))
        if np.linalg.matrix_rank(x) < 3 or y.all() or not y.any():
            continue
        towards = np.where(y, 1, -1)[:, None] * x
        found = linprog(-towards.sum(axis=0), -towards, np.zeros(n), bounds=(-1, 1))
        theirs.append(found.fun < -1e-3)
        try:
            refuse_separation(x, y, ["intercept", "a", "b"])
            ours.append(False)
        except ValueError:
            ours.append(True)
    assert 0.2 < np.mean(ours) < 0.8
    agree(refuse_separation, "definition: linear program", ours, theirs)


def test_far_out_is_not_separated() -> None:
    """Log odds beyond 25 for one patient, but the outcomes overlap: a legitimate fit."""
    labels, x = [0, 1, 0, 1, 0, 1, 0], [0.0, 0.1, 0.2, 0.3, 0.25, 0.28, -60]
    fit = fit_logistic(labels, x)
    assert np.abs(fit.linear_predictor(x)).max() > 25
    both = np.transpose([x, [0, 1, 0, 1, 1, 0, 0]])
    assert np.abs(fit_logistic(labels, both).linear_predictor(both)).max() > 25


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ([[1, 7], [2, 7], [3, 7], [4, 7]], "column 1"),
        ([[1, 2], [2, 4], [3, 6], [4, 8]], "column 1"),
        ([[0, 2], [0, 5], [0, 6], [0, 8]], "column 0"),
        ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "column 3"),
    ],
)
def test_a_column_that_adds_nothing(columns: list[list[float]], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is constant or a combination of the columns"):
        fit_logistic([0, 1, 0, 1], columns)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_outcome_only(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="needs patients of both outcomes"):
        fit_logistic(labels, [1, 2, 3])


def test_the_only_event_has_no_weight() -> None:
    with pytest.raises(ValueError, match="found 0 events in 3 patients"):
        fit_logistic([0, 0, 1, 0], [1, 2, 3, 4], weights=[1, 1, 0, 1])


def test_an_intercept_alone_is_the_prevalence() -> None:
    fit = fit_logistic([0, 0, 0, 1], None)
    assert fit.coefficients == pytest.approx([np.log(1 / 3)])
    assert fit.predict(None, [0, 0]) == pytest.approx([0.25, 0.25])
    assert fit.likelihood_ratio_test() is None


def test_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="found no covariates"):
        fit_logistic([0, 1], None, intercept=False)
    with pytest.raises(ValueError, match="found no covariates"):
        fit_logistic([0, 0, 1], None).predict(None)


def test_names_and_places_and_widths_are_checked() -> None:
    with pytest.raises(ValueError, match="found names \\['a', 'b'\\]; expected 1 different ones"):
        fit_logistic(*OVERLAPPING, names=["a", "b"])
    with pytest.raises(ValueError, match="found place 2; expected 0 to 1"):
        profile_interval(*OVERLAPPING, 2)
    with pytest.raises(ValueError, match="found 2 covariates; the model has 1"):
        fit_logistic(*OVERLAPPING).predict([[1, 2]])


def test_a_model_with_an_offset_predicts_with_one() -> None:
    fit = fit_logistic(*OVERLAPPING, offset=[0, 1, 0, 1, 0, 1])
    with pytest.raises(ValueError, match="found no offset; the model was fitted with one"):
        fit.predict([1, 2])


def test_blanks_are_refused() -> None:
    with pytest.raises(ValueError, match="covariates: found nan in row 1, column 0"):
        fit_logistic([0, 1, 0], [1, np.nan, 2])
    with pytest.raises(ValueError, match="offset: found nan in row 2"):
        fit_logistic([0, 1, 0], [1, 3, 2], offset=[0, 0, np.nan])


def test_an_infinite_odds_ratio_is_infinite() -> None:
    fit = fit_logistic([0, 0, 1, 0, 1, 1], np.array([1, 2, 3, 4, 5, 6]) * 1e-4)
    assert fit.wald()[1].odds_ratio_high == np.inf
