from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.chosen import Chosen, fingerprint, halfway
from oncotrail.statistics.classification.cut_points import binary_cut_point
from oncotrail.statistics.cut_point import CutPoint, Search, best_cut
from oncotrail.statistics.maximal_statistic import TENTHS, Shares, maximal_statistic
from oncotrail.statistics.survival.cut_points import log_rank_scores, survival_cut_point
from oncotrail.statistics.survival.quantile_groups import quantile_groups
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference

SAID = reference("cut_points")
MADE = sorted(SAID["made"])
MAXSTAT = r("cut_points", "maxstat::maxstat.test")

rows = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 9), st.booleans()), min_size=6, max_size=30
).filter(lambda found: len({x for x, _, _ in found}) > 1 and any(e for _, _, e in found))
WIDE = Shares(0.0, 1.0)


def compare(function: Any, *columns: Any, said: list[dict[str, Any]]) -> None:
    for theirs in said:
        shares = Shares(*theirs["share"])

        def learn(correction: Any, shares: Shares = shares) -> CutPoint:
            return function(*columns, role="train", shares=shares, correction=correction)

        if "refused" in theirs:
            with pytest.raises(ValueError, match="expected at least one place to cut"):
                learn("Lau92")
            continue
        first, second = learn("Lau92"), learn("Lau94")
        agree(
            function,
            MAXSTAT,
            [first.statistic, first.highest_below, first.p_value, second.p_value, first.cuts_tried],
            [theirs["statistic"], theirs["cut"], theirs["Lau92"], theirs["Lau94"], theirs["tried"]],
        )


@pytest.mark.parametrize("case", MADE)
def test_cut_points_are_those_of_maxstat(case: str) -> None:
    table = SAID["made"][case]["table"]
    compare(
        survival_cut_point,
        table["values"],
        table["times"],
        table["events"],
        said=SAID["made"][case]["survival"],
    )
    compare(binary_cut_point, table["labels"], table["values"], said=SAID["made"][case]["binary"])


@pytest.mark.parametrize("name", sorted(SAID["real"]))
def test_cut_points_of_real_markers(name: str) -> None:
    frame = getattr(tables, name.split("_", maxsplit=1)[0])()
    marker = frame[name.split("_")[1] if "_" in name else "age"]
    events = frame["status" if name == "lung" else "event"]
    compare(survival_cut_point, marker, frame["time"], events, said=SAID["real"][name])


@pytest.mark.parametrize("case", MADE)
def test_scores_are_those_of_exact_rank_tests(case: str) -> None:
    table = SAID["made"][case]["table"]
    ours = log_rank_scores(table["times"], table["events"])
    oracle = r("cut_points", "exactRankTests::cscores")
    agree(log_rank_scores, oracle, ours, SAID["made"][case]["scores"])


@pytest.mark.parametrize("case", MADE)
def test_tertiles_are_quantiles_of_r(case: str) -> None:
    values = SAID["made"][case]["table"]["values"]
    try:
        found = quantile_groups(values, 3, role="train")
    except ValueError:
        assert case in {"two_values", "tied_marker", "tied_both"}
        return
    quantiles = np.array(SAID["tertiles"][case])
    agree(quantile_groups, r("cut_points", "quantile"), found.quantiles, quantiles)
    groups = found.apply(values, role="train", apparent=True)
    # Up to R's rounding of the quantiles, its groups too: cut() has a value at a break below it.
    assert groups.tolist() == np.searchsorted(quantiles + 1e-12, values).tolist()


@given(rows)
def test_the_statistic_is_the_largest_of_all_cuts(found: list[tuple[int, int, bool]]) -> None:
    marker, times, events = (np.array(column) for column in zip(*found, strict=True))
    scores = log_rank_scores(times, events)
    spread = scores.var(ddof=1)
    if spread < 1e-9:
        return
    standardised = []
    for cut in np.unique(marker)[:-1]:
        below, n = marker <= cut, marker.size
        m = below.sum()
        excess = scores[below].sum() - m * scores.mean()
        standardised.append(excess / np.sqrt(spread * m * (n - m) / n))
    ours = maximal_statistic(marker.astype(float), scores, WIDE, "Lau94")
    expected = [np.abs(standardised).max(), len(standardised)]
    agree(maximal_statistic, "definition: every cut", [abs(ours.signed), ours.cuts_tried], expected)


