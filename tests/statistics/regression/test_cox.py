import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from scipy.special import logsumexp

from oncotrail.statistics.arrays import Undefined, column_names
from oncotrail.statistics.regression.chi_squared import chi_squared, joint_wald
from oncotrail.statistics.regression.cox import fit_cox, fit_sample
from oncotrail.statistics.regression.cox_curve import predicted_survival
from oncotrail.statistics.regression.cox_model import CoxFit
from oncotrail.statistics.regression.cox_residuals import dfbeta, martingale_residuals
from oncotrail.statistics.regression.cox_sample import cox_sample
from oncotrail.statistics.regression.proportional_hazards import proportional_hazards
from oncotrail.statistics.regression.splines import knots, restricted_cubic
from oncotrail.statistics.regression.term_test import term_test
from tests.reference.tables import rossi
from tests.statistics.oracles import agree, r, reference
from tests.statistics.regression.cox_tables import (
    CASES,
    FAR_OUT,
    MADE,
    REAL,
    THEIR_TIMES,
    fitted,
    names,
    said,
    small,
)

COXPH = r("cox", "survival::coxph")
SURVFIT = r("cox", "survival::survfit.coxph")
PREDICT = r("cox", "survival::predict.coxph")
seeds = st.integers(0, 10_000)


def new_patients(answer: dict[str, Any]) -> np.ndarray:
    return np.array(answer["new"], dtype=float)


def test_every_table_of_r_is_compared() -> None:
    written = reference("cox")
    assert (set(written["made"]), set(written["real"])) == (set(MADE), set(REAL))


@pytest.mark.parametrize(("name", "ties"), CASES)
class TestAgainstR:
    def test_coefficients_and_covariance(self, name: str, ties: str) -> None:
        fit, answer = fitted(name, ties), said(name, ties)
        agree(fit_cox, COXPH, fit.coefficients, answer["coefficients"])
        agree(fit_cox, COXPH, fit.covariance, answer["covariance"])
        agree(fit_cox, COXPH, fit.model_covariance, answer["model_covariance"])
        agree(
            fit_cox,
            COXPH,
            fit.standard_errors,
            np.sqrt(np.diag(np.atleast_2d(answer["covariance"]))),
        )
        assert fit.robust is answer["robust"]
        assert fit.names == tuple(names(name))

    def test_likelihoods(self, name: str, ties: str) -> None:
        fit, answer = fitted(name, ties), said(name, ties)
        ours = fit.null_log_likelihood, fit.log_likelihood
        agree(fit_cox, COXPH, ours, answer["log_likelihood"])

    def test_three_tests(self, name: str, ties: str) -> None:
        fit, answer = fitted(name, ties), said(name, ties)
        ratio = fit.likelihood_ratio_test()
        ours = ratio.statistic, ratio.degrees_of_freedom, ratio.p_value
        oracle = r("cox", "survival::summary.coxph")
        agree(CoxFit.likelihood_ratio_test, oracle, ours, answer["likelihood_ratio"])
        agree(chi_squared, oracle, ratio.p_value, answer["likelihood_ratio"][2])
        agree(CoxFit.wald_test, COXPH, fit.wald_test().statistic, answer["wald"])
        agree(CoxFit.score_test, COXPH, fit.score_test().statistic, answer["score"])
        assert fit.aic == pytest.approx(answer["aic"])

    def test_hazard_ratios(self, name: str, ties: str) -> None:
        fit, answer = fitted(name, ties), said(name, ties)
        ratios, oracle = fit.hazard_ratios(0.9), r("cox", "survival::summary.coxph")
        ends = [(ratio.low, ratio.high) for ratio in ratios]
        agree(CoxFit.hazard_ratios, oracle, ends, answer["intervals"])
        agree(CoxFit.hazard_ratios, oracle, [ratio.p_value for ratio in ratios], answer["p"])
        values = np.exp(np.atleast_1d(answer["coefficients"]))
        agree(CoxFit.hazard_ratios, oracle, [ratio.value for ratio in ratios], values)

    def test_risk(self, name: str, ties: str) -> None:
        fit, answer = fitted(name, ties), said(name, ties)
        agree(fit_cox, COXPH, fit.centre, answer["means"])
        ours = fit.risk(new_patients(answer), answer["new_offset"])
        agree(CoxFit.risk, PREDICT, ours, answer["risk"])

    def test_survival(self, name: str, ties: str) -> None:
        fit, answer = fitted(name, ties), said(name, ties)
        for curve in answer["survival"]:
            times = np.atleast_1d(curve["times"])
            new, offset = new_patients(answer), answer["new_offset"]
            ours = fit.survival(new, times, curve["stratum"], offset)
            agree(CoxFit.survival, SURVFIT, ours, curve["survival"])
            hazard = fit.cumulative_hazard(times, curve["stratum"])
            rebuilt = np.exp(-np.exp(np.array(answer["risk"]))[:, None] * hazard)
            agree(CoxFit.cumulative_hazard, SURVFIT, rebuilt, curve["survival"])


