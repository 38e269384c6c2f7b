import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_residuals import (
    deviance_residuals,
    dfbeta,
    martingale_residuals,
    schoenfeld_residuals,
)
from tests.statistics.oracles import agree, r
from tests.statistics.regression.cox_tables import CASES, fitted, said, small, some

RESIDUALS = r("cox", "survival::residuals.coxph")


@pytest.mark.parametrize(("name", "ties"), CASES)
def test_agree_with_r(name: str, ties: str) -> None:
    fit, answer = fitted(name, ties), said(name, ties)
    rows = np.atleast_1d(answer["rows"])
    agree(martingale_residuals, RESIDUALS, martingale_residuals(fit)[rows], answer["martingale"])
    agree(deviance_residuals, RESIDUALS, deviance_residuals(fit)[rows], answer["deviance"])
    agree(dfbeta, RESIDUALS, dfbeta(fit)[rows], answer["dfbeta"])
    ours = schoenfeld_residuals(fit).residuals
    # Ours and R's order differ where two are tied, so sums too.
    agree(schoenfeld_residuals, RESIDUALS, np.abs(ours).sum(axis=0), answer["schoenfeld_sum"])
    agree(schoenfeld_residuals, RESIDUALS, ours[some(len(ours))], answer["schoenfeld"])


@given(st.integers(0, 10_000))
def test_residuals_of_all_patients_add_up_to_nothing(seed: int) -> None:
    fit = fit_cox(**small(seed))
    assert martingale_residuals(fit).sum() == pytest.approx(0, abs=1e-9)
    assert dfbeta(fit).sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-7)
    assert schoenfeld_residuals(fit).residuals.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-7)
    assert (martingale_residuals(fit) <= 1).all()


def test_schoenfeld_residuals_say_whose_they_are() -> None:
    fit = fit_cox(**small(8), strata=np.arange(40) % 2)
    found = schoenfeld_residuals(fit)
    assert found.times.tolist() == fit.sample.times[found.patients].tolist()
    assert found.strata.tolist() == fit.sample.strata[found.patients].tolist()
    assert fit.sample.events[found.patients].all()
