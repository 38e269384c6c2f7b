import pytest

from oncotrail.evaluation.comparison import COLUMNS, comparison_table, comparisons
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.statistics.discrimination.area import paired_test
from oncotrail.statistics.multiplicity import holm
from tests.evaluation.made import STRENGTH


def test_each_pair_is_compared_where_no_threshold_was_chosen(done: Evaluated) -> None:
    found = comparisons(done.judgement, list(STRENGTH), 0.95)
    assert len(found) == 2 * 6
    assert {each.role for each in found} == {"test", "external"}


def test_the_fusions_are_compared_with_each_other(done: Evaluated) -> None:
    pairs = {(each.first, each.second) for each in done.comparisons}
    assert pairs == {("made-clinical", "made-both")}


def test_the_difference_is_that_of_the_areas(done: Evaluated) -> None:
    among = done.judged["test"]
    areas = {each.model: each.roles["test"].auc.value for each in done.performances}
    for each in comparisons(done.judgement, list(STRENGTH), 0.95):
        if each.role == "test":
            assert each.test.value == pytest.approx(areas[each.first] - areas[each.second])
            again = paired_test(among.labels, among.scores[each.first], among.scores[each.second])
            assert each.test == again


def test_the_table_has_a_row_per_comparison(done: Evaluated) -> None:
    table = comparison_table(done.comparisons)
    assert list(table) == list(COLUMNS)
    assert len(table) == len(done.comparisons) == 2


def test_all_pairs_of_a_role_are_taken_account_of(done: Evaluated) -> None:
    for role in ("test", "external"):
        found = [
            each for each in comparisons(done.judgement, list(STRENGTH), 0.95) if each.role == role
        ]
        assert [each.p_holm for each in found] == holm([each.test.p_value for each in found])
