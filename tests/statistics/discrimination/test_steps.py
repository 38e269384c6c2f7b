import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.arrays import two_classes
from oncotrail.statistics.discrimination.steps import Steps, present, steps, steps_of_each
from tests.statistics.markers import Marker, markers
from tests.statistics.oracles import agree

COUNTED = "definition: rows counted"


def table(counted: Steps) -> np.ndarray:
    return np.array([counted.scores, counted.positives, counted.negatives])


@given(markers(), st.data())
def test_count_the_weight_of_each_outcome_at_each_score(
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
    agree(steps, COUNTED, (ours.positives, ours.negatives), counted)
    assert (np.diff(ours.scores) < 0).all()


def test_rows_of_weight_zero_are_not_there() -> None:
    rows, weight = present([0, 1, 1, 0], [1, 2, 3, 4], [1, 0, 2, 3])
    found = [rows.labels, rows.scores, weight]
    agree(present, "definition: rows chosen", found, [[0, 1, 0], [1, 3, 4], [1, 2, 3]])


def test_of_each_line_of_weights() -> None:
    rows = two_classes([0, 1, 1, 0], [1, 2, 2, 3])
    lines = np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 1.0, 5.0]])
    found = [[each.positives, each.negatives] for each in steps_of_each(rows, lines)]
    agree(steps_of_each, COUNTED, found, [[[0, 2, 0], [1, 0, 1]], [[0, 2, 0], [5, 0, 0]]])
