"""Weights, groups and causes: who of the rows is counted, where, and as what."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.case_weights import are_counts, case_weights, counts
from oncotrail.statistics.survival.causes import causes_of
from oncotrail.statistics.survival.compared_groups import compared_groups, groups_of, strata_of
from tests.statistics.oracles import agree

DEFINITION = "definition: row by row"
weighted = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([0, 0.5, 1, 2])), min_size=1
).filter(lambda rows: any(weight for _, weight in rows))


@given(weighted)
def test_rows_without_weight_are_not_there(rows: list[tuple[str, float]]) -> None:
    labels, weights = zip(*rows, strict=True)
    found, there = case_weights(weights, len(rows)), [weight for weight in weights if weight > 0]
    agree(case_weights, DEFINITION, found.values, there)
    assert (found.n, found.kept.tolist()) == (len(there), [weight > 0 for weight in weights])
    agree(are_counts, DEFINITION, [are_counts(np.array(weights))], [0.5 not in weights])
    assert found.robust == (0.5 in weights)
    assert found.only(np.arange(found.n) == 0).values.tolist() == there[:1]
    names = [label for label, weight in rows if weight > 0]
    groups = groups_of(labels, found.kept)
    assert [groups.labels[place] for place in groups.place] == names
    agree(groups_of, DEFINITION, groups.sizes, [names.count(label) for label in groups.labels])
    places = [sorted(set(names)).index(name) for name in names]
    agree(strata_of, DEFINITION, strata_of(labels, found.kept), places)
    if len(set(names)) > 1:
        agree(compared_groups, DEFINITION, compared_groups(labels, found.kept).place, places)
    if found.robust:
        with pytest.raises(ValueError, match=rf"in row {weights.index(0.5)}; expected whole num"):
            counts(weights, len(rows))
    else:
        agree(counts, DEFINITION, counts(weights, len(rows)).values, there)


@pytest.mark.parametrize("robust", [True, False])
def test_the_caller_may_overrule_the_weights(robust: Any) -> None:
    assert case_weights([1, 2], 2, robust=robust).robust is robust
    assert case_weights([1, 2.5], 2, robust=robust).robust is robust


@given(st.lists(st.integers(0, 3), min_size=1), st.sampled_from([1, 2]))
def test_a_cause_is_of_interest_or_competes(codes: list[int], cause: int) -> None:
    found = causes_of(range(len(codes)), codes, cause)
    agree(causes_of, DEFINITION, found.of_interest, [code == cause for code in codes])
    agree(causes_of, DEFINITION, found.competing, [code not in {0, cause} for code in codes])
    first = found.only(np.arange(found.n) == 0)
    assert (first.n, first.codes.tolist()) == (1, codes[:1])
