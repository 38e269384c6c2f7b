import pytest

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.regression.cox_concordance import fitted_concordance
from tests.statistics.oracles import agree, r
from tests.statistics.regression.cox_tables import CASES, fitted, said

WRITTEN = [case for case in CASES if said(*case)["concordance"]]


@pytest.mark.parametrize(("name", "ties"), WRITTEN)
def test_agrees_with_r(name: str, ties: str) -> None:
    found = fitted_concordance(fitted(name, ties))
    oracle = r("cox", "survival::concordance.coxph")
    ours = found.value, found.standard_error
    agree(fitted_concordance, oracle, ours, said(name, ties)["concordance"])


def test_late_entry_is_undefined() -> None:
    with pytest.raises(Undefined, match="late entry"):
        fitted_concordance(fitted("late", "efron"))
