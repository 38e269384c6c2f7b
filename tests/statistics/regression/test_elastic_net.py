from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.regression import penalised_likelihood
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_sample import cox_sample
from oncotrail.statistics.regression.elastic_net import (
    CrossValidatedPath,
    ElasticNetPath,
    cross_validated_path,
    elastic_net_path,
)
from oncotrail.statistics.regression.penalised_likelihood import (
    Penalised,
    maximise_penalised,
    saturated,
    slope,
)
from oncotrail.statistics.regression.standardised import (
    deviance,
    fits,
    penalty_sequence,
    scaled_deviance,
    standardised,
)
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference
from tests.statistics.regression.cox_tables import FAR_OUT, THEIR_TIMES, small

GLMNET, CROSS = r("elastic_net", "glmnet::glmnet"), r("elastic_net", "glmnet::cv.glmnet")
SLOPES = "definition: optimality conditions"
MADE = {"untied": 4, "ties": 4, "weighted": 4, "wide": 2, "constant": 4, "stratified": 4}
REAL = {"rossi": 2, "gbsg2": 2}
CASES = [(name, place) for name, count in (MADE | REAL).items() for place in range(count)]


def table_of(name: str) -> dict[str, Any]:
    if name in MADE:
        table = reference("elastic_net")["made"][name]["table"]
        x, fold = np.array(table["x"], dtype=float), np.array(table["fold"])
    else:
        table = getattr(tables, name)()
        x = table[reference("elastic_net")["real"][name]["x"]].to_numpy(dtype=float)
        fold = np.arange(len(x)) % 5 + 1
    return {
        "times": np.array(table["time"]),
        "events": np.array(table["event"]),
        "covariates": x,
        "weights": table.get("weight"),
        "strata": table.get("stratum"),
        "folds": fold,
    }


def said(name: str, place: int) -> dict[str, Any]:
    kind = "made" if name in MADE else "real"
    return reference("elastic_net")[kind][name]["paths"][place]


def cross_validated(name: str, place: int) -> CrossValidatedPath:
    """At glmnet's penalties: it prints the largest to 10 digits."""
    answer = said(name, place)
    return cross_validated_path(
        **table_of(name),
        mixing=answer["alpha"],
        standardise=answer["standardize"],
        penalties=answer["lambda"],
    )


def test_every_path_of_r_is_compared() -> None:
    written = reference("elastic_net")
    for kind, cases in (("made", MADE), ("real", REAL)):
        assert {name: len(one["paths"]) for name, one in written[kind].items()} == cases


@pytest.mark.parametrize(("name", "place"), CASES)
def test_path_and_cross_validation_agree_with_glmnet(name: str, place: int) -> None:
    answer, found = said(name, place), cross_validated(name, place)
    path, some = found.path, np.array(answer["some"])
    beta, explained = np.array(answer["beta"]), np.array(answer["dev_ratio"])
    # Glmnet writes 0 for the ridge's first penalty, and fits it when it is asked for.
    start = int(answer["alpha"] == 0)
    # Of columns that compete, glmnet stops moving weight between two before the eighth decimal.
    agree(elastic_net_path, GLMNET, path.coefficients[some[start:]], beta[start:], absolute=1e-8)
    agree(elastic_net_path, GLMNET, path.deviance_ratio[start:], explained[start:])
    agree(elastic_net_path, GLMNET, path.null_deviance, answer["nulldev"])
    agree(cross_validated_path, CROSS, found.deviance, answer["cvm"])
    agree(cross_validated_path, CROSS, found.standard_error, answer["cvsd"])
    agree(
        cross_validated_path,
        CROSS,
        [found.best, found.sparser],
        [answer["lambda_min"], answer["lambda_1se"]],
    )


@pytest.mark.parametrize(("name", "place"), CASES)
def test_the_penalties_are_glmnets(name: str, place: int) -> None:
    table, answer = table_of(name), said(name, place)
    del table["folds"]
    path = elastic_net_path(**table, mixing=answer["alpha"], standardise=answer["standardize"])
    agree(elastic_net_path, GLMNET, path.penalties, answer["lambda"])
    net = standardised(cox_sample(**table), answer["alpha"], standardise=answer["standardize"])
    ours = penalty_sequence(net)[: path.penalties.size]
    agree(penalty_sequence, GLMNET, ours, answer["lambda"])


def test_the_coefficients_at_one_penalty() -> None:
    path, answer = cross_validated("rossi", 0).path, said("rossi", 0)
    place = answer["some"][3]
    limit, beta = answer["lambda"][place], np.array(answer["beta"][3])
    agree(ElasticNetPath.at, GLMNET, path.at(limit), beta)
    x = table_of("rossi")["covariates"][:5]
    agree(ElasticNetPath.risk, GLMNET, path.risk(x, limit), x @ beta)
    assert path.chosen(limit) == tuple(f"column {k}" for k in np.flatnonzero(beta))


