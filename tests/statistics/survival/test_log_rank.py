from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.survival.log_rank import LogRank, log_rank, trend
from oncotrail.statistics.survival.log_rank_table import log_rank_table
from oncotrail.statistics.survival.pairwise_log_rank import pairwise
from oncotrail.statistics.survival.score_test import score_test
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference

SAID = reference("survival_curves")
SURVDIFF = r("survival_curves", "survival::survdiff")
TABLES = [case for case in sorted(SAID["made"]) if "tests" in SAID["made"][case]]

rows = st.lists(
    st.tuples(st.integers(1, 9), st.booleans(), st.sampled_from("ab")), min_size=2, max_size=40
).filter(lambda found: len({group for _, _, group in found}) == 2)


def columns(case: str) -> tuple[Any, Any, Any, Any]:
    if case in SAID["made"]:
        table = SAID["made"][case]["table"]
        return table["times"], table["events"], table["groups"], table["strata"]
    frame = getattr(tables, case)()
    if case == "lung":
        return frame["time"], frame["status"], frame["sex"], frame["age"] > 60
    if case == "gbsg2":
        return frame["time"], frame["event"], frame["grade"], frame["hormones"]
    if case == "rossi":
        return frame["time"], frame["event"], frame["prio"] // 3, frame["fin"]
    stage = 1 + frame["Stage_II"] + 2 * frame["Stage_III"] + 3 * frame["Stage_IV"]
    return frame["time"], frame["event"], stage, frame["age"] > 65


def compare(ours: LogRank, theirs: dict[str, Any]) -> None:
    agree(log_rank, SURVDIFF, [one.observed for one in ours.groups], theirs["observed"])
    agree(log_rank, SURVDIFF, [one.expected for one in ours.groups], theirs["expected"])
    agree(log_rank, SURVDIFF, [ours.statistic, ours.p_value], [theirs["statistic"], theirs["p"]])
    assert ours.degrees_of_freedom == theirs["degrees"]


@pytest.mark.parametrize("case", [*TABLES, "lung", "gbsg2", "rossi", "larynx"])
def test_groups_strata_and_weights_are_those_of_survdiff(case: str) -> None:
    times, events, groups, strata = columns(case)
    said = SAID["made" if case in TABLES else "real"][case]["tests"]
    for stratum, name in ((None, "unstratified"), (strata, "stratified")):
        for theirs in said[name]:
            arguments = {"strata": stratum, "rho": theirs["rho"]}
            compare(log_rank(times, events, groups, **arguments), theirs)
            found = trend(times, events, groups, **arguments)
            agree(trend, SURVDIFF, [found.statistic], [theirs["trend"]])
    pairs = pairwise(times, events, groups)
    # Where only one of the two is ever at risk at an event, R says p = 1 on 0 degrees; we say None.
    testable = [pair.test.degrees_of_freedom == 1 for pair in pairs]
    found = [pair.test.p_value for pair in pairs if pair.test.degrees_of_freedom]
    agree(pairwise, SURVDIFF, found, np.atleast_1d(said["pairwise"])[testable])
    assert (np.atleast_1d(said["pairwise"])[np.invert(testable)] == 1).all()


def test_score_tests_of_cox_models_are_the_log_rank_test() -> None:
    times, events, groups, _ = columns("ordinary")
    assert SAID["score"]["distinct"]
    coxph = r("survival_curves", "survival::coxph")
    agree(log_rank, coxph, [log_rank(times, events, groups).statistic], [SAID["score"]["groups"]])
    agree(trend, coxph, [trend(times, events, groups).statistic ** 2], [SAID["score"]["trend"]])


@pytest.mark.parametrize("case", TABLES)
def test_counts_of_patients_are_those_of_survdiff(case: str) -> None:
    times, events, groups, strata = columns(case)
    counts = SAID["made"][case]["table"]["counts"]
    said = SAID["made"][case]["weighted_tests"]
    for stratum, answers in ((None, said["counts"]), (strata, [said["counts_stratified"]])):
        for theirs in answers:
            arguments = {"strata": stratum, "rho": theirs["rho"], "weights": counts}
            compare(log_rank(times, events, groups, **arguments), theirs)
            found = trend(times, events, groups, **arguments)
            agree(trend, SURVDIFF, [found.statistic], [theirs["trend"]])


