"""Choosing the threshold at which patients are called positive: on one role, for use on another.

Every rule looks at all thresholds that tell these patients apart: below each distinct score, and
above the highest (nobody is called). The one it picks is put halfway between two neighbouring
scores, so that it does not depend on which of these patients happened to score just above it. Of
several equally good ones it is the lowest: it misses fewest events.

A threshold fits the patients it was chosen on better than others, so figures on them are too good.
A `Threshold` therefore remembers on whom it was chosen, and `apply_threshold` refuses these
patients unless `apparent=True` says that one knows.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Scored, two_classes
from oncotrail.statistics.classification.figures import Classification, classify
from oncotrail.statistics.discrimination.steps import Steps, steps
from oncotrail.statistics.intervals import ProportionMethod


@dataclass(frozen=True)
class Threshold:
    """A threshold, how it was chosen, and on whom (`n` patients of role `chosen_on`).

    `rows` is a fingerprint of their labels and scores, whatever their order.
    """

    value: float
    rule: str
    chosen_on: str
    n: int
    events: int
    rows: str


@dataclass(frozen=True)
class Applied:
    """The figures of a role at a threshold; `apparent` where it was chosen on these patients."""

    threshold: Threshold
    role: str
    apparent: bool
    figures: Classification


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The number alone of `choose_youden`: highest sensitivity + specificity on these patients.

    >>> round(youden_threshold([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9]), 6)
    0.4
    """
    counted = steps(labels, scores)
    positives, negatives = counted.positives, counted.negatives
    # Counts, not shares, so that equally good thresholds are equal: (tp / m - fp / n) m n.
    youden = np.cumsum(positives) * negatives.sum() - np.cumsum(negatives) * positives.sum()
    # Nobody called is as good as everybody called, which is lower.
    return _between(counted, 1 + _last(youden == youden.max()))


def choose_youden(labels: ArrayLike, scores: ArrayLike, *, role: str) -> Threshold:
    """The highest sensitivity + specificity (Youden, Cancer 1950, 3:32).

    >>> choose_youden([0, 0, 1, 1], [1, 3, 5, 9], role="validation").value
    4.0
    """
    return _chosen(labels, scores, youden_threshold(labels, scores), "Youden", role)


def choose_sensitivity(
    labels: ArrayLike, scores: ArrayLike, sensitivity: float, *, role: str
) -> Threshold:
    """The most specific threshold with at least this sensitivity, above 0 and up to 1.

    >>> choose_sensitivity([0, 0, 1, 1], [1, 3, 5, 9], 0.9, role="validation").value
    4.0
    """
    counted = steps(labels, scores)
    enough = counted.sensitivity >= _share(sensitivity, "sensitivity")
    # The highest score at which enough are called; below it lie scores of more false positives,
    # above it too few are called.
    value = _between(counted, int(np.argmax(enough)))
    return _chosen(labels, scores, value, f"sensitivity of at least {sensitivity:g}", role)


def choose_specificity(
    labels: ArrayLike, scores: ArrayLike, specificity: float, *, role: str
) -> Threshold:
    """The most sensitive threshold with at least this specificity, above 0 and up to 1.

    Where only calling nobody is specific enough, it is just above the highest score.

    >>> choose_specificity([0, 0, 1, 1], [1, 3, 5, 9], 0.5, role="validation").value
    2.0
    """
    counted = steps(labels, scores)
    enough = counted.specificity >= _share(specificity, "specificity")
    value = _between(counted, _last(enough))
    return _chosen(labels, scores, value, f"specificity of at least {specificity:g}", role)


def choose_cost(
    labels: ArrayLike,
    scores: ArrayLike,
    cost_ratio: float,
    *,
    role: str,
    prevalence: float | None = None,
) -> Threshold:
    """The least expected cost, where a missed event costs `cost_ratio` false alarms (above 0).

    The cost is cost_ratio prevalence (1 - sensitivity) + (1 - prevalence) (1 - specificity), with
    the prevalence where the threshold will be used; none given: these patients'. Where events are
    rare and cheap, calling nobody may be best. (Zweig and Campbell, Clinical Chemistry 1993,
    39:561.)

    >>> choose_cost([0, 0, 1, 0, 1], [1, 3, 5, 6, 9], 5, role="validation").value
    4.0
    >>> choose_cost([0, 0, 1, 0, 1], [1, 3, 5, 6, 9], 0.5, role="validation").value
    7.5
    """
    if not (0 < cost_ratio < math.inf):
        raise ValueError(f"found cost_ratio {cost_ratio}; expected a number above 0.")
    counted = steps(labels, scores)
    events, others = counted.positives.sum(), counted.negatives.sum()
    share = events / (events + others) if prevalence is None else _share(prevalence, "prevalence")
    missed = cost_ratio * share * (1 - counted.sensitivity)
    cost = missed + (1 - share) * (1 - counted.specificity)
    cheapest = cost <= cost.min() + 1e-12 * max(1.0, cost.max())  # equal, but for rounding
    rule = f"missed event as {cost_ratio:g} false alarms, prevalence {share:.6g}"
    return _chosen(labels, scores, _between(counted, _last(cheapest)), rule, role)


def apply_threshold(
    threshold: Threshold,
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    role: str,
    apparent: bool = False,
    confidence: float = 0.95,
    method: ProportionMethod = "wilson",
) -> Applied:
    """The figures of the patients of `role`, at a threshold that was chosen on others.

    The role that chose it, and the very same labels and scores under any name, are refused, unless
    `apparent` permits it; the result then says that it is.

    >>> chosen = choose_youden([0, 0, 1, 1], [1, 3, 5, 9], role="validation")
    >>> apply_threshold(chosen, [0, 1, 1], [2, 7, 3], role="test").figures.sensitivity.value
    0.5
    """
    figures = classify(labels, scores, threshold.value, confidence, method)
    same_rows = _fingerprint(np.asarray(labels, bool), np.asarray(scores, float)) == threshold.rows
    same = role == threshold.chosen_on or same_rows
    if same and not apparent:
        found = f"the role {role}" if role == threshold.chosen_on else f"the same rows as {role}"
        raise ValueError(
            f"found {found}, and a threshold chosen on {threshold.n} patients of "
            f"{threshold.chosen_on}; figures on the patients who chose it are too good. "
            "Apply it to another role, or say apparent=True."
        )
    return Applied(threshold, role, same, figures)


def _chosen(labels: ArrayLike, scores: ArrayLike, value: float, rule: str, role: str) -> Threshold:
    patients: Scored = two_classes(labels, scores)
    rows = _fingerprint(patients.labels, patients.scores)
    return Threshold(value, rule, role, patients.n, patients.events, rows)


def _between(counted: Steps, place: int) -> float:
    """The threshold that calls the `place` highest distinct scores, halfway to the next one."""
    scores = counted.scores
    if place == 0:
        return float(np.nextafter(scores[0], np.inf))
    above = float(scores[place - 1])
    if place == scores.size:
        return above
    below = float(scores[place])
    halfway = below + (above - below) / 2
    return halfway if halfway > below else above


def _last(true: Flags) -> int:
    return int(np.flatnonzero(true)[-1])


def _share(value: float, name: str) -> float:
    if not 0 < value <= 1:
        raise ValueError(f"found {name} {value}; expected a number above 0 and up to 1.")
    return value


def _fingerprint(labels: Flags, scores: Floats) -> str:
    order = np.lexsort((scores, labels))
    together = labels[order].tobytes() + scores[order].tobytes()
    return hashlib.blake2b(together, digest_size=8).hexdigest()
