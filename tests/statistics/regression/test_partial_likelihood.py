from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.regression import partial_likelihood as likelihoods
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_sample import CoxSample, cox_sample
from oncotrail.statistics.regression.dependent_columns import first_dependent
from oncotrail.statistics.regression.partial_likelihood import (
    PartialLikelihood,
    maximise,
    partial_likelihood,
)
from oncotrail.statistics.regression.risk_sets import risk_sets
from oncotrail.statistics.regression.score_residuals import mean_at_events, score_residuals
from tests.statistics.oracles import agree, r
from tests.statistics.regression.cox_tables import (
    CASES,
    FAR_OUT,
    THEIR_TIMES,
    fitted,
    said,
    small,
)

BRUTE = "definition: sums over listed risk sets"
DIFFERENCES = "definition: central differences"
either_ties = st.sampled_from(["efron", "breslow"])


def brute_force(table: dict[str, Any], weights: np.ndarray, ties: str, beta: np.ndarray) -> float:
    """The log partial likelihood, one event time after the other."""
    times, events, x = (table[name] for name in ("times", "events", "covariates"))
    eta = x @ beta
    risk, value = weights * np.exp(eta), 0.0
    for time in np.unique(times[events == 1]):
        died = (times == time) & (events == 1)
        total, count = risk[times >= time].sum(), died.sum()
        value += (weights * eta)[died].sum()
        for place in range(count):
            left = total - (place / count * risk[died].sum() if ties == "efron" else 0)
            value -= weights[died].mean() * np.log(left)
    return value


def likelihood_of(table: dict[str, Any], weights: np.ndarray, ties: str) -> PartialLikelihood:
    sets = risk_sets(table["times"], table["events"] == 1, np.zeros(40, dtype=int))
    return partial_likelihood(sets, table["covariates"], weights, ties)


@given(st.integers(0, 10_000), either_ties)
def test_value_and_derivatives_are_those_of_the_definition(seed: int, ties: str) -> None:
    table, random = small(seed), np.random.default_rng(seed)
    weights, beta = random.uniform(0.5, 2, 40), random.normal(size=3)
    likelihood = likelihood_of(table, weights, ties)
    found = likelihood.at(beta)
    agree(partial_likelihood, BRUTE, found.value, brute_force(table, weights, ties, beta))
    score = np.empty(3)
    for place, step in enumerate(1e-5 * np.eye(3)):
        ends = [brute_force(table, weights, ties, beta + sign * step) for sign in (1, -1)]
        score[place] = (ends[0] - ends[1]) / 2e-5
        after, before = likelihood.at(beta + step).score, likelihood.at(beta - step).score
        # Differences of sums of some 100 terms keep about 9 digits.
        agree(
            PartialLikelihood.at,
            DIFFERENCES,
            (before - after) / 2e-5,
            found.information[place],
            1e-5,
        )
    agree(PartialLikelihood.at, DIFFERENCES, found.score, score, 1e-5)
    each = likelihood.information(beta, np.ones(likelihood.sets.times.size))
    agree(PartialLikelihood.information, "definition: all event times", each, found.information)


@given(st.integers(0, 10_000), either_ties)
def test_score_residuals_add_up_to_the_score(seed: int, ties: str) -> None:
    table, random = small(seed), np.random.default_rng(seed)
    weights, beta = random.uniform(0.5, 2, 40), random.normal(size=3)
    likelihood = likelihood_of(table, weights, ties)
    total = weights @ score_residuals(likelihood, beta)
    agree(score_residuals, "definition: they add up to the score", total, likelihood.at(beta).score)
    # Efron's terms of one event time count equally, so events minus means are the score too.
    means = mean_at_events(likelihood, likelihood.means(beta))
    sets = likelihood.sets
    of_events = likelihood.weights[sets.events] @ likelihood.covariates[sets.events]
    share = sets.tied(likelihood.weights)
    agree(
        mean_at_events,
        "definition: events minus means are the score",
        of_events - share @ means,
        likelihood.at(beta).score,
    )


