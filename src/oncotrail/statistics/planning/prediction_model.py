"""How many patients it takes to develop a prediction model: the criteria of Riley et al.

With P candidate parameters (a categorical or spline term has several) and an expected R-squared,
the sample must be large enough for each of

1. little overfitting: expected uniform shrinkage of at least S (0.9);
2. little optimism: apparent and adjusted R-squared differ by at most delta (0.05), for a
   yes-or-no outcome or a time in Nagelkerke's R-squared;
3. a precise overall figure: the mean risk (or the mean and the residual spread) within a margin.

For yes-or-no outcomes and times, the first two are n = P / ((S - 1) ln(1 - R^2 / S)) with R^2 of
Cox and Snell, where the second has S = R^2 / (R^2 + delta max R^2). (Riley et al., Statistics in
Medicine 2019, 38:1276, and BMJ 2020, 368:m441; continuous outcomes: Statistics in Medicine 2019,
38:1262.) The answer is the largest of the criteria, rounded up.
"""

from __future__ import annotations

import math

from scipy.special import chdtri, stdtrit

from oncotrail.statistics.arrays import checked_confidence
from oncotrail.statistics.intervals import normal_quantile
from oncotrail.statistics.planning.criteria import Criterion, SampleSize, largest
from oncotrail.statistics.planning.explained import (
    checked_above,
    checked_share,
    maximum_cox_snell,
    maximum_cox_snell_survival,
)
from oncotrail.statistics.planning.smallest import smallest, up


def binary_model_size(
    parameters: int,
    prevalence: float,
    cox_snell: float,
    *,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
    confidence: float = 0.95,
) -> SampleSize:
    """Patients for a logistic model; `cox_snell` is the R-squared expected of it, be cautious.

    `margin` is the half-width of the interval for the overall risk.

    >>> found = binary_model_size(24, 0.174, 0.288)
    >>> [one.n for one in found.criteria], found.n, round(found.per_parameter, 1)
    ([623, 662, 221], 662, 4.8)
    """
    share = checked_share(prevalence, "prevalence")
    top = maximum_cox_snell(share)
    first, second = _overfitting(parameters, cox_snell, top, shrinkage, optimism)
    z = normal_quantile(confidence) / checked_share(margin, "margin")
    third = Criterion("overall risk", up(z**2 * share * (1 - share)))
    return largest((first, second, third), events_each=share, parameters=parameters)


def survival_model_size(
    parameters: int,
    cox_snell: float,
    *,
    rate: float,
    mean_follow_up: float,
    horizon: float,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
    confidence: float = 0.95,
) -> SampleSize:
    """Patients for a model of times; `rate` in events per patient and unit of time.

    The overall risk by `horizon` is that of a constant rate, and its interval, which reaches
    further down than up, must stay within `margin` on both sides.

    >>> found = survival_model_size(30, 0.051, rate=0.065, mean_follow_up=2.07, horizon=2)
    >>> found.n, round(found.events), round(found.per_parameter)
    (5143, 692, 23)
    """
    top = maximum_cox_snell_survival(rate, mean_follow_up)
    first, second = _overfitting(parameters, cox_snell, top, shrinkage, optimism)
    time = checked_above(horizon, "horizon")
    # exp(-rate t) (exp(z sqrt(rate / T) t) - 1) = margin, for person-time T.
    reach = math.log1p(checked_share(margin, "margin") * math.exp(rate * time)) / time
    person_time = rate * (normal_quantile(confidence) / reach) ** 2
    third = Criterion("overall risk", up(person_time / mean_follow_up))
    events = rate * mean_follow_up
    return largest((first, second, third), events_each=events, parameters=parameters)


def continuous_model_size(
    parameters: int,
    r_squared: float,
    *,
    mean: float | None = None,
    deviation: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.1,
    confidence: float = 0.95,
) -> SampleSize:
    """Patients for a linear model with this adjusted R-squared.

    `margin` is relative: of the residual standard deviation, and of the mean where the outcome's
    `mean` (not 0) and standard `deviation` are given.

    >>> found = continuous_model_size(25, 0.2, mean=1.9, deviation=0.6)
    >>> [one.n for one in found.criteria]
    [918, 401, 259, 38]
    """
    p, explained = _parameters(parameters), checked_share(r_squared, "r_squared")
    within, target = checked_share(margin, "margin"), checked_share(shrinkage, "shrinkage")
    tail = (1 + checked_confidence(confidence)) / 2
    optimistic = up(1 + p * (1 - explained) / checked_share(optimism, "optimism"))
    criteria = [
        Criterion("shrinkage", _shrinkage_size(p, explained, target), target),
        Criterion("optimism", optimistic),
        Criterion("residual deviation", _deviation_size(p, within, tail)),
    ]
    if mean is not None and deviation is not None:
        left = checked_above(deviation, "deviation") * math.sqrt(1 - explained)
        room = within * checked_above(abs(mean), "mean (without its sign)")
        criteria.append(Criterion("mean", _mean_size(p, left, room, tail)))
    return largest(tuple(criteria), parameters=p)


def _shrinkage_size(p: int, explained: float, target: float) -> int:
    def enough(n: int) -> bool:
        apparent = (explained * (n - p - 1) + p) / (n - 1)
        return 1 + (p - 2) / (n * math.log1p(-apparent)) >= target

    return smallest(enough, p + 2)


def _deviation_size(p: int, within: float, tail: float) -> int:
    """Until the interval of the residual standard deviation is within a share of it."""

    def enough(n: int) -> bool:
        df = n - p - 1
        low, high = float(chdtri(df, tail)), float(chdtri(df, 1 - tail))
        return math.sqrt(max(high / df, df / low)) <= 1 + within

    return smallest(enough, p + 2)


def _mean_size(p: int, left: float, room: float, tail: float) -> int:
    """Until the mean, of patients who vary by `left` about the model, is known within `room`."""

    def enough(n: int) -> bool:
        return float(stdtrit(n - p - 1, tail)) * left / math.sqrt(n) <= room

    return smallest(enough, p + 2)


def _overfitting(
    parameters: int, cox_snell: float, top: float, shrinkage: float, optimism: float
) -> tuple[Criterion, Criterion]:
    p, target = _parameters(parameters), checked_share(shrinkage, "shrinkage")
    if not 0 < cox_snell < top:
        raise ValueError(
            f"found cox_snell {cox_snell}; expected a number above 0 and below {top:.4g}, "
            "the most that any model of this outcome can reach."
        )
    if cox_snell >= target:
        raise ValueError(
            f"found cox_snell {cox_snell} and shrinkage {target}; "
            "expected a shrinkage above the R-squared."
        )
    second = cox_snell / (cox_snell + checked_share(optimism, "optimism") * top)

    def size(s: float) -> int:
        return up(p / ((s - 1) * math.log1p(-cox_snell / s)))

    return Criterion("shrinkage", size(target), target), Criterion("optimism", size(second), second)


def _parameters(parameters: int) -> int:
    if parameters < 1 or parameters != int(parameters):
        raise ValueError(f"found {parameters} parameters; expected a whole number of at least 1.")
    return int(parameters)
