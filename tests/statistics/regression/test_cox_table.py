from typing import Any

import numpy as np
import pytest

from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_table import CoxTable, cox_table
from oncotrail.statistics.regression.splines import restricted_cubic
from oncotrail.statistics.regression.term_test import fit_columns, refit, term_test
from tests.reference.tables import gbsg2, larynx
from tests.statistics.oracles import agree, r, reference
from tests.statistics.regression.cox_tables import small

COXPH, SUMMARY = r("cox", "survival::coxph"), r("cox", "survival::summary.coxph")
ANOVA = r("cox", "survival::anova.coxph")
NAMES = [
    "hormones",
    "age",
    "postmenopausal",
    "size",
    "grade",
    "nodes",
    "progesterone",
    "oestrogen",
]


@pytest.fixture
def said() -> dict[str, Any]:
    return reference("cox")["table"]


def breast(**options: Any) -> CoxTable:
    table = gbsg2()
    return cox_table(table["time"], table["event"], table[NAMES], names=NAMES, **options)


def test_each_term_alone(said: dict[str, Any]) -> None:
    found = breast().univariable
    for ours, theirs in zip(found, said["univariable"], strict=True):
        ratio = ours.ratios[0]
        assert ours.name == theirs["name"]
        agree(cox_table, SUMMARY, [ratio.value, ratio.low, ratio.high], theirs["ratio"])
        agree(cox_table, SUMMARY, [ours.test.p_value, ratio.p_value], [theirs["p"], theirs["wald"]])


def test_all_together(said: dict[str, Any]) -> None:
    found = breast()
    assert found.chosen == tuple(said["drop"]["name"]) == tuple(NAMES)
    ours = [term.test.p_value for term in found.multivariable]
    agree(cox_table, r("cox", "drop1"), ours, said["drop"]["p"])
    assert (found.n, found.events, found.rule) == (686, 299, "all terms, as declared")
    assert found.events_per_variable == found.events_per_variable_in_model == 299 / 8


def test_backward_by_aic(said: dict[str, Any]) -> None:
    found = breast(rule="backward aic")
    assert list(found.chosen) == said["backward"]
    ours = [term.ratios[0].coefficient for term in found.multivariable]
    agree(cox_table, r("cox", "step"), ours, said["backward_coefficients"])
    assert [one.name for one in found.removals] == ["oestrogen", "age", "postmenopausal"]
    assert all(one.aic_without < one.aic_with for one in found.removals)
    assert found.rule == "backward elimination, by AIC"
    assert found.events_per_variable_in_model == 299 / 5


def test_backward_by_p() -> None:
    """Each removal is the least significant one, and all that stay are below the threshold."""
    found = breast(rule="backward p", threshold=0.01)
    assert all(one.p_value >= 0.01 for one in found.removals)
    assert all(term.test.p_value < 0.01 for term in found.multivariable)
    assert len(found.removals) + len(found.chosen) == len(NAMES)


def test_by_univariable_p() -> None:
    found = breast(rule="univariable", threshold=0.01)
    alone = {term.name: term.test.p_value for term in found.univariable}
    assert set(found.chosen) == {name for name, p in alone.items() if p < 0.01}
    assert found.rule == "univariable likelihood ratio p below 0.01"
    by_wald = breast(rule="univariable", by="wald")
    assert by_wald.univariable[0].test.p_value == pytest.approx(
        by_wald.univariable[0].ratios[0].p_value
    )


def test_nothing_chosen_is_no_model() -> None:
    table = small(1)
    table["covariates"] = np.random.default_rng(8).permutation(table["covariates"])
    for rule in ("univariable", "backward p"):
        found = cox_table(**table, rule=rule, threshold=1e-9)
        assert (found.chosen, found.multivariable, found.model) == ((), (), None)
        assert found.events_per_variable_in_model is None


def test_a_factor_is_one_term() -> None:
    table, said = larynx(), reference("cox")["grouped"]
    x = table[["age", "Stage_II", "Stage_III", "Stage_IV"]]
    terms = {"age": [0], "stage": [1, 2, 3]}
    found = cox_table(table["time"], table["event"], x, terms, names=list(x.columns))
    stage, alone = found.multivariable[1], found.univariable[1]
    ours = stage.test.statistic, stage.test.p_value
    agree(cox_table, ANOVA, ours, [said["likelihood_ratio"], said["likelihood_ratio_p"]])
    agree(cox_table, SUMMARY, [alone.test.statistic, alone.test.p_value], said["alone"][::2])
    assert [ratio.name for ratio in stage.ratios] == ["Stage_II", "Stage_III", "Stage_IV"]
    assert found.events_per_variable == 50 / 4


