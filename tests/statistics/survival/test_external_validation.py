from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oncotrail.statistics.arrays import Floats, Integers
from oncotrail.statistics.calibration.optimism import draw_patients
from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.survival.brier import (
    brier_score,
    integrated_brier,
    scaled_brier,
    scaled_integrated_brier,
)
from oncotrail.statistics.survival.censoring import censoring_distribution
from oncotrail.statistics.survival.concordance import concordance, concordance_ipcw
from oncotrail.statistics.survival.cox_validation import SURVIVAL_FIGURES, validate_survival
from oncotrail.statistics.survival.external_validation import (
    external_validation,
    external_validation_of_cox,
)
from oncotrail.statistics.survival.horizon_calibration import (
    calibration_in_the_large_at,
    log_minus_log,
    observed_expected_at,
    survival_calibration_slope,
)
from oncotrail.statistics.survival.time_dependent import integrated_auc, time_dependent_auc
from tests.reference import tables
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import SAID, table

SCORE = r("survival_prediction", "riskRegression::Score")
CONCORDANCE = r("survival_prediction", "survival::concordance")
COXPH = r("survival_prediction", "survival::coxph")
VALIDATE = r("survival_prediction", "rms::validate")


def test_all_figures_of_r_in_one_call() -> None:
    t = table("lung")
    found = external_validation(t.times, t.events, t.first, t.survivals(t.horizons), t.horizons)
    harrell = t.said["concordance"]["harrell"]
    ours = [found.harrell.value, found.harrell.standard_error]
    agree(external_validation, CONCORDANCE, ours, [harrell["value"], harrell["error"]])
    scores = t.said["scores"]
    columns = {
        "auc": (scores["auc"]["first"]["AUC"], scores["auc"]["first"]["se"]),
        "brier": (scores["brier"]["first"]["Brier"], scores["brier"]["first"]["se"]),
        "scaled_brier": (scores["brier"]["first"]["IPA"], scores["ipa_error"]),
    }
    for name, theirs in columns.items():
        each = [getattr(horizon, name) for horizon in found.horizons]
        ours = [[one.value for one in each], [one.standard_error for one in each]]
        agree(external_validation, SCORE, ours, theirs)
    agree(
        external_validation,
        SCORE,
        found.integrated_brier.value,
        scores["brier"]["first"]["IBS"][-1],
    )
    said, year = SAID["calibration"]["lung"], found.horizons[1]
    ours = [year.slope.value, year.in_the_large.value, year.calibration.ici.value]
    agree(external_validation, COXPH, ours, [said["slope"], said["large"], said["ici"]])
    assert year.observed_expected.value == pytest.approx(said["ratio"])
    assert found.undefined == ()


def test_the_figures_are_those_of_the_functions() -> None:
    t = table("ordinary")
    training = censoring_distribution(t.times[:60], t.events[:60])
    horizons, rest = [0.1, 0.5], slice(60, None)
    outcome = (t.times[rest], t.events[rest])
    survival = t.survivals(horizons)[rest]
    weighting: dict[str, Any] = {"censoring": training, "confidence": 0.9}
    found = external_validation(
        *outcome,
        t.first[rest],
        survival,
        horizons,
        risk_groups=t.first[rest] > 0,
        generator=np.random.default_rng(2),
        resamples=20,
        **weighting,
    )
    assert found.harrell == concordance(*outcome, t.first[rest], confidence=0.9)
    assert found.uno == concordance_ipcw(*outcome, t.first[rest], tau=0.5, **weighting)
    assert found.integrated_auc == integrated_auc(*outcome, 1 - survival, horizons, **weighting)
    assert found.integrated_brier == integrated_brier(*outcome, survival, horizons, **weighting)
    scaled = scaled_integrated_brier(*outcome, survival, horizons, **weighting)
    assert found.scaled_integrated_brier == scaled
    one, predicted = found.horizons[1], survival[:, 1]
    assert one.auc == time_dependent_auc(*outcome, 1 - predicted, 0.5, **weighting)
    assert one.brier == brier_score(*outcome, predicted, 0.5, **weighting)
    assert one.scaled_brier == scaled_brier(*outcome, predicted, 0.5, **weighting)
    ratio = observed_expected_at(*outcome, predicted, 0.5, confidence=0.9)
    large = calibration_in_the_large_at(*outcome, predicted, 0.5, confidence=0.9)
    slope = survival_calibration_slope(*outcome, log_minus_log(predicted), confidence=0.9)
    assert (one.observed_expected, one.in_the_large, one.slope) == (ratio, large, slope)
    assert one.calibration.ici.low < one.calibration.ici.high
    assert {name: curve.n for name, curve in found.curves.items()} == {
        False: int((t.first[rest] <= 0).sum()),
        True: int((t.first[rest] > 0).sum()),
    }
    assert (found.n, found.events) == (60, int(t.events[rest].sum()))