def test_a_part_of_the_coefficients_is_tested_jointly() -> None:
    fit, table = fitted("larynx", "efron"), reference("cox")["grouped"]
    beta, spread = fit.coefficients[1:], fit.covariance[1:, 1:]
    found = fit.wald_test([1, 2, 3])
    agree(
        CoxFit.wald_test,
        "definition: b' V^-1 b",
        found.statistic,
        beta @ np.linalg.inv(spread) @ beta,
    )
    assert found.degrees_of_freedom == len(table["alone"])
    again = joint_wald(fit.coefficients, fit.covariance, [1, 2, 3])
    agree(
        joint_wald,
        "definition: b' V^-1 b",
        again.statistic,
        beta @ np.linalg.inv(spread) @ beta,
    )


def test_fewer_clusters_than_coefficients_allow_no_joint_test() -> None:
    fit = fit_cox(**small(3), clusters=np.arange(40) % 2)
    with pytest.raises(Undefined, match="these 3 coefficients is singular"):
        fit.wald_test()
    assert fit.wald_test([0]).degrees_of_freedom == 1


def test_agrees_with_lifelines() -> None:
    """Lifelines stops at a gradient of 1e-7, so it is near and not exact; R is the proof."""
    table = rossi()
    theirs = CoxPHFitter().fit(table, "time", "event")
    x = table.drop(columns=["time", "event"])
    ours = fit_cox(table["time"], table["event"], x, names=list(x.columns))
    assert ours.coefficients == pytest.approx(theirs.params_.to_numpy(), abs=1e-5)
    assert ours.standard_errors == pytest.approx(theirs.standard_errors_.to_numpy(), abs=1e-5)
    assert list(theirs.params_.index) == list(ours.names)
    assert isinstance(theirs.summary, pd.DataFrame)


def test_a_worked_example() -> None:
    """Two groups of three without ties: the likelihood in one unknown, maximised on a grid."""
    times, arm = [1, 2, 3, 4, 5, 6], np.array([1, 1, 0, 1, 0, 0])
    fit = fit_cox(times, np.ones(6), arm)
    beta = np.linspace(0, 6, 600_001)
    value = 3 * beta
    for time in range(6):
        value -= np.log(sum(np.exp(beta * x) for x in arm[time:]))
    agree(
        fit_cox, "definition: likelihood on a grid", fit.coefficients, beta[value.argmax()], 1.1e-5
    )
    agree(fit_cox, "definition: likelihood on a grid", fit.log_likelihood, value.max())


@given(seeds, st.sampled_from(["efron", "breslow"]))
def test_the_order_of_patients_does_not_matter(seed: int, ties: Any) -> None:
    table = small(seed)
    order = np.random.default_rng(seed).permutation(40)
    before = fit_cox(**table, ties=ties)
    after = fit_cox(**{name: values[order] for name, values in table.items()}, ties=ties)
    assert after.coefficients == pytest.approx(before.coefficients, abs=1e-9)
    assert after.covariance == pytest.approx(before.covariance, abs=1e-9)


