import numpy as np
import pytest

from oncotrail.statistics.arrays import checked_confidence, scored, two_classes


def test_counts_patients_and_events() -> None:
    patients = scored([0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4])
    assert (patients.n, patients.events) == (4, 2)


@pytest.mark.parametrize(
    ("labels", "scores", "says"),
    [
        ([0, 1], [0.1], r"shape \(2,\) and scores of shape \(1,\)"),
        ([[0, 1]], [[0.1, 0.2]], "one of each per patient"),
        ([], [], "no patients"),
        ([0, 2], [0.1, 0.2], r"found labels \[0, 2\]"),
        ([0, 1], [0.1, np.nan], "1 scores that are not finite"),
        ([0, 1], [np.inf, 0.1], "1 scores that are not finite"),
    ],
)
def test_refuses_what_cannot_be_scored(labels: list[float], scores: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        scored(labels, scores)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_group_has_no_discrimination(labels: list[float]) -> None:
    with pytest.raises(ValueError, match=r"[03] events in 3 patients"):
        two_classes(labels, [0.1, 0.2, 0.3])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.5])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match=str(confidence)):
        checked_confidence(confidence)
