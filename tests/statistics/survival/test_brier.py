from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.survival.brier import (
    brier_difference,
    brier_score,
    integrated_brier,
    scaled_brier,
    scaled_integrated_brier,
)
from oncotrail.statistics.survival.censoring import Censoring, censoring_distribution
from oncotrail.statistics.survival.horizon_estimates import AtHorizon
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.known_states import known_by
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import (
    CASES,
    PYTHON,
    SAID,
    hidden_ties,
    numbers,
    patients,
    repeated,
    spread,
    table,
    training_and_new,
)

SCORE = r("survival_prediction", "riskRegression::Score")
CRPS = r("survival_prediction", "pec::crps")

Patients = tuple[Floats, Floats, Floats]
horizons = st.floats(0.5, 6.5)


def figures(found: AtHorizon) -> list[float]:
    return numbers([found.value, found.standard_error, found.low, found.high])


def said(answer: dict[str, list[float]], place: int) -> list[float]:
    return [answer[name][place] for name in ("Brier", "se", "lower", "upper")]


class TestAgainstR:
    @pytest.mark.parametrize("case", CASES)
    def test_scores(self, case: str) -> None:
        t = table(case)
        fixed = censoring_distribution(t.times, t.events)
        for place, horizon in enumerate(t.horizons):
            rows = (t.times, t.events, t.survival(horizon), horizon)
            theirs = said(t.said["scores"]["brier"]["first"], place)
            agree(brier_score, SCORE, figures(brier_score(*rows)), theirs)
            theirs = said(t.said["conservative"]["brier"]["first"], place)
            agree(brier_score, SCORE, figures(brier_score(*rows, censoring=fixed)), theirs)

    @pytest.mark.parametrize("case", CASES)
    def test_scaled_scores(self, case: str) -> None:
        """R has no interval of IPA: its error is the delta method's on Score's own errors."""
        t = table(case)
        for place, horizon in enumerate(t.horizons):
            ours = scaled_brier(t.times, t.events, t.survival(horizon), horizon)
            theirs = t.said["scores"]
            value, error = theirs["brier"]["first"]["IPA"][place], theirs["ipa_error"][place]
            agree(scaled_brier, SCORE, [ours.value, ours.standard_error], [value, error])

    @pytest.mark.parametrize("case", CASES)
    def test_differences(self, case: str) -> None:
        t = table(case)
        answer = t.said["scores"]["brier_difference"]
        for place, horizon in enumerate(t.horizons):
            both = (t.survival(horizon, which) for which in ("first", "second"))
            ours = brier_difference(t.times, t.events, *both, horizon)
            theirs = [answer[key][place] for key in ("delta.Brier", "se", "lower", "upper", "p")]
            assert spread(theirs[1]) > 0
            found = [ours.value, ours.standard_error, ours.low, ours.high, ours.p_value]
            agree(brier_difference, SCORE, found, theirs)

    @pytest.mark.parametrize("case", CASES)
    def test_integrals(self, case: str) -> None:
        t = table(case)
        coarse = integrated_brier(t.times, t.events, t.survivals(t.horizons), t.horizons)
        theirs = t.said["scores"]["brier"]["first"]["IBS"][-1]
        # Score begins at 0 where patients have the event at time 0, too; crps does not.
        at_0 = t.events[t.times == 0].sum() / t.times.size * t.horizons[0] / t.horizons[-1]
        agree(integrated_brier, SCORE, coarse.value - at_0, theirs)
        every = np.unique(t.times[(t.times > 0) & (t.times <= t.horizons[-1])])
        rows = (t.times, t.events, t.survivals(every), every)
        curve = {name: float(np.ravel(value)[0]) for name, value in t.said["curve"].items()}
        agree(integrated_brier, CRPS, integrated_brier(*rows).value, curve["integrated"])
        scaled = scaled_integrated_brier(*rows)
        theirs = 1 - curve["integrated"] / curve["reference"]
        agree(scaled_integrated_brier, CRPS, scaled.value, theirs)
        assert scaled.low <= scaled.value <= scaled.high

    def test_competing_risks(self) -> None:
        answer = SAID["competing"]
        t = {name: np.array(column) for name, column in answer["table"].items()}
        outcome, other = (t["time"], t["cause"] == 1), t["cause"] == 2
        for place, horizon in enumerate(t["horizons"]):
            survival = np.exp(-horizon / 2 * np.exp(t["first"]))
            ours = brier_score(*outcome, survival, horizon, competing=other)
            agree(brier_score, SCORE, figures(ours), said(answer["brier"]["first"], place))
            scaled = scaled_brier(*outcome, survival, horizon, competing=other)
            theirs = [answer["brier"]["first"]["IPA"][place], answer["ipa_error"][place]]
            agree(scaled_brier, SCORE, [scaled.value, scaled.standard_error], theirs)


