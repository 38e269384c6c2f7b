from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.influence import Influenced, jackknife_error
from oncotrail.statistics.survival.censoring import Censoring, censoring_distribution
from oncotrail.statistics.survival.comparable_pairs import comparable_pairs
from oncotrail.statistics.survival.concordance import (
    Concordance,
    concordance,
    concordance_difference,
    concordance_ipcw,
    concordance_ipcw_difference,
)
from oncotrail.statistics.survival.concordance_sample import (
    against_censoring,
    concordance_sample,
    counted,
)
from oncotrail.statistics.survival.paired_difference import difference_between
from oncotrail.statistics.survival.tied_times import settled_entry
from tests.statistics.oracles import agree, r
from tests.statistics.survival.prediction_tables import (
    CASES,
    PYTHON,
    SMALL,
    hidden_ties,
    numbers,
    patients,
    repeated,
    spread,
    table,
    training_and_new,
)

CONCORDANCE = r("survival_prediction", "survival::concordance")
PAIRS = "definition: pairs counted"

Patients = tuple[Floats, Floats, Floats]


def figures(found: Concordance) -> list[float]:
    return numbers(
        [
            found.value,
            found.standard_error,
            found.concordant,
            found.discordant,
            found.tied_risk,
            found.tied_time,
            found.tied_both,
        ]
    )


def said(answer: dict[str, object]) -> list[float]:
    return [answer["value"], spread(answer["error"]), *answer["count"]]


def by_pairs(
    times: Floats, events: Floats, risk: Floats, weights: Floats, time_weights: Floats
) -> Floats:
    """Concordant, discordant and tied sums of each patient: n x 3."""
    n = len(times)
    found = np.zeros((n, 3))
    for i, j in product(range(n), repeat=2):
        first = events[i] and (times[i] < times[j] or (times[i] == times[j] and not events[j]))
        if first:
            kind = 0 if risk[i] > risk[j] else 1 if risk[i] < risk[j] else 2
            found[i, kind] += weights[j] * time_weights[i]
            found[j, kind] += weights[i] * time_weights[i]
    return found


class TestAgainstR:
    @pytest.mark.parametrize("case", CASES)
    def test_harrell(self, case: str) -> None:
        t = table(case)
        theirs = said(t.said["concordance"]["harrell"])
        agree(concordance, CONCORDANCE, figures(concordance(t.times, t.events, t.first)), theirs)

    @pytest.mark.parametrize("case", CASES)
    def test_uno(self, case: str) -> None:
        t = table(case)
        answer = t.said["concordance"]
        whole = concordance_ipcw(t.times, t.events, t.first)
        stopped = concordance_ipcw(t.times, t.events, t.first, tau=answer["tau"])
        agree(concordance_ipcw, CONCORDANCE, figures(whole), said(answer["uno"]))
        agree(concordance_ipcw, CONCORDANCE, figures(stopped), said(answer["uno_tau"]))

    @pytest.mark.parametrize("case", SMALL)
    def test_weights_strata_and_clusters(self, case: str) -> None:
        t = table(case)
        answer, columns = t.said["concordance"], t.said["table"]
        outcome, weights = (t.times, t.events, t.first), columns["weights"]
        found = {
            "weighted": concordance(*outcome, weights=weights),
            "whole": concordance(*outcome, weights=np.ceil(weights)),
            "clustered": concordance(*outcome, weights=weights, clusters=columns["clusters"]),
            "stratified": concordance(*outcome, strata=columns["strata"]),
        }
        for name, ours in found.items():
            agree(concordance, CONCORDANCE, figures(ours), said(answer[name]))
        uno = concordance_ipcw(*outcome, weights=weights)
        agree(concordance_ipcw, CONCORDANCE, figures(uno), said(answer["weighted_uno"]))

    @pytest.mark.parametrize("case", CASES)
    def test_differences(self, case: str) -> None:
        t = table(case)
        both = (t.times, t.events, t.first, t.second)
        tau = t.said["concordance"]["tau"]
        found = {
            "both": (concordance_difference, concordance_difference(*both)),
            "both_uno": (
                concordance_ipcw_difference,
                concordance_ipcw_difference(*both, tau=tau),
            ),
        }
        for name, (function, ours) in found.items():
            answer = t.said["concordance"][name]
            covariance = np.array(answer["covariance"])
            error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
            theirs = [answer["values"][0] - answer["values"][1], error]
            agree(function, CONCORDANCE, [ours.value, ours.standard_error], theirs)


