"""One elastic-net fit: the partial likelihood minus a penalty, at its maximum.

Minimise  - log partial likelihood + lasso sum |b| + ridge / 2 sum b^2  in three nested steps.

- Columns are let in when the likelihood's slope there exceeds `lasso`, until none is left outside:
  the Karush-Kuhn-Tucker conditions, checked on all columns. Those whose slope at the start exceeds
  2 `lasso` less the penalty before are let in at once, since slopes rarely change faster than
  penalties (the strong rule: Tibshirani et al., JRSS B 2012, 74:245).
- On those, the likelihood is replaced by its quadratic approximation, with the whole information
  (glmnet keeps its diagonal), and its minimum is the next place, with step halving, until nothing
  moves.
- The quadratic problem is linear as long as no coefficient changes sign. So its minimum is followed
  from the present place on straight lines, from one change of sign to the next (Osborne, Presnell
  and Turlach, IMA J. Numer. Anal. 2000, 20:389).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from oncotrail.statistics.arrays import Floats, Undefined
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood
from oncotrail.statistics.regression.risk_sets import Positions

SAME = 1e-7  # the last step moves no patient's linear predictor by more; its error is the square
MOST_STEPS = 200
ENOUGH = 1e-9  # more of its own curvature makes a column differ from those that repeat it
MOST_CHANGES = 10  # of signs, per column


@dataclass(frozen=True, eq=False)
class Penalised:
    """Coefficients (many exactly 0) and the log partial likelihood there, without the penalty."""

    coefficients: Floats
    value: float


def maximise_penalised(
    likelihood: PartialLikelihood,
    lasso: float,
    ridge: float,
    start: Floats,
    before: float | None = None,
) -> Penalised:
    """The penalised maximum, from a start that is best the fit of a slightly larger penalty.

    `before` is the lasso of which `start` is the fit: it tells which columns will come in.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([5, 8, 3, 9, 2, 7], [1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0])
    >>> likelihood = sample.likelihood(sample.covariates, "breslow")
    >>> maximise_penalised(likelihood, 0.5, 0, np.zeros(1)).coefficients.round(3)
    array([0.499])
    """
    found, inside = start.copy(), start != 0
    if before is not None:
        inside |= np.abs(slope(likelihood, start)) > 2 * lasso - before
    while True:
        kept = np.flatnonzero(inside)
        found[kept], value = _on_columns(likelihood, kept, lasso, ridge, found[kept])
        outside = np.abs(slope(likelihood, found)) > lasso * (1 + 1e-9) + 1e-12
        if not (outside & ~inside).any():
            return Penalised(found, value)
        inside |= outside


def slope(likelihood: PartialLikelihood, coefficients: Floats) -> Floats:
    """The score of every column, without the information that `at` would add.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 2, 3], [1, 1, 0], [3.0, 1.0, 2.0])
    >>> slope(sample.likelihood(sample.covariates, "breslow"), np.zeros(1))
    array([0.5])
    """
    sets, weights, x = likelihood.sets, likelihood.weights, likelihood.covariates
    kept = np.flatnonzero(coefficients)
    few = replace(likelihood, covariates=x[:, kept])
    hazards = few.hazards(coefficients[kept])
    residual = -few.risk(coefficients[kept]) * sets.accumulate(hazards.full)
    residual[sets.events] += weights[sets.events]
    return np.asarray(residual @ x)


def saturated(likelihood: PartialLikelihood) -> float:
    """The log likelihood of a model that gives every event time the chance of what was seen.

    >>> from oncotrail.statistics.regression.cox_sample import cox_sample
    >>> sample = cox_sample([1, 1, 2], [1, 1, 0], [3.0, 1.0, 2.0])
    >>> round(saturated(sample.likelihood(sample.covariates, "breslow")), 4)
    -1.3863
    """
    tied = likelihood.sets.tied(likelihood.weights)
    return -float(tied @ np.log(tied))


def _on_columns(
    likelihood: PartialLikelihood, kept: Positions, lasso: float, ridge: float, start: Floats
) -> tuple[Floats, float]:
    few = replace(likelihood, covariates=likelihood.covariates[:, kept])
    place, now = start, few.at(start)
    for _ in range(MOST_STEPS):
        curvature = now.information.copy()
        np.fill_diagonal(curvature, np.diag(curvature) * (1 + ENOUGH))
        pull = now.score + curvature @ place
        curvature += ridge * np.eye(kept.size)
        step = _quadratic(curvature, pull, lasso, place) - place
        if np.abs(few.covariates @ step).max() < SAME:
            return place + step, now.value + float(now.score @ step)
        before = now.value - _penalty(place, lasso, ridge)
        while True:  # it ends: at the latest with a step that rounds to nothing
            now = few.at(place + step)
            gain = now.value - _penalty(place + step, lasso, ridge) - before
            if np.isfinite(gain) and gain >= -1e-12 * (1 + abs(before)):
                break
            step = step / 2
        if not np.isfinite(now.information).all():
            raise Undefined(
                f"at lasso {lasso:g}, ridge {ridge:g} hazards differ by more than numbers can hold;"
                " expected larger penalties."
            )
        place = place + step
    raise Undefined(
        f"the penalised fit did not converge in {MOST_STEPS} steps at lasso {lasso:g}, ridge "
        f"{ridge:g}; expected larger penalties."
    )


def _penalty(coefficients: Floats, lasso: float, ridge: float) -> float:
    return float(lasso * np.abs(coefficients).sum() + ridge / 2 * coefficients @ coefficients)


def _quadratic(curvature: Floats, pull: Floats, lasso: float, start: Floats) -> Floats:
    """Minimise x' curvature x / 2 - pull' x + lasso sum |x|, the curvature being positive definite.

    `start` is the minimum for some other pull. On the way from that to `pull` the minimum moves on
    straight lines, between two changes of sign.
    """
    if lasso == 0 or pull.size == 0:  # linear, or nothing to find
        return np.asarray(np.linalg.solve(curvature, pull), dtype=np.float64)
    found, signs = start.copy(), np.sign(start)
    slopes = pull - curvature @ found
    missing = slopes - np.where(signs == 0, np.clip(slopes, -lasso, lasso), lasso * signs)
    slopes, ahead = slopes - missing, 1.0
    for _ in range(MOST_CHANGES * found.size):
        kept = np.flatnonzero(signs)
        way = np.zeros_like(found)
        way[kept] = np.linalg.solve(curvature[np.ix_(kept, kept)], missing[kept])
        turn = missing - curvature[:, kept] @ way[kept]
        place, part = _next_change(found, way, slopes, turn, signs=signs, lasso=lasso)
        step = min(part, ahead)
        found += step * way
        slopes += step * turn
        ahead -= step
        if ahead <= 0:
            return found
        if signs[place]:
            found[place] = signs[place] = 0.0
        else:
            signs[place] = np.sign(turn[place])
    raise Undefined(
        f"the penalised fit did not converge: {found.size} columns changed sign {MOST_CHANGES} "
        f"times each at lasso {lasso:g}; expected larger penalties, or columns that repeat each "
        "other less."
    )


def _next_change(
    found: Floats, way: Floats, slopes: Floats, turn: Floats, *, signs: Floats, lasso: float
) -> tuple[int, float]:
    """Which coefficient next reaches 0, or leaves it as its slope reaches the penalty; how far."""
    with np.errstate(divide="ignore", invalid="ignore"):
        leaving = np.where(signs * way < 0, -found / way, np.inf)
        bound = np.where(turn > 0, lasso, -lasso)
        entering = np.where((signs == 0) & (turn != 0), (bound - slopes) / turn, np.inf)
    parts = np.maximum(np.where(signs == 0, entering, leaving), 0)
    place = int(parts.argmin())
    return place, float(parts[place])