@pytest.mark.parametrize("case", TABLES)
def test_other_weights_are_those_of_a_robust_score_test(case: str) -> None:
    times, events, groups, strata = columns(case)
    weights = SAID["made"][case]["table"]["weights"]
    said, coxph = SAID["made"][case]["weighted_tests"], r("survival_curves", "survival::coxph")
    for stratum, name in ((None, ""), (strata, "_stratified")):
        found = log_rank(times, events, groups, strata=stratum, weights=weights)
        assert found.robust
        agree(log_rank, coxph, [found.statistic], [said[f"robust{name}"]])
        order = trend(times, events, groups, strata=stratum, weights=weights)
        agree(trend, coxph, [order.statistic**2], said[f"robust_trend{name}"])


def test_remission_of_leukaemia() -> None:
    """The worked example of every textbook (Freireich et al., Blood 1963, 21:699): 16.79."""
    treated = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
    control = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
    weeks = f"{treated} {control}".split()
    times = [float(time.rstrip("+")) for time in weeks]
    events = [not time.endswith("+") for time in weeks]
    found = log_rank(times, events, ["6-MP"] * 21 + ["placebo"] * 21)
    assert found.statistic == pytest.approx(16.79, abs=0.005)
    assert [group.expected for group in found.groups] == pytest.approx([19.25, 10.75], abs=0.005)


def test_pairs_are_adjusted_for_their_number() -> None:
    times, events, groups, strata = columns("ordinary")
    found = pairwise(times, events, groups)
    agree(
        pairwise,
        r("survival_curves", "p.adjust"),
        [p.adjusted_p_value for p in found],
        SAID["holm"],
    )
    rate = pairwise(times, events, groups, adjustment="benjamini-hochberg")
    agree(
        pairwise,
        r("survival_curves", "p.adjust"),
        [p.adjusted_p_value for p in rate],
        SAID["fdr"],
    )
    stratified = pairwise(times, events, groups, strata=strata)
    kept = np.array(groups) != 3
    alone = log_rank(
        *(np.array(c)[kept] for c in (times, events, groups)), strata=np.array(strata)[kept]
    )
    assert stratified[0].test == alone


def test_a_score_test_is_the_sum_of_squares_of_independent_scores() -> None:
    generator = np.random.default_rng(2)
    for size in (2, 3, 6):
        half = generator.normal(size=(size, size))
        centring = np.eye(size) - 1 / size
        covariance = centring @ half @ half.T @ centring
        scores = centring @ generator.normal(size=size)
        expected = float(scores @ np.linalg.pinv(covariance) @ scores)
        found = score_test(scores, covariance)
        agree(score_test, "definition: the generalised inverse", [found.statistic], [expected])
        assert found.degrees_of_freedom == size - 1


def by_hand(rows_of: list[tuple[int, bool, str]]) -> tuple[float, float]:
    """Observed minus expected in group a, and its variance, time by time."""
    excess, variance = 0.0, 0.0
    for time in sorted({time for time, event, _ in rows_of if event}):
        there = [(group, event and t == time) for t, event, group in rows_of if t >= time]
        n, died = len(there), sum(event for _, event in there)
        share = sum(group == "a" for group, _ in there) / n
        excess += sum(event for group, event in there if group == "a") - died * share
        variance += died * (n - died) / max(n - 1, 1) * share * (1 - share)
    return excess, variance


@given(rows)
def test_the_statistic_is_that_of_the_definition(found: list[tuple[int, bool, str]]) -> None:
    times, events, groups = zip(*found, strict=True)
    excess, variance = by_hand(found)
    ours = log_rank(times, events, groups)
    assert ours.groups[0].observed - ours.groups[0].expected == pytest.approx(excess, abs=1e-9)
    if variance > 1e-9:
        agree(log_rank, "definition: time by time", [ours.statistic], [excess**2 / variance])
        z = trend(times, events, groups).statistic
        agree(trend, "definition: time by time", [z], [-excess / variance**0.5])
    else:
        assert ours.statistic is None
        assert ours.p_value is None
        assert trend(times, events, groups).statistic is None


