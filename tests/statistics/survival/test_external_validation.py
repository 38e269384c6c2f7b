from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oncotrail.statistics.arrays import Floats, Integers
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
    log_minus_log,
    survival_calibration_slope,
)
from oncotrail.statistics.survival.observed_at_horizon import (
    calibration_in_the_large_at,
    observed_expected_at,
)
from oncotrail.statistics.survival.time_dependent import integrated_auc, time_dependent_auc
from oncotrail.statistics.uncertainty.endpoints import percentile_ends
from oncotrail.statistics.uncertainty.resampling import (
    Resamples,
    drawn_rows,
    given_resamples,
    resample,
)
from tests.reference import tables
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import SAID, repeated, table

SCORE = r("survival_prediction", "riskRegression::Score")
CONCORDANCE = r("survival_prediction", "survival::concordance")
COXPH = r("survival_prediction", "survival::coxph")
VALIDATE = r("survival_prediction", "rms::validate")


def drawn(patients: int, number: int) -> Resamples:
    return resample(range(patients), generator=np.random.default_rng(4), number=number)


def test_all_figures_of_r_in_one_call() -> None:
    t = table("lung")
    rows = (t.times, t.events, t.first, t.survivals(t.horizons), t.horizons)
    found = external_validation(*rows, resamples=None)
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
    early = said["to_horizon"]
    ours = [year.slope.value, year.in_the_large.value, year.calibration.ici.value]
    agree(external_validation, COXPH, ours, [early["slope"], said["large"], early["ici"]])
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
        resamples=drawn(60, 20),
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
    slope = survival_calibration_slope(
        *outcome, log_minus_log(predicted), horizon=0.5, confidence=0.9
    )
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
    rows = (times[new], events[new], columns[new], [730, 1461])
    found = external_validation_of_cox(fit, *rows, resamples=None, confidence=0.9)
    by_hand = external_validation(
        times[new],
        events[new],
        fit.risk(columns[new]),
        fit.survival(columns[new], [730, 1461]),
        [730, 1461],
        resamples=None,
    )
    ours = [found.harrell.value, found.uno.value, found.horizons[1].brier.value]
    theirs = [by_hand.harrell.value, by_hand.uno.value, by_hand.horizons[1].brier.value]
    agree(external_validation_of_cox, "definition: its predictions handed in", ours, theirs)
    assert 0.5 < found.harrell.value < 0.8
    assert found.harrell.confidence == 0.9


def test_patients_of_several_strata_are_judged_each_on_its_own_baseline() -> None:
    d = tables.gbsg2()
    times, events = d["time"].to_numpy(), d["event"].to_numpy()
    nodes, grade = d["nodes"].to_numpy(dtype=float), d["grade"].to_numpy()
    offset = 0.3 * (d["age"].to_numpy() > 60)
    old, new = slice(None, 400), slice(400, None)
    fit = fit_cox(times[old], events[old], nodes[old], strata=grade[old], offset=offset[old])
    outcome, horizons = (times[new], events[new]), [730, 1461]
    how = {"offset": offset[new], "resamples": None}
    found = external_validation_of_cox(
        fit, *outcome, nodes[new], horizons, strata=grade[new], **how
    )
    survival = np.vstack(
        [
            fit.survival([nodes[row]], horizons, grade[row], [offset[row]])
            for row in range(400, len(d))
        ]
    )
    by_hand = external_validation(*outcome, 1 - survival[:, -1], survival, horizons, resamples=None)
    oracle = "definition: its predictions handed in"
    for name in ("auc", "brier", "slope", "observed_expected"):
        ours, theirs = (getattr(one.horizons[1], name).value for one in (found, by_hand))
        agree(external_validation_of_cox, oracle, ours, theirs)
    ours, theirs = ([one.harrell.value, one.uno.value] for one in (found, by_hand))
    agree(external_validation_of_cox, oracle, ours, theirs)
    one = external_validation_of_cox(fit, *outcome, nodes[new], horizons, strata=2, **how)
    predicted = fit.risk(nodes[new], offset[new])
    assert one.harrell.value == concordance(*outcome, predicted).value
    with pytest.raises(ValueError, match=r"found stratum 9; expected one of \[1, 2, 3\]"):
        external_validation_of_cox(
            fit, *outcome, nodes[new], horizons, strata=np.full(286, 9), **how
        )
    with pytest.raises(ValueError, match="found no offset; the model was fitted with one"):
        external_validation_of_cox(fit, *outcome, nodes[new], horizons, strata=2, resamples=None)


