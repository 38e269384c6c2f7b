"""How much of the winner's figure is luck: the best of N tried on the same few patients.

Every complete trial scored the same validation patients. Patients are resampled, the winner among
those drawn is chosen and looked at in those not drawn (BBC-CV; Tsamardinos et al. 2018), which is
`statistics.uncertainty.corrected_winner`. A pruned trial could not win, so it is counted
and not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.search.outcome import Found, TrialResult
from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.uncertainty import metrics
from oncotrail.statistics.uncertainty.corrected_winner import corrected_winner
from oncotrail.statistics.uncertainty.resampling import resample
from oncotrail.statistics.uncertainty.threshold_metrics import accuracy

RESAMPLES = 2_000
_SMALLEST = 1e-15  # a probability that is 0 to the last digit


@dataclass(frozen=True)
class BestOf:
    """The winner's figure on the validation patients, and what winners reach on others.

    `optimism` is the difference; higher figures are better.
    """

    figure: str
    trials: int  # that could win
    pruned: int
    failed: int
    patients: int
    apparent: float
    corrected: float
    low: float
    high: float
    confidence: float
    optimism: float
    chance_of_winner: float  # share of the resamples in which the winner wins again


def best_of(found: Found, generator: np.random.Generator) -> BestOf | None:
    """The correction, or None where it cannot be said: several classes, or too few patients."""
    complete = found.of("complete")
    said = [trial.more for trial in complete]
    if not said or set(said[0]["labels"]) != {0, 1}:
        return None
    patients, labels = _same_patients(complete)
    scores = np.array([one["scores"] for one in said]).T
    name, metric = _METRICS[found.objective]
    try:
        drawn = resample(patients, strata=labels, generator=generator, number=RESAMPLES)
        judged = corrected_winner(metric, labels, scores, drawn)
    except ValueError:  # a class of one patient, or of so few that resamples hold none of them
        return None
    return BestOf(
        figure=name,
        trials=len(complete),
        pruned=len(found.of("pruned")),
        failed=len(found.of("failed")),
        patients=len(patients),
        apparent=judged.apparent,
        corrected=judged.corrected,
        low=judged.low,
        high=judged.high,
        confidence=judged.confidence,
        optimism=judged.apparent - judged.corrected,
        chance_of_winner=judged.wins[judged.winner],
    )


def _same_patients(trials: Sequence[TrialResult]) -> tuple[list[str], list[int]]:
    first: Any = trials[0].more
    for trial in trials:
        if trial.more["patients"] != first["patients"] or trial.more["labels"] != first["labels"]:
            raise ValueError(f"trial {trial.number} was judged by other patients than trial 0.")
    return first["patients"], first["labels"]


def log_likelihood(
    labels: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Floats:
    """Mean log-likelihood, without the loss's weights; higher is better, at most 0.

    >>> log_likelihood([0, 1], [0.5, 0.5]).round(4).tolist()
    [-0.6931]
    """
    positive = np.asarray(labels) == 1
    given = np.clip(np.asarray(probabilities, dtype=np.float64), _SMALLEST, 1 - _SMALLEST)
    logs = np.log(np.where(positive, given, 1 - given))
    every = metrics.row_weights(weights, logs.size)
    return metrics.ratio(every @ logs, every.sum(axis=1))


_METRICS: dict[str, tuple[str, metrics.Metric]] = {
    "validation_auc": ("auc", metrics.auc),
    "validation_accuracy": ("accuracy", partial(accuracy, threshold=0.5)),
    "validation_loss": ("log_likelihood", log_likelihood),
}
