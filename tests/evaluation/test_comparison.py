import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncotrail.evaluation.comparison import COLUMNS, comparison_table, comparisons, holm
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.statistics.discrimination.area import paired_test
from tests.evaluation.made import STRENGTH

p_values = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=8)


def test_each_pair_is_compared_where_no_threshold_was_chosen(done: Evaluated) -> None:
    found = comparisons(done.judged, list(STRENGTH), 0.95)
    assert len(found) == 2 * 6
    assert {each.role for each in found} == {"test", "external"}


def test_the_fusions_are_compared_with_each_other(done: Evaluated) -> None:
    pairs = {(each.first, each.second) for each in done.comparisons}
    assert pairs == {("made-clinical", "made-both")}


def test_the_difference_is_that_of_the_areas(done: Evaluated) -> None:
    among = done.judged["test"]
    areas = {each.model: each.roles["test"].auc.value for each in done.performances}
    for each in comparisons(done.judged, list(STRENGTH), 0.95):
        if each.role == "test":
            assert each.test.difference == pytest.approx(areas[each.first] - areas[each.second])
            again = paired_test(among.labels, among.scores[each.first], among.scores[each.second])
            assert each.test == again


def test_the_table_has_a_row_per_comparison(done: Evaluated) -> None:
    table = comparison_table(done.comparisons)
    assert list(table) == list(COLUMNS)
    assert len(table) == len(done.comparisons) == 2


def test_holm_by_hand() -> None:
    """R: p.adjust(c(.01, .04, .03, .005), "holm") is .03 .06 .06 .02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(deadline=None)
@given(p_values)
def test_holm_never_lowers_a_p_value_and_keeps_their_order(
    given_values: list[float | None],
) -> None:
    adjusted = holm(given_values)
    known = [(p, q) for p, q in zip(given_values, adjusted, strict=True) if p is not None]
    assert [q is None for q in adjusted] == [p is None for p in given_values]
    assert all(p <= q <= 1 for p, q in known)
    in_order = [q for _, q in sorted(known)]
    assert (np.diff(in_order) >= 0).all()
