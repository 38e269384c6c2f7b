"""Decision curves for an outcome that is there or not.

Treat whoever has a predicted risk of at least t, w = t / (1 - t):

    net benefit = true positives / n - w false positives / n

Treating nobody has 0, treating everybody prevalence - w (1 - prevalence). With a prevalence that is
not the sample's (case-control), the two shares are sensitivity x prevalence and
(1 - specificity) x (1 - prevalence).

Every figure here is a mean over patients of a value that depends on the patient's cell (treated or
not, event or not), so its variance is that of a mean. Standardised net benefit divides by a
prevalence that is estimated too, which the delta method takes along; a given prevalence is taken as
known, and each group then varies by itself (Pfeiffer and Gail, Biometrical Journal 2020, 62:764;
Marsh, Janes and Pepe, Biometrics 2020, 76:843).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats, Scored
from oncotrail.statistics.decision.benefit import (
    Benefit,
    BenefitDifference,
    DecisionCurves,
    DecisionPoint,
    benefit,
    checked_thresholds,
    named_risks,
    square_weights,
)

# Cells, in this order: treated with the event and without, untreated with the event and without.
_EVENT = np.array([True, False, True, False])


@dataclass(frozen=True)
class _Study:
    """The outcome, the weights, and what a unit of weight counts with and without the event."""

    labels: Flags
    weights: Floats
    squares: Floats
    per_event: float
    per_other: float
    prevalence: float
    known: bool


def decision_curves(
    labels: ArrayLike,
    models: Mapping[str, ArrayLike],
    thresholds: ArrayLike,
    *,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DecisionCurves:
    """Net benefit of each model's predicted risks, treat all and treat none, at each threshold.

    Thresholds are from 0 to below 1. `prevalence` is that of the population where it is not the
    sample's; both outcomes must then occur. Whole weights count patients.

    >>> risks = {"model": [0.1, 0.4, 0.6, 0.9]}
    >>> found = decision_curves([0, 1, 0, 1], risks, [0.2, 0.5])
    >>> [round(point.net_benefit.value, 4) for point in found.models["model"]]
    [0.4375, 0.0]
    """
    study = _study(labels, prevalence, weights)
    at, n = checked_thresholds(thresholds), study.labels.size
    found = {name: _curve(study, risk, at, confidence) for name, risk in named_risks(models, n)}
    return DecisionCurves(
        thresholds=tuple(at.tolist()),
        models=found,
        treat_all=_curve(study, np.ones(n), at, confidence),
        # Below every threshold, 0 included.
        treat_none=_curve(study, np.full(n, -1.0), at, confidence),
        prevalence=study.prevalence,
        confidence=arrays.checked_confidence(confidence),
        n=n,
        events=int(study.labels.sum()),
    )


def net_benefit(
    labels: ArrayLike,
    probabilities: ArrayLike,
    threshold: float,
    *,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DecisionPoint:
    """Net benefit of one model at one threshold, as in `decision_curves`.

    >>> net_benefit([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], 0.2).net_benefit.value
    0.4375
    """
    curves = decision_curves(
        labels,
        {"probabilities": probabilities},
        [threshold],
        prevalence=prevalence,
        weights=weights,
        confidence=confidence,
    )
    return curves.models["probabilities"][0]


def net_benefit_difference(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    thresholds: ArrayLike,
    *,
    prevalence: float | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[BenefitDifference, ...]:
    """Net benefit of the first risks minus that of the second, same patients, per threshold.

    >>> first, second = [0.1, 0.4, 0.6, 0.9], [0.1, 0.1, 0.1, 0.9]
    >>> round(net_benefit_difference([0, 1, 0, 1], first, second, 0.2)[0].difference, 4)
    0.1875
    """
    study = _study(labels, prevalence, weights)
    one, two = (
        risk for _, risk in named_risks({"first": first, "second": second}, study.labels.size)
    )
    return tuple(
        _difference(study, one, two, float(t), confidence) for t in checked_thresholds(thresholds)
    )


def _study(labels: ArrayLike, prevalence: float | None, weights: ArrayLike | None) -> _Study:
    outcome = arrays.binary(labels, "labels")
    weight = arrays.weights(weights, outcome.size)
    events, others = float(weight[outcome].sum()), float(weight[~outcome].sum())
    squares = square_weights(weight)
    if prevalence is None:
        unit = 1 / (events + others)
        return _Study(outcome, weight, squares, unit, unit, events * unit, known=False)
    if not 0 < prevalence < 1:
        raise ValueError(f"found prevalence {prevalence}; expected a number between 0 and 1.")
    if 0 in (events, others):
        raise arrays.Undefined(
            f"found {int(outcome.sum())} events in {outcome.size} patients; "
            "to take another prevalence needs patients of both outcomes."
        )
    return _Study(
        outcome,
        weight,
        squares,
        prevalence / events,
        (1 - prevalence) / others,
        float(prevalence),
        known=True,
    )


def _curve(
    study: _Study, risks: Floats, thresholds: Floats, confidence: float
) -> tuple[DecisionPoint, ...]:
    patients = Scored(study.labels, risks)
    counts = _cells(patients, study.weights, thresholds)
    squares = _cells(patients, study.squares, thresholds)
    return tuple(
        _point(study, cells, square, float(t), confidence)
        for cells, square, t in zip(counts, squares, thresholds, strict=True)
    )


def _cells(patients: Scored, weights: Floats, thresholds: Floats) -> Floats:
    """Sums of weights in the four cells; thresholds x cells. One sort, then a look-up each."""
    order = np.argsort(patients.scores, kind="stable")
    below = np.searchsorted(patients.scores[order], thresholds, side="left")
    columns = []
    for group in (patients.labels[order], ~patients.labels[order]):
        running = np.concatenate([[0.0], np.cumsum(np.where(group, weights[order], 0.0))])
        columns += [running[-1] - running[below], running[below]]
    positive, missed, false, spared = columns
    return np.column_stack([positive, false, missed, spared])


def _point(
    study: _Study, cells: Floats, squares: Floats, t: float, confidence: float
) -> DecisionPoint:
    unit = np.where(_EVENT, study.per_event, study.per_other)
    share = cells * unit
    odds = t / (1 - t)
    gain = np.array([1.0, -odds, 0.0, 0.0])
    value = float(gain @ share)
    influence = _influence(study, gain, cells) * unit
    variance = float(squares @ influence**2)
    standardised = avoided = None
    if study.prevalence:
        relative = value / study.prevalence
        moved = influence if study.known else (gain - relative * _EVENT) * unit
        spread = float(squares @ moved**2) / study.prevalence**2
        standardised = benefit(relative, spread, confidence)
    if odds:
        spared = np.array([0.0, 0.0, -1 / odds, 1.0])
        moved = _influence(study, spared, cells) * unit
        avoided = benefit(float(spared @ share), float(squares @ moved**2), confidence)
    worth: Benefit = benefit(value, variance, confidence)
    return DecisionPoint(t, float(share[:2].sum()), worth, standardised, avoided)


def _influence(study: _Study, values: Floats, cells: Floats) -> Floats:
    """Values less their mean, which is each group's own where the prevalence is known."""
    if not study.known:
        return np.asarray(values - values @ cells / cells.sum())
    means = [values[group] @ cells[group] / cells[group].sum() for group in (_EVENT, ~_EVENT)]
    return np.asarray(values - np.where(_EVENT, *means))


def _difference(
    study: _Study, one: Floats, two: Floats, t: float, confidence: float
) -> BenefitDifference:
    apart = (one >= t).astype(float) - (two >= t)
    unit = np.where(study.labels, study.per_event, study.per_other)
    values = apart * np.where(study.labels, 1.0, -t / (1 - t))
    groups = [study.labels, ~study.labels] if study.known else [np.ones(values.size, dtype=bool)]
    centre = np.empty_like(values)
    for group in groups:
        centre[group] = np.average(values[group], weights=study.weights[group])
    found = benefit(
        float(study.weights @ (values * unit)),
        float(study.squares @ ((values - centre) * unit) ** 2),
        confidence,
    )
    return difference(t, found)


def difference(threshold: float, found: Benefit) -> BenefitDifference:
    """A difference of two net benefits with its two-sided normal p-value.

    >>> round(difference(0.1, Benefit(0.02, 0.0004, 0.0396, 0.01)).p_value, 4)
    0.0455
    """
    error = found.standard_error
    p_value = None if error is None else float(2 * ndtr(-abs(found.value) / error))
    return BenefitDifference(threshold, found.value, found.low, found.high, error, p_value)
