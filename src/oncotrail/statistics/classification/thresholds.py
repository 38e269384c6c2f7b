"""Choosing the threshold at which patients are called positive: on one role, for use on another.

A threshold fits the patients it was chosen on (by one of the `rules`) better than others, so
figures on them are too good. A `Threshold` therefore remembers on whom it was chosen, and
`apply_threshold` refuses these patients unless `apparent=True` says that one knows.

`weights` are sampling weights, on either role; what is chosen and counted are rows, so that weights
of 1 / (images of the patient) let a patient with several images count once.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Scored, scored
from oncotrail.statistics.arrays import weights as checked_weights
from oncotrail.statistics.chosen import Chosen, fingerprint
from oncotrail.statistics.classification.figures import Classification, classify
from oncotrail.statistics.classification.rules import (
    threshold_at_sensitivity,
    threshold_at_specificity,
    threshold_of_least_cost,
    youden_threshold,
)
from oncotrail.statistics.discrimination.steps import present
from oncotrail.statistics.intervals import ProportionMethod


@dataclass(frozen=True, kw_only=True)
class Threshold(Chosen):
    """A threshold, how it was chosen, and on whom; `rows` are their labels and scores."""

    value: float
    rule: str
    events: int


@dataclass(frozen=True)
class Applied:
    """The figures of a role at a threshold; `apparent` where it was chosen on these patients."""

    threshold: Threshold
    role: str
    apparent: bool
    figures: Classification


def choose_youden(
    labels: ArrayLike, scores: ArrayLike, *, role: str, weights: ArrayLike | None = None
) -> Threshold:
    """The highest sensitivity + specificity on these patients, by `rules.youden_threshold`.

    >>> choose_youden([0, 0, 1, 1], [1, 3, 5, 9], role="validation").value
    4.0
    """
    value = youden_threshold(labels, scores, weights)
    return _chosen(value, "Youden", role, *present(labels, scores, weights))


def choose_sensitivity(
    labels: ArrayLike,
    scores: ArrayLike,
    sensitivity: float,
    *,
    role: str,
    weights: ArrayLike | None = None,
) -> Threshold:
    """The most specific threshold with at least this sensitivity, 0 to 1, on these patients.

    >>> choose_sensitivity([0, 0, 1, 1], [1, 3, 5, 9], 0.9, role="validation").value
    4.0
    """
    value = threshold_at_sensitivity(labels, scores, sensitivity, weights)
    rule = f"sensitivity of at least {sensitivity:g}"
    return _chosen(value, rule, role, *present(labels, scores, weights))


def choose_specificity(
    labels: ArrayLike,
    scores: ArrayLike,
    specificity: float,
    *,
    role: str,
    weights: ArrayLike | None = None,
) -> Threshold:
    """The most sensitive threshold with at least this specificity, 0 to 1, on these patients.

    >>> choose_specificity([0, 0, 1, 1], [1, 3, 5, 9], 0.5, role="validation").value
    2.0
    """
    value = threshold_at_specificity(labels, scores, specificity, weights)
    rule = f"specificity of at least {specificity:g}"
    return _chosen(value, rule, role, *present(labels, scores, weights))


def choose_cost(
    labels: ArrayLike,
    scores: ArrayLike,
    cost_ratio: float,
    *,
    role: str,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
) -> Threshold:
    """The least expected cost, where a missed event costs `cost_ratio` false alarms (above 0).

    `prevalence` is that where the threshold will be used; none given: these patients'. The cost is
    that of `rules.threshold_of_least_cost`.

    >>> choose_cost([0, 0, 1, 0, 1], [1, 3, 5, 6, 9], 5, role="validation").value
    4.0
    >>> choose_cost([0, 0, 1, 0, 1], [1, 3, 5, 6, 9], 0.5, role="validation").value
    7.5
    """
    rows, weight = present(labels, scores, weights)
    share = float(weight @ rows.labels / weight.sum()) if prevalence is None else prevalence
    value = threshold_of_least_cost(labels, scores, cost_ratio, share, weights)
    rule = f"missed event as {cost_ratio:g} false alarms, prevalence {share:.6g}"
    return _chosen(value, rule, role, rows, weight)


def apply_threshold(
    threshold: Threshold,
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    role: str,
    apparent: bool = False,
    confidence: float = 0.95,
    method: ProportionMethod = "wilson",
    weights: ArrayLike | None = None,
) -> Applied:
    """The figures of the patients of `role`, at a threshold that was chosen on others.

    The role that chose it, and the very same labels and scores under any name, are refused, unless
    `apparent` permits it; the result then says that it is. Figures as by `figures.classify`, with
    its sampling `weights`. For intervals that keep images of one patient together, give
    `threshold.value` to `uncertainty.figures.bootstrap_figures`.

    >>> chosen = choose_youden([0, 0, 1, 1], [1, 3, 5, 9], role="validation")
    >>> apply_threshold(chosen, [0, 1, 1], [2, 7, 3], role="test").figures.sensitivity.value
    0.5
    """
    figures = classify(labels, scores, threshold.value, confidence, method, weights=weights)
    rows = scored(labels, scores)
    own = _of_present(rows, checked_weights(weights, rows.n))
    again = threshold.is_apparent(role, own, apparent=apparent)
    return Applied(threshold, role, again, figures)


def _chosen(value: float, rule: str, role: str, rows: Scored, weight: Floats) -> Threshold:
    return Threshold(
        value=value,
        rule=rule,
        chosen_on=role,
        n=rows.n,
        events=rows.events,
        rows=_of_present(rows, weight),
    )


def _of_present(rows: Scored, weight: Floats) -> str:
    """The fingerprint of the labels and scores of the rows that are there."""
    there = weight > 0
    return fingerprint(rows.labels[there], rows.scores[there])
