"""How well a risk separates who has the event by a horizon from who does not.

At a horizon, the cumulative cases are the patients with the event by then, and the dynamic controls
those still free of it. The area under the ROC curve is the chance that a case has a higher risk
than a control, equal risks counting one half (Heagerty, Lumley and Pepe, Biometrics 2000, 56:337).

1. `known_by` weighs cases and controls against censoring.
2. Each case gets the weighted share of controls below it, each control that of cases above it,
   from sums along the sorted risks. Either weighted mean is the area.
3. A patient's influence is the distance of its share from the area, times its weight, plus what it
   does to the weights of the others (Blanche, Dartigues and Jacqmin-Gadda, Statistics in Medicine
   2013, 32:5381; as timeROC and riskRegression::Score do).

With competing risks, patients with the other event are controls from then on (their second
definition). All of it takes n log n steps a horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack, get_args

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, column, matrix, one_of, survived
from oncotrail.statistics.influence import Influenced, weighted_sum
from oncotrail.statistics.intervals import Difference
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.horizon_estimates import (
    AtHorizon,
    OverHorizons,
    at_horizon,
    checked_horizons,
    difference_at,
    over_horizons,
    trapezoid_shares,
)
from oncotrail.statistics.survival.known_states import Known, Weighing, known_at, known_by

MeanOver = Literal["events", "time"]


@result
class RocAtHorizon:
    """The points of the curve: patients are called at a risk of at least the threshold.

    It begins at (0, 0), with a threshold that nobody reaches, and has a point for each distinct
    risk, the highest first.
    """

    horizon: float
    thresholds: Floats
    false_positive_rate: Floats
    true_positive_rate: Floats
    n: int
    events: int
    controls: int


def time_dependent_auc(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    horizon: float,
    *,
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> AtHorizon:
    """Cumulative/dynamic area under the ROC curve at a horizon; 0.5 is chance, higher is better.

    `risk` is higher where it is worse, in any unit; equal risks count one half. `weighing` is
    `competing`, `censoring` (of the training rows), `weights` and `clusters`, as in `known_by`.
    Undefined (None) without a known case or control. R: timeROC, riskRegression::Score.

    >>> found = time_dependent_auc([1, 2, 3, 4, 5], [1, 1, 0, 1, 0], [5, 2, 3, 4, 1], horizon=3.5)
    >>> round(found.value, 4), found.events, found.controls
    (0.75, 2, 2)
    """
    known = known_by(times, events, horizon, **weighing)
    return at_horizon(known, _area(known, risk, "risk"), confidence)


def time_dependent_auc_difference(
    times: ArrayLike,
    events: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    horizon: float,
    *,
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> Difference | None:
    """The area of the first risk minus that of the second, same patients; two-sided p.

    Above 0 the first risk is better; None where an area is; all as in `time_dependent_auc`.

    >>> times, events = [1, 2, 3, 4, 5], [1, 1, 0, 1, 0]
    >>> found = time_dependent_auc_difference(times, events, [5, 2, 3, 4, 1], [5, 4, 3, 2, 1], 3.5)
    >>> round(found.value, 4)
    -0.25
    """
    known = known_by(times, events, horizon, **weighing)
    return difference_at(
        known, _area(known, first, "first"), _area(known, second, "second"), confidence
    )


def time_dependent_roc(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    horizon: float,
    **weighing: Unpack[Weighing],
) -> RocAtHorizon | None:
    """The ROC curve at a horizon; None where there is no known case or no known control.

    `risk` and `weighing` are as in `time_dependent_auc`.

    >>> found = time_dependent_roc([1, 2, 3, 4], [1, 1, 0, 0], [4, 2, 3, 1], horizon=2)
    >>> found.true_positive_rate.tolist(), found.false_positive_rate.tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    known = known_by(times, events, horizon, **weighing)
    found = column(risk, "risk", n=known.weights.size)
    if not (known.cases.any() and known.controls.any()):
        return None
    thresholds, place = np.unique(-found, return_inverse=True)
    true_positive, false_positive = (
        np.append(0.0, np.cumsum(np.bincount(place, known.weights * group)))
        for group in (known.cases, known.controls)
    )
    return RocAtHorizon(
        horizon=known.horizon,
        thresholds=np.append(np.inf, -thresholds),
        false_positive_rate=false_positive / false_positive[-1],
        true_positive_rate=true_positive / true_positive[-1],
        n=known.n,
        events=int(known.cases.sum()),
        controls=int(known.controls.sum()),
    )


def integrated_auc(
    times: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    horizons: ArrayLike,
    *,
    mean_over: MeanOver = "events",
    confidence: float = 0.95,
    **weighing: Unpack[Weighing],
) -> OverHorizons:
    """The mean of the areas at ascending horizons; `risk` is one column, or one for each horizon.

    Over "events", the area at a horizon counts by the share of patients whose event came since the
    horizon before (Lambert and Chevret, Statistical Methods in Medical Research 2016, 25:2088; as
    scikit-survival's). Over "time", it is the trapezoid rule from the first horizon to the last.
    These weights are taken as known in the variance. None where an area that counts is undefined.

    >>> found = integrated_auc([1, 2, 3, 4, 5], [1, 1, 0, 1, 0], [5, 2, 3, 4, 1], [1.5, 3.5])
    >>> round(found.value, 4)
    0.875
    """
    one_of(mean_over, get_args(MeanOver), "mean_over")
    moments = checked_horizons(horizons)
    risks = _risks(risk, survived(times, events).n, moments.size)
    known = known_at(times, events, moments, **weighing)
    shares = _shares(known, mean_over)
    areas = [_area(each, risks[:, place], "risk") for place, each in enumerate(known)]
    return over_horizons(known[-1], moments, weighted_sum(areas, shares), confidence)


def _area(known: Known, risk: ArrayLike, name: str) -> Influenced | None:
    found = column(risk, name, n=known.weights.size)
    if not (known.cases.any() and known.controls.any()):
        return None
    place = np.unique(found, return_inverse=True)[1]
    case, control = known.weights * known.cases, known.weights * known.controls
    lower, higher = np.bincount(place, control), np.bincount(place, case)[::-1]
    # Summed from one end, with nothing taken away: a perfect marker is exactly 1.
    below = np.append(0.0, np.cumsum(lower))
    above = np.append(0.0, np.cumsum(higher))
    share = np.where(
        known.cases,
        ((below[:-1] + lower / 2) / below[-1])[place],
        ((above[:-1] + higher / 2) / above[-1])[::-1][place],
    )
    area = float((case * share).sum() / case.sum())
    influence = known.n * (case / case.sum() + control / control.sum()) * (share - area)
    return known.figure(area, influence + known.influence_of_weighting(influence))


def _risks(risk: ArrayLike, n: int, horizons: int) -> Floats:
    found = matrix(risk, "risk", n=n)
    if found.shape[1] not in (1, horizons):
        raise ValueError(
            f"risk: found shape {found.shape}; expected one column for {n} patients, or "
            f"{horizons}, one for each horizon."
        )
    return np.broadcast_to(found, (n, horizons))


def _shares(known: Sequence[Known], mean_over: MeanOver) -> Floats:
    """What each area counts in the mean; they add up to 1, unless there is no event at all."""
    if mean_over == "events":
        had = np.array([each.mean(each.cases.astype(np.float64)) for each in known])
        return np.diff(had, prepend=0.0) / (had[-1] or 1.0)
    return trapezoid_shares(np.array([each.horizon for each in known]))
