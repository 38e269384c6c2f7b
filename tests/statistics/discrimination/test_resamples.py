import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.discrimination.resamples import percentiles, stratified_resamples
from oncotrail.statistics.discrimination.steps import resampled_steps, steps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree


@given(markers(), st.integers(0, 2**32))
def test_every_resample_keeps_the_number_of_each_outcome(marker: Marker, seed: int) -> None:
    labels, _ = marker
    drawn = list(stratified_resamples(labels, np.random.default_rng(seed), count=5))
    events = [labels[rows].sum() for rows in drawn]
    sizes = [rows.size for rows in drawn]
    oracle = "definition: outcomes counted"
    agree(stratified_resamples, oracle, [events, sizes], [[labels.sum()] * 5, [labels.size] * 5])


def test_the_same_seed_draws_the_same_rows() -> None:
    one, other = (
        [rows.tolist() for rows in stratified_resamples([0, 1, 0, 1], np.random.default_rng(9), 4)]
        for _ in range(2)
    )
    assert one == other
    assert len({tuple(rows) for rows in one}) > 1


def test_every_row_is_drawn_equally_often() -> None:
    labels = np.repeat([0, 1], [6, 3])
    drawn = np.concatenate(list(stratified_resamples(labels, np.random.default_rng(1), 4000)))
    assert np.bincount(drawn) / 4000 == pytest.approx(1, abs=0.06)


def test_one_outcome_alone_is_resampled_too() -> None:
    assert next(stratified_resamples([1, 1], np.random.default_rng(1))).size == 2


def test_no_resamples_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="found 0 resamples; expected at least 1"):
        stratified_resamples([0, 1], np.random.default_rng(1), count=0)


@given(markers(), st.integers(0, 2**32))
def test_steps_of_a_resample_are_those_of_its_rows(marker: Marker, seed: int) -> None:
    labels, scores = marker
    (rows,) = stratified_resamples(labels, np.random.default_rng(seed), count=1)
    (ours,) = resampled_steps(labels, scores, [rows])
    theirs = steps(labels[rows], scores[rows])
    drawn = np.isin(ours.scores, theirs.scores)
    oracle = "definition: rows counted"
    found = ours.scores[drawn], ours.positives[drawn], ours.negatives[drawn]
    agree(resampled_steps, oracle, found, (theirs.scores, theirs.positives, theirs.negatives))
    assert not ours.positives[~drawn].any()
    assert not ours.negatives[~drawn].any()


@given(markers(), st.data())
def test_steps_count_the_weight_of_each_outcome_at_each_score(
    marker: Marker, data: st.DataObject
) -> None:
    labels, scores = marker
    whole = st.lists(st.integers(1, 4), min_size=labels.size, max_size=labels.size)
    weights = np.array(data.draw(whole))
    ours = steps(labels, scores, weights)
    counted = [
        [weights[(scores == score) & (labels == outcome)].sum() for score in ours.scores]
        for outcome in (1, 0)
    ]
    agree(steps, "definition: rows counted", (ours.positives, ours.negatives), counted)
    assert (np.diff(ours.scores) < 0).all()


def test_percentiles_are_quantiles_of_type_7() -> None:
    values = np.array([5.0, 1, 4, 2, 3])
    # From the definition: position (n - 1) p among the sorted values, straight between.
    agree(percentiles, "definition: Hyndman and Fan type 7", percentiles(values, 0.9), (1.2, 4.8))
