from collections.abc import Callable
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from oncotrail.statistics.intervals import (
    Difference,
    Interval,
    exact,
    newcombe,
    normal_difference,
    normal_quantile,
    proportion,
    wilson,
)
from tests.statistics.oracles import agree, r, reference

Bounds = Callable[..., Interval]
Count = tuple[int, int]

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_agrees_with_r() -> None:
    cases = reference("discrimination")["wilson"]
    assert len(cases) == 30
    for case in cases:
        ours = wilson(case["successes"], case["n"], case["confidence"])
        theirs = case["low"], case["high"]
        agree(wilson, r("discrimination", "prop.test"), (ours.low, ours.high), theirs, within=1e-9)


def test_exact_agrees_with_r() -> None:
    cases = reference("discrimination")["exact"]
    assert len(cases) == 30
    for case in cases:
        ours = exact(case["successes"], case["n"], case["confidence"])
        theirs = case["low"], case["high"]
        agree(exact, r("discrimination", "binom.test"), (ours.low, ours.high), theirs, within=1e-9)


@pytest.mark.parametrize(("method", "oracle"), [("wilson", "prop.test"), ("exact", "binom.test")])
def test_a_proportion_has_the_interval_asked_for(method: str, oracle: str) -> None:
    for case in reference("discrimination")[method]:
        ours = proportion(case["successes"], case["n"], 0, case["confidence"], method)
        assert ours is not None
        theirs = case["successes"] / case["n"], case["low"], case["high"]
        found = ours.value, ours.low, ours.high
        agree(proportion, r("discrimination", oracle), found, theirs, within=1e-9)


def test_newcombe_agrees_with_the_unsquared_equation_in_r() -> None:
    for case in reference("discrimination")["discrimination"].values():
        labels = case["table"]["labels"]
        positives, negatives = sum(labels), len(labels) - sum(labels)
        for marker in ("first", "second"):
            ours = newcombe(case[marker]["auc"], positives, negatives)
            theirs = case[marker]["newcombe"]
            agree(newcombe, r("discrimination", "uniroot"), (ours.low, ours.high), theirs)


def test_the_normal_quantile_agrees_with_the_normal_distribution() -> None:
    levels = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999]
    oracle = "statistics.NormalDist"
    theirs = [NormalDist().inv_cdf((1 + level) / 2) for level in levels]
    agree(normal_quantile, oracle, [normal_quantile(level) for level in levels], theirs)


def difference(value: float, variance: float | None, confidence: float = 0.95) -> Difference:
    return normal_difference(
        value, variance, most=1, confidence=confidence, n=9, events=4, method="by hand"
    )


def test_a_normal_difference_agrees_with_the_normal_distribution() -> None:
    found = difference(0.1, 0.0025, 0.9)
    normal = NormalDist(0.1, 0.05)
    ours = found.low, found.high, found.statistic, found.standard_error, found.p_value
    theirs = normal.inv_cdf(0.05), normal.inv_cdf(0.95), 2, 0.05, 2 * NormalDist().cdf(-2)
    agree(normal_difference, "statistics.NormalDist", ours, theirs, within=1e-12)
    assert (found.n, found.events, found.method) == (9, 4, "by hand")


def test_a_normal_difference_stays_in_its_range() -> None:
    assert (difference(0.5, 4).low, difference(0.5, 4).high) == (-1, 1)


@pytest.mark.parametrize("variance", [None, 0.0])
def test_a_difference_without_spread_has_no_interval_and_no_test(variance: float | None) -> None:
    found = difference(0.1, variance)
    assert found.value == 0.1
    assert (found.low, found.high, found.statistic, found.p_value) == (None,) * 4
    with pytest.raises(ValueError, match="found confidence 95"):
        difference(0.1, variance, 95)


both_intervals = pytest.mark.parametrize("interval", [wilson, exact])


@both_intervals
@given(count=counts)
def test_stays_in_the_unit_interval_and_holds_the_proportion(
    interval: Bounds, count: Count
) -> None:
    successes, n = count
    ends = interval(successes, n)
    assert 0 <= ends.low <= successes / n <= ends.high <= 1
    assert ends.low < ends.high


@both_intervals
@given(count=counts)
def test_of_the_failures_is_the_mirror(interval: Bounds, count: Count) -> None:
    successes, n = count
    ends, mirrored = interval(successes, n), interval(n - successes, n)
    assert (ends.low, ends.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


@both_intervals
@given(count=counts)
def test_more_confidence_is_a_wider_interval(interval: Bounds, count: Count) -> None:
    narrow, wide = interval(*count, confidence=0.8), interval(*count, confidence=0.99)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high
    assert wide.high - wide.low > narrow.high - narrow.low


@given(counts)
def test_the_exact_interval_leaves_half_of_the_rest_in_each_tail(count: Count) -> None:
    successes, n = count
    ends = exact(successes, n, 0.9)
    if successes > 0:
        assert binom.sf(successes - 1, n, ends.low) == pytest.approx(0.05)
    if successes < n:
        assert binom.cdf(successes, n, ends.high) == pytest.approx(0.05)


@both_intervals
@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_refuses_impossible_counts(interval: Bounds, successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"found {successes} of {n}"):
        interval(successes, n)


def test_a_proportion_refuses_an_unknown_interval() -> None:
    with pytest.raises(ValueError, match="method: found 'wald', expected one of wilson, exact"):
        proportion(1, 2, 1, method="wald")


def test_a_proportion_of_nobody_is_undefined() -> None:
    assert proportion(0, 0, 0) is None
    with pytest.raises(ValueError, match="found 3 of 0"):
        proportion(3, 0, 0)


def test_a_proportion_says_what_it_rests_on() -> None:
    estimate = proportion(3, 4, events=4)
    assert estimate is not None
    assert (estimate.value, estimate.n, estimate.events, estimate.method) == (0.75, 4, 4, "Wilson")


@given(st.floats(0, 1), st.integers(1, 60), st.integers(1, 60))
def test_newcombe_holds_the_area_and_mirrors(area: float, positives: int, negatives: int) -> None:
    ends = newcombe(area, positives, negatives)
    mirrored = newcombe(1 - area, positives, negatives)
    assert 0 <= ends.low <= area + 1e-9
    assert area - 1e-9 <= ends.high <= 1
    assert (ends.low, ends.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


def test_newcombe_narrows_with_patients() -> None:
    ends = [newcombe(1.0, n, n) for n in (1, 10, 100, 1000)]
    assert [end.high for end in ends] == [1.0] * 4
    assert sorted(end.low for end in ends) == [end.low for end in ends]
    assert ends[-1].low > 0.99


def test_the_normal_quantile_is_two_sided() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054)
