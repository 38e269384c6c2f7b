from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.cox_curve import predicted_survival
from tests.statistics.oracles import agree, r
from tests.statistics.regression.cox_tables import CASES, fitted, said, small

SURVFIT = r("cox", "survival::survfit.coxph")


@pytest.mark.parametrize(("name", "ties"), CASES)
def test_intervals_agree_with_r(name: str, ties: str) -> None:
    fit, answer = fitted(name, ties), said(name, ties)
    for curve in answer["survival"]:
        for band, theirs in curve["bands"].items():
            found = predicted_survival(
                fit,
                np.array(answer["new"], dtype=float)[curve["ends"]],
                np.atleast_1d(curve["times"]),
                stratum=curve["stratum"],
                offset=None if answer["new_offset"] is None else _of(answer, curve),
                confidence=0.9,
                band=band,
            )
            for ours, end in ((found.low, "low"), (found.high, "high")):
                # Before the first event R has no log-log interval; ours is survival itself, 1.
                expected = np.array(theirs[end], dtype=float).reshape(ours.shape)
                agree(predicted_survival, SURVFIT, ours, np.where(np.isnan(expected), 1, expected))
            survival = np.array(curve["survival"], dtype=float)[curve["ends"]]
            agree(predicted_survival, SURVFIT, found.survival, survival.reshape(ours.shape))


def _of(answer: dict[str, Any], curve: dict[str, Any]) -> np.ndarray:
    return np.array(answer["new_offset"])[curve["ends"]]


@given(st.integers(0, 10_000), st.sampled_from(["log-log", "log", "plain"]))
def test_the_interval_holds_the_survival_within_0_and_1(seed: int, band: Any) -> None:
    fit = fit_cox(**small(seed))
    times = np.linspace(0, fit.sample.times.max(), 9)
    found = predicted_survival(fit, fit.sample.covariates, times, band=band)
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()
    assert (found.low <= found.survival).all()
    assert (found.survival <= found.high).all()
    assert (found.low[:, 0] == 1).all()
    assert (found.standard_error[:, 0] == 0).all()


def test_where_the_errors_come_from() -> None:
    """Without covariate effects and variance, the sum of d / n^2: Aalen's, by hand."""
    x = [1, -1, 1, -1, 1, -1, 1, -1]
    fit = fit_cox([1, 1, 2, 2, 3, 3, 4, 4], [1] * 8, x, ties="breslow")
    assert fit.coefficients == pytest.approx([0])
    found = predicted_survival(fit, [0], [1, 2, 3])
    # At a covariate of 0, the mean of those at risk, the coefficient adds nothing.
    aalen = np.sqrt(np.cumsum([2 / 64, 2 / 36, 2 / 16]))
    agree(predicted_survival, "definition: sum of d / n^2", found.standard_error[0], aalen)


def test_hazards_that_are_farther_apart_than_numbers() -> None:
    """Those who stay have hazards of exp(-200) or exp(-450) of those who leave: all one to them."""
    times, events, x = (
        np.arange(1, 11),
        [1, 1, 0, 1, 1, 0, 1, 1, 1, 0],
        [2, 1, 0, 1, 2, 1, 0, 2, 1, 0],
    )
    curves = []
    for away in (-200.0, -450.0):
        offset = np.repeat([0, away], 5)
        fit = fit_cox(times, events, x, offset=offset)
        curves.append(predicted_survival(fit, x[5:], [7, 9], offset=offset[5:]))
    near, far = curves
    assert far.standard_error == pytest.approx(near.standard_error)
    assert (far.low, far.high) == (pytest.approx(near.low), pytest.approx(near.high))
    assert ((far.low > 0) & (far.low < far.survival)).all()


def test_refusals() -> None:
    fit = fit_cox(**small(1))
    with pytest.raises(ValueError, match="band: found 'loglog', expected one of"):
        predicted_survival(fit, np.zeros((1, 3)), [1], band="loglog")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="follow-up ended"):
        predicted_survival(fit, np.zeros((1, 3)), [1e3])
    with pytest.raises(ValueError, match="found confidence 2"):
        predicted_survival(fit, np.zeros((1, 3)), [1], confidence=2)