@given(seeds)
def test_only_the_order_of_times_matters(seed: int) -> None:
    table = small(seed)
    before = fit_cox(**table)
    table["times"] = np.log1p(table["times"])
    assert fit_cox(**table).coefficients == pytest.approx(before.coefficients, abs=1e-9)


@given(seeds)
def test_units_of_a_column_only_change_its_coefficient(seed: int) -> None:
    table = small(seed)
    before = fit_cox(**table)
    table["covariates"] = table["covariates"] * [1000, 1, 0.001] + [5, -7, 0.1]
    after = fit_cox(**table)
    assert after.coefficients * [1000, 1, 0.001] == pytest.approx(before.coefficients, abs=1e-8)
    assert after.log_likelihood == pytest.approx(before.log_likelihood)


@given(seeds)
def test_a_weight_of_two_is_a_row_twice_by_breslow(seed: int) -> None:
    table = small(seed)
    weights = np.random.default_rng(seed).integers(0, 4, 40)
    weights[:2] = 1
    once = fit_cox(**table, weights=weights, ties="breslow")
    rows = np.repeat(np.arange(40), weights)
    often = fit_cox(**{name: values[rows] for name, values in table.items()}, ties="breslow")
    assert once.coefficients == pytest.approx(often.coefficients, abs=1e-8)
    assert once.covariance == pytest.approx(often.covariance, abs=1e-8)
    assert once.baseline.cumulative_hazard == pytest.approx(often.baseline.cumulative_hazard)


@given(seeds, st.sampled_from(["efron", "breslow"]))
def test_a_weight_of_zero_leaves_a_patient_out(seed: int, ties: Any) -> None:
    table = small(seed)
    kept = np.random.default_rng(seed).uniform(size=40) < 0.8
    without = fit_cox(**{name: values[kept] for name, values in table.items()}, ties=ties)
    zero = fit_cox(**table, weights=kept.astype(float), ties=ties)
    assert zero.coefficients == pytest.approx(without.coefficients, abs=1e-9)
    assert (zero.n, zero.events) == (without.n, without.events)


@given(seeds)
def test_entry_before_everything_changes_nothing(seed: int) -> None:
    table = small(seed)
    late = fit_cox(**table, entry=np.zeros(40))
    assert late.coefficients == pytest.approx(fit_cox(**table).coefficients, abs=1e-9)


@given(seeds)
def test_splitting_follow_up_in_two_rows_changes_nothing(seed: int) -> None:
    table = small(seed)
    times, events, x = table["times"], table["events"], table["covariates"]
    cut = times > 1
    split = fit_cox(
        np.concatenate([np.where(cut, 1, times), times[cut]]),
        np.concatenate([np.where(cut, 0, events), events[cut]]),
        np.concatenate([x, x[cut]]),
        entry=np.concatenate([np.zeros(40), np.ones(int(cut.sum()))]),
    )
    assert split.coefficients == pytest.approx(fit_cox(**table).coefficients, abs=1e-8)


@given(seeds)
def test_two_strata_are_two_likelihoods(seed: int) -> None:
    first, second = small(seed), small(seed + 1)
    both = {name: np.concatenate([first[name], second[name]]) for name in first}
    fit = fit_cox(**both, strata=np.repeat(["a", "b"], 40))
    alone = [fit_cox(**table) for table in (first, second)]
    assert fit.null_log_likelihood == pytest.approx(sum(one.null_log_likelihood for one in alone))
    assert fit.log_likelihood <= sum(one.log_likelihood for one in alone) + 1e-9
    assert fit.strata == ("a", "b")


