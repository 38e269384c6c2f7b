"""How well a network does on validation patients, and which epoch was the best.

Images are judged together, a patient at a time: a patient's probability is the mean (or the
largest) of the images'. Loss, accuracy and AUC are then over patients, so nobody with many slices
counts for more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from oncotrail.backbones.losses import Loss
from oncotrail.errors import StudyFileError, TrainingFault

Numbers = NDArray[np.float64]
PatientBy = Literal["mean", "max"]
BestBy = Literal["validation_accuracy", "validation_loss", "validation_auc"]


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch.

    Training's are running means over its own (augmented) batches, by image; validation's are by
    patient.
    """

    epoch: int  # from 1
    train_loss: float
    validation_loss: float
    train_accuracy: float
    validation_accuracy: float
    validation_auc: float
    learning_rate: float  # of the epoch's last batch


@dataclass(frozen=True)
class Judged:
    """Validation's figures, by patient."""

    loss: float
    accuracy: float
    auc: float  # of several classes: the mean of each against the rest


@dataclass(frozen=True)
class OfPatients:
    """One row per patient, in the order of their first images."""

    logits: Numbers
    labels: NDArray[np.int64]


def judge(
    logits: Numbers, labels: NDArray[np.int64], patients: Sequence[str], loss: Loss, by: PatientBy
) -> Judged:
    """The figures of images whose logits are (images,) or (images, classes)."""
    of = per_patient(logits, labels, patients, by)
    given = torch.from_numpy(of.logits)
    return Judged(
        loss=loss.mean(given, torch.from_numpy(of.labels)).item(),
        accuracy=float(np.mean(called(given).numpy() == of.labels)),
        auc=_auc_of(of),
    )


def called(logits: Tensor) -> Tensor:
    """The class that each logit, or row of logits, speaks for."""
    return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=1)


def per_patient(
    logits: Numbers, labels: NDArray[np.int64], patients: Sequence[str], by: PatientBy
) -> OfPatients:
    """A patient's logit is that of the mean, or of the largest, probability of the images'.

    >>> of = per_patient(np.array([0.0, 2.0, -1.0]), np.array([1, 1, 0]), ("a", "a", "b"), "max")
    >>> of.logits.tolist(), of.labels.tolist()
    ([2.0, -1.0], [1, 0])
    """
    names, first, whose = np.unique(np.asarray(patients), return_index=True, return_inverse=True)
    if len(names) == len(patients):
        return OfPatients(logits, labels)
    order = np.argsort(first)
    images = [np.flatnonzero(whose == patient) for patient in order]
    mixed = [str(names[p]) for p, rows in zip(order, images, strict=True) if np.ptp(labels[rows])]
    if mixed:
        message = (
            f"the images of {len(mixed)} patients have different labels, e.g. "
            f"{', '.join(mixed[:5])}; an outcome is the patient's. Mend the cohort table."
        )
        raise TrainingFault(message)
    together = _TOGETHER[by]
    joined = [together(torch.from_numpy(logits[rows])).numpy() for rows in images]
    return OfPatients(np.array(joined), labels[[rows[0] for rows in images]])


def auc(scores: Numbers, positive: NDArray[np.bool_]) -> float:
    """How often a positive scores above a negative; a tie counts half."""
    negatives = np.sort(scores[~positive])
    below = np.searchsorted(negatives, scores[positive], side="left")
    up_to = np.searchsorted(negatives, scores[positive], side="right")
    pairs = len(negatives) * int(positive.sum())
    return float((below + 0.5 * (up_to - below)).sum() / pairs)


def best_of(history: Sequence[Epoch], by: BestBy) -> Epoch:
    """The best epoch: by its figure, then by the lowest loss, then the earliest.

    Accuracy on a few dozen patients is coarse and ties are the rule.
    """
    return max(history, key=lambda epoch: (_rank(epoch, by), -epoch.epoch))


def exhausted(history: Sequence[Epoch], by: BestBy, patience: int | None) -> bool:
    """Whether the last `patience` epochs brought nothing better."""
    if patience is None or not history:
        return False
    return history[-1].epoch - best_of(history, by).epoch >= patience


def _rank(epoch: Epoch, by: BestBy) -> tuple[float, float]:
    figure = float(getattr(epoch, by))
    return (-figure if by == "validation_loss" else figure, -epoch.validation_loss)


def _mean(logits: Tensor) -> Tensor:
    """The logit(s) of the mean probability, in logarithms so that 1 - 1e-20 is not 1."""
    if len(logits) == 1:
        return logits[0]
    if logits.ndim == 1:
        yes = torch.logsumexp(functional.logsigmoid(logits), dim=0)
        no = torch.logsumexp(functional.logsigmoid(-logits), dim=0)
        return yes - no
    return torch.logsumexp(functional.log_softmax(logits, dim=1), dim=0) - math.log(len(logits))


def _max(logits: Tensor) -> Tensor:
    """The image that speaks most for class 1."""
    if logits.ndim == 1:
        return logits.max()
    if logits.shape[1] != 2:  # noqa: PLR2004  the question is one class against another
        message = (
            f"patient_by: max asks for the image that speaks most for the outcome, and the head "
            f"has {logits.shape[1]} classes; take mean."
        )
        raise StudyFileError(message)
    return logits[(logits[:, 1] - logits[:, 0]).argmax()]


_TOGETHER = {"mean": _mean, "max": _max}


def _auc_of(of: OfPatients) -> float:
    if of.logits.ndim == 1:
        return auc(of.logits, of.labels == 1)
    if of.logits.shape[1] == 2:  # noqa: PLR2004  one class against another
        return auc(of.logits[:, 1] - of.logits[:, 0], of.labels == 1)
    scores = torch.softmax(torch.from_numpy(of.logits), dim=1).numpy()
    present = [label for label in range(scores.shape[1]) if 0 < (of.labels == label).mean() < 1]
    return float(np.mean([auc(scores[:, label], of.labels == label) for label in present]))