@given(patients, st.data())
def test_pairs_are_counted(rows: Patients, data: st.DataObject) -> None:
    times, events, risk = rows
    n = times.size
    weights = np.array(
        data.draw(st.lists(st.sampled_from([0.0, 0.5, 1, 3]), min_size=n, max_size=n))
    )
    weights[0] = 1
    theirs = by_pairs(times, events, risk, weights, np.ones(n))
    sample = concordance_sample(times, events, weights, None, None)
    found = comparable_pairs(sample.places, risk.astype(int), sample.strata, events, weights)
    agree(
        comparable_pairs,
        PAIRS,
        np.array([found.concordant, found.discordant, found.tied]).T,
        theirs,
    )
    sums = weights @ theirs / 2
    ours = counted(sample, risk, "risk")
    agree(counted, PAIRS, ours.pairs[:3], sums)
    value = np.nan if sums.sum() == 0 else (sums[0] + sums[2] / 2) / sums.sum()
    agree(
        concordance,
        PAIRS,
        numbers([concordance(times, events, risk, weights=weights).value]),
        [value],
    )


@given(patients, st.data())
def test_pairs_were_observed_together(rows: Patients, data: st.DataObject) -> None:
    times, events, risk = (np.asarray(each, dtype=float) for each in rows)
    times, n = times + 1, times.size
    draws = st.lists(st.integers(0, 8), min_size=n, max_size=n)
    weights, entry = 1.0 + np.array(data.draw(draws)), np.array(data.draw(draws)) * (times - 1) / 9
    theirs = np.zeros(3)
    for i, j in product(range(n), repeat=2):
        later = times[i] < times[j] or (times[i] == times[j] and not events[j])
        if events[i] and later and entry[j] < times[i]:
            kind = 0 if risk[i] > risk[j] else 1 if risk[i] < risk[j] else 2
            theirs[kind] += weights[i] * weights[j]
    found = concordance(times, events, risk, weights=weights, entry=entry)
    agree(concordance, PAIRS, [found.concordant, found.discordant, found.tied_risk], theirs)
    both = concordance_sample(times, events, weights, None, None, entry=entry)
    agree(concordance_sample, PAIRS, counted(both, risk, "risk").pairs[:3], theirs)
    before = concordance(times, events, risk, weights=weights, entry=np.full(n, -1.0))
    assert figures(before) == pytest.approx(
        figures(concordance(times, events, risk, weights=weights)), nan_ok=True
    )


def test_an_entry_is_settled_with_the_times() -> None:
    times, entry = np.array([0.3, 1.0, 2.0]), [0.0, 0.1 + 0.2, 1.0 + 1e-12]
    agree(settled_entry, "definition: by hand", settled_entry(times, entry)[1], [0, 0.3, 1])
    with pytest.raises(ValueError, match=r"entry: found 0\.3 in row 0, whose time is 0\.3"):
        concordance([0.3, 1], [1, 1], [1, 2], entry=[0.1 + 0.2, 0])


def test_the_influence_is_the_derivative_by_the_weight() -> None:
    t = table("tied_both")
    step = 1e-6
    sample = concordance_sample(t.times, t.events, None, None, None)
    influence = counted(sample, t.first, "risk").figure.influence
    moved = []
    for row in range(5):
        weights = np.ones(t.times.size)
        values = []
        for sign in (1, -1):
            weights[row] = 1 + sign * step
            values.append(concordance(t.times, t.events, t.first, weights=weights).value)
        moved.append((values[0] - values[1]) / (2 * step))
    agree(counted, "definition: numerical derivative", influence[:5], moved)
    agree(
        jackknife_error,
        "definition: root of the sum of squares",
        jackknife_error(influence),
        np.sqrt(sum(change**2 for change in influence)),
    )