@given(seeds)
def test_survival_falls_from_one(seed: int) -> None:
    fit = fit_cox(**small(seed))
    times = np.linspace(0, fit.sample.times.max(), 30)
    curves = fit.survival(fit.sample.covariates, times)
    assert curves.shape == (40, 30)
    assert (curves[:, 0] == 1).all()
    assert (np.diff(curves, axis=1) <= 0).all()


def test_each_patient_as_a_cluster_is_the_robust_covariance() -> None:
    table = small(3)
    robust = fit_cox(**table, robust=True)
    clustered = fit_cox(**table, clusters=np.arange(40))
    assert clustered.covariance == pytest.approx(robust.covariance)
    assert robust.robust
    assert clustered.robust


def test_a_checked_sample_is_fitted_as_its_columns() -> None:
    table, cluster = small(3), np.arange(40) // 2
    fit = fit_sample(cox_sample(**table, clusters=cluster), ["a", "b", "c"])
    same = fit_cox(**table, clusters=cluster)
    agree(fit_sample, "the same model by fit_cox", fit.covariance, same.covariance)
    assert (fit.names, fit.robust) == (("a", "b", "c"), True)


def test_an_offset_is_a_column_whose_coefficient_is_known() -> None:
    table = small(3)
    free = fit_cox(**table)
    x, beta = table["covariates"], free.coefficients
    held = fit_cox(table["times"], table["events"], x[:, 1:], offset=x[:, 0] * beta[0])
    assert held.coefficients == pytest.approx(beta[1:], abs=1e-8)
    assert held.log_likelihood == pytest.approx(free.log_likelihood)
    survival = held.survival(x[:5, 1:], [3.0], offset=x[:5, 0] * beta[0])
    assert survival == pytest.approx(free.survival(x[:5], [3.0]))


@pytest.mark.parametrize("offset", [None, [0.5]])
def test_predictions_need_an_offset_as_the_fit_did(offset: Any) -> None:
    fit = fit_cox(**small(3), offset=None if offset else np.linspace(0, 1, 40))
    with pytest.raises(ValueError, match=r"found (no|an) offset; the model was fitted"):
        fit.risk(np.zeros((1, 3)), offset)


def test_an_infinite_hazard_ratio_is_infinite() -> None:
    table = small(3)
    ratio = fit_cox(table["times"], table["events"], table["covariates"][:, 0] * 1e-4)
    assert ratio.hazard_ratios()[0].high == np.inf


def test_robust_can_be_refused_for_fractions() -> None:
    fit = fit_cox(**small(3), weights=np.linspace(0.5, 1.5, 40), robust=False)
    assert not fit.robust
    assert fit.covariance == pytest.approx(fit.model_covariance)


@pytest.mark.parametrize("clusters", [None, [1, 1, 2, 2]])
def test_rows_that_show_no_spread_are_not_certain(clusters: Any) -> None:
    with pytest.raises(Undefined, match="the robust standard error of 'dose' is 0"):
        fit_cox(
            *([1] * 4, [1] * 4, [-1.8, 1.3, -1.8, 1.3]),
            robust=True,
            clusters=clusters,
            names=["dose"],
        )


def test_a_monotone_likelihood_is_refused_beside_a_row_of_no_weight() -> None:
    times, events, x = [2, 2, 7, 1, 4, 5], [0, 1, 1, 1, 0, 0], [2, 0, 1, 0.3, 2, 2]
    weights = [2, 0, 1, 0.5, 1e4, 1e4]
    for kept in (slice(None), np.array([0, 2, 3, 4, 5])):
        with pytest.raises(Undefined, match="monotone likelihood"):
            fit_cox(
                *(np.array(each)[kept] for each in (times, events, x)),
                weights=np.array(weights)[kept],
            )


