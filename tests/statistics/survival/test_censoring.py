import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats, Survived
from oncotrail.statistics.survival.censoring import (
    censoring_distribution,
    from_here_on,
    reverse_kaplan_meier,
)
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.known_states import (
    Known,
    checked_horizon,
    known_at,
    known_by,
)
from oncotrail.statistics.survival.tied_times import settled_times
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import SMALL, patients, table

PRODLIM = r("survival_prediction", "prodlim::prodlim")
WEIGHTS = "definition: 1 / G(T-), 1 / G(t), 0"

Patients = tuple[Floats, Floats, Floats]


@pytest.mark.parametrize("case", SMALL)
def test_the_distribution_is_that_of_prodlim(case: str) -> None:
    t = table(case)
    found = censoring_distribution(t.times, t.events)
    said = t.said["censoring"]
    order = np.lexsort((-t.events, t.times))  # prodlim sorts its patients
    agree(censoring_distribution, PRODLIM, found.before(t.times[order]), said["before"])
    agree(censoring_distribution, PRODLIM, found.after(t.horizons), said["after"])
    assert (found.n, found.censored) == (t.times.size, int((t.events == 0).sum()))
    again = reverse_kaplan_meier(Survived(t.times, t.events == 1), np.ones(t.times.size))
    agree(reverse_kaplan_meier, PRODLIM, again.after(t.horizons), said["after"])


@pytest.mark.parametrize("case", SMALL)
def test_the_weights_are_those_of_pec(case: str) -> None:
    t = table(case)
    said = t.said["censoring"]
    order = np.lexsort((-t.events, t.times))
    before = np.array(said["ipcw_before"])
    known = known_at(t.times[order], t.events[order], t.horizons)
    for found, at in zip(known, np.atleast_1d(said["ipcw_after"]), strict=True):
        theirs = np.where(found.cases, 1 / before, found.controls / at)
        agree(known_at, r("survival_prediction", "pec::ipcw"), found.weights, theirs)


def test_sums_from_the_end() -> None:
    values = np.array([0.5, 2.0, 1.0])
    theirs = [values[place:].sum() for place in range(3)]
    agree(from_here_on, "definition: sums", from_here_on(values), theirs)


def test_a_time_of_0_is_gone_by_every_horizon() -> None:
    """An event at 0 counts in full, and who was lost at 0 lowers the chance from the start."""
    known = known_by([0, 0, 1, 2], [1, 0, 1, 0], 0.5)
    assert known.cases.tolist() == [True, False, False, False]
    assert known.weights.tolist() == [1, 0, 1.5, 1.5]


@pytest.mark.parametrize("counts", [True, False])
def test_the_scale_is_that_of_the_patients_who_count(counts: bool) -> None:
    """Of whole weights as of rows repeated; of others as of the patients who are there."""
    weights = np.array([2.0, 1.0, 0.0, 3.0]) if counts else np.array([1.0, 0.5, 0.0, 1.5])
    known = known_by([1, 2, 3, 4], [1, 0, 1, 0], 2.5, weights=weights)
    assert known.case_weights[known.case_weights > 0].mean() == pytest.approx(1)
    theirs = np.sqrt([6 / 5 / 2, 6 / 5, 6 / 5, 6 / 5 / 3] if counts else [1.5] * 4) / 3
    assert known.scale == pytest.approx(theirs)
    together = known_by([1, 2, 3, 4], [1, 0, 1, 0], 2.5, weights=weights, clusters=list("aabb"))
    assert together.scale == pytest.approx([np.sqrt(2) / 3] * 4)


@given(patients, st.floats(0.5, 7))
def test_the_weights_are_what_they_are_defined_to_be(rows: Patients, horizon: float) -> None:
    times, events, _ = rows
    chances = censoring_distribution(times, events)
    before, at = chances.before(times), float(chances.after(horizon))
    theirs = [
        1 / at if time > horizon else 1 / chance if event else 0
        for time, event, chance in zip(times, events, before, strict=True)
    ]
    known = known_by(times, events, horizon)
    agree(known_by, WEIGHTS, known.weights, theirs)
    agree(known_by, "definition: a finite time above 0", known.horizon, checked_horizon(horizon))
    agree(checked_horizon, "definition: a finite time above 0", checked_horizon(horizon), horizon)


@given(patients, st.floats(0.5, 7))
def test_the_known_stand_for_everybody(rows: Patients, horizon: float) -> None:
    """Their weights add up to n, and those of the cases to Kaplan-Meier's risk."""
    times, events, _ = rows
    known = known_by(times, events, horizon)
    if not known.identified:
        return
    assert known.weights.sum() == pytest.approx(known.n)
    risk = 1 - kaplan_meier(times, events).at(horizon)
    theirs = known.mean(known.cases.astype(float))
    agree(known_by, "definition: Kaplan-Meier from the weights", theirs, risk)