def test_competing_events_are_for_the_figures_that_know_them() -> None:
    t = SAID["competing"]["table"]
    cause, times = np.array(t["cause"]), np.array(t["time"])
    risk, horizons = np.array(t["first"]), np.array([0.5, 1.0])
    survival = np.exp(-horizons / t["scale"] * np.exp(risk)[:, None])
    rows = (times, cause == 1, risk, survival, horizons)
    found = external_validation(*rows, competing=cause == 2, resamples=None, risk_groups=risk > 0)
    one, auc, brier = (found.horizons[0], SAID["competing"]["auc"], SAID["competing"]["brier"])
    ours = [one.auc.value, one.auc.standard_error, one.brier.value, one.brier.standard_error]
    places = [auc["first"][name][1] for name in ("AUC", "se")]
    places += [brier["first"][name][1] for name in ("Brier", "se")]
    agree(external_validation, SCORE, ours, places)
    assert (one.observed_expected, one.in_the_large, one.slope, one.calibration) == (None,) * 4
    assert (found.curves, len(found.undefined)) == (None, 9)
    assert found.undefined[-1].startswith("curves: found competing events, which it would take")
    assert found.harrell.value == concordance(*rows[:3]).value


def test_every_figure_has_its_interval() -> None:
    t = table("ordinary")
    clusters = t.said["table"]["clusters"]
    patients = resample(clusters, generator=np.random.default_rng(1), number=60)
    rows = (t.times, t.events, t.first, t.survivals([0.1, 0.5]), [0.1, 0.5])
    weights = np.ceil(t.said["table"]["weights"])
    found = external_validation(*rows, resamples=patients, clusters=clusters, weights=weights)
    last = found.horizons[-1]
    errors = [getattr(last.calibration, name) for name in ("ici", "e50", "e90", "emax")]
    figures = [last.auc, last.brier, last.scaled_brier, last.observed_expected, last.slope]
    overall = [found.harrell, found.uno, found.integrated_auc, found.integrated_brier]
    for one in (*errors, *figures, *overall, last.in_the_large, found.scaled_integrated_brier):
        assert one.low < one.value < one.high
        assert (one.n, one.confidence) == (120, 0.95)
    assert (last.calibration.low < last.calibration.high).all()
    alone = external_validation(*rows, resamples=None)
    assert alone.harrell.standard_error != found.harrell.standard_error


def test_a_whole_weight_is_so_many_patients() -> None:
    """Figure by figure, and the variance too where weights count; R's concordance does not."""
    t = table("times_of_zero")
    counts = np.ceil(t.said["table"]["weights"])
    columns = (t.times, t.events, t.first, t.survivals([0.2, 0.5]))
    weighted = external_validation(*columns, [0.2, 0.5], weights=counts, resamples=None)
    listed = external_validation(*repeated(columns, counts), [0.2, 0.5], resamples=None)
    for one, other in zip(weighted.horizons, listed.horizons, strict=True):
        for name in ("auc", "brier", "scaled_brier", "observed_expected", "in_the_large"):
            ours, theirs = getattr(one, name), getattr(other, name)
            both = [[each.value, each.low, each.high] for each in (ours, theirs)]
            agree(external_validation, "definition: rows repeated", *both)
    for name in ("integrated_auc", "integrated_brier", "scaled_integrated_brier"):
        ours, theirs = getattr(weighted, name), getattr(listed, name)
        both = [[each.value, each.standard_error] for each in (ours, theirs)]
        agree(external_validation, "definition: rows repeated", *both)
    same = [listed.harrell.value, listed.uno.value]
    agree(
        external_validation,
        "definition: rows repeated",
        [weighted.harrell.value, weighted.uno.value],
        same,
    )


def test_what_cannot_be_had_is_none_and_says_why() -> None:
    times, events = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 1]
    found = external_validation(times, events, [0.4] * 6, [0.6] * 6, [3.5], resamples=None)
    one = found.horizons[0]
    assert (found.harrell.value, one.auc.value) == (0.5, 0.5)
    assert (one.slope, one.calibration, found.integrated_auc) == (None, None, None)
    assert len(found.undefined) == 2
    assert found.undefined[0].startswith("calibration slope at 3.5: column 'risk' is")
    assert found.curves is None
    sure = [0, 0, 0.5, 0, 1, 1]
    small = ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 1, 0, 1, 0, 1, 0, 0, 1, 0], range(10))
    survival = [0.5, 0.2, 0.4, 0.3, 0.7, 0.65, 0.25, 0.6, 0.8, 0.35]
    few = external_validation(*small, survival, [4], resamples=drawn(10, 60))
    calibration = few.horizons[0].calibration
    assert (calibration.ici.value > 0, calibration.ici.low) == (True, None)
    assert few.undefined[0].startswith("intervals of the calibration curve at 4: undefined in")
    certain = external_validation(times, events, range(6), sure, [3.5], resamples=None)
    assert certain.horizons[0].in_the_large is None
    assert certain.horizons[0].observed_expected.value is not None


