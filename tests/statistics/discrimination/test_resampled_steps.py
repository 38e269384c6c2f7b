import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.discrimination.resampled_steps import on_steps
from oncotrail.statistics.discrimination.steps import Steps, steps
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree

COUNTED = "definition: rows counted"


def table(counted: Steps) -> np.ndarray:
    return np.array([counted.scores, counted.positives, counted.negatives])


@given(markers(), st.integers(0, 2**32))
def test_of_a_resample_are_those_of_its_rows(marker: Marker, seed: int) -> None:
    labels, scores = marker
    random = np.random.default_rng(seed)
    rows = np.append(
        random.integers(labels.size, size=labels.size), [labels.argmin(), labels.argmax()]
    )
    times = np.bincount(rows, minlength=labels.size)
    sensitive = on_steps(labels, scores, lambda counted: counted.positives @ counted.scores)
    theirs = scores[rows][labels[rows] == 1].sum()
    agree(on_steps, COUNTED, sensitive(times[None, :]), theirs, within=1e-12)
    ours, drawn = steps(labels, scores, times), steps(labels[rows], scores[rows])
    assert table(ours).tolist() == table(drawn).tolist()


def test_sampling_weights_are_drawn_with_their_rows() -> None:
    total = on_steps([0, 1, 1], [1, 2, 3], lambda counted: counted.positives.sum(), [1, 2, 5])
    assert total(np.array([[1.0, 1, 1], [1, 3, 0]])).tolist() == [7, 6]


def test_a_resample_of_one_outcome_has_no_figure() -> None:
    both = on_steps([0, 1], [1, 2], lambda counted: counted.sensitivity[:2])
    assert np.isnan(both(np.array([[2.0, 0]]))).all()
    assert both(np.array([[2.0, 0], [1, 1]])).shape == (2, 2)


def test_resamples_of_other_rows_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"found weights of shape \(1, 3\); expected resamples x 2"
    ):
        on_steps([0, 1], [1, 2], lambda counted: counted.positives.sum())(np.ones((1, 3)))