@given(patients, st.floats(0.5, 7), st.integers(0, 3))
def test_the_influence_through_the_weights_is_the_martingale_integral(
    rows: Patients, horizon: float, weight: int
) -> None:
    times, events, values = rows
    weights = np.ones(times.size)
    weights[-1] = weight or times.size == 1
    known = known_by(times, events, horizon, weights=weights)
    contributions = known.weights * values
    ours = known.influence_of_weighting(contributions)
    agree(known_by, "definition: martingale", ours, _by_definition(known, contributions))
    assert ours.sum() == pytest.approx(0, abs=1e-9)
    elsewhere = known_by(times, events, horizon, censoring=censoring_distribution([9], [1]))
    assert not elsewhere.influence_of_weighting(contributions).any()


def _by_definition(known: Known, contributions: Floats) -> Floats:
    found = np.zeros(known.times.size)
    own = known.case_weights
    for moment in np.unique(known.times[known.times <= known.horizon]):
        reach = own[known.times >= moment].sum()
        if reach == 0:
            continue
        later = contributions[known.times > moment].sum() / reach
        lost = known.censored & (known.times == moment)
        hazard = own[lost].sum() / reach
        found += own * later * (lost - (known.times >= moment) * hazard)
    return found


@given(patients, st.floats(0.5, 7))
def test_only_the_share_of_a_weight_matters(rows: Patients, horizon: float) -> None:
    times, events, values = rows
    weights = values + 1
    one, other = (known_by(times, events, horizon, weights=k * weights) for k in (1, 7))
    assert other.weights == pytest.approx(one.weights)


def test_a_weight_of_zero_counts_nowhere() -> None:
    known = known_by([1, 2, 3], [1, 1, 0], 2.5, weights=[1, 0, 1])
    assert (known.n, known.cases.tolist()) == (2, [True, False, False])
    assert censoring_distribution([1, 2, 3], [1, 0, 0], weights=[1, 0, 1]).censored == 1


def test_an_event_precedes_a_censoring_of_the_same_time() -> None:
    found = censoring_distribution([2, 2, 3], [1, 0, 1])
    assert found.before([2]).tolist() == [1]
    assert found.after([2]).tolist() == [0.5]


def test_a_horizon_that_differs_by_rounding_is_the_time() -> None:
    assert known_by([0.1 + 0.2, 1], [1, 0], 0.3).cases.tolist() == [True, False]


def test_a_far_horizon_merges_no_times() -> None:
    assert known_by([1, 1.003, 2], [1, 0, 1], 1e7).weights.tolist() == [1, 0, 2]


def test_a_competing_event_makes_a_control() -> None:
    known = known_by([1, 2, 3, 4], [1, 0, 0, 0], 2.5, competing=[0, 1, 0, 0])
    assert known.controls.tolist() == [False, True, True, True]
    assert known.weights.tolist() == [1, 1, 1, 1]


def test_where_nobody_is_followed_nothing_is_identified() -> None:
    assert not known_by([1, 2], [1, 0], 3).identified
    assert known_by([1, 2], [0, 1], 3).identified


class TestRefusals:
    def test_two_events_of_one_patient(self) -> None:
        with pytest.raises(ValueError, match="competing: found 1 in row 1, where events is 1 too"):
            known_by([1, 2], [1, 1], 1, competing=[0, 1])

    def test_a_patient_who_could_not_be_observed(self) -> None:
        training = censoring_distribution([1, 2], [1, 0])
        with pytest.raises(ValueError, match=r"time 5 in row 1 and horizon 3.*an earlier horizon"):
            known_by([1, 5], [1, 0], 3, censoring=training)

    @pytest.mark.parametrize("horizon", [0, -1, np.inf, np.nan])
    def test_no_horizon(self, horizon: float) -> None:
        with pytest.raises(ValueError, match="expected a finite time above 0"):
            known_by([1, 2], [1, 1], horizon)

    def test_a_blank_time(self) -> None:
        with pytest.raises(ValueError, match="times: found nan in row 1"):
            censoring_distribution([1, np.nan], [1, 1])

    def test_three_kinds_of_event(self) -> None:
        with pytest.raises(ValueError, match="events: found 2 in row 1"):
            known_by([1, 2], [1, 2], 1)


def test_times_are_settled_on_each_other_and_the_horizon() -> None:
    times = np.array([0.1 + 0.2, 1.0, 0.3, 3 * 0.1])
    oracle = "definition: 0.1 + 0.2 is 0.3"
    agree(settled_times, oracle, settled_times(times) == 0.3, [True, False, True, True])
    agree(settled_times, oracle, settled_times(times[:2], 0.3) <= 0.3, [True, False])
    assert (settled_times(times * 1e9, 0.5) == settled_times(times * 1e9)).all()
