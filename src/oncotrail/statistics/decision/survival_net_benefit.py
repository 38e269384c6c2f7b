"""Decision curves for an event by a horizon, with patients censored before it.

Who is a true positive is unknown for patients censored early, so their number is estimated. Treat
whoever has a predicted risk of at least t; let q be their share, and F the cumulative incidence of
the event by the horizon among them (1 - Kaplan-Meier, or Aalen-Johansen where something else can
happen first). Then, with w = t / (1 - t) (Vickers et al., BMC Medical Informatics and Decision
Making 2008, 8:53),

    net benefit = q F - w q (1 - F)

The prevalence is F among everybody. Intervals come from each patient's influence on q and on F (the
infinitesimal jackknife): one more such patient changes the number at risk up to the time it leaves,
and the events then. Influences on several figures can be subtracted, so net benefit, treating all
and their differences have one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics import arrays
from oncotrail.statistics.arrays import Flags, Floats
from oncotrail.statistics.decision.benefit import (
    BenefitDifference,
    DecisionCurves,
    DecisionPoint,
    benefit,
    checked_thresholds,
    named_risks,
    square_weights,
)
from oncotrail.statistics.decision.net_benefit import difference
from oncotrail.statistics.survival.tied_times import settled_times


@dataclass(frozen=True)
class _Cohort:
    """Patients in order of time; `cause` had the event of interest, `gone` any event."""

    times: Floats
    cause: Flags
    gone: Flags
    weights: Floats
    horizon: float
    order: arrays.Integers


@dataclass(frozen=True)
class _Moved:
    """A figure, and how much each patient (in order of time) moves it per unit of weight."""

    value: float
    influence: Floats


def survival_decision_curves(
    times: ArrayLike,
    events: ArrayLike,
    models: Mapping[str, ArrayLike],
    thresholds: ArrayLike,
    *,
    horizon: float,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DecisionCurves:
    """Net benefit of each model's predicted risks of the event by `horizon`, at each threshold.

    Events are 0 (censored), 1 (the event) and, where something else can happen first, 2, 3, ...
    A patient censored at a time of events is still at risk there. Where the follow-up of those
    treated ends before the horizon, with patients left, the point's figures are None. `events` of
    the result are those of interest by the horizon.

    >>> risks = {"model": [0.9, 0.7, 0.4, 0.2]}
    >>> found = survival_decision_curves([1, 2, 3, 4], [1, 0, 1, 0], risks, [0.3], horizon=3)
    >>> round(found.models["model"][0].net_benefit.value, 4)
    0.75
    """
    cohort = _cohort(times, events, weights, horizon)
    at, n = checked_thresholds(thresholds), cohort.times.size
    everybody = _incidence(cohort, np.ones(n, dtype=bool))
    if everybody is None:
        raise arrays.Undefined(
            f"found follow-up that ends at {cohort.times[-1]:g}; expected it to reach the "
            f"horizon, {horizon:g}. Choose an earlier horizon."
        )

    def curve(risks: Floats) -> tuple[DecisionPoint, ...]:
        ordered = risks[cohort.order]
        return tuple(_point(cohort, everybody, ordered >= t, t, confidence) for t in at.tolist())

    return DecisionCurves(
        thresholds=tuple(at.tolist()),
        models={name: curve(risks) for name, risks in named_risks(models, n)},
        treat_all=curve(np.ones(n)),
        treat_none=curve(np.full(n, -1.0)),
        prevalence=everybody.value,
        confidence=arrays.checked_confidence(confidence),
        n=n,
        events=int((cohort.cause & (cohort.times <= horizon)).sum()),
    )


def survival_net_benefit_difference(
    times: ArrayLike,
    events: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    thresholds: ArrayLike,
    *,
    horizon: float,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[BenefitDifference | None, ...]:
    """Net benefit of the first risks minus that of the second; None where either is unknown.

    >>> found = survival_net_benefit_difference(
    ...     [1, 2, 3, 4], [1, 0, 1, 0], [0.9, 0.7, 0.4, 0.2], [0.9, 0.1, 0.1, 0.1], 0.3, horizon=3
    ... )
    >>> round(found[0].difference, 4)
    0.5
    """
    cohort = _cohort(times, events, weights, horizon)
    pair = named_risks({"first": first, "second": second}, cohort.times.size)
    one, two = (risks[cohort.order] for _, risks in pair)
    found: list[BenefitDifference | None] = []
    for t in checked_thresholds(thresholds).tolist():
        sides = [_net_benefit(cohort, risks >= t, t) for risks in (one, two)]
        found.append(_minus(cohort, sides[0], sides[1], t, confidence))
    return tuple(found)


def _cohort(
    times: ArrayLike, events: ArrayLike, weights: ArrayLike | None, horizon: float
) -> _Cohort:
    time = arrays.column(times, "times", above=0)
    code = arrays.column(events, "events", n=time.size, low=0)
    if (code % 1 != 0).any():
        row = int(np.argmax(code % 1 != 0))
        raise ValueError(
            f"events: found {code[row]} in row {row}; "
            "expected 0 (censored), 1 (the event), or 2, 3, ... (something else first)."
        )
    if not 0 < horizon < np.inf:
        raise ValueError(f"found horizon {horizon}; expected a time above 0.")
    time = settled_times(time, horizon)
    order = np.argsort(time, kind="stable")
    weight = arrays.weights(weights, time.size)[order]
    return _Cohort(time[order], code[order] == 1, code[order] > 0, weight, float(horizon), order)


def _point(
    cohort: _Cohort, everybody: _Moved, treated: Flags, t: float, confidence: float
) -> DecisionPoint:
    squares, odds = square_weights(cohort.weights), t / (1 - t)
    share = float(cohort.weights[treated].sum() / cohort.weights.sum())
    found = _net_benefit(cohort, treated, t)
    if found is None:
        return DecisionPoint(t, share, None, None, None)
    standardised = avoided = None
    if everybody.value:
        relative = found.value / everybody.value
        moved = (found.influence - relative * everybody.influence) / everybody.value
        standardised = benefit(relative, float(squares @ moved**2), confidence)
    if odds:
        all_treated = everybody.value * (1 + odds) - odds
        moved = (found.influence - (1 + odds) * everybody.influence) / odds
        spared = (found.value - all_treated) / odds
        avoided = benefit(spared, float(squares @ moved**2), confidence)
    worth = benefit(found.value, float(squares @ found.influence**2), confidence)
    return DecisionPoint(t, share, worth, standardised, avoided)


def _net_benefit(cohort: _Cohort, treated: Flags, t: float) -> _Moved | None:
    odds, total = t / (1 - t), cohort.weights.sum()
    share = float(cohort.weights[treated].sum() / total)
    if share == 0:
        return _Moved(0.0, np.zeros(treated.size))
    risk = _incidence(cohort, treated)
    if risk is None:
        return None
    per_treated = risk.value * (1 + odds) - odds
    influence = (treated - share) / total * per_treated + share * (1 + odds) * risk.influence
    return _Moved(share * per_treated, influence)


def _minus(
    cohort: _Cohort, one: _Moved | None, two: _Moved | None, t: float, confidence: float
) -> BenefitDifference | None:
    if one is None or two is None:
        return None
    variance = square_weights(cohort.weights) @ (one.influence - two.influence) ** 2
    return difference(t, benefit(one.value - two.value, float(variance), confidence))


def _incidence(cohort: _Cohort, group: Flags) -> _Moved | None:
    """Cumulative incidence by the horizon in a group; None where its follow-up ends too soon."""
    member = group & (cohort.weights > 0)
    times, weight = cohort.times[member], cohort.weights[member]
    starts = np.flatnonzero(np.diff(times, prepend=0.0) > 0)
    at_risk = weight[::-1].cumsum()[::-1][starts]
    gone = np.add.reduceat(weight * cohort.gone[member], starts)
    cause = np.add.reduceat(weight * cohort.cause[member], starts)
    # Exactly the number at risk where all the last patients leave with an event.
    last = times[-1] < cohort.horizon and not cohort.gone[member][starts[-1] :].all()
    if last:
        return None
    kept = times[starts] <= cohort.horizon
    at_risk, gone, cause = at_risk[kept], gone[kept], cause[kept]
    left = np.where(gone >= at_risk, 0.0, 1 - gone / at_risk)
    before = np.concatenate([[1.0], np.cumprod(left)])[:-1]
    by = np.cumsum(before * cause / at_risk)
    value = float(by[-1]) if by.size else 0.0
    # One more patient at risk at a time dilutes its events; one more event there costs what would
    # still have come after it. Nothing comes after a time at which everybody left.
    later = np.divide(value - by, left * at_risk, out=np.zeros_like(by), where=left > 0)
    present = np.concatenate(
        [[0.0], np.cumsum(later * gone / at_risk - before * cause / at_risk**2)]
    )
    place = np.searchsorted(times[starts][kept], cohort.times, side="right")
    influence = present[place]
    early = (cohort.times <= cohort.horizon) & member
    here = place[early] - 1
    influence[early] += cohort.cause[early] * (before / at_risk)[here]
    influence[early] -= cohort.gone[early] * later[here]
    return _Moved(value, np.where(member, influence, 0.0))