@given(st.integers(0, 10_000), st.sampled_from([1.0, 0.4]))
def test_every_fit_is_optimal(seed: int, mixing: float) -> None:
    net = standardised(cox_sample(**small(seed, p=6)), mixing, standardise=True)
    steepest = np.abs(slope(net.likelihood, np.zeros(6))).max() / mixing
    for limit in (0.5 * steepest, 0.05 * steepest):
        lasso, ridge = limit * mixing, limit * (1 - mixing)
        found = maximise_penalised(net.likelihood, lasso, ridge, np.zeros(6))
        beta, at = found.coefficients, net.likelihood.at(found.coefficients)
        agree(slope, "definition: the score", slope(net.likelihood, beta), at.score)
        wanted = lasso * np.sign(beta) + ridge * beta
        agree(maximise_penalised, SLOPES, at.score[beta != 0], wanted[beta != 0])
        assert (np.abs(at.score[beta == 0]) <= lasso + 1e-9).all()
        assert found.value == pytest.approx(at.value, abs=1e-9)


def test_the_pieces_of_a_path() -> None:
    table = small(3)
    net = standardised(cox_sample(**table), 1.0, standardise=True)
    x = table["covariates"]
    scaled = ((x - x.mean(axis=0)) / x.std(axis=0))[net.likelihood.sets.order]
    agree(standardised, "definition: z scores", net.likelihood.covariates, scaled)
    tied = [
        ((table["times"] == t) & (table["events"] == 1)).sum() / 40
        for t in np.unique(table["times"])
    ]
    agree(
        saturated,
        "definition: - sum d log d",
        saturated(net.likelihood),
        -sum(d * np.log(d) for d in tied if d),
    )
    free = fit_cox(**table, ties="breslow")
    found = list(fits(net, np.array([1e-3, 1e-10])))[-1]
    agree(fits, "no penalty: fit_cox", found.coefficients / net.scale, free.coefficients)
    whole = deviance(net, found.coefficients)
    agree(deviance, "definition: from the fit's value", whole, scaled_deviance(net, found.value))
    gain = scaled_deviance(net, net.likelihood.at(np.zeros(3)).value) - whole
    agree(
        scaled_deviance,
        "no penalty: fit_cox",
        gain,
        2 * (free.log_likelihood - free.null_log_likelihood),
    )


def test_columns_that_repeat_each_other_share() -> None:
    """A lasso cannot tell copies apart: any split is optimal, and the sum is that of one."""
    table = small(5)
    x = table["covariates"]
    limits = [0.1, 0.02]
    one = elastic_net_path(**table, penalties=limits)
    table["covariates"] = np.column_stack([x, x[:, 0], x[:, 0]])
    both = elastic_net_path(**table, penalties=limits)
    total = both.coefficients[:, 0] + both.coefficients[:, 3:].sum(axis=1)
    assert total == pytest.approx(one.coefficients[:, 0], abs=1e-6)
    assert both.deviance_ratio == pytest.approx(one.deviance_ratio, abs=1e-9)


def test_a_start_that_splits_copies_is_brought_to_an_optimum() -> None:
    table = small(5)
    x = table["covariates"]
    table["covariates"] = np.column_stack([x, x[:, 0]])
    net = standardised(cox_sample(**table), 1.0, standardise=True)
    found = maximise_penalised(net.likelihood, 0.02, 0, np.array([0.3, 0, 0, 0.1]))
    beta, slopes = found.coefficients, slope(net.likelihood, found.coefficients)
    assert slopes[beta != 0] == pytest.approx(0.02 * np.sign(beta[beta != 0]), abs=1e-9)
    assert (np.abs(slopes) <= 0.02 + 1e-9).all()


def test_the_columns_let_in_at_once_do_not_change_the_fit() -> None:
    """Too few of them are found out by the optimality conditions, too many cost only time."""
    net = standardised(cox_sample(**small(11, p=6)), 1.0, standardise=True)
    fit = [maximise_penalised(net.likelihood, 0.02, 0, np.zeros(6), b) for b in (None, 0.02, 9, 0)]
    for other in fit[1:]:
        assert other.coefficients == pytest.approx(fit[0].coefficients, abs=1e-9)


def test_more_columns_than_patients() -> None:
    """Columns that are sums of others have a slope of the penalty too, or less."""
    random = np.random.default_rng(5)
    x = random.normal(size=(40, 60))
    x[:, 50:] = x[:, :10] + x[:, 10:20]
    times = random.exponential(np.exp(-x[:, 0] - x[:, 51]))
    sample = cox_sample(times, np.ones(40), x)
    net = standardised(sample, 1.0, standardise=True)
    path = elastic_net_path(times, np.ones(40), x)
    for penalty in path.penalties[[20, -1]]:
        beta = path.at(penalty) * net.scale
        slopes = slope(net.likelihood, beta)
        assert slopes[beta != 0] == pytest.approx(penalty * np.sign(beta[beta != 0]), abs=1e-8)
        assert (np.abs(slopes) <= penalty + 1e-8).all()


def test_risks_that_differ_by_more_than_numbers_hold_are_refused() -> None:
    times = np.arange(1.0, 61)
    x = np.column_stack([-times, np.random.default_rng(1).normal(size=60)])
    with pytest.raises(Undefined, match="expected larger penalties"):
        elastic_net_path(times, np.ones(60), x, penalties=[1e-9])