@given(rows, st.data(), st.floats(-1, 2))
def test_a_weight_of_two_is_the_row_twice(
    found: list[tuple[int, bool, str]], data: st.DataObject, rho: float
) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)))
    repeated = [row for row, count in zip(found, counts, strict=True) for _ in range(count)]
    if len({group for _, _, group in repeated}) < 2:
        return
    weighted = log_rank_table(*zip(*found, strict=True), rho=rho, weights=counts)
    expanded = log_rank_table(*zip(*repeated, strict=True), rho=rho)
    rows_twice = "definition: rows repeated"
    for name in ("observed", "expected", "covariance"):
        agree(log_rank_table, rows_twice, getattr(weighted, name), getattr(expanded, name))
    strata = [time % 2 for time, _, _ in found]
    stratified = trend(*zip(*found, strict=True), strata=strata, rho=rho, weights=counts)
    strata = [time % 2 for time, _, _ in repeated]
    expected = trend(*zip(*repeated, strict=True), strata=strata, rho=rho)
    assert (stratified.statistic is None) == (expected.statistic is None)
    if expected.statistic is not None:
        agree(trend, rows_twice, [stratified.statistic], [expected.statistic])


@given(rows, st.floats(0, 1), st.integers(1, 3), st.floats(0.01, 100))
def test_weights_that_do_not_count_have_the_variance_of_influences(
    found: list[tuple[int, bool, str]], rho: float, strata: int, factor: float
) -> None:
    """Each influence is the derivative of the score by the patient's weight, times the weight."""
    times, events, groups = (np.array(column) for column in zip(*found, strict=True))
    weights = np.linspace(0.4, 2.3, times.size)
    stratum = np.arange(times.size) % strata
    table = log_rank_table(times, events, groups, strata=stratum, rho=0, weights=weights)
    influence = np.zeros((times.size, 2))
    for row in range(times.size):
        for time in np.unique(times[events & (stratum == stratum[row]) & (times <= times[row])]):
            there = (times >= time) & (stratum == stratum[row])
            died = weights[events & there & (times == time)].sum()
            total = weights[there].sum()
            share = np.array([weights[there & (groups == g)].sum() / total for g in "ab"])
            own = (groups[row] == np.array(["a", "b"])) - share
            influence[row] += own * (float(events[row] and times[row] == time) - died / total)
    scaled = influence * weights[:, None]
    agree(log_rank_table, "definition: patient by patient", table.covariance, scaled.T @ scaled)
    assert scaled.sum(axis=0) == pytest.approx(table.observed - table.expected, abs=1e-9)
    one = log_rank(times, events, groups, strata=stratum, rho=rho, weights=weights)
    other = log_rank(times, events, groups, strata=stratum, rho=rho, weights=weights * factor)
    if one.statistic is not None and other.robust:
        assert other.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9)


def test_weights_of_one_and_a_robust_variance() -> None:
    times, events, groups, _ = columns("ordinary")
    plain, robust = (log_rank(times, events, groups, robust=way) for way in (None, True))
    assert (plain.robust, robust.robust) == (False, True)
    assert robust.groups == plain.groups
    assert robust.statistic != plain.statistic


def test_pairs_have_one_rule_of_variance() -> None:
    times, events, groups, strata = columns("ordinary")
    weights = np.where(np.array(groups) == 3, 1.5, 2.0)
    found = pairwise(times, events, groups, strata=strata, weights=weights)
    assert [pair.test.robust for pair in found] == [True, True, True]
    kept = np.array(groups) != 3
    rows_of = [np.array(column)[kept] for column in (times, events, groups)]
    alone = log_rank(*rows_of, strata=np.array(strata)[kept], weights=weights[kept], robust=True)
    assert found[0].test == alone


@given(rows, st.randoms(use_true_random=False))
def test_two_groups_are_symmetric_and_in_any_order(
    found: list[tuple[int, bool, str]], random: Any
) -> None:
    times, events, groups = zip(*found, strict=True)
    other = random.sample(found, len(found))
    swapped = [(time, event, "b" if group == "a" else "a") for time, event, group in other]
    before, after = log_rank(times, events, groups), log_rank(*zip(*swapped, strict=True))
    if before.statistic is None:
        assert after.statistic is None
        return
    assert after.statistic == pytest.approx(before.statistic)
    assert after.groups[1].expected == pytest.approx(before.groups[0].expected)
    scaled = log_rank([time * 0.1 for time in times], events, groups)
    assert scaled.statistic == pytest.approx(before.statistic)