class TestRefusals:
    rows = ([1, 2, 3], [1, 1, 0], [3, 2, 1])

    def test_a_column_for_each_horizon(self) -> None:
        with pytest.raises(ValueError, match="found 1 columns; expected 2, one for each horizon"):
            external_validation(*self.rows, [0.1, 0.2, 0.3], [1, 2], resamples=None)

    def test_percentages(self) -> None:
        with pytest.raises(ValueError, match=r"survival, column 0: found 10\.0 in row 0"):
            external_validation(*self.rows, [10, 20, 30], [1], resamples=None)

    def test_a_confidence_of_95(self) -> None:
        with pytest.raises(ValueError, match="found confidence 95"):
            external_validation(*self.rows, [0.1, 0.2, 0.3], [1], confidence=95, resamples=None)

    def test_too_few_resamples(self) -> None:
        t = table("ordinary")
        outcome = (t.times, t.events, t.first, t.survivals([0.5]), [0.5])
        with pytest.raises(ValueError, match=r"found 20 resamples; .* needs at least 39"):
            external_validation(*outcome, resamples=drawn(120, 20))

    def test_resamples_of_other_patients(self) -> None:
        rows = ([1, 2, 3, 4], [1, 1, 0, 0], [3, 2, 1, 0], [0.1, 0.2, 0.3, 0.4], [1])
        with pytest.raises(ValueError, match="found other patients than those of clusters"):
            external_validation(*rows, resamples=drawn(4, 40), clusters=[1, 1, 2, 2])
        t = table("ordinary")
        outcome = (t.times, t.events, t.first, t.survivals([0.5]), [0.5])
        with pytest.raises(
            ValueError, match=r"times of shape \(120,\); expected one for each of 5"
        ):
            external_validation(*outcome, resamples=drawn(5, 40))

    def test_a_blank_risk(self) -> None:
        with pytest.raises(ValueError, match="risk: found nan in row 2"):
            external_validation(
                *self.rows[:2], [3, 2, np.nan], [0.1, 0.2, 0.3], [1], resamples=None
            )


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
        rows = [np.bincount(drawn, minlength=200) for drawn in said["drawn"]]
        found = validate_survival(*self.model(ties), given_resamples(range(200), rows), ties=ties)
        for name, theirs in zip(said[ties]["names"], said[ties]["figures"], strict=True):
            ours = found["slope" if name == "Slope" else name]
            columns = (ours.original, ours.training, ours.test, ours.optimism, ours.corrected)
            agree(validate_survival, VALIDATE, [*columns, ours.resamples], theirs)
        assert found["C"].corrected == pytest.approx((found["Dxy"].corrected + 1) / 2)

    def test_the_interval_is_that_of_training_moved_by_the_optimism(self) -> None:
        times, events, fit = self.model()
        resamples = drawn(200, 50)
        found = validate_survival(times, events, fit, resamples, confidence=0.9)["C"]
        again = [
            concordance(times[rows], events[rows], fit(rows)(rows)).value
            for rows in drawn_rows(resamples)
        ]
        ends = percentile_ends(np.array(again), 0.9)
        theirs = [ends.low - found.optimism, ends.high - found.optimism]
        agree(validate_survival, "definition: Noma et al. 2021", [found.low, found.high], theirs)
        assert found.low < found.corrected < found.high

    @pytest.mark.parametrize("option", ["ties", "method"])
    def test_a_misspelt_option(self, option: str) -> None:
        wrong = {option: "exact"}
        with pytest.raises(ValueError, match=f"{option}: found 'exact', expected one of"):
            validate_survival(*self.model(), drawn(200, 2), **wrong)

    def test_other_patients_drawn(self) -> None:
        with pytest.raises(ValueError, match=r"shape \(200,\); expected one for each of 9 rows"):
            validate_survival(*self.model(), drawn(9, 2))

    def test_patients_left_out(self) -> None:
        times, events, fit = self.model()
        found = validate_survival(times, events, fit, drawn(200, 20), method=".632")
        assert found["C"].corrected < found["C"].original

    def test_a_predictor_that_says_nothing(self) -> None:
        times, events, _ = self.model()
        nothing = drawn(200, 2)
        found = validate_survival(
            times, events, lambda _: lambda rows: np.zeros(rows.size), nothing
        )
        assert [figure.name for figure in found.figures] == list(SURVIVAL_FIGURES)
        assert (found["C"].original, found["C"].corrected) == (0.5, 0.5)
        assert (found["slope"].original, found["slope"].resamples) == (None, 0)

    def test_no_events_at_all(self) -> None:
        found = validate_survival(
            [1, 2, 3], [0, 0, 0], lambda _: lambda rows: rows.astype(float), drawn(3, 2)
        )
        assert found["C"].original is None
