from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.proportional_hazards import proportional_hazards
from tests.statistics.oracles import agree, r, reference
from tests.statistics.regression.cox_tables import CASES, fitted, said, small, some

ZPH = r("cox", "survival::cox.zph")
either_transform = pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])


WRITTEN = [
    (name, ties, transform) for name, ties in CASES for transform in said(name, ties).get("zph", {})
]


@pytest.mark.parametrize(("name", "ties", "transform"), WRITTEN)
def test_agrees_with_r(name: str, ties: str, transform: Any) -> None:
    found, answer = proportional_hazards(fitted(name, ties), transform), said(name, ties)
    theirs = answer["zph"][transform]
    tests = [term.test for term in found.terms] + [found.overall]
    agree(proportional_hazards, ZPH, [test.statistic for test in tests], theirs["chisq"])
    agree(proportional_hazards, ZPH, [test.p_value for test in tests], theirs["df"])
    rows = some(found.times.size)
    agree(proportional_hazards, ZPH, found.time_axis[rows], theirs["x"])
    # Patients tied in time are in the order of what they are, as the script of R has them.
    keys = np.round(found.scaled_residuals, 8).T[::-1]
    order = np.lexsort((*keys, found.time_axis, found.strata))
    ours = found.scaled_residuals[order][rows]
    agree(proportional_hazards, ZPH, ours, np.array(theirs["y"], dtype=float))
    agree(proportional_hazards, ZPH, np.nansum(found.scaled_residuals, axis=0), theirs["sum"])


def test_a_factor_is_one_term() -> None:
    fit, theirs = fitted("larynx", "efron"), reference("cox")["grouped"]
    found = proportional_hazards(fit, terms={"age": [0], "stage": [1, 2, 3]})
    tests = [term.test for term in found.terms] + [found.overall]
    agree(proportional_hazards, ZPH, [test.statistic for test in tests], theirs["zph"])
    agree(proportional_hazards, ZPH, [test.degrees_of_freedom for test in tests], theirs["zph_df"])
    agree(proportional_hazards, ZPH, [test.p_value for test in tests], theirs["zph_p"])
    assert [term.name for term in found.terms] == ["age", "stage"]


def test_a_column_constant_in_a_stratum_says_nothing_there() -> None:
    fit = fitted("constant_in_stratum", "efron")
    found = proportional_hazards(fit)
    undefined = np.isnan(found.scaled_residuals)
    assert undefined[:, 1].any()
    assert not undefined[:, [0, 2]].any()


@pytest.mark.parametrize("name", ["one_event", "only_zero"])
def test_one_event_time_allows_no_test(name: str) -> None:
    found = proportional_hazards(fitted(name, "efron"))
    assert (found.terms[0].test, found.overall) == (None, None)


def test_an_event_at_zero_has_no_logarithm() -> None:
    """R fails there without saying why; a patient censored at 0 does not matter."""
    with pytest.raises(Undefined, match="an event at time 0"):
        proportional_hazards(fitted("at_zero", "efron"), "log")
    table = small(1)
    table["times"][0] = table["events"][0] = 0
    assert proportional_hazards(fit_cox(**table), "log").overall is not None


@given(st.integers(0, 10_000))
def test_ranks_and_the_km_scale_know_only_the_order_of_times(seed: int) -> None:
    table = small(seed)
    before = fit_cox(**table)
    table["times"] = table["times"] ** 2
    after = fit_cox(**table)
    for transform in ("km", "rank"):
        first, second = (proportional_hazards(fit, transform) for fit in (before, after))
        assert second.overall.statistic == pytest.approx(first.overall.statistic, rel=1e-6)


@either_transform
def test_a_weight_of_zero_leaves_a_patient_out(transform: Any) -> None:
    table, kept = small(6), np.arange(40) % 5 > 0
    zero = proportional_hazards(fit_cox(**table, weights=kept.astype(float)), transform)
    without = fit_cox(**{name: values[kept] for name, values in table.items()})
    found = proportional_hazards(without, transform)
    assert zero.overall.statistic == pytest.approx(found.overall.statistic, abs=1e-9)
    assert (zero.n, zero.events) == (found.n, found.events)


def test_a_hazard_ratio_that_turns_is_found() -> None:
    """In one arm everybody dies early or late: the ratio goes from above to below 1."""
    random = np.random.default_rng(2)
    arm = np.arange(400) % 2
    early = random.uniform(size=400) < 0.5
    times = np.where(arm == 1, np.where(early, 0.3, 3), 1) * random.exponential(size=400) + 0.01
    found = proportional_hazards(fit_cox(times, np.ones(400), arm))
    assert found.overall.p_value < 1e-4


class TestRefusals:
    def test_another_transform(self) -> None:
        with pytest.raises(ValueError, match="transform: found 'sqrt'"):
            proportional_hazards(fit_cox(**small(1)), "sqrt")  # type: ignore[arg-type]

    @pytest.mark.parametrize("columns", [[], [0, 0], [3], [-1]])
    def test_columns_that_are_not_there(self, columns: list[int]) -> None:
        with pytest.raises(ValueError, match=r"term 'age': found columns .* from 0 to 2"):
            proportional_hazards(fit_cox(**small(1)), terms={"age": columns})