@given(patients)
def test_uno_takes_its_censoring_from_the_training_rows(rows: Patients) -> None:
    times, events, risk = rows
    training = censoring_distribution([1, 2, 3, 3, 4, 5, 7], [1, 0, 1, 0, 0, 1, 0])
    time_weights = np.array([1 / _chance(training, time) ** 2 * (time <= 5) for time in times])
    ones = np.ones(times.size)
    concordant, discordant, tied = by_pairs(times, events, risk, ones, time_weights).sum(axis=0)
    total = concordant + discordant + tied
    theirs = np.nan if total == 0 else (concordant + tied / 2) / total
    ours = concordance_ipcw(times, events, risk, tau=5, censoring=training)
    agree(concordance_ipcw, PAIRS, numbers([ours.value]), [theirs])
    sample = concordance_sample(times, events, None, None, None)
    found = against_censoring(sample, 5, training).time_weights
    agree(against_censoring, "definition: 1 / G(t-)^2", found, np.where(events, time_weights, 0))
    order = [(time, not event) for time, event in zip(times, events, strict=True)]
    places = [sorted(set(order)).index(key) for key in order]
    agree(concordance_sample, "definition: events before censorings", sample.places, places)


def _chance(censoring: Censoring, time: float) -> float:
    """G(t-) as a step function read by hand."""
    chance = 1.0
    for moment, after in zip(censoring.times, censoring.survival, strict=True):
        chance = after if moment < time else chance
    return chance