@given(seeds, st.sampled_from([-1e4, 1e4]))
def test_a_row_of_no_weight_may_stand_anywhere(seed: int, far: float) -> None:
    table, weights = small(seed), np.append(0.0, np.ones(39))
    without = fit_cox(**{name: each[1:] for name, each in table.items()})
    table["covariates"][0] = far
    fit = fit_cox(**table, weights=weights)
    assert fit.coefficients == pytest.approx(without.coefficients)
    assert fit.covariance == pytest.approx(without.covariance)
    assert fit.baseline.cumulative_hazard == pytest.approx(
        without.baseline.cumulative_hazard
        * np.exp((fit.centre - without.centre) @ fit.coefficients)
    )
    assert np.isfinite(predicted_survival(fit, table["covariates"][1:], [1]).low).all()


class TestFarOut:
    """Linear predictors from -6000 to 1900, at a maximum that is there: its score is 0."""

    TIMES = np.array([1, 0.1, 3.2, 2.1, 2.5, 2.4, 1.4, 0.3, 2.1, 2, 7.9, 6.6])
    EVENTS = np.array([0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0])

    @pytest.fixture
    def x(self) -> np.ndarray:
        chance = np.array([50, 45, 13, 84, 7, 54, 84, 89, 97, 2, 93, 99]) / 100
        values = np.log(-np.log(chance))
        return restricted_cubic(values, knots(values, 3))

    def test_the_survival_is_a_number(self, x: np.ndarray) -> None:
        fit = fit_cox(self.TIMES, self.EVENTS, x)
        eta = (x - fit.centre) @ fit.coefficients
        died = self.TIMES[(self.EVENTS == 1) & (self.TIMES <= 3.2)]
        log_hazard = logsumexp([-logsumexp(eta[time <= self.TIMES]) for time in died])
        oracle = "definition: sums in logarithms"
        found = fit.log_cumulative_hazard([3.2])
        agree(CoxFit.log_cumulative_hazard, oracle, found, [log_hazard])
        survival = np.exp(-np.exp(eta + log_hazard))
        agree(CoxFit.survival, oracle, fit.survival(x, [3.2])[:, 0], survival)
        assert (fit.survival(x, [0.05]) == 1).all()

    @pytest.mark.parametrize("band", ["log", "log-log", "plain"])
    def test_so_are_its_ends_and_the_residuals(self, x: np.ndarray, band: Any) -> None:
        fit = fit_cox(self.TIMES, self.EVENTS, x)
        for patients in (x, x * [1, 9], x * [9, 1]):
            found = predicted_survival(fit, patients, [0.05, 3.2], band=band)
            assert (found.low <= found.survival).all()
            assert (found.survival <= found.high).all()
        assert martingale_residuals(fit).sum() == pytest.approx(0, abs=1e-9)
        assert np.isfinite(dfbeta(fit)).all()


def test_columns_far_from_zero_lose_nothing() -> None:
    table = small(5)
    before = fit_cox(**table)
    table["covariates"] = table["covariates"] + 1e6
    assert fit_cox(**table).coefficients == pytest.approx(before.coefficients, abs=1e-6)


def test_steps_that_overshoot_are_halved() -> None:
    """The top found is higher than its surroundings, near and far."""
    fit = fit_cox(THEIR_TIMES, np.ones(12), FAR_OUT)
    likelihood = fit.sample.likelihood(fit.sample.covariates, "efron")
    beta = fit.coefficients
    for other in (0 * beta, beta - 1e-4, beta + 1e-4, 10 * beta, -beta):
        assert likelihood.at(other).value < fit.log_likelihood
    assert fit.log_likelihood == pytest.approx(likelihood.at(beta).value)


def test_a_time_that_is_hidden_in_rounding_is_one_time() -> None:
    table = small(2) | {"times": np.array([0.3, 0.1 + 0.2, 0.4, 0.5] * 10)}
    exact = fit_cox(**table | {"times": np.array([0.3, 0.3, 0.4, 0.5] * 10)})
    found = fit_cox(**table)
    assert (found.coefficients == exact.coefficients).all()
    assert (found.cumulative_hazard([0.3, 0.1 + 0.2]) == exact.cumulative_hazard([0.3, 0.3])).all()
    late = fit_cox(**table, entry=np.where(table["times"] == 0.5, 0.3, 0))
    hidden = fit_cox(**table, entry=np.where(table["times"] == 0.5, 0.1 + 0.2, 0))
    assert (late.coefficients == hidden.coefficients).all()
    last = fit_cox(np.array([0.1, 0.2, 0.1 + 0.2, 0.3]), [1, 1, 1, 0], [1, 2, 1, 0.5])
    assert (last.cumulative_hazard([0.1 + 0.2]) == last.cumulative_hazard([0.3])).all()