def test_random_orders_approach_all_orders() -> None:
    """Six patients have 720 orders; the share as extreme is the exact p-value."""
    marker = [1.0, 2, 3, 4, 5, 6]
    times, events = [9, 4, 8, 2, 3, 1], [1, 1, 0, 1, 1, 1]
    scores = log_rank_scores(times, events)
    observed = abs(maximal_statistic(np.array(marker), scores, WIDE, "Lau94").signed)
    exact = np.mean(
        [
            abs(maximal_statistic(np.array(marker), np.array(order), WIDE, "Lau94").signed)
            >= observed - 1e-9
            for order in permutations(scores)
        ]
    )
    found = survival_cut_point(
        marker,
        times,
        events,
        role="train",
        shares=WIDE,
        correction="permutation",
        generator=np.random.default_rng(6),
        permutations=20_000,
    )
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_random_orders_are_those_of_the_generator() -> None:
    table = SAID["made"]["tiny"]["table"]
    labels = np.array(table["labels"], dtype=float)
    values = np.array(table["values"])
    found = binary_cut_point(
        labels,
        values,
        role="train",
        correction="permutation",
        generator=np.random.default_rng(7),
        permutations=99,
    )
    drawn = np.random.default_rng(7).permuted(np.tile(labels, (99, 1)), axis=1)
    order = np.sort(values)
    largest = [abs(maximal_statistic(order, row, Shares(), "Lau92").signed) for row in drawn]
    expected = (1 + np.sum(np.array(largest) >= found.statistic - 1e-9)) / 100
    agree(binary_cut_point, "definition: each order in turn", [found.p_value], [expected])


def test_the_correction_keeps_its_promise() -> None:
    """A marker of no value: corrected p-values below 0.05 are rare, naive ones are not."""
    generator = np.random.default_rng(8)
    corrected, naive = [], []
    for _ in range(400):
        found = survival_cut_point(
            generator.normal(size=100),
            generator.exponential(size=100),
            generator.random(100) < 0.7,
            role="train",
        )
        corrected.append(found.p_value < 0.05)
        naive.append(found.naive_p_value < 0.05)
    assert np.mean(corrected) < 0.075
    assert np.mean(naive) > 0.3


@given(rows)
def test_only_the_ranking_of_the_marker_matters(found: list[tuple[int, int, bool]]) -> None:
    marker, times, events = (np.array(column) for column in zip(*found, strict=True))
    try:
        one = survival_cut_point(marker, times, events, role="train", shares=WIDE)
    except ValueError:
        return  # the same score in everybody
    other = survival_cut_point(np.exp(marker), times, events, role="train", shares=WIDE)
    assert (other.p_value, other.below) == (one.p_value, one.below)
    above, also = (
        cut.apply(values, role="train", apparent=True)
        for cut, values in ((one, marker), (other, np.exp(marker)))
    )
    assert also.tolist() == above.tolist() == (marker > one.highest_below).tolist()
    assert (one.below, one.above) == ((marker <= one.value).sum(), above.sum())


@given(st.floats(-1e308, 1e308), st.floats(-1e308, 1e308))
def test_a_threshold_halfway_parts_two_values(one: float, other: float) -> None:
    below, above = sorted((one, other))
    if below == above:
        return
    found = halfway(below, above)
    assert below < found <= above
    agree(halfway, "definition: the mean", found / 1e308, (below / 2 + above / 2) / 1e308)


def test_halfway_between_neighbours_is_the_upper_one() -> None:
    assert halfway(1.0, np.nextafter(1, 2)) == np.nextafter(1, 2)


@pytest.mark.parametrize("marker", [[1.0, 2.0, 4.0, 8.0], [8.0, 1.0, 4.0, 2.0]])
def test_the_best_cut_lies_between_two_values(marker: list[float]) -> None:
    values = np.array(marker)
    search = Search(TENTHS, "Lau94", None, 0)
    found = best_cut(values, 1.0 * (values > 2), search, events=2, role="train")
    oracle = "definition: halfway between the values it parts"
    agree(best_cut, oracle, [found.value, found.highest_below], [3, 2])
    assert found.apply([2.9, 3.0], role="test").tolist() == [False, True]


def test_a_cut_point_is_applied_without_an_outcome() -> None:
    table = SAID["made"]["strong"]["table"]
    found = survival_cut_point(table["values"], table["times"], table["events"], role="train")
    assert (found.chosen_on, found.n) == ("train", len(table["values"]))
    asked = [found.highest_below, found.value, found.value + 1e-6]
    assert found.apply(asked, role="test").tolist() == [False, True, True]
    assert found.higher_is_worse
    with pytest.raises(ValueError, match="values: found nan in row 0"):
        found.apply([float("nan")], role="test")


def test_a_high_marker_may_be_good() -> None:
    found = binary_cut_point([1, 1, 0, 0], [1, 2, 3, 4], role="train")
    assert (found.value, found.highest_below, found.higher_is_worse) == (2.5, 2.0, False)


def test_quantile_groups_are_applied_to_others() -> None:
    found = quantile_groups(range(1, 101), 4, role="train")
    own = found.apply(range(1, 101), role="train", apparent=True)
    assert np.bincount(own).tolist() == [25, 25, 25, 25]
    assert found.apply([-5, 1000], role="test").tolist() == [0, 3]


