"""How far predicted survival lies from what happened by a horizon: the Brier score.

Every patient known to be with or without the event by the horizon has the squared distance between
that outcome (0 or 1) and the predicted risk; `known_by` weighs the distances against censoring, and
their mean is the score (Graf et al., Statistics in Medicine 1999, 18:2529; Gerds and Schumacher,
Biometrical Journal 2006, 48:1029). Lower is better: 0 is perfect, and predicting 50 % for everybody
gives 0.25.

Whether a score is good depends on how many have the event. The scaled score, 1 - score / score of
Kaplan-Meier's one prediction for everybody, is 0 for that and 1 at best, and may be negative (the
index of prediction accuracy: Kattan and Gerds, Diagnostic and Prognostic Research 2018, 2:7).

The integrated score is the mean of the scores over time. As in pec, a score holds from its horizon
until the next one, and until the first horizon that of time 0 does, when all are predicted to be
free: it is the share of patients with the event at time 0, and so 0 almost always. (Then it is
riskRegression's too, which begins at 0 whatever happened there.) That is exact for step functions
at all event times, and too low with a late first horizon; the trapezoid rule from the first horizon
to the last is scikit-survival's.

A patient's influence is its own weighted distance, less the mean, plus what it does to the weights
of the others (`known_states`). The one prediction of Kaplan-Meier is where its own score is least,
so that estimating it does not add to the influence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, column, one_of, survived
from oncotrail.statistics.influence import Influenced, weighted_sum
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.survival.horizon_estimates import (
    AtHorizon,
    OverHorizons,
    at_horizon,
    checked_horizons,
    difference_at,
    for_each_horizon,
    over_horizons,
    trapezoid_shares,
)
from oncotrail.statistics.survival.known_states import Known, Weighing, known_at, known_by

Rule = Literal["step", "trapezoid"]


def brier_score(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> AtHorizon:
    """The Brier score at a horizon, 0 to 1; lower is better.

    `survival` is the predicted chance, 0 to 1, to be free of this event beyond the horizon (with
    competing risks, 1 less the predicted cumulative incidence). `weighing` is `competing`,
    `censoring` (of the training rows), `weights` and `clusters`, as in `known_by`. Undefined (None)
    where nobody could be followed beyond the horizon. R: riskRegression::Score.

    >>> brier_score([1, 2, 3, 4], [1, 1, 0, 0], [0.2, 0.6, 0.7, 0.9], horizon=2.5).value
    0.125
    """
    known = known_by(times, events, horizon, **weighing)
    return at_horizon(known, _score(known, _predicted(known, survival, "survival")), confidence)


def brier_difference(
    times: ArrayLike,
    events: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    horizon: float,
    *,
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> Difference | None:
    """The score of the first predicted survival minus that of the second; below 0 it is better.

    All as in `brier_score`; the test is two-sided. None where a score is undefined.

    >>> times, events = [1, 2, 3, 4], [1, 1, 0, 0]
    >>> found = brier_difference(times, events, [0.2, 0.6, 0.7, 0.9], [0.5] * 4, horizon=2.5)
    >>> found.value
    -0.125
    """
    known = known_by(times, events, horizon, **weighing)
    one = _score(known, _predicted(known, first, "first"))
    return difference_at(known, one, _score(known, _predicted(known, second, "second")), confidence)


def scaled_brier(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    *,
    null: float | None = None,
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> AtHorizon:
    """1 - Brier score / Brier score of one prediction for everybody; 1 at best, 0 is no better.

    That one prediction is the chance to be free of the event here (Kaplan-Meier's, with weights
    from these rows), or `null`, such as that of the training rows. None also where the score of
    `null` is 0: nobody, or everybody, had the event. The rest is as in `brier_score`. R: IPA of
    riskRegression::Score.

    >>> found = scaled_brier([1, 2, 3, 4], [1, 1, 0, 0], [0.2, 0.6, 0.7, 0.9], horizon=2.5)
    >>> found.value
    0.5
    """
    known = known_by(times, events, horizon, **weighing)
    score = _score(known, _predicted(known, survival, "survival"))
    return at_horizon(known, _scaled(score, _null_score(known, null)), confidence, -np.inf)


def integrated_brier(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizons: ArrayLike,
    *,
    rule: Rule = "step",
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> OverHorizons:
    """The mean Brier score over time, up to the last of ascending horizons; lower is better.

    `survival` has a row for each patient and a column for each horizon; the rest is as in
    `brier_score`. None where the score at a horizon that counts is. R: pec::crps.

    >>> survival = [[0.6, 0.2], [0.8, 0.6], [0.9, 0.7], [1.0, 0.9]]
    >>> found = integrated_brier([1, 2, 3, 4], [1, 1, 0, 0], survival, [1, 2.5], rule="trapezoid")
    >>> round(found.value, 5)
    0.11375
    """
    moments = _several(horizons)
    predicted = for_each_horizon(survival, survived(times, events).n, moments)
    every, predicted = _looked_at(moments, predicted, rule)
    known = known_at(times, events, every, **weighing)
    score = weighted_sum(_scores(known, predicted), _shares(known, rule))
    return over_horizons(known[-1], moments, score, confidence)


def scaled_integrated_brier(
    times: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizons: ArrayLike,
    *,
    rule: Rule = "step",
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> OverHorizons:
    """1 - integrated Brier score / that of Kaplan-Meier's one curve for everybody; 1 at best.

    All as in `integrated_brier`; None also where nobody had the event.

    >>> survival = [[0.6, 0.2], [0.8, 0.6], [0.9, 0.7], [1.0, 0.9]]
    >>> found = scaled_integrated_brier([1, 2, 3, 4], [1, 1, 0, 0], survival, [1, 2.5])
    >>> round(found.value, 4)
    0.4533
    """
    moments = _several(horizons)
    predicted = for_each_horizon(survival, survived(times, events).n, moments)
    every, predicted = _looked_at(moments, predicted, rule)
    known = known_at(times, events, every, **weighing)
    shares = _shares(known, rule)
    score = weighted_sum(_scores(known, predicted), shares)
    null = weighted_sum([_null_score(each, None) for each in known], shares)
    return over_horizons(known[-1], moments, _scaled(score, null), confidence, -np.inf)


def _several(horizons: ArrayLike) -> Floats:
    moments = checked_horizons(horizons)
    if moments.size == 1:
        raise ValueError(
            f"horizons: found only {moments[0]:g}; expected at least 2 to integrate over. "
            "For one horizon, use brier_score."
        )
    return moments


def _looked_at(horizons: Floats, predicted: Floats, rule: Rule) -> tuple[Floats, Floats]:
    """Times, and what was predicted at each; for the step rule also at time 0: all are free."""
    if one_of(rule, get_args(Rule), "rule") == "trapezoid":
        return horizons, predicted
    return np.append(0.0, horizons), np.column_stack([np.ones(len(predicted)), predicted])


def _predicted(known: Known, survival: ArrayLike, name: str) -> Floats:
    return column(survival, name, n=known.weights.size, low=0, high=1)


def _score(known: Known, survival: Floats) -> Influenced | None:
    if not known.identified:
        return None
    squared = np.where(known.cases, survival, 1 - survival) ** 2
    contributions = known.weights * squared
    value = float(contributions.sum() / known.n)
    influence = contributions - known.case_weights * value
    return known.figure(value, influence + known.influence_of_weighting(contributions))


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
    ratio = score.over(null)
    return Influenced(1 - ratio.value, -ratio.influence, ratio.clusters)


def _scores(known: Sequence[Known], predicted: Floats) -> list[Influenced | None]:
    return [_score(each, predicted[:, place]) for place, each in enumerate(known)]


def _shares(known: Sequence[Known], rule: Rule) -> Floats:
    """What each score counts in the mean over time."""
    horizons = np.array([each.horizon for each in known])
    if rule == "trapezoid":
        return trapezoid_shares(horizons)
    held = np.append(np.diff(horizons), 0.0)
    return np.asarray(held / horizons[-1], dtype=np.float64)
