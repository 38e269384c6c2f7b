"""The door of this room: labels and scores are checked once, then only computed with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Scored:
    """Patients with their outcome (True: it happened) and one score each; higher is likelier."""

    labels: NDArray[np.bool_]
    scores: NDArray[np.float64]

    @property
    def n(self) -> int:
        """How many patients."""
        return self.labels.size

    @property
    def events(self) -> int:
        """How many of them had the outcome."""
        return int(self.labels.sum())


def scored(labels: ArrayLike, scores: ArrayLike) -> Scored:
    """Check labels (0 or 1) and scores (finite) of the same patients.

    >>> scored([0, 1, 1], [0.2, 0.4, 0.9]).events
    2
    """
    outcome, score = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if outcome.ndim != 1 or outcome.shape != score.shape:
        raise ValueError(
            f"found labels of shape {outcome.shape} and scores of shape {score.shape}; "
            "expected one of each per patient."
        )
    if outcome.size == 0:
        raise ValueError("found no patients; expected at least one.")
    if not np.isin(outcome, (0, 1)).all():
        raise ValueError(
            f"found labels {np.unique(outcome)[:5].tolist()}; "
            "expected 0 (did not happen) and 1 (happened)."
        )
    if not np.isfinite(score).all():
        raise ValueError(
            f"found {int((~np.isfinite(score)).sum())} scores that are not finite; "
            "expected a number per patient."
        )
    return Scored(outcome.astype(bool), score)


def two_classes(labels: ArrayLike, scores: ArrayLike) -> Scored:
    """`scored`, and both outcomes must occur: discrimination between one group is undefined."""
    patients = scored(labels, scores)
    if patients.events in (0, patients.n):
        raise ValueError(
            f"found {patients.events} events in {patients.n} patients; "
            "discrimination needs patients of both outcomes."
        )
    return patients


def checked_confidence(confidence: float) -> float:
    """A confidence level strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(
            f"found confidence {confidence}; expected a number between 0 and 1, such as 0.95."
        )
    return float(confidence)