@given(patients, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(rows: Patients, random: Random) -> None:
    order = random.sample(range(rows[0].size), rows[0].size)
    before, after = concordance(*rows), concordance(*(column[order] for column in rows))
    assert figures(after) == pytest.approx(figures(before), nan_ok=True)


@given(patients)
def test_only_the_ranking_and_the_order_of_times_matter(rows: Patients) -> None:
    times, events, risk = rows
    assert concordance(times**3, events, np.exp(risk) - 5) == concordance(*rows)


@given(patients)
def test_the_opposite_risk_mirrors_the_figure(rows: Patients) -> None:
    times, events, risk = rows
    found, mirrored = concordance(*rows), concordance(times, events, -risk)
    if found.value is None:
        assert mirrored.value is None
        assert found.somers_dxy is None
    else:
        assert mirrored.value == pytest.approx(1 - found.value)
        assert found.somers_dxy == pytest.approx(-mirrored.somers_dxy)
    if found.standard_error is not None:
        assert mirrored.standard_error == pytest.approx(found.standard_error)
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(patients)
def test_a_weight_of_two_is_the_patient_twice(rows: Patients) -> None:
    """Two rows of one cluster, as the variance takes a row for a patient."""
    if rows[0].size == 1:
        return  # a single cluster shows no spread
    counts = 1.0 + np.arange(rows[0].size) % 3
    twice = repeated(rows, counts)
    clusters = np.repeat(np.arange(rows[0].size), counts.astype(int))
    for figure in (concordance, concordance_ipcw):
        weighted, listed = figure(*rows, weights=counts), figure(*twice, clusters=clusters)
        assert figures(weighted)[:5] == pytest.approx(figures(listed)[:5], nan_ok=True)


@given(patients)
def test_ties_hidden_by_rounding(rows: Patients) -> None:
    times, events, risk = rows
    hidden = hidden_ties(times)
    for one, other in (
        (concordance(*rows), concordance(hidden, events, risk)),
        (
            concordance_ipcw(*rows, tau=3),
            concordance_ipcw(hidden, events, risk, tau=3 * (1 - 1e-12)),
        ),
    ):
        assert figures(one) == pytest.approx(figures(other), nan_ok=True)
    assert concordance_ipcw([0.1 + 0.2, 1], [1, 0], [2, 1], tau=0.3).value == 1
    training = censoring_distribution([0.1, 0.1 + 0.2, 1], [1, 0, 0])
    assert training.before([0.3]).tolist() == [1.0]
    assert training.after([0.3]).tolist() == [0.5]


@pytest.mark.parametrize("case", sorted(PYTHON["harrell"]))
def test_scikit_survival(case: str) -> None:
    t, said = table(case), PYTHON["harrell"][case]
    ours = figures(concordance(t.times, t.events, t.first))
    oracle = r("survival_prediction_python", "sksurv::concordance_index_censored")
    agree(concordance, oracle, [ours[0], *ours[2:5]], said)


@pytest.mark.parametrize("rows", ["same", "split"])
@pytest.mark.parametrize("case", sorted(PYTHON["weighted"]))
def test_scikit_survival_against_censoring(case: str, rows: str) -> None:
    t, said = table(case), PYTHON["weighted"][case][rows]
    kept, training = training_and_new(t, rows)
    outcome = (t.times[kept], t.events[kept], t.first[kept])
    found = concordance_ipcw(*outcome, tau=t.horizons[-1], censoring=training)
    oracle = r("survival_prediction_python", "sksurv::concordance_index_ipcw")
    agree(concordance_ipcw, oracle, found.value, said["uno"])


@given(patients)
def test_a_weight_of_zero_is_no_patient(rows: Patients) -> None:
    more = [np.append(column, value) for column, value in zip(rows, (3.0, 1.0, 2.0), strict=True)]
    weights = np.append(np.ones(rows[0].size), 0)
    assert figures(concordance(*more, weights=weights)) == pytest.approx(
        figures(concordance(*rows)), nan_ok=True
    )
    uno = concordance_ipcw(*more, weights=weights)
    assert figures(uno) == pytest.approx(figures(concordance_ipcw(*rows)), nan_ok=True)
    assert uno.n == rows[0].size


@given(st.lists(st.integers(1, 50), min_size=2, max_size=12, unique=True))
def test_a_perfect_marker_is_one_but_not_certain(times: list[int]) -> None:
    risk = -np.array(times)
    for found in (
        concordance(times, np.ones(len(times)), risk),
        concordance_ipcw(times, np.ones(len(times)), risk, weights=np.linspace(0.1, 1, len(times))),
    ):
        assert (found.value, found.standard_error, found.low, found.high) == (1, None, None, None)


def test_a_constant_marker_is_chance() -> None:
    found = concordance([1, 2, 3], [1, 1, 0], [0.5, 0.5, 0.5])
    assert (found.value, found.standard_error, found.tied_risk) == (0.5, None, 3)


@pytest.mark.parametrize(("times", "events"), [([2], [1]), ([1, 2], [0, 0]), ([1, 1], [1, 1])])
def test_without_pairs_there_is_no_figure(times: list[int], events: list[int]) -> None:
    risk = np.arange(len(times))
    found = concordance(times, events, risk)
    assert (found.value, found.low, found.somers_dxy) == (None, None, None)
    assert concordance_ipcw(times, events, risk).value is None
    assert concordance_difference(times, events, risk, -risk) is None


def test_times_that_differ_by_rounding_are_one_time() -> None:
    assert concordance([0.1 + 0.2, 0.3, 1], [1, 1, 0], [1, 2, 0]).tied_time == 1


def test_a_marker_against_itself_has_no_variance_to_test() -> None:
    t = table("ordinary")
    found = concordance_difference(t.times, t.events, t.first, 2 * t.first + 1)
    assert (found.value, found.standard_error, found.statistic, found.p_value) == (0, *[None] * 3)
    assert found.method == "infinitesimal jackknife"


def test_strata_are_judged_apart() -> None:
    t = table("ordinary")
    strata = np.arange(t.times.size) % 3
    whole = concordance(t.times, t.events, t.first, strata=strata)
    parts = [
        concordance(t.times[strata == k], t.events[strata == k], t.first[strata == k])
        for k in range(3)
    ]
    agree(
        concordance,
        "definition: strata added",
        [whole.concordant, whole.discordant],
        [sum(part.concordant for part in parts), sum(part.discordant for part in parts)],
    )


def test_clusters_of_one_change_nothing() -> None:
    t = table("ordinary")
    alone = concordance(t.times, t.events, t.first, clusters=range(t.times.size))
    assert alone.standard_error == pytest.approx(
        concordance(t.times, t.events, t.first).standard_error
    )


def test_the_interval_covers_as_often_as_it_says() -> None:
    """60 patients, exponential times, a third censored: about 95 % of 300 intervals hold C."""
    random = np.random.default_rng(5)
    truth = concordance(*_simulated(random, 20_000)).value
    found = [concordance(*_simulated(random, 60)) for _ in range(300)]
    held = sum(each.low <= truth <= each.high for each in found)
    assert 0.90 < held / 300 < 0.98


def _simulated(random: np.random.Generator, n: int) -> Patients:
    risk = random.normal(size=n)
    times = random.exponential(size=n) * np.exp(-risk)
    lost = random.exponential(size=n) * 2
    return np.minimum(times, lost), (times <= lost).astype(float), risk


def test_a_large_table_agrees_with_lifelines() -> None:
    from lifelines.utils import concordance_index

    rows = [column.round(3) for column in _simulated(np.random.default_rng(1), 3000)]
    rows[0] += 0.001
    theirs = concordance_index(rows[0], -rows[2], rows[1])
    agree(concordance, "lifelines.concordance_index", concordance(*rows).value, theirs)


def test_the_interval_of_a_difference() -> None:
    first = Influenced(0.8, np.array([0.05, 0.0]))
    how = {"confidence": 0.9, "n": 90, "events": 40, "method": "influences"}
    found = difference_between(first, Influenced(0.7, np.zeros(2)), **how)
    half = 1.6448536269514722 * 0.05
    theirs = [0.1, 0.1 - half, 0.1 + half, 2, 0.04550026389635842]
    ours = [found.value, found.low, found.high, found.statistic, found.p_value]
    agree(difference_between, r("survival_prediction", "pnorm"), ours, theirs)


class TestRefusals:
    def test_an_event_that_could_not_be_observed(self) -> None:
        training = censoring_distribution([1, 2], [1, 0])
        with pytest.raises(ValueError, match=r"event at 3 in row 1.*choose an earlier tau"):
            concordance_ipcw([1, 3, 4], [1, 1, 0], [1, 2, 3], censoring=training)
        assert (
            concordance_ipcw([1, 3, 4], [1, 1, 0], [1, 2, 3], tau=2, censoring=training).value == 0
        )

    def test_a_tau_below_zero(self) -> None:
        with pytest.raises(ValueError, match="found horizon -1; expected a finite time above 0"):
            concordance_ipcw([1, 3, 4], [1, 1, 0], [1, 2, 3], tau=-1)

    @pytest.mark.parametrize("name", ["first", "second"])
    def test_a_blank_risk(self, name: str) -> None:
        risks = {"first": [1.0, 2.0], "second": [1.0, 2.0], name: [1.0, np.nan]}
        with pytest.raises(ValueError, match=f"{name}: found nan in row 1"):
            concordance_difference([1, 2], [1, 1], **risks)

    def test_weights_below_zero(self) -> None:
        with pytest.raises(ValueError, match=r"weights: found -1\.0 in row 0"):
            concordance([1, 2], [1, 1], [1, 2], weights=[-1, 1])

    def test_a_confidence_of_95(self) -> None:
        with pytest.raises(ValueError, match="found confidence 95"):
            concordance([1, 2], [1, 1], [1, 2], confidence=95)
