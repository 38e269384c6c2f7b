"""How far predicted survival lies from what happened by a horizon: the Brier score.

Every patient known to be with or without the event by the horizon has the squared distance between
that outcome (0 or 1) and the predicted risk; `known_by` weighs the distances against censoring, and
their mean is the score (Graf et al., Statistics in Medicine 1999, 18:2529; Gerds and Schumacher,
Biometrical Journal 2006, 48:1029). Lower is better: 0 is perfect, and predicting 50 % for everybody
gives 0.25.

Whether a score is good depends on how many have the event. The scaled score, 1 - score / score of
Kaplan-Meier's one prediction for everybody, is 0 for that and 1 at best, and may be negative (the
index of prediction accuracy: Kattan and Gerds, Diagnostic and Prognostic Research 2018, 2:7).

The integrated score is the mean of the scores over time. As in pec and riskRegression, a score
holds from its horizon until the next one, and before the first horizon it is 0, as at time 0 where
nobody had the event. That is exact for step functions at all event times, and too low with a
late first horizon; the trapezoid rule from the first horizon to the last is scikit-survival's.

A patient's influence is its own weighted distance, less the mean, plus what it does to the weights
of the others; a ratio's is that of its two parts, by the delta method. The one prediction of
Kaplan-Meier is where its own score is least, so that estimating it does not add to the influence.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, column, matrix, one_of
from oncotrail.statistics.survival.censoring import Censoring, Known, known_by
from oncotrail.statistics.survival.horizon_estimates import (
    AtHorizon,
    Influenced,
    OverHorizons,
    at_horizon,
    checked_horizons,
    difference_at,
    over_horizons,
    trapezoid_shares,
    weighted_sum,
)
from oncotrail.statistics.survival.paired_difference import Difference

Rule = Literal["step", "trapezoid"]


def brier_score(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AtHorizon:
    """The Brier score at a horizon, 0 to 1; lower is better.

    `survival` is the predicted chance, 0 to 1, to be free of this event beyond the horizon (with
    competing risks, 1 less the predicted cumulative incidence). `competing`, `censoring` (of the
    training rows) and `weights` are as in `known_by`. Undefined (None) where nobody could be
    followed beyond the horizon.

    >>> brier_score([1, 2, 3, 4], [1, 1, 0, 0], [0.2, 0.6, 0.7, 0.9], horizon=2.5).value
    0.125
    """
    known = known_by(
        times, events, horizon, competing=competing, censoring=censoring, weights=weights
    )
    return at_horizon(known, _score(known, _predicted(known, survival, "survival")), confidence)


def brier_difference(
    times: ArrayLike,
    events: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    horizon: float,
    *,
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Difference:
    """The score of the first predicted survival minus that of the second; below 0 it is better.

    >>> times, events = [1, 2, 3, 4], [1, 1, 0, 0]
    >>> found = brier_difference(times, events, [0.2, 0.6, 0.7, 0.9], [0.5] * 4, horizon=2.5)
    >>> found.difference
    -0.125
    """
    known = known_by(
        times, events, horizon, competing=competing, censoring=censoring, weights=weights
    )
    one = _score(known, _predicted(known, first, "first"))
    return difference_at(known, one, _score(known, _predicted(known, second, "second")), confidence)


def scaled_brier(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    null: float | None = None,
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AtHorizon:
    """1 - Brier score / Brier score of one prediction for everybody; 1 at best, 0 is no better.

    That one prediction is the chance to be free of the event here (Kaplan-Meier's, with weights
    from these rows), or `null`, such as that of the training rows. None also where the score of
    `null` is 0: nobody, or everybody, had the event.

    >>> found = scaled_brier([1, 2, 3, 4], [1, 1, 0, 0], [0.2, 0.6, 0.7, 0.9], horizon=2.5)
    >>> found.value
    0.5
    """
    known = known_by(
        times, events, horizon, competing=competing, censoring=censoring, weights=weights
    )
    score = _score(known, _predicted(known, survival, "survival"))
    return at_horizon(known, _scaled(score, _null_score(known, null)), confidence, -np.inf)


def integrated_brier(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizons: ArrayLike,
    *,
    rule: Rule = "step",
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> OverHorizons:
    """The mean Brier score over time, up to the last of ascending horizons; lower is better.

    `survival` has a row for each patient and a column for each horizon. None where the score at a
    horizon that counts is.

    >>> survival = [[0.6, 0.2], [0.8, 0.6], [0.9, 0.7], [1.0, 0.9]]
    >>> found = integrated_brier([1, 2, 3, 4], [1, 1, 0, 0], survival, [1, 2.5], rule="trapezoid")
    >>> round(found.value, 5)
    0.11375
    """
    known = _known_at(
        times, events, horizons, competing=competing, censoring=censoring, weights=weights
    )
    scores = _scores(known, survival)
    return over_horizons(known, weighted_sum(scores, _shares(known, rule)), confidence)


def scaled_integrated_brier(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizons: ArrayLike,
    *,
    rule: Rule = "step",
    competing: ArrayLike | None = None,
    censoring: Censoring | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> OverHorizons:
    """1 - integrated Brier score / that of Kaplan-Meier's one curve for everybody; 1 at best.

    >>> survival = [[0.6, 0.2], [0.8, 0.6], [0.9, 0.7], [1.0, 0.9]]
    >>> found = scaled_integrated_brier([1, 2, 3, 4], [1, 1, 0, 0], survival, [1, 2.5])
    >>> round(found.value, 4)
    0.4533
    """
    known = _known_at(
        times, events, horizons, competing=competing, censoring=censoring, weights=weights
    )
    shares = _shares(known, rule)
    score = weighted_sum(_scores(known, survival), shares)
    null = weighted_sum([_null_score(each, None) for each in known], shares)
    return over_horizons(known, _scaled(score, null), confidence, -np.inf)


def _known_at(
    times: ArrayLike,
    events: ArrayLike,
    horizons: ArrayLike,
    *,
    competing: ArrayLike | None,
    censoring: Censoring | None,
    weights: ArrayLike | None,
) -> list[Known]:
    return [
        known_by(times, events, horizon, competing=competing, censoring=censoring, weights=weights)
        for horizon in checked_horizons(horizons)
    ]


def _predicted(known: Known, survival: ArrayLike, name: str) -> Floats:
    return column(survival, name, n=known.weights.size, low=0, high=1)


def _score(known: Known, survival: Floats) -> Influenced | None:
    if not known.identified:
        return None
    squared = np.where(known.cases, survival, 1 - survival) ** 2
    contributions = known.weights * squared
    value = float(contributions.sum() / known.n)
    influence = contributions - known.case_weights * value
    return Influenced(value, influence + known.influence_of_weighting(contributions))


def _null_score(known: Known, null: float | None) -> Influenced | None:
    if null is None:
        # With the weights of these rows they add up to n, and this is Kaplan-Meier's estimate.
        free = float((known.weights * known.controls).sum() / (known.weights.sum() or 1.0))
        return _score(known, np.full(known.weights.size, free))
    if not 0 <= null <= 1:
        raise ValueError(f"found null {null}; expected a chance of at least 0 and at most 1.")
    return _score(known, np.full(known.weights.size, float(null)))


def _scaled(score: Influenced | None, null: Influenced | None) -> Influenced | None:
    if score is None or null is None or null.value == 0:
        return None
    ratio = score.value / null.value
    return Influenced(1 - ratio, (ratio * null.influence - score.influence) / null.value)


def _scores(known: list[Known], survival: ArrayLike) -> list[Influenced | None]:
    predicted = matrix(survival, "survival", n=known[0].weights.size)
    if predicted.shape[1] != len(known):
        raise ValueError(
            f"survival: found {predicted.shape[1]} columns; "
            f"expected {len(known)}, one for each horizon."
        )
    return [
        _score(each, _predicted(each, predicted[:, place], f"survival, column {place}"))
        for place, each in enumerate(known)
    ]


def _shares(known: list[Known], rule: Rule) -> Floats:
    """What each score counts in the mean over time."""
    one_of(rule, get_args(Rule), "rule")
    horizons = np.array([each.horizon for each in known])
    if horizons.size == 1:
        raise ValueError(
            f"horizons: found only {horizons[0]:g}; expected at least 2 to integrate over. "
            "For one horizon, use brier_score."
        )
    if rule == "trapezoid":
        return trapezoid_shares(horizons)
    held = np.append(np.diff(horizons), 0.0)
    return np.asarray(held / horizons[-1], dtype=np.float64)