@pytest.mark.parametrize(("name", "ties"), CASES)
def test_score_residuals_agree_with_r(name: str, ties: str) -> None:
    fit, answer = fitted(name, ties), said(name, ties)
    likelihood = fit.sample.likelihood(fit.sample.covariates, ties)
    ours = score_residuals(likelihood, fit.coefficients)[np.atleast_1d(answer["rows"])]
    agree(score_residuals, r("cox", "survival::residuals.coxph"), ours, answer["score_residuals"])


def test_the_sample_makes_its_own_likelihood() -> None:
    table = small(2)
    sample = cox_sample(**table)
    ours = sample.likelihood(sample.covariates, "efron").at(np.array([0.1, 0.2, 0.3]))
    theirs = brute_force(table, np.ones(40), "efron", np.array([0.1, 0.2, 0.3]))
    agree(CoxSample.likelihood, BRUTE, ours.value, theirs)


def test_the_climb_ends_where_the_score_is_zero() -> None:
    sample = cox_sample(**small(4))
    found = maximise(sample.likelihood(sample.covariates, "efron"), ["a", "b", "c"])
    agree(maximise, "definition: the score is 0", found.end.score, np.zeros(3))
    agree(
        maximise, "definition: the score is 0", found.coefficients, fit_cox(**small(4)).coefficients
    )


def test_a_step_that_overshoots_is_halved() -> None:
    x = np.array(FAR_OUT)[:, None]
    likelihood = cox_sample(THEIR_TIMES, np.ones(12), x).likelihood(x, "efron")
    start = likelihood.at(np.zeros(1))
    whole = np.linalg.solve(start.information, start.score)
    assert likelihood.at(whole).value < start.value
    assert np.abs(maximise(likelihood, ["x"]).end.score).max() < 1e-6


def test_beyond_what_exp_can_hold_there_is_no_value() -> None:
    x = np.array(FAR_OUT)[:, None]
    likelihood = cox_sample(THEIR_TIMES, np.ones(12), x).likelihood(x, "efron")
    assert not np.isfinite(likelihood.at(np.array([-100.0])).value)


def test_a_climb_that_is_cut_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihoods, "MOST_STEPS", 2)
    with pytest.raises(ValueError, match="the fit did not converge"):
        fit_cox(**small(4))


def test_dependent_columns() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(50, 5))
    x[:, 3] = x[:, 0] - 2 * x[:, 2]
    spread = x.T @ x
    found = first_dependent(spread, np.diag(spread))
    rank = [int(np.linalg.matrix_rank(x[:, : k + 1])) for k in range(5)]
    agree(first_dependent, "definition: ranks by numpy", found, rank.index(3, 3))
    assert first_dependent(np.eye(3), np.ones(3)) is None


@given(st.integers(0, 10_000), st.integers(6, 300), st.sampled_from(["efron", "breslow"]))
def test_a_column_that_only_names_the_stratum_is_refused_by_name(
    seed: int, n: int, ties: Any
) -> None:
    random = np.random.default_rng(seed)
    strata = np.append([0, 1], random.integers(0, 3, n - 2))  # it varies
    columns = np.column_stack([random.normal(size=n), strata * 1.7 - 0.3, random.normal(size=n)])
    times, events = random.integers(1, 40, n), np.ones(n)
    with pytest.raises(ValueError, match="'stratum' carries no information"):
        fit_cox(
            *(times, events, columns[:, [1, 0, 2]]),
            ties=ties,
            strata=strata,
            names=["stratum", "first", "second"],
        )


def test_a_rare_column_is_information_all_the_same() -> None:
    random = np.random.default_rng(1)
    rare = np.zeros(5000)
    rare[[10, 2000, 4000]] = 1
    times = random.exponential(size=5000) * np.exp(-rare)
    assert np.isfinite(fit_cox(times, np.ones(5000), rare).coefficients).all()
