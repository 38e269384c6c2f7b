from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.intervals import newcombe, normal_quantile, proportion, wilson

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_agrees_with_r(said_by_r: dict[str, Any]) -> None:
    assert len(said_by_r["wilson"]) == 30
    for case in said_by_r["wilson"]:
        ours = wilson(case["successes"], case["n"], case["confidence"])
        assert (ours.low, ours.high) == pytest.approx((case["low"], case["high"]), abs=1e-9), case


@given(counts)
def test_wilson_stays_in_the_unit_interval_and_holds_the_proportion(count: tuple[int, int]) -> None:
    successes, n = count
    ends = wilson(successes, n)
    assert 0 <= ends.low <= successes / n <= ends.high <= 1
    assert ends.low < ends.high


@given(counts)
def test_wilson_of_the_failures_is_the_mirror(count: tuple[int, int]) -> None:
    successes, n = count
    ends, mirrored = wilson(successes, n), wilson(n - successes, n)
    assert (ends.low, ends.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


@given(counts)
def test_more_confidence_is_a_wider_interval(count: tuple[int, int]) -> None:
    narrow, wide = wilson(*count, confidence=0.8), wilson(*count, confidence=0.99)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high
    assert wide.high - wide.low > narrow.high - narrow.low


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"found {successes} of {n}"):
        wilson(successes, n)


def test_a_proportion_of_nobody_is_undefined() -> None:
    assert proportion(0, 0, 0) is None


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
