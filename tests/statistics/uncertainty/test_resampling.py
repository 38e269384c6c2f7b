import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.uncertainty.resampling import (
    clusters,
    constant_within,
    drawn_rows,
    given_resamples,
    resample,
    rows_at_once,
)
from tests.statistics.oracles import agree

several = st.lists(st.integers(0, 6), min_size=2, max_size=30).filter(lambda ids: len(set(ids)) > 1)


@given(several, st.integers(0, 2**32))
def test_a_patient_comes_with_all_its_images(ids: list[int], seed: int) -> None:
    drawn = resample(ids, generator=np.random.default_rng(seed), number=40)
    (counts,) = drawn.blocks()
    known = sorted(set(ids))
    expected = [[row[known.index(name)] for name in ids] for row in counts]
    definition = "definition: rows as often as their patient"
    agree(clusters, definition, drawn.clusters.weights(counts), expected)
    agree(resample, "definition: n patients in each", counts.sum(axis=1), [len(known)] * 40)
    assert (drawn.clusters.n, drawn.clusters.rows) == (len(known), len(ids))


def test_a_stratum_keeps_its_number_of_patients() -> None:
    outcome = np.repeat([0, 1, 0, 1], [50, 7, 20, 3])
    drawn = resample(range(80), strata=outcome, generator=np.random.default_rng(1), number=300)
    counts = np.concatenate(list(drawn.blocks()))
    assert (counts[:, outcome == 1].sum(axis=1) == 10).all()
    assert (counts[:, outcome == 0].sum(axis=1) == 70).all()
    assert counts.max() > 2


def test_every_patient_is_drawn_once_on_average_and_left_out_as_often_as_chance_has_it() -> None:
    drawn = resample(range(50), generator=np.random.default_rng(1), number=4000)
    counts = np.concatenate(list(drawn.blocks()))
    assert counts.mean(axis=0) == pytest.approx(np.ones(50), abs=0.08)
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)


def test_blocks_come_the_same_again_and_bounded() -> None:
    drawn = resample(range(20_000), generator=np.random.default_rng(1), number=70)
    sizes = [len(block) for block in drawn.blocks()]
    assert sizes == [32, 32, 6]
    twice = zip(drawn.blocks(), drawn.blocks(), strict=True)
    assert all((once == again).all() for once, again in twice)
    definition = "definition: 2^17 weights, at least 32 resamples"
    agree(rows_at_once, definition, [rows_at_once(1400), rows_at_once(10**6)], [2**17 // 1400, 32])


def test_given_resamples_come_in_blocks_too() -> None:
    counts = np.ones((40_000, 4), dtype=int)
    blocks = list(given_resamples(list("abcd"), counts).blocks())
    assert len(blocks) == 2
    definition = "definition: the counts themselves"
    agree(given_resamples, definition, np.concatenate(blocks), counts)


def test_given_resamples_stay_as_they_were_given() -> None:
    counts = np.array([[1, 1], [2, 0]])
    drawn = given_resamples(["a", "b"], counts)
    counts[:] = 0
    assert next(drawn.blocks()).tolist() == [[1, 1], [2, 0]]


@given(several, st.integers(0, 2**32))
def test_rows_come_as_often_as_their_weight(ids: list[int], seed: int) -> None:
    drawn = resample(ids, generator=np.random.default_rng(seed), number=20)
    counted = [np.bincount(rows, minlength=len(ids)) for rows in drawn_rows(drawn)]
    weights = np.vstack([drawn.clusters.weights(counts) for counts in drawn.blocks()])
    agree(drawn_rows, "definition: rows as often as their weight", counted, weights)


def test_one_row_for_each_patient_has_its_counts_for_weights() -> None:
    drawn = resample(range(9), generator=np.random.default_rng(1), number=5)
    (counts,) = drawn.blocks()
    assert (drawn.clusters.weights(counts) == counts).all()
    with pytest.raises(ValueError, match="read-only"):
        drawn.clusters.patient[0] = 1


def test_strata_must_be_constant_within_a_patient() -> None:
    with pytest.raises(ValueError, match=r"strata: patient P2 has A in row 1 and B in row 2"):
        clusters(["P1", "P2", "P2", "P3"], ["A", "A", "B", "B"])


@given(several)
def test_constant_values_are_accepted_and_any_change_is_found(ids: list[int]) -> None:
    found = constant_within(ids, [name % 2 for name in ids], "sites")
    expected = [name % 2 for name in sorted(set(ids))]
    agree(constant_within, "definition: each patient's value", found, expected)
    doubled, changed = [*ids, ids[0]], [*(name % 2 for name in ids), 2]
    with pytest.raises(ValueError, match=f"sites: patient {ids[0]} has {ids[0] % 2} in row 0"):
        constant_within(doubled, changed, "sites")


def test_one_patient_is_refused() -> None:
    with pytest.raises(ValueError, match="found 1 patient; expected at least 2"):
        clusters(["P1", "P1"])


def test_a_stratum_of_one_patient_is_refused() -> None:
    with pytest.raises(ValueError, match="found 1 patient in stratum B, who would be drawn every"):
        clusters(["P1", "P2", "P3"], ["A", "A", "B"])


def test_no_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="found 0 resamples; expected at least 1"):
        resample([1, 2], generator=np.random.default_rng(1), number=0)


@pytest.mark.parametrize("counts", [[1, 1], [[1, 1, 1]], np.empty((0, 2))])
def test_counts_of_another_shape_are_refused(counts: object) -> None:
    with pytest.raises(ValueError, match="expected resamples x 2 patients"):
        given_resamples([1, 2], counts)


@pytest.mark.parametrize("counts", [[[3, -1]], [[1.5, 0.5]]])
def test_counts_that_count_nothing_are_refused(counts: object) -> None:
    with pytest.raises(ValueError, match=r"negative or no whole numbers; expected 0, 1, 2"):
        given_resamples([1, 2], counts)


@pytest.mark.parametrize("strata", [None, [0, 0, 1, 1]])
def test_resamples_can_be_handed_to_another_process(strata: list[int] | None) -> None:
    drawn = resample(list("abcd"), strata=strata, generator=np.random.default_rng(2), number=70)
    told = given_resamples(list("abcd"), [[1, 1, 2, 0], [4, 0, 0, 0]])
    for one in (drawn, told):
        again = pickle.loads(pickle.dumps(one))  # noqa: S301
        assert again.number == one.number
        assert np.array_equal(np.vstack(list(again.blocks())), np.vstack(list(one.blocks())))
