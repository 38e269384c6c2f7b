"""The usual figures of a classifier, all on the same resamples of patients.

Every figure of `metrics` at one threshold, with the cluster bootstrap's interval: `bootstrap` with
nothing left to write. Resampling goes by patient, so images of one patient stay together, and a
patient counts as an event when any of its images is labelled 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, one_of, probable
from oncotrail.statistics.uncertainty import metrics, threshold_metrics
from oncotrail.statistics.uncertainty.bootstrap import Bootstrapped, Method, bootstrap_together
from oncotrail.statistics.uncertainty.replication import Statistic
from oncotrail.statistics.uncertainty.resampling import Clusters, Resamples

WITHOUT_THRESHOLD: dict[str, Callable[..., Floats]] = {
    "auc": metrics.auc,
    "average_precision": metrics.average_precision,
    "brier": metrics.brier,
    "scaled_brier": metrics.scaled_brier,
    "observed_expected": metrics.observed_expected,
}
AT_THRESHOLD: dict[str, Callable[..., Floats]] = {
    "accuracy": threshold_metrics.accuracy,
    "balanced_accuracy": threshold_metrics.balanced_accuracy,
    "sensitivity": threshold_metrics.sensitivity,
    "specificity": threshold_metrics.specificity,
    "ppv": threshold_metrics.ppv,
    "npv": threshold_metrics.npv,
    "f1": threshold_metrics.f1,
    "mcc": threshold_metrics.mcc,
}
USUAL = (
    *("auc", "average_precision", "brier"),
    *("accuracy", "sensitivity", "specificity", "f1", "mcc"),
)


def bootstrap_figures(
    labels: ArrayLike,
    probabilities: ArrayLike,
    resamples: Resamples,
    *,
    threshold: float,
    names: Iterable[str] = USUAL,
    confidence: float = 0.95,
    method: Method = "bca",
    most_undefined: float = 0.05,
) -> dict[str, Bootstrapped]:
    """Figures by name, each with its interval; a row is called positive at `score >= threshold`.

    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> labels, probabilities = [0, 0, 0, 1, 1, 1], [0.1, 0.6, 0.3, 0.4, 0.8, 0.9]
    >>> drawn = resample(range(6), strata=labels, generator=np.random.default_rng(1), number=500)
    >>> found = bootstrap_figures(labels, probabilities, drawn, threshold=0.5, names=["auc", "f1"])
    >>> {name: round(figure.value, 3) for name, figure in found.items()}, found["auc"].events
    ({'auc': 0.889, 'f1': 0.667}, 3)
    """
    statistics = {name: _statistic(name, labels, probabilities, threshold) for name in names}
    found = bootstrap_together(
        statistics,
        resamples,
        confidence=confidence,
        method=method,
        most_undefined=most_undefined,
    )
    events = _patients_with_event(labels, probabilities, resamples.clusters)
    return {name: replace(figure, events=events) for name, figure in found.items()}


def _statistic(
    name: str, labels: ArrayLike, probabilities: ArrayLike, threshold: float
) -> Statistic:
    one_of(name, [*WITHOUT_THRESHOLD, *AT_THRESHOLD], "names")
    if name in WITHOUT_THRESHOLD:
        return partial(WITHOUT_THRESHOLD[name], labels, probabilities)
    return partial(AT_THRESHOLD[name], labels, probabilities, threshold=threshold)


def _patients_with_event(labels: ArrayLike, probabilities: ArrayLike, rows: Clusters) -> int:
    outcome = probable(labels, probabilities).labels
    return int(np.unique(rows.patient[outcome]).size)