def test_steps_that_overshoot_are_halved() -> None:
    x = np.array(FAR_OUT)[:, None]
    likelihood = cox_sample(THEIR_TIMES, np.ones(12), x).likelihood(x, "breslow")
    found = maximise_penalised(likelihood, 1e-3, 0, np.zeros(1))
    gap = slope(likelihood, found.coefficients) - 1e-3 * np.sign(found.coefficients)
    assert np.abs(gap).max() < 1e-6


def test_the_ridge_shares_evenly_between_copies() -> None:
    table = small(5)
    table["covariates"] = np.column_stack([table["covariates"], table["covariates"][:, 0]])
    path = elastic_net_path(**table, mixing=0, penalties=[0.1])
    assert path.coefficients[0, 0] == pytest.approx(path.coefficients[0, 3])


def test_units_of_a_column_do_not_matter_when_standardised() -> None:
    table = small(7)
    before = elastic_net_path(**table)
    table["covariates"] = table["covariates"] * [100, 1, 0.01] + 3
    after = elastic_net_path(**table)
    assert after.penalties == pytest.approx(before.penalties)
    assert after.coefficients * [100, 1, 0.01] == pytest.approx(before.coefficients, abs=1e-8)


def test_a_column_that_is_constant_stays_out() -> None:
    table = small(7)
    table["covariates"][:, 1] = 0.1
    path = elastic_net_path(**table, names=["a", "b", "c"])
    assert (path.coefficients[:, 1] == 0).all()
    assert "b" not in path.chosen(path.penalties[-1])
    assert (path.n, path.events) == (40, table["events"].sum())


def test_folds_may_have_any_labels() -> None:
    table = small(9)
    fold = np.arange(40) % 4
    named = np.array(["d", "a", "c", "b"])[fold]
    first, second = (cross_validated_path(**table, folds=labels) for labels in (fold, named))
    assert second.deviance == pytest.approx(first.deviance, abs=1e-12)
    assert (first.folds, first.best) == (4, second.best)
    assert first.sparser >= first.best


class TestRefusals:
    @pytest.fixture
    def table(self) -> dict[str, Any]:
        return small(1)

    def test_another_mixing(self, table: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"found mixing 1\.5; expected 0"):
            elastic_net_path(**table, mixing=1.5)

    def test_a_penalty_of_zero(self, table: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"penalties: found 0\.0 in row 1"):
            elastic_net_path(**table, penalties=[1, 0])

    def test_only_constant_columns(self, table: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="no column tells those with an event"):
            elastic_net_path(table["times"], table["events"], np.ones((40, 2)))

    def test_two_folds(self, table: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="found 2 folds; expected at least 3"):
            cross_validated_path(**table, folds=np.arange(40) % 2)

    def test_a_fold_without_an_event(self, table: dict[str, Any]) -> None:
        fold = np.where(table["events"] == 1, np.arange(40) % 3, 3)
        with pytest.raises(ValueError, match="found no event in 1 of 4 folds"):
            cross_validated_path(**table, folds=fold)

    def test_a_penalty_off_the_path(self, table: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="expected one of the path's"):
            elastic_net_path(**table).at(12.0)

    def test_another_number_of_columns(self, table: dict[str, Any]) -> None:
        path = elastic_net_path(**table)
        with pytest.raises(ValueError, match="found 2 columns of covariates; expected 3"):
            path.risk(np.zeros((1, 2)), path.penalties[0])

    def test_a_fit_that_does_not_converge(
        self, table: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(penalised_likelihood, "MOST_STEPS", 1)
        with pytest.raises(Undefined, match="did not converge in 1 steps"):
            elastic_net_path(**table, penalties=[0.01])

    def test_a_path_ends_before_the_first_fit_that_does_not_exist(
        self, table: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As where risks come to differ by more than numbers hold; glmnet stops there too."""
        whole = elastic_net_path(**table)

        def ending(*given: Any) -> Iterator[Penalised]:
            yield from islice(fits(*given), 7)
            raise Undefined

        monkeypatch.setattr("oncotrail.statistics.regression.elastic_net.fits", ending)
        path = elastic_net_path(**table)
        assert path.penalties == pytest.approx(whole.penalties[:7])
        with pytest.raises(Undefined):
            elastic_net_path(**table, penalties=whole.penalties)

    def test_signs_that_keep_changing(
        self, table: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(penalised_likelihood, "MOST_CHANGES", 0)
        with pytest.raises(Undefined, match="columns changed sign 0 times each"):
            elastic_net_path(**table, penalties=[0.01])


def test_what_was_given_may_change_afterwards() -> None:
    random = np.random.default_rng(4)
    x, times, events = random.normal(size=(40, 3)), random.exponential(size=40), np.ones(40)
    path = elastic_net_path(times, events, x)
    before = path.at(path.penalties[5]).tolist(), path.deviance_ratio.tolist()
    x[:], times[:], events[:] = 0, 1, 0
    assert (path.at(path.penalties[5]).tolist(), path.deviance_ratio.tolist()) == before
    with pytest.raises(ValueError, match="read-only"):
        path.coefficients[0] = 1