def test_non_linearity_of_a_spline(said: dict[str, Any]) -> None:
    table = gbsg2()
    x = np.column_stack([table["age"], restricted_cubic(table["nodes"], said["knots"])])
    fit = fit_cox(table["time"], table["event"], x)
    agree(fit_cox, COXPH, fit.coefficients, said["curve"])
    ratio, wald = term_test(fit, [2, 3]), term_test(fit, [2, 3], by="wald")
    agree(term_test, ANOVA, ratio.statistic, said["nonlinear_likelihood_ratio"])
    agree(term_test, COXPH, wald.statistic, said["nonlinear_wald"])
    assert ratio.degrees_of_freedom == wald.degrees_of_freedom == 2


def test_weights_and_strata_reach_every_model() -> None:
    table, weights, strata = small(4), np.arange(40) % 3 + 1.0, np.arange(40) % 2
    found = cox_table(**table, weights=weights, strata=strata, ties="breslow")
    fit = fit_cox(**table, weights=weights, strata=strata, ties="breslow")
    assert found.model.coefficients == pytest.approx(fit.coefficients)
    last = refit(fit, [2])
    x = table["covariates"][:, [2]]
    alone = fit_cox(
        table["times"], table["events"], x, weights=weights, strata=strata, ties="breslow"
    )
    agree(refit, "the same model by fit_cox", last.coefficients, alone.coefficients)
    again = fit_columns(fit.sample, [2], fit.names, "breslow")
    agree(fit_columns, "the same model by fit_cox", again.coefficients, alone.coefficients)
    ratio = found.univariable[2].ratios[0]
    assert ratio.coefficient == pytest.approx(last.coefficients[0])


def test_clusters_and_late_entry_reach_every_model() -> None:
    table, entry, cluster = small(4), np.arange(40) % 2 * 0.5, np.arange(40) // 3
    found = cox_table(**table, entry=entry, clusters=cluster, by="wald", rule="backward p")
    fit = fit_cox(**table, entry=entry, clusters=cluster)
    alone = fit_cox(
        table["times"], table["events"], table["covariates"][:, 0], entry=entry, clusters=cluster
    )
    ours = found.univariable[0].ratios[0]
    agree(cox_table, "the same model by fit_cox", ours.standard_error, alone.standard_errors)
    assert found.model.robust
    worst = max(ratio.p_value for ratio in fit.hazard_ratios())
    assert found.removals[0].p_value == pytest.approx(worst)


class TestRefusals:
    def refused(self, message: str, **changed: Any) -> None:
        with pytest.raises(ValueError, match=message):
            cox_table(**(small(1) | changed))

    def test_another_rule(self) -> None:
        self.refused("rule: found 'forward'", rule="forward")

    def test_another_threshold(self) -> None:
        self.refused("found threshold 0", threshold=0)

    def test_another_test(self) -> None:
        self.refused("by: found 'score'", by="score")

    def test_likelihood_ratio_of_fractional_weights(self) -> None:
        self.refused("fractional weights, which have no", weights=np.linspace(0.5, 1.5, 40))

    def test_aic_of_clusters(self) -> None:
        self.refused(
            "and rule='backward aic' with clusters",
            clusters=np.arange(40) // 2,
            by="wald",
            rule="backward aic",
        )

    def test_a_term_without_columns(self) -> None:
        self.refused("expected at least one column each", terms={"a": []})

    def test_a_column_in_two_terms(self) -> None:
        self.refused("no column in two terms", terms={"a": [0, 1], "b": [1]})

    def test_a_column_that_is_not_there(self) -> None:
        self.refused(r"found columns \[0, 3\]; expected numbers from 0 to 2", terms={"a": [0, 3]})

    def test_no_terms(self) -> None:
        self.refused(r"found columns \[\]", terms={})

    @pytest.mark.parametrize("columns", [[], [0, 0], [3]])
    def test_columns_of_a_term(self, columns: list[int]) -> None:
        with pytest.raises(ValueError, match="expected different numbers from 0 to 2"):
            term_test(fit_cox(**small(1)), columns)

    def test_a_robust_fit_has_no_likelihood_ratio(self) -> None:
        with pytest.raises(ValueError, match="the fit is robust"):
            term_test(fit_cox(**small(1), robust=True), [0])