@given(rows, st.floats(-1, 2))
def test_strata_add_up(found: list[tuple[int, bool, str]], rho: float) -> None:
    """The same patients in two strata: twice the excess, twice the variance."""
    times, events, groups = (list(column) for column in zip(*found, strict=True))
    strata = [0] * len(times) + [1] * len(times)
    one = log_rank(times, events, groups, rho=rho)
    two = log_rank(times * 2, events * 2, groups * 2, strata=strata, rho=rho)
    if one.statistic is None:
        assert two.statistic is None
        return
    assert two.statistic == pytest.approx(2 * one.statistic)


def test_a_group_that_never_was_at_risk_costs_no_degree_of_freedom() -> None:
    times, events, groups = [1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 1, 1], list("ccabab")
    found, without = log_rank(times, events, groups), log_rank(times[2:], events[2:], groups[2:])
    assert found.degrees_of_freedom == 1
    assert found.statistic == without.statistic
    assert found.groups[2].expected == 0


def test_nothing_to_test_is_none() -> None:
    found = log_rank([1, 2, 3], [0, 0, 0], ["a", "b", "b"])
    assert (found.statistic, found.degrees_of_freedom, found.p_value) == (None, 0, None)
    only_b = log_rank([1, 2, 3], [0, 1, 1], ["a", "b", "b"])
    assert (only_b.statistic, only_b.degrees_of_freedom) == (None, 0)
    pair = pairwise([1, 2, 3], [0, 0, 0], ["a", "b", "b"])[0]
    assert (pair.first, pair.second, pair.adjusted_p_value) == ("a", "b", None)


def test_scores_of_a_trend_may_be_stretched_and_shifted() -> None:
    times, events, groups, _ = columns("ordinary")
    one = trend(times, events, groups)
    assert trend(times, events, groups, scores=[10, 30, 50]).statistic == pytest.approx(
        one.statistic
    )
    assert trend(times, events, groups, scores=[3, 2, 1]).statistic == pytest.approx(-one.statistic)
    assert trend(times, events, groups, scores=[1, 1, 1]).statistic is None


def test_many_strata_are_no_loop() -> None:
    """Matched pairs: each a stratum."""
    generator = np.random.default_rng(3)
    size = 20_000
    times, events = generator.exponential(size=size), generator.random(size) < 0.7
    found = log_rank(times, events, np.arange(size) % 2, strata=np.arange(size) // 2)
    first = times.reshape(-1, 2).argmin(axis=1)
    decided = events.reshape(-1, 2)[np.arange(size // 2), first]
    wins = first[decided] == 0
    mcnemar = (2 * wins.sum() - wins.size) ** 2 / wins.size
    agree(log_rank, "definition: McNemar's for pairs", [found.statistic], [mcnemar])


class TestRefused:
    def test_one_group(self) -> None:
        with pytest.raises(ValueError, match="found one group, 'a'; expected at least two"):
            log_rank([1, 2], [1, 1], ["a", "a"])

    def test_a_rho_that_is_no_number(self) -> None:
        with pytest.raises(ValueError, match="found rho nan"):
            log_rank([1, 2], [1, 1], ["a", "b"], rho=float("nan"))

    def test_one_group_with_a_weight(self) -> None:
        with pytest.raises(Undefined, match="found one group, 'b'"):
            log_rank([1, 2], [1, 1], ["a", "b"], weights=[0, 1])

    def test_fractions_as_counts(self) -> None:
        with pytest.raises(ValueError, match="not whole numbers and robust=False"):
            log_rank([1, 2], [1, 1], ["a", "b"], weights=[0.5, 1], robust=False)

    def test_an_unknown_adjustment(self) -> None:
        with pytest.raises(ValueError, match="adjustment: found 'fdr', expected one of holm, benj"):
            pairwise([1, 2], [1, 1], ["a", "b"], adjustment="fdr")  # type: ignore[arg-type]

    def test_a_blank_stratum(self) -> None:
        with pytest.raises(ValueError, match="strata: found nan in row 0"):
            log_rank([1, 2], [1, 1], ["a", "b"], strata=[float("nan"), 1])
