import pytest

from oncotrail.statistics.regression.cox_concordance import fitted_concordance
from tests.statistics.oracles import agree, r
from tests.statistics.regression.cox_tables import CASES, fitted, said


@pytest.mark.parametrize(("name", "ties"), CASES)
def test_agrees_with_r(name: str, ties: str) -> None:
    found = fitted_concordance(fitted(name, ties))
    oracle = r("cox", "survival::concordance.coxph")
    ours = found.value, found.standard_error
    agree(fitted_concordance, oracle, ours, said(name, ties)["concordance"])
