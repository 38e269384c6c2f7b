import numpy as np
import pytest

from oncotrail.evaluation.calibration import calibration, curve
from oncotrail.evaluation.decision import COLUMNS, decision_table
from oncotrail.evaluation.evaluated import Evaluated


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 2, 80)


def test_scores_that_are_right_have_a_slope_of_1_within_their_interval(labels: np.ndarray) -> None:
    random = np.random.default_rng(5)
    risk = random.uniform(0.05, 0.95, 4000)
    found = calibration(random.uniform(size=4000) < risk, risk, 0.99)
    for figure, best in (
        (found.observed_expected, 1),
        (found.calibration_in_the_large, 0),
        (found.calibration_slope, 1),
    ):
        assert figure is not None
        assert figure.low < best < figure.high
    assert labels.size == 80


@pytest.mark.parametrize("scores", ["certain", "equal", "apart"])
def test_what_needs_log_odds_is_undefined_and_the_rest_is_not(
    labels: np.ndarray, scores: str
) -> None:
    random = np.random.default_rng(6)
    said = {
        "certain": np.append(random.uniform(size=79), 1.0),
        "equal": np.full(80, 0.3),
        "apart": 0.5 + (labels - 0.5) * random.uniform(0.1, 0.9, 80),
    }[scores]
    found = calibration(labels, said, 0.95)
    assert found.calibration_slope is None
    assert found.observed_expected is not None
    assert found.scaled_brier is not None
    assert curve(labels, said, 0.95) is None


def test_input_that_is_wrong_is_not_called_undefined(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        calibration(labels, np.full(80, 1.5), 0.95)


def test_the_decision_table_has_every_strategy_at_every_threshold(done: Evaluated) -> None:
    among = done.judged["test"]
    table = decision_table(among, list(among.scores), 0.95)
    assert tuple(table) == COLUMNS
    assert set(table["strategy"]) == {*among.scores, "treat_all"}
    assert table.groupby("strategy").size().eq(99).all()
    at = table[(table["strategy"] == "treat_all") & (table["threshold"] == 0.2)].iloc[0]
    prevalence = among.labels.mean()
    assert at["net_benefit"] == pytest.approx(prevalence - 0.25 * (1 - prevalence))
