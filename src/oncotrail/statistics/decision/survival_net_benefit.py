"""Decision curves for an event by a horizon, with patients censored before it.

Who is a true positive is unknown for patients censored early, so their number is estimated. Treat
whoever has a predicted risk of at least t; let q be their share, and F the cumulative incidence of
the event by the horizon among them (1 - Kaplan-Meier, or Aalen-Johansen where something else can
happen first). Then, with w = t / (1 - t) (Vickers et al., BMC Medical Informatics and Decision
Making 2008, 8:53),

    net benefit = q F - w q (1 - F)

The prevalence is F among everybody. Intervals come from each patient's influence on q and on F:
one more patient dilutes the events at every time it is at risk, and its own event adds to F by the
chance of getting there, or, of another kind, takes away what would still have come after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Flags, Floats, Undefined
from oncotrail.statistics.case_weights import case_weights
from oncotrail.statistics.decision.benefit import BenefitDifference, DecisionCurves
from oncotrail.statistics.decision.study import Study, scaled
from oncotrail.statistics.influence import Influenced, Influences
from oncotrail.statistics.survival.causes import Causes, causes_of
from oncotrail.statistics.survival.competing_risks import cumulative_incidence
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier
from oncotrail.statistics.survival.known_states import checked_horizon
from oncotrail.statistics.survival.tied_times import places_of, settled_times


def survival_decision_curves(
    times: ArrayLike,
    causes: ArrayLike,
    models: Mapping[str, ArrayLike],
    thresholds: ArrayLike,
    *,
    horizon: float,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> DecisionCurves:
    """Net benefit of each model's predicted risks of the event by `horizon`, at each threshold.

    `causes` are 0 (censored), 1 (the event) and, where something else can happen first, 2, 3, ...
    A patient censored at a time of events is still at risk there. Where the follow-up of those
    treated ends before the horizon, with patients left, the point's figures are None; where that of
    everybody does, it is refused. `events` of the result are those of interest by the horizon;
    `weights` and `clusters` are as in `decision_curves`.

    >>> risks = {"model": [0.9, 0.7, 0.4, 0.2]}
    >>> found = survival_decision_curves([1, 2, 3, 4], [1, 0, 1, 0], risks, [0.3], horizon=3)
    >>> round(found.models["model"][0].net_benefit.value, 4)
    0.75
    """
    study = _Followed.of(times, causes, horizon, weights, clusters)
    return study.curves(models, thresholds, confidence)


def survival_net_benefit_difference(
    times: ArrayLike,
    causes: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    thresholds: ArrayLike,
    *,
    horizon: float,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[BenefitDifference, ...]:
    """Net benefit of the first risks minus that of the second, at each threshold.

    >>> found = survival_net_benefit_difference(
    ...     [1, 2, 3, 4], [1, 0, 1, 0], [0.9, 0.7, 0.4, 0.2], [0.9, 0.1, 0.1, 0.1], 0.3, horizon=3
    ... )
    >>> round(found[0].difference.value, 4)
    0.5
    """
    study = _Followed.of(times, causes, horizon, weights, clusters)
    return study.differences(first, second, thresholds, confidence)


@dataclass(frozen=True, eq=False)
class _Followed(Study):
    """Patients of weight above 0, with a time and what ended it."""

    kept: Flags
    outcome: Causes
    weights: Floats
    horizon: float
    influences: Influences
    prevalence: Influenced
    known: bool = False

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        causes: ArrayLike,
        horizon: float,
        weights: ArrayLike | None,
        clusters: ArrayLike | None,
    ) -> _Followed:
        checked, end = causes_of(times, causes, 1), checked_horizon(horizon)
        found = case_weights(weights, checked.n)
        settled = Causes(settled_times(checked.times, end), checked.codes, 1)
        outcome = settled.only(found.kept)
        influences = Influences.of(found.values, clusters, found.kept)
        everybody = _risk(outcome, found.values, end)
        if everybody is None:
            raise Undefined(
                f"found follow-up that ends at {outcome.times.max():g}; expected it to reach the "
                f"horizon, {end:g}. Choose an earlier horizon."
            )
        prevalence = influences.on(everybody.value, everybody.influence)
        return cls(found.kept, outcome, found.values, end, influences, prevalence)

    @property
    def events(self) -> int:
        return int((self.outcome.of_interest & (self.outcome.times <= self.horizon)).sum())

    def share(self, treated: Flags) -> float:
        return float(np.average(treated, weights=self.weights))

    def net_benefit(self, treated: Flags, odds: float) -> Influenced | None:
        share = self.share(treated)
        if share == 0:
            return self.influences.on(0.0, np.zeros(treated.size))
        risk = _risk(self.outcome.only(treated), self.weights[treated], self.horizon)
        if risk is None:
            return None
        per_treated = scaled(risk, 1 + odds, -odds)
        each = (treated - share) / self.weights.sum() * per_treated.value
        each[treated] += share * per_treated.influence
        return self.influences.on(share * per_treated.value, each)


def _risk(outcome: Causes, weights: Floats, horizon: float) -> Influenced | None:
    """Cumulative incidence by the horizon, and by how much it grows with each patient's weight.

    None where follow-up ends before the horizon with patients left.
    """
    curve = cumulative_incidence(outcome.times, outcome.codes, weights=weights)
    if curve.times[-1] < horizon and curve.censored[-1] > 0:
        return None
    alive = kaplan_meier(outcome.times, outcome.codes > 0, weights=weights).survival
    by_then = int((curve.times <= horizon).sum())
    by, at_risk = curve.incidence[:by_then], curve.at_risk[:by_then]
    gone = (curve.events + curve.competing)[:by_then]
    value = float(by[-1]) if by_then else 0.0
    before = np.append(1.0, alive)[:by_then]
    # What still comes after a time, per patient who is left; nothing where nobody is.
    left = alive[:by_then] > 0
    later = np.divide(value - by, at_risk - gone, out=np.zeros(by_then), where=left)
    diluted = later * gone / at_risk - before * curve.events[:by_then] / at_risk**2
    place = places_of(curve.times, outcome.times)
    each = np.append(0.0, diluted.cumsum())[np.minimum(place, by_then)]
    early = place <= by_then
    here = place[early] - 1
    each[early] += outcome.of_interest[early] * (before / at_risk)[here]
    each[early] -= (outcome.codes[early] > 0) * later[here]
    return Influenced(value, each)