@given(st.lists(st.integers(0, 30), min_size=3, max_size=40), st.integers(2, 5))
def test_quantile_groups_part_the_ordered_patients(values: list[int], count: int) -> None:
    try:
        found = quantile_groups(values, count, role="train")
    except ValueError:
        return  # too many ties
    groups = found.apply(values, role="train", apparent=True)
    assert set(groups) == set(range(count))
    for group in range(count - 1):
        below, above = (max(np.array(values)[groups == group]), found.quantiles[group])
        assert below <= above + 1e-9
        assert min(np.array(values)[groups > group]) > above - 1e-9


def test_a_quantile_that_is_a_value_is_not_rounded_below_it() -> None:
    for thirds in range(1, 60):
        values = np.arange(3.0 * thirds + 1)
        sizes = np.bincount(
            quantile_groups(values, 3, role="a").apply(values, role="a", apparent=True)
        )
        assert sizes.tolist() == [thirds + 1, thirds, thirds]


def test_what_was_chosen_is_not_for_those_who_chose_it() -> None:
    marker, times, events = [1.0, 2, 3, 4, 5, 6], [9, 8, 7, 3, 2, 1], [0, 1, 1, 1, 1, 1]
    for found in (
        survival_cut_point(marker, times, events, role="train"),
        binary_cut_point(events, marker, role="train"),
        quantile_groups(marker, 2, role="train"),
    ):
        name = type(found).__name__
        with pytest.raises(ValueError, match=f"the role train, and this {name} was chosen on 6 pa"):
            found.apply([1, 2], role="train")
        with pytest.raises(ValueError, match="found the same rows as test, and this"):
            found.apply(marker[::-1], role="test")
        permitted = found.apply(marker, role="test", apparent=True)
        assert permitted.any()
        assert (found.apply([*marker, 7], role="test")[:-1] == permitted).all()


@given(st.permutations(range(8)))
def test_a_fingerprint_is_of_rows_in_any_order(order: list[int]) -> None:
    rows = np.array([[0, 0, 1, 1, 0, 1, 0, 1], [3, 1, 2, 2, 5, 0.5, 0, -1]])
    own = fingerprint(*rows)
    same = [fingerprint(*rows[:, order]) == own, fingerprint(*np.negative(-rows)) == own]
    swapped = rows.copy()
    swapped[0, [0, 2]] = swapped[0, [2, 0]]  # the labels of two patients
    other = [fingerprint(*swapped) == own, fingerprint(rows[1]) == own]
    agree(fingerprint, "definition: the same rows", [*same, *other], [1, 1, 0, 0])


class TestRefused:
    def learn(self, **arguments: Any) -> CutPoint:
        return survival_cut_point(
            [1, 2, 3, 4], [1, 2, 3, 4], [1, 1, 1, 0], **{"role": "train", **arguments}
        )

    def test_rows_without_a_name(self) -> None:
        with pytest.raises(ValueError, match="role: found no name"):
            self.learn(role=" ")
        with pytest.raises(ValueError, match="role: found no name"):
            Chosen(chosen_on="", n=1, rows="")

    def test_an_unknown_correction(self) -> None:
        with pytest.raises(ValueError, match="correction: found 'none', expected one of Lau92"):
            self.learn(correction="none")

    def test_permutations_without_a_generator(self) -> None:
        with pytest.raises(ValueError, match="found no generator"):
            self.learn(correction="permutation")

    def test_all_shares_with_a_formula_that_has_none(self) -> None:
        with pytest.raises(ValueError, match="Lau92 needs them above 0 and below 1"):
            self.learn(correction="Lau92", shares=WIDE)

    def test_shares_the_wrong_way_round(self) -> None:
        with pytest.raises(ValueError, match=r"found shares from 0.9 to 0.1"):
            self.learn(shares=Shares(0.9, 0.1))

    def test_a_constant_marker(self) -> None:
        with pytest.raises(ValueError, match="found no value with 10% to 90% of 2 patients"):
            survival_cut_point([1, 1], [1, 2], [1, 1], role="train")

    def test_nobody_with_an_event(self) -> None:
        with pytest.raises(ValueError, match="found the same outcome in all patients"):
            survival_cut_point([1, 2, 3], [1, 2, 3], [0, 0, 0], role="train")

    def test_one_group(self) -> None:
        with pytest.raises(ValueError, match="found count 1; expected at least 2 groups"):
            quantile_groups([1, 2], 1, role="train")

    def test_too_many_ties_for_tertiles(self) -> None:
        with pytest.raises(ValueError, match="found too few distinct values for 3 groups"):
            quantile_groups([1, 1, 1, 1, 2], 3, role="train")