def test_a_cox_model_is_judged_on_another_cohort() -> None:
    d = tables.gbsg2()
    times, events = d["time"].to_numpy(), d["event"].to_numpy()
    columns = d[["age", "nodes", "grade"]].to_numpy(dtype=float)
    old, new = slice(None, 400), slice(400, None)
    fit = fit_cox(times[old], events[old], columns[old])
    found = external_validation_of_cox(fit, times[new], events[new], columns[new], [730, 1461])
    by_hand = external_validation(
        times[new],
        events[new],
        fit.risk(columns[new]),
        fit.survival(columns[new], [730, 1461]),
        [730, 1461],
    )
    ours = [found.harrell.value, found.uno.value, found.horizons[1].brier.value]
    theirs = [by_hand.harrell.value, by_hand.uno.value, by_hand.horizons[1].brier.value]
    agree(external_validation_of_cox, "definition: its predictions handed in", ours, theirs)
    assert 0.5 < found.harrell.value < 0.8


def test_what_cannot_be_had_is_none_and_says_why() -> None:
    times, events = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 1]
    found = external_validation(times, events, [0.4] * 6, [0.6] * 6, [3.5])
    one = found.horizons[0]
    assert (found.harrell.value, one.auc.value) == (0.5, 0.5)
    assert (one.slope, one.calibration, found.integrated_auc) == (None, None, None)
    assert len(found.undefined) == 2
    assert found.undefined[0].startswith("calibration slope at 3.5: column 'risk' is")
    assert found.curves is None
    certain = external_validation(times, events, range(6), [0, 0, 0.5, 0, 1, 1], [3.5])
    assert certain.horizons[0].in_the_large is None
    assert certain.horizons[0].observed_expected.value is not None


class TestRefusals:
    rows = ([1, 2, 3], [1, 1, 0], [3, 2, 1])

    def test_a_column_for_each_horizon(self) -> None:
        with pytest.raises(ValueError, match="found 1 columns; expected 2, one for each horizon"):
            external_validation(*self.rows, [0.1, 0.2, 0.3], [1, 2])

    def test_percentages(self) -> None:
        with pytest.raises(ValueError, match=r"survival, column 0: found 10\.0 in row 0"):
            external_validation(*self.rows, [10, 20, 30], [1])

    def test_a_confidence_of_95(self) -> None:
        with pytest.raises(ValueError, match="found confidence 95"):
            external_validation(*self.rows, [0.1, 0.2, 0.3], [1], confidence=95)

    def test_no_resamples(self) -> None:
        t = table("ordinary")
        outcome = (t.times, t.events, t.first, t.survivals([0.5]), [0.5])
        with pytest.raises(ValueError, match="found 0 resamples; expected at least 1"):
            external_validation(*outcome, generator=np.random.default_rng(1), resamples=0)

    def test_a_blank_risk(self) -> None:
        with pytest.raises(ValueError, match="risk: found nan in row 2"):
            external_validation(*self.rows[:2], [3, 2, np.nan], [0.1, 0.2, 0.3], [1])


class TestOptimism:
    def model(self, ties: str = "efron") -> tuple[Floats, Floats, Callable[[Integers], Any]]:
        d = tables.gbsg2().iloc[: SAID["validation"]["rows"]]
        times, events = d["time"].to_numpy(), d["event"].to_numpy()
        columns = d[["age", "nodes", "grade"]].to_numpy(dtype=float)

        def fit(rows: Integers) -> Callable[[Integers], Floats]:
            model = fit_cox(times[rows], events[rows], columns[rows], ties=ties)
            return lambda others: model.risk(columns[others])

        return times, events, fit

    @pytest.mark.parametrize("ties", ["efron", "breslow"])
    def test_on_the_resamples_of_rms(self, ties: str) -> None:
        said = SAID["validation"]
        found = validate_survival(*self.model(ties), np.array(said["drawn"]), ties=ties)
        for name, theirs in zip(said[ties]["names"], said[ties]["figures"], strict=True):
            ours = found["slope" if name == "Slope" else name]
            columns = (ours.original, ours.training, ours.test, ours.optimism, ours.corrected)
            agree(validate_survival, VALIDATE, [*columns, ours.resamples], theirs)
        assert found["C"].corrected == pytest.approx((found["Dxy"].corrected + 1) / 2)

    def test_patients_left_out(self) -> None:
        times, events, fit = self.model()
        drawn = draw_patients(200, 20, np.random.default_rng(4))
        found = validate_survival(times, events, fit, drawn, method=".632")
        assert found["C"].corrected < found["C"].original

    def test_a_predictor_that_says_nothing(self) -> None:
        times, events, _ = self.model()
        drawn = draw_patients(200, 2, np.random.default_rng(4))
        found = validate_survival(times, events, lambda _: lambda rows: np.zeros(rows.size), drawn)
        assert [figure.name for figure in found.figures] == list(SURVIVAL_FIGURES)
        assert (found["C"].original, found["C"].corrected) == (0.5, 0.5)
        assert (found["slope"].original, found["slope"].resamples) == (None, 0)

    def test_no_events_at_all(self) -> None:
        drawn = draw_patients(3, 2, np.random.default_rng(4))
        found = validate_survival(
            [1, 2, 3], [0, 0, 0], lambda _: lambda rows: rows.astype(float), drawn
        )
        assert found["C"].original is None

    def test_wrong_input_is_no_undefined_figure(self) -> None:
        times, events, _ = self.model()
        drawn = draw_patients(200, 2, np.random.default_rng(4))
        with pytest.raises(ValueError, match="ties") as raised:
            validate_survival(
                times, events, lambda _: lambda rows: np.arange(rows.size), drawn, ties="exact"
            )
        assert raised.type is ValueError
