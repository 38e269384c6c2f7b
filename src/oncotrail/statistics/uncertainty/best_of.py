"""The best of N: what the winner of many tried models is expected to lose on new patients.

Whoever tries N models and reports the best reports luck along with merit. Three ways to say how
much, from what is at hand:

figures only           `expected_optimism`: the figures are normal about the truth, with a
                       covariance (DeLong's, or of the bootstrap's replicates; models tried on the
                       same patients err together, which makes luck smaller). The winner's error is
                       averaged over such figures. For N equally good, independent models this is
                       the expected maximum of N standard normals, `expected_maximum`, times the
                       standard error.
figures of each fold   `fold_correction`: the winner over all folds is held, fold by fold, against
                       that fold's own winner; the mean gap is how much choosing on the data that
                       judge gains (Tibshirani and Tibshirani, Annals of Applied Statistics 2009,
                       3:822). The corrected figure is a mean over folds too, of twice the winner's
                       figure less the fold's best, and has the interval of such a mean.
predictions            corrected_winner.py: the winner among patients drawn, looked at in those not
                       drawn.

None of them repairs a choice whose losers were not counted. The clean way costs N trainings in each
fold: nested cross-validation, where each outer fold repeats the whole choice on its training
patients and its winner alone meets the outer test patients. Its figures go to `fold_interval`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from oncotrail.statistics.arrays import Floats, checked_confidence, column, matrix
from oncotrail.statistics.uncertainty.cross_validation import NO_LIMITS, Limits, fold_interval
from oncotrail.statistics.uncertainty.endpoints import percentile_ends


@dataclass(frozen=True)
class Optimism:
    """How far the winner's figure is expected to lie above its own truth.

    In a share of `confidence` of such contests it lies between `low` and `high` above it (below,
    where negative). `standard_error` is the simulation's, not the figures'; `wins` is each model's
    chance to win.
    """

    value: float
    low: float
    high: float
    confidence: float
    standard_error: float
    wins: tuple[float, ...]
    draws: int


@dataclass(frozen=True)
class FoldCorrection:
    """The winner (its column, from 0), its mean over folds, and that less the optimism.

    `low` and `high` are of `corrected`, None where no fold differs.
    """

    winner: int
    apparent: float
    optimism: float
    corrected: float
    low: float | None
    high: float | None
    confidence: float
    folds: int


def expected_maximum(models: int) -> float:
    """Mean of the largest of N independent standard normals, by quadrature.

    Times the standard error of a figure: what the best of N equally good models gains by luck.

    >>> round(expected_maximum(10), 4)
    1.5388
    """
    if models < 1:
        raise ValueError(f"found {models} models; expected at least 1.")
    # The trapezoid rule is exact to rounding where all derivatives vanish at both ends.
    step = 0.001
    x = np.arange(1, 40_001) * step
    # The largest lies at x so much more often than at -x: exactly as often, of one.
    more = ndtr(x) ** (models - 1) - ndtr(-x) ** (models - 1)
    density = models * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * more
    return float((x * density).sum() * step)


def expected_optimism(
    truth: ArrayLike,
    covariance: ArrayLike,
    *,
    generator: np.random.Generator,
    confidence: float = 0.95,
    draws: int = 100_000,
) -> Optimism:
    """How much the winner's figure is expected to exceed its truth, by simulation.

    `truth` holds the models' figures (higher is better) as they are believed to be. All equal is
    the most pessimistic belief. The figures found are the most lenient: they lie further apart than
    the truth, so that the winner looks safer than it is. `covariance` is of the figures' errors.

    >>> random = np.random.default_rng(1)
    >>> found = expected_optimism([0.8, 0.8], np.eye(2) * 0.03**2, generator=random)
    >>> round(found.value, 3), round(0.03 * expected_maximum(2), 3)
    (0.017, 0.017)
    """
    checked_confidence(confidence)
    believed = column(truth, "truth")
    if draws < 2:
        raise ValueError(f"found {draws} draws; expected at least 2.")
    errors = generator.standard_normal((draws, believed.size)) @ _root(covariance, believed.size).T
    winner = np.argmax(believed + errors, axis=1)
    luck = errors[np.arange(draws), winner]
    wins = np.bincount(winner, minlength=believed.size) / draws
    error, ends = float(luck.std(ddof=1)) / math.sqrt(draws), percentile_ends(luck, confidence)
    value, every = float(luck.mean()), tuple(wins.tolist())
    return Optimism(value, ends.low, ends.high, confidence, error, every, draws)


def fold_correction(
    figures: ArrayLike,
    *,
    train: ArrayLike,
    test: ArrayLike,
    confidence: float = 0.95,
    limits: Limits = NO_LIMITS,
) -> FoldCorrection:
    """Tibshirani and Tibshirani's correction, from figures of folds x models; higher is better.

    `train` and `test` are the numbers of patients, as for `fold_interval`, whose interval it is; it
    takes the winner as given. Of several best models the first is the winner. `limits` are those of
    the figure (0 and 1 of an area); the corrected figure and its interval are cut there.

    >>> figures = [[0.8, 0.7], [0.6, 0.8], [0.9, 0.7]]
    >>> found = fold_correction(figures, train=200, test=100)
    >>> found.winner, round(found.apparent, 3), round(found.optimism, 3), round(found.corrected, 3)
    (0, 0.767, 0.067, 0.7)
    """
    found = matrix(figures, "figures")
    for model, each in enumerate(found.T):
        column(each, f"figures of model {model}", low=limits[0], high=limits[1])
    means = found.mean(axis=0)
    winner, apparent = int(np.argmax(means)), float(means.max())
    gaps = found.max(axis=1) - found[:, winner]
    corrected = fold_interval(
        found[:, winner] - gaps, train=train, test=test, confidence=confidence
    )
    return FoldCorrection(
        winner=winner,
        apparent=apparent,
        optimism=float(gaps.mean()),
        corrected=_within(corrected.value, limits),
        low=None if corrected.low is None else _within(corrected.low, limits),
        high=None if corrected.high is None else _within(corrected.high, limits),
        confidence=confidence,
        folds=len(found),
    )


def _within(value: float, limits: Limits) -> float:
    return min(max(value, limits[0]), limits[1])


def _root(covariance: ArrayLike, models: int) -> Floats:
    """A matrix whose product with its transpose is the covariance, which may be singular."""
    found = matrix(covariance, "covariance", models)
    largest = float(np.abs(found).max())
    if found.shape != (models, models) or not np.allclose(found, found.T, atol=1e-9 * largest):
        raise ValueError(
            f"found a covariance of shape {found.shape}; expected a symmetric one, "
            f"{models} x {models}."
        )
    values, vectors = np.linalg.eigh(found)
    if values.min() < -1e-9 * largest:
        raise ValueError(
            f"found a covariance with eigenvalue {values.min():g}; expected none below 0."
        )
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
