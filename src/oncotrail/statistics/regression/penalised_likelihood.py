"""One elastic-net fit: the partial likelihood minus a penalty, at its maximum.

Minimise  - log partial likelihood + lasso sum |b| + ridge / 2 sum b^2  in three nested steps.

- Columns are let in when the likelihood's slope there exceeds `lasso`, until none is left outside:
  the Karush-Kuhn-Tucker conditions, checked on all columns (Tibshirani et al., JRSS B 2012,
  74:245).
- On those, the likelihood is replaced by its quadratic approximation, with the whole information
  (glmnet keeps its diagonal), and its minimum is the next place, with step halving, until nothing
  moves.
- The quadratic problem is linear as long as no coefficient changes sign. So its minimum is followed
  from the present place on straight lines, from one change of sign to the next (Osborne, Presnell
  and Turlach, IMA J. Numer. Anal. 2000, 20:389). Where that fails, as with columns that repeat
  each other, coordinate descent goes on (Friedman, Hastie and Tibshirani, JSS 2010, 33(1)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from oncotrail.statistics.arrays import Floats
from oncotrail.statistics.regression.partial_likelihood import PartialLikelihood
from oncotrail.statistics.regression.risk_sets import Positions

SAME = 1e-9  # the last step moves no patient's linear predictor by more; its error is the square
MOST_STEPS = 200
MOST_SWEEPS = 100_000
MOST_CHANGES = 10  # of signs, per column


@dataclass(frozen=True)
class Penalised:
    """Coefficients (many exactly 0) and the log partial likelihood there, without the penalty."""

    coefficients: Floats
    value: float


def maximise_penalised(
    likelihood: PartialLikelihood, lasso: float, ridge: float, start: Floats
) -> Penalised:
    """The penalised maximum, from a start that is best the fit of a slightly larger penalty."""
    found, inside = start.copy(), start != 0
    while True:
        kept = np.flatnonzero(inside)
        found[kept], value = _on_columns(likelihood, kept, lasso, ridge, found[kept])
        outside = np.abs(slope(likelihood, found)) > lasso * (1 + 1e-9) + 1e-12
        if not (outside & ~inside).any():
            return Penalised(found, value)
        inside |= outside


def slope(likelihood: PartialLikelihood, coefficients: Floats) -> Floats:
    """The score of every column, without the information that `at` would add."""
    sets, weights, x = likelihood.sets, likelihood.weights, likelihood.covariates
    kept = np.flatnonzero(coefficients)
    few = replace(likelihood, covariates=x[:, kept])
    hazards = few.hazards(coefficients[kept])
    residual = -few.risk(coefficients[kept]) * sets.accumulate(hazards.full)
    residual[sets.events] += weights[sets.events]
    return np.asarray(residual @ x)


def saturated(likelihood: PartialLikelihood) -> float:
    """The log likelihood of a model that gives every event time the chance of what was seen."""
    tied = likelihood.sets.tied(likelihood.weights)
    return -float(tied @ np.log(tied))


def _on_columns(
    likelihood: PartialLikelihood, kept: Positions, lasso: float, ridge: float, start: Floats
) -> tuple[Floats, float]:
    few = replace(likelihood, covariates=likelihood.covariates[:, kept])
    place, now = start, few.at(start)
    for _ in range(MOST_STEPS):
        curvature = now.information + ridge * np.eye(kept.size)
        step = _quadratic(curvature, now.score + now.information @ place, lasso, place) - place
        if np.abs(few.covariates @ step).max() < SAME:
            return place + step, now.value + float(now.score @ step)
        before = now.value - _penalty(place, lasso, ridge)
        while True:  # it ends: at the latest with a step that rounds to nothing
            now = few.at(place + step)
            gain = now.value - _penalty(place + step, lasso, ridge) - before
            if np.isfinite(gain) and gain >= -1e-12 * (1 + abs(before)):
                break
            step = step / 2
        place = place + step
    raise ValueError(
        f"the penalised fit did not converge in {MOST_STEPS} steps at lasso {lasso:g}, ridge "
        f"{ridge:g}; expected larger penalties."
    )


def _penalty(coefficients: Floats, lasso: float, ridge: float) -> float:
    return float(lasso * np.abs(coefficients).sum() + ridge / 2 * coefficients @ coefficients)


def _quadratic(curvature: Floats, pull: Floats, lasso: float, start: Floats) -> Floats:
    """Minimise x' curvature x / 2 - pull' x + lasso sum |x|."""
    if lasso == 0 or pull.size == 0:  # linear, or nothing to find
        return np.asarray(np.linalg.solve(curvature, pull), dtype=np.float64)
    found = start.copy()
    rounding = 1e-12 * (1 + np.abs(pull).max(initial=0))
    for _ in range(MOST_SWEEPS):
        _follow(curvature, pull, lasso, found)
        slopes = pull - curvature @ found
        gap = np.where(found == 0, np.abs(slopes) - lasso, np.abs(slopes - lasso * np.sign(found)))
        still = 1e-13 * (1 + np.abs(found).max())
        if (gap <= rounding).all() or _sweep(curvature, pull, lasso, found) < still:
            return found
    raise ValueError(
        f"coordinate descent did not converge in {MOST_SWEEPS} sweeps at lasso {lasso:g}; "
        "expected larger penalties, or columns that repeat each other less."
    )


def _follow(curvature: Floats, pull: Floats, lasso: float, found: Floats) -> None:
    """Bring the minimum, in place, from the pull for which `found` is one to `pull`.

    Between two changes of sign it moves on a straight line. Where nothing is singular this ends at
    the minimum; otherwise it stops somewhere, which is for the caller to see.
    """
    slopes = pull - curvature @ found
    signs = np.sign(found)
    missing = slopes - np.where(signs == 0, np.clip(slopes, -lasso, lasso), lasso * signs)
    slopes, ahead = slopes - missing, 1.0
    for _ in range(MOST_CHANGES * found.size):
        kept = np.flatnonzero(signs)
        way = np.zeros_like(found)
        try:
            way[kept] = np.linalg.solve(curvature[np.ix_(kept, kept)], missing[kept])
        except np.linalg.LinAlgError:
            return
        turn = missing - curvature @ way
        place, part = _next_change(found, way, slopes, turn, signs=signs, lasso=lasso)
        step = min(part, ahead)
        found += step * way
        slopes += step * turn
        ahead -= step
        if ahead <= 0:
            return
        if signs[place]:
            found[place] = signs[place] = 0.0
        else:
            signs[place] = np.sign(turn[place])


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


def _sweep(curvature: Floats, pull: Floats, lasso: float, found: Floats) -> float:
    """One round of coordinate descent, in place; how far the furthest coordinate moved."""
    slopes = pull - curvature @ found
    furthest = 0.0
    for place, own in enumerate(np.diag(curvature).tolist()):
        before = float(found[place])
        aim = float(slopes[place]) + own * before
        after = math.copysign(max(abs(aim) - lasso, 0.0), aim) / own if own > 0 else 0.0
        if after != before:
            slopes -= curvature[place] * (after - before)
            found[place] = after
            furthest = max(furthest, abs(after - before))
    return furthest