@pytest.mark.parametrize("rows", ["same", "split"])
@pytest.mark.parametrize("case", sorted(PYTHON["weighted"]))
def test_scikit_survival(case: str, rows: str) -> None:
    """Its censoring, of these rows or of training rows, and its trapezoid rule."""
    t, said = table(case), PYTHON["weighted"][case][rows]
    kept, training = training_and_new(t, rows)
    outcome, survival = (t.times[kept], t.events[kept]), t.survivals(t.horizons)[kept]
    scores = [
        brier_score(*outcome, column, horizon, censoring=training).value
        for column, horizon in zip(survival.T, t.horizons, strict=True)
    ]
    agree(
        brier_score, r("survival_prediction_python", "sksurv::brier_score"), scores, said["brier"]
    )
    found = integrated_brier(*outcome, survival, t.horizons, rule="trapezoid", censoring=training)
    oracle = r("survival_prediction_python", "sksurv::integrated_brier_score")
    agree(integrated_brier, oracle, found.value, said["integrated"])


@given(patients, horizons)
def test_the_score_is_a_weighted_mean_of_squares(rows: Patients, horizon: float) -> None:
    times, events, risk = rows
    survival = 1 - risk / 3
    found = brier_score(times, events, survival, horizon)
    known = known_by(times, events, horizon)
    squares = known.weights * (known.cases - risk / 3) ** 2
    theirs = squares.mean() if known.identified else np.nan
    agree(brier_score, "definition: weighted squares", numbers([found.value]), [theirs])