class TestRefusals:
    def refused(self, message: str, **changed: Any) -> None:
        given: dict[str, Any] = small(1) | changed
        with pytest.raises(ValueError, match=re.escape(message)):
            fit_cox(**given)

    def test_other_ties(self) -> None:
        self.refused("ties: found 'exact', expected one of efron, breslow", ties="exact")

    def test_a_blank(self) -> None:
        x = small(1)["covariates"]
        x[4, 1] = np.nan
        self.refused("covariates: found nan in row 4, column 1", covariates=x)

    def test_no_event(self) -> None:
        self.refused("found no event in 40 patients", events=np.zeros(40))

    def test_only_events_of_weight_zero(self) -> None:
        events = small(1)["events"]
        self.refused("found no event in 40 patients", weights=1 - events)

    def test_a_constant_column(self) -> None:
        x = small(1)["covariates"]
        x[:, 1] = 0.1
        self.refused("column 'b' is 0.1 in every patient", covariates=x, names=["a", "b", "c"])

    def test_a_sum_of_other_columns(self) -> None:
        x = small(1)["covariates"]
        x[:, 1] = 2 * x[:, 0] - 1
        self.refused(
            "column 'b' carries no information of its own", covariates=x, names=["a", "b", "c"]
        )

    def test_a_last_column_that_is_a_sum(self) -> None:
        x = small(1)["covariates"]
        x[:, 2] = x[:, 0] + x[:, 1]
        self.refused("column 'column 2' carries no information of its own", covariates=x)

    def test_constant_in_every_stratum(self) -> None:
        x = small(1)["covariates"]
        x[:, 0] = np.arange(40) % 2
        self.refused(
            "column 'column 0' carries no information", covariates=x, strata=np.arange(40) % 2
        )

    def test_a_group_without_events(self) -> None:
        table = small(1)
        x, events = table["covariates"], table["events"]
        x[:, 1] = np.arange(40) < 10
        events[:10] = 0
        self.refused(
            "coefficient of column 'arm' goes to -infinity",
            covariates=x,
            events=events,
            names=["a", "arm", "c"],
        )

    def test_a_covariate_that_orders_the_events(self) -> None:
        self.refused(
            "coefficient of column 'column 0' goes to +infinity",
            times=np.arange(1, 41),
            covariates=-np.arange(40.0),
        )

    def test_a_likelihood_that_rises_beyond_what_weights_let_show(self) -> None:
        """Column 0 is monotone, but its patients weigh too little to move the fit."""
        self.refused(
            "the fit did not converge",
            times=[7, 2, 4, 1, 2, 4],
            events=[1, 0, 1, 0, 0, 1],
            covariates=[[1, 2], [0, 2], [-2, -1], [-2, -2], [2, -2], [-2, -2]],
            weights=[1e-6, 0.5, 2, 2, 1e6, 1],
        )

    def test_what_these_patients_do_not_tell_is_undefined(self) -> None:
        table, x = small(1), small(1)["covariates"]
        for changed in (
            {"events": np.zeros(40)},
            {"covariates": np.ones(40)},
            {"covariates": np.column_stack([x, x])},
            {"times": np.arange(1, 41), "covariates": -np.arange(40.0)},
        ):
            with pytest.raises(Undefined):
                fit_cox(**table | changed)
        with pytest.raises(Undefined, match="follow-up ended"):
            fit_cox(**table).cumulative_hazard([1e3])

    def test_entry_at_the_end_but_for_rounding(self) -> None:
        times, entry = small(1)["times"], np.zeros(40)
        times[7], entry[7] = 0.1 + 0.2, 0.3
        self.refused("entry: found 0.3 in row 7, whose time is 0.3", times=times, entry=entry)

    def test_entry_after_the_end(self) -> None:
        entry = np.zeros(40)
        entry[7] = 1e3
        self.refused("entry: found 1000 in row 7", entry=entry)

    def test_names_that_do_not_fit(self) -> None:
        self.refused(
            "found names ['a', 'a', 'b']; expected 3 different ones", names=["a", "a", "b"]
        )
        self.refused("found names ['a']; expected 3 different ones", names=["a"])

    def test_strata_with_a_blank(self) -> None:
        self.refused("strata: found None in row 39", strata=np.array([*"a" * 39, None]))


