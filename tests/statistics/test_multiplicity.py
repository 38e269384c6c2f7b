from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.multiplicity import benjamini_hochberg, bonferroni, holm
from tests.statistics.oracles import agree, r, reference

Given = list[float | None]
Adjust = Callable[[Given], Given]

p_values = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=8)
every_adjustment = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg, bonferroni])


@pytest.mark.parametrize(
    ("adjust", "name"), [(holm, "holm"), (benjamini_hochberg, "bh"), (bonferroni, "bonferroni")]
)
def test_agrees_with_r(adjust: Adjust, name: str) -> None:
    for case in reference("classification")["adjusted"]:
        agree(adjust, r("classification", "p.adjust"), adjust(case["p"]), case[name], within=1e-12)


@every_adjustment
@given(given_values=p_values)
def test_never_lowers_a_p_value_and_keeps_their_order(adjust: Adjust, given_values: Given) -> None:
    adjusted = adjust(given_values)
    known = [(p, q) for p, q in zip(given_values, adjusted, strict=True) if p is not None]
    assert [q is None for q in adjusted] == [p is None for p in given_values]
    assert all(p <= q * (1 + 1e-12) <= 1 + 1e-12 for p, q in known)
    in_order = [q for _, q in sorted(known)]
    assert (np.diff(in_order) >= 0).all()


@every_adjustment
@given(given_values=p_values)
def test_a_test_that_was_not_made_is_not_counted(adjust: Adjust, given_values: Given) -> None:
    known = [p for p in given_values if p is not None]
    assert [q for q in adjust(given_values) if q is not None] == adjust(known)


@given(p_values)
def test_holm_lies_between_benjamini_hochberg_and_bonferroni(given_values: Given) -> None:
    for low, middle, high in zip(
        benjamini_hochberg(given_values), holm(given_values), bonferroni(given_values), strict=True
    ):
        if middle is not None:
            assert low <= middle * (1 + 1e-12)
            assert middle <= high * (1 + 1e-12)


@every_adjustment
def test_nothing_is_nothing(adjust: Adjust) -> None:
    assert adjust([]) == []
    assert adjust([None]) == [None]


@every_adjustment
@pytest.mark.parametrize("wrong", [-0.1, 1.5, float("nan")])
def test_refuses_what_is_not_a_p_value(adjust: Adjust, wrong: float) -> None:
    with pytest.raises(ValueError, match=f"found {wrong} at place 1; expected a number from 0 to"):
        adjust([0.5, wrong])