@given(patients, horizons, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(
    rows: Patients, horizon: float, random: Random
) -> None:
    times, events, risk = rows
    order = random.sample(range(times.size), times.size)
    before = brier_score(times, events, 1 - risk / 3, horizon)
    after = brier_score(times[order], events[order], 1 - risk[order] / 3, horizon)
    assert figures(after) == pytest.approx(figures(before), nan_ok=True)


@given(patients, horizons, st.integers(1, 3))
def test_weights_are_patients(rows: Patients, horizon: float, heavy: int) -> None:
    """A weight of 2 is the patient twice, one of 0 none."""
    times, events, risk = rows
    survival = np.column_stack([1 - risk / 8, 1 - risk / 4])
    counts = (np.arange(times.size) % (heavy + 1))[::-1] + (times.size == 1)
    if not counts.any():
        counts[0] = 1
    columns, twice = (times, events, survival), repeated((times, events, survival), counts)
    for score in (brier_score, scaled_brier):
        at = [score(*each[:2], each[2][:, 1], horizon) for each in (columns, twice)]
        one = score(times, events, survival[:, 1], horizon, weights=counts)
        assert figures(one) == pytest.approx(figures(at[1]), nan_ok=True)
        assert one.n == (counts > 0).sum()
    for score in (integrated_brier, scaled_integrated_brier):
        every = [horizon / 2, horizon]
        one, other = score(*columns, every, weights=counts), score(*twice, every)
        assert figures(one) == pytest.approx(figures(other), nan_ok=True)


@given(patients, horizons)
def test_rows_of_a_patient_are_one_cluster(rows: Patients, horizon: float) -> None:
    """All rows twice leave figure and error as they were, if they are known to be the same."""
    times, events, risk = rows
    columns = (times, events, 1 - risk / 4)
    patients = np.arange(times.size)
    once = brier_score(*columns, horizon)
    weighted = brier_score(*columns, horizon, weights=np.full(times.size, 0.7))
    assert figures(weighted) == pytest.approx(figures(once), nan_ok=True)
    if times.size == 1:
        return  # a single cluster shows no spread
    twice = brier_score(
        *repeated(columns, np.full(times.size, 2)), horizon, clusters=np.repeat(patients, 2)
    )
    assert figures(twice) == pytest.approx(figures(once), nan_ok=True)


@given(patients)
def test_ties_hidden_by_rounding(rows: Patients) -> None:
    times, events, risk = rows
    survival = np.column_stack([1 - risk / 8, 1 - risk / 4])
    horizons = np.array([1.0, 3.0]) * (1 + 1e-12)
    fixed, found = (
        [
            brier_score(time, events, survival[:, 0], at[1]),
            brier_score(time, events, survival[:, 0], at[1], censoring=_followed(time)),
            scaled_integrated_brier(time, events, survival, at),
        ]
        for time, at in ((times, [1.0, 3.0]), (hidden_ties(times), horizons))
    )
    for one, other in zip(fixed, found, strict=True):
        assert figures(one) == pytest.approx(figures(other), nan_ok=True)


def _followed(times: Floats) -> Censoring:
    """From other patients: every other one is lost, the last is not."""
    training = np.append(times, 9.0)
    return censoring_distribution(training, np.arange(training.size) % 2 != training.size % 2)


@given(patients, horizons)
def test_predicting_what_kaplan_meier_says_scales_to_zero(rows: Patients, horizon: float) -> None:
    times, events, _ = rows
    survival = float(kaplan_meier(times, events).at(horizon))
    found = scaled_brier(times, events, np.full(times.size, survival), horizon)
    if found.value is not None:
        assert found.value == pytest.approx(0, abs=1e-9)
        assert found.standard_error is None or found.standard_error < 1e-9


def test_the_error_agrees_with_resampling() -> None:
    t = table("ordinary")
    random = np.random.default_rng(3)
    rows = (t.times, t.events, t.survival(0.5))
    for score in (brier_score, scaled_brier):
        again = []
        for _ in range(400):
            drawn = random.integers(t.times.size, size=t.times.size)
            again.append(score(*(column[drawn] for column in rows), 0.5).value)
        assert score(*rows, 0.5).standard_error == pytest.approx(np.std(again), rel=0.15)


def test_the_error_of_an_integral_agrees_with_resampling() -> None:
    t = table("ordinary")
    random = np.random.default_rng(3)
    rows, every = (t.times, t.events, t.survivals([0.1, 0.4, 0.8])), [0.1, 0.4, 0.8]
    for score in (integrated_brier, scaled_integrated_brier):
        again = []
        for _ in range(300):
            drawn = random.integers(t.times.size, size=t.times.size)
            again.append(score(*(column[drawn] for column in rows), every).value)
        assert score(*rows, every).standard_error == pytest.approx(np.std(again), rel=0.15)


def test_a_perfect_prediction_is_zero_but_not_certain() -> None:
    found = brier_score([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1], 2.5)
    assert (found.value, found.standard_error, found.low, found.high) == (0, None, None, None)


def test_half_for_everybody_is_a_quarter() -> None:
    t = table("hardly_censored")
    assert brier_score(t.times, t.events, np.full(60, 0.5), 0.3).value == pytest.approx(0.25)


def test_a_null_from_elsewhere() -> None:
    rows = ([1, 2, 3, 4], [1, 1, 0, 0], [0.2, 0.6, 0.7, 0.9])
    ours = scaled_brier(*rows, 2.5, null=0.8).value
    theirs = 1 - brier_score(*rows, 2.5).value / brier_score(*rows[:2], [0.8] * 4, 2.5).value
    agree(scaled_brier, "definition: ratio of scores", ours, theirs)
    elsewhere = censoring_distribution([1, 2, 9], [0, 1, 1])
    assert scaled_brier(*rows, 2.5, censoring=elsewhere).low is not None


@pytest.mark.parametrize("horizon", [0.5, 2.5])
def test_where_all_do_the_same_there_is_nothing_to_scale(horizon: float) -> None:
    """Before the first event, and after the last one."""
    times = [1, 2, 2]
    assert scaled_brier(times, [1, 1, 1], [0.5, 0.4, 0.3], horizon).value is None


def test_after_the_last_censoring_there_is_no_score() -> None:
    rows = ([1, 2, 3], [1, 1, 0], [0.5, 0.4, 0.3])
    assert brier_score(*rows, 3.5).value is None
    assert scaled_brier(*rows, 3.5).value is None
    assert brier_difference(*rows, [0.1, 0.2, 0.3], 3.5) is None
    survival = np.array([[0.9, 0.5], [0.8, 0.4], [0.7, 0.3]])
    assert integrated_brier(*rows[:2], survival, [2, 3.5], rule="trapezoid").value is None
    assert integrated_brier(*rows[:2], survival, [2, 3.5]).value is not None
    assert scaled_integrated_brier(*rows[:2], survival, [3.5, 4]).value is None


def test_the_trapezoid_rule() -> None:
    t = table("ordinary")
    every = [0.1, 0.3, 0.9]
    scores = [brier_score(t.times, t.events, t.survival(h), h).value for h in every]
    ours = integrated_brier(t.times, t.events, t.survivals(every), every, rule="trapezoid")
    theirs = np.trapezoid(scores, every) / 0.8
    agree(integrated_brier, "definition: trapezoid rule", ours.value, theirs)


class TestRefusals:
    rows = ([1, 2, 3], [1, 1, 0])

    def test_percentages(self) -> None:
        with pytest.raises(ValueError, match=r"survival: found 20\.0 in row 1 .*at most 1"):
            brier_score(*self.rows, [0, 20, 30], 2)

    def test_a_null_of_two(self) -> None:
        with pytest.raises(ValueError, match="found null 2; expected a chance"):
            scaled_brier(*self.rows, [0.1, 0.2, 0.3], 2, null=2)

    def test_a_column_for_each_horizon(self) -> None:
        with pytest.raises(ValueError, match="found 3 columns; expected 2, one for each horizon"):
            integrated_brier(*self.rows, np.full((3, 3), 0.5), [1, 2])
        with pytest.raises(ValueError, match=r"survival, column 1: found 1\.5 in row 0"):
            integrated_brier(*self.rows, np.array([[0.5, 1.5]] * 3), [1, 2])

    def test_a_single_horizon(self) -> None:
        with pytest.raises(ValueError, match="found only 2; expected at least 2 to integrate over"):
            integrated_brier(*self.rows, [0.1, 0.2, 0.3], [2])

    def test_another_rule(self) -> None:
        with pytest.raises(ValueError, match="rule: found 'simpson'"):
            integrated_brier(*self.rows, np.full((3, 2), 0.5), [1, 2], rule="simpson")
