import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from oncotrail.backbones.judging import (
    Epoch,
    auc,
    best_of,
    exhausted,
    judge,
    per_patient,
)
from oncotrail.backbones.losses import Loss
from oncotrail.errors import StudyFileError, TrainingFault

BINARY = Loss("binary_cross_entropy", positive_weight=2.0)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def epoch(number: int, *, accuracy: float, auc: float, loss: float) -> Epoch:
    return Epoch(number, 1.0, loss, 0.5, accuracy, auc, 1e-3)


HISTORY = (
    epoch(1, accuracy=0.70, auc=0.60, loss=0.80),
    epoch(2, accuracy=0.75, auc=0.80, loss=0.70),
    epoch(3, accuracy=0.75, auc=0.85, loss=0.60),
    epoch(4, accuracy=0.75, auc=0.85, loss=0.60),
    epoch(5, accuracy=0.60, auc=0.90, loss=0.65),
)


@pytest.mark.parametrize(
    ("by", "best"), [("validation_accuracy", 3), ("validation_auc", 5), ("validation_loss", 3)]
)
def test_the_best_epoch_is_by_the_figure_then_by_loss_then_the_earliest(by: str, best: int) -> None:
    assert best_of(HISTORY, by).epoch == best  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("epochs", "patience", "ends"),
    [(5, 2, True), (5, 3, False), (4, 1, True), (3, 1, False), (0, 1, False), (5, None, False)],
)
def test_patience_counts_epochs_since_the_best(
    epochs: int, patience: int | None, *, ends: bool
) -> None:
    assert exhausted(HISTORY[:epochs], "validation_loss", patience) is ends


def test_a_patients_probability_is_the_mean_of_the_images() -> None:
    logits, patients = np.array([2.0, -1.0, 0.5, 3.0]), ("b", "a", "b", "b")
    of = per_patient(logits, np.array([1, 0, 1, 1]), patients, "mean")
    expected = [sigmoid(logits[[0, 2, 3]]).mean(), sigmoid(logits[1])]
    assert sigmoid(of.logits) == pytest.approx(expected), "b first, as its first image"
    assert of.labels.tolist() == [1, 0]


def test_a_patients_probability_is_the_largest_of_the_images() -> None:
    of = per_patient(np.array([2.0, -1.0, 0.5]), np.array([1, 0, 1]), ("b", "a", "b"), "max")
    assert of.logits.tolist() == [2.0, -1.0]


def test_classes_are_averaged_as_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 3))
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    of = per_patient(logits, np.array([2, 2, 0, 2]), ("a", "a", "b", "a"), "mean")
    found = np.exp(of.logits) / np.exp(of.logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, [share[[0, 1, 3]].mean(axis=0), share[2]])


def test_of_two_classes_the_image_that_speaks_most_for_the_second_stands() -> None:
    logits = np.array([[5.0, 4.0], [0.0, 1.0], [1.0, 1.0]])
    of = per_patient(logits, np.array([1, 1, 0]), ("a", "a", "b"), "max")
    assert of.logits.tolist() == [[0.0, 1.0], [1.0, 1.0]]


def test_certainty_stays_finite() -> None:
    """1 - 1e-40 is 1 in floating point; the mean of such probabilities still has a loss."""
    judged = judge(
        np.array([90.0, 95.0, -92.0]), np.array([0, 0, 1]), ("a", "a", "b"), BINARY, "mean"
    )
    assert judged.loss == pytest.approx((90.69 + 2 * 92) / 2, abs=0.1)


@given(st.permutations(range(8)))
def test_the_order_of_images_changes_nothing(order: list[int]) -> None:
    random = np.random.default_rng(1)
    logits, labels = random.normal(size=8), np.array([0, 0, 1, 1, 0, 0, 1, 1])
    patients = np.array(list("aabbccdd"))
    here = judge(logits, labels, tuple(patients), BINARY, "mean")
    there = judge(logits[order], labels[order], tuple(patients[order]), BINARY, "mean")
    assert vars(here) == pytest.approx(vars(there))


def test_many_slices_of_one_patient_count_once() -> None:
    """By image, 9 of 12 are right; by patient, 2 of 5."""
    logits = np.array([1.0] * 8 + [1.0, -1.0, 1.0, -1.0])
    labels = np.array([1] * 8 + [0, 1, 0, 0])
    judged = judge(logits, labels, ("a",) * 8 + ("b", "c", "d", "e"), BINARY, "mean")
    assert judged.accuracy == pytest.approx(2 / 5)


def test_a_patient_with_two_labels_is_named() -> None:
    with pytest.raises(TrainingFault, match=r"1 patients have different labels, e\.g\. a;"):
        per_patient(np.zeros(3), np.array([0, 1, 1]), ("a", "a", "b"), "mean")


def test_the_largest_of_three_classes_is_no_question() -> None:
    with pytest.raises(StudyFileError, match=r"the head has 3 classes; take mean"):
        per_patient(np.zeros((2, 3)), np.array([0, 0]), ("a", "a"), "max")


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((0.1, 0.2, 0.3, 0.4), 1.0), ((0.4, 0.3, 0.2, 0.1), 0.0), ((0.1, 0.3, 0.3, 0.2), 0.625)],
)
def test_auc_counts_pairs_and_halves_ties(scores: tuple[float, ...], expected: float) -> None:
    assert auc(np.array(scores), np.array([False, False, True, True])) == expected


@given(seed=st.integers(0, 10_000), classes=st.integers(2, 4))
def test_auc_is_scikit_learns(seed: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.arange(24) % classes
    logits = random.normal(size=(24, classes)).round(1 if classes == 2 else 9)  # with ties
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = logits[:, 1] - logits[:, 0] if classes == 2 else share
    expected = roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    patients = tuple(map(str, range(24)))
    found = judge(logits, labels, patients, Loss("cross_entropy"), "mean")
    assert found.auc == pytest.approx(expected, abs=1e-12)
