"""Decision curves for an outcome that is there or not.

Treat whoever has a predicted risk of at least t, w = t / (1 - t):

    net benefit = true positives / n - w false positives / n

Treating nobody has 0, treating everybody prevalence - w (1 - prevalence). With a prevalence that is
not the sample's (case-control), the two shares are sensitivity x prevalence and
(1 - specificity) x (1 - prevalence).

The net benefit is a mean over patients of 1 for a true positive, -w for a false one and 0 for the
untreated, so a patient's influence on it is that value less the mean. A given prevalence is taken
as known: then each outcome has a mean of its own, and varies by itself (Pfeiffer and Gail,
Biometrical Journal 2020, 62:764; Marsh, Janes and Pepe, Biometrics 2020, 76:843).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Undefined, binary
from oncotrail.statistics.case_weights import case_weights
from oncotrail.statistics.decision.benefit import (
    BenefitDifference,
    DecisionCurves,
    DecisionPoint,
)
from oncotrail.statistics.decision.study import Study
from oncotrail.statistics.influence import Influenced, Influences


def decision_curves(
    labels: ArrayLike,
    models: Mapping[str, ArrayLike],
    thresholds: ArrayLike,
    *,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DecisionCurves:
    """Net benefit of each model's predicted risks, treat all and treat none, at each threshold.

    Thresholds are from 0 to below 1. `prevalence` is that of the population where it is not the
    sample's; both outcomes must then occur. Whole weights count patients, others (the inverse of a
    probability) do not. Rows of one of `clusters` (the images of a patient) are not taken as
    independent.

    >>> risks = {"model": [0.1, 0.4, 0.6, 0.9]}
    >>> found = decision_curves([0, 1, 0, 1], risks, [0.2, 0.5])
    >>> [round(point.net_benefit.value, 4) for point in found.models["model"]]
    [0.4375, 0.0]
    """
    study = _Labelled.of(labels, prevalence, weights, clusters)
    return study.curves(models, thresholds, confidence)


def net_benefit(
    labels: ArrayLike,
    probabilities: ArrayLike,
    threshold: float,
    *,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DecisionPoint:
    """Net benefit of one model at one threshold, as in `decision_curves`.

    >>> net_benefit([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], 0.2).net_benefit.value
    0.4375
    """
    study = _Labelled.of(labels, prevalence, weights, clusters)
    found = study.curves({"probabilities": probabilities}, [threshold], confidence)
    return found.models["probabilities"][0]


def net_benefit_difference(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    thresholds: ArrayLike,
    *,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[BenefitDifference, ...]:
    """Net benefit of the first risks minus that of the second, same patients, per threshold.

    >>> first, second = [0.1, 0.4, 0.6, 0.9], [0.1, 0.1, 0.1, 0.9]
    >>> found = net_benefit_difference([0, 1, 0, 1], first, second, 0.2)[0]
    >>> round(found.difference.value, 4)
    0.1875
    """
    study = _Labelled.of(labels, prevalence, weights, clusters)
    return study.differences(first, second, thresholds, confidence)


@dataclass(frozen=True, eq=False)
class _Labelled(Study):
    """The outcome of each row that is there, and what a unit of its weight counts."""

    kept: Flags
    labels: Flags
    weights: Floats
    units: Floats
    prevalence: Influenced
    known: bool
    influences: Influences

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        prevalence: float | None,
        weights: ArrayLike | None,
        clusters: ArrayLike | None,
    ) -> _Labelled:
        every = binary(labels, "labels")
        found = case_weights(weights, every.size)
        outcome, weight = every[found.kept], found.values
        influences = Influences.of(weight, clusters, found.kept)
        total, events = float(weight.sum()), float(weight[outcome].sum())
        if prevalence is None:
            share, units = events / total, np.full(outcome.size, 1 / total)
            each = (outcome - share) * units
        else:
            share, each = _given(prevalence, outcome), np.zeros(outcome.size)
            units = np.where(outcome, share / events, (1 - share) / (total - events))
        figure = influences.on(share, each)
        known = prevalence is not None
        return cls(found.kept, outcome, weight, units, figure, known, influences)

    @property
    def events(self) -> int:
        return int(self.labels.sum())

    def share(self, treated: Flags) -> float:
        return float((self.weights * self.units) @ treated)

    def net_benefit(self, treated: Flags, odds: float) -> Influenced:
        worth = np.where(self.labels, 1.0, -odds) * treated
        means = np.full(treated.size, np.average(worth, weights=self.weights))
        if self.known:
            for group in (self.labels, ~self.labels):
                means[group] = np.average(worth[group], weights=self.weights[group])
        value = float((self.weights * self.units) @ worth)
        return self.influences.on(value, (worth - means) * self.units)


def _given(prevalence: float, outcome: Flags) -> float:
    if not 0 < prevalence < 1:
        raise ValueError(f"found prevalence {prevalence}; expected a number between 0 and 1.")
    if outcome.all() or not outcome.any():
        raise Undefined(
            f"found {int(outcome.sum())} events in {outcome.size} patients; "
            "to take another prevalence needs patients of both outcomes."
        )
    return float(prevalence)