class TestRefusalsOfPredictions:
    def test_after_the_last_follow_up(self) -> None:
        fit = fit_cox(**small(1))
        last = fit.sample.times.max()
        with pytest.raises(ValueError, match=f"follow-up ended at {last:g}"):
            fit.survival(fit.sample.covariates, [1, last + 1])

    def test_another_number_of_columns(self) -> None:
        with pytest.raises(ValueError, match="found 2 columns of covariates; expected the 3"):
            fit_cox(**small(1)).risk(np.zeros((4, 2)))

    def test_which_stratum(self) -> None:
        fit = fit_cox(**small(1), strata=np.arange(40) % 2)
        for stratum in (None, 5):
            with pytest.raises(ValueError, match=r"expected one of \[0, 1\]"):
                fit.survival(np.zeros((4, 3)), [1], stratum)


def test_checks_hand_the_arrays_through() -> None:
    sample = cox_sample([1, 2], [0, 1], [[1], [2]], entry=[0, 1])
    agree(
        cox_sample,
        "definition: the same numbers",
        np.column_stack([sample.times, sample.entry, sample.events, sample.strata]),
        [[1, 0, 0, 0], [2, 1, 1, 0]],
    )
    assert column_names(["a"], 1) == ("a",)


def test_one_cluster_among_those_who_are_there_is_refused() -> None:
    with pytest.raises(Undefined, match="clusters: found the same in every row"):
        fit_cox(
            [1, 2, 3, 4, 5],
            [1, 1, 0, 1, 1],
            [3, 1, 2, 5, 4.0],
            weights=[1, 1, 1, 1, 0],
            clusters=[1, 1, 1, 1, 2],
        )


def test_what_was_given_may_change_afterwards() -> None:
    """A fit keeps its own patients, whom its later tests go back to."""
    given_to = {name: np.array(each) for name, each in small(3).items()}
    given_to |= {"weights": np.full(40, 2.0), "offset": np.linspace(0, 1, 40)}
    given_to |= {"strata": np.arange(40) % 2, "entry": np.zeros(40)}
    fit = fit_cox(**given_to)

    def told() -> Any:
        return (
            term_test(fit, [1]),
            proportional_hazards(fit).overall,
            martingale_residuals(fit).tolist(),
            fit.survival(np.zeros((1, 3)), [1.0], 0, [0.0]).tolist(),
        )

    before = told()
    for each in given_to.values():
        each[:] = each[::-1].copy()
    assert told() == before
    for name in ("times", "events", "covariates", "weights", "strata", "entry", "offset"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(fit.sample, name)[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        fit.sample.rows(fit.sample.events).times[0] = 1


def test_one_cluster_shows_no_spread() -> None:
    with pytest.raises(ValueError, match="robust=False with clusters"):
        fit_cox(**small(3), clusters=np.arange(40) // 2, robust=False)
    with pytest.raises(ValueError, match="found the same in every row"):
        fit_cox([1, 2, 3, 4, 5], [1, 1, 0, 1, 1], [3, 1, 2, 5, 4.0], clusters=[1] * 5)
