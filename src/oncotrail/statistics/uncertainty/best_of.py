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
                       3:822).
predictions            `corrected_winner`: patients are resampled; the winner among those drawn is
                       chosen, and looked at in those not drawn (BBC-CV; Tsamardinos et al., Machine
                       Learning 2018, 107:1895). Given held-out predictions of all N models it needs
                       no training.

None of them repairs a choice whose losers were not counted. The clean way costs N trainings in each
fold: nested cross-validation, where each outer fold repeats the whole choice on its training
patients and its winner alone meets the outer test patients. Its figures go to `fold_interval`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from oncotrail.statistics.arrays import Floats, checked_confidence, column, matrix, scored
from oncotrail.statistics.uncertainty.endpoints import percentile_ends
from oncotrail.statistics.uncertainty.resampling import Resamples

Metric = Callable[[ArrayLike, ArrayLike, ArrayLike], Floats]


@dataclass(frozen=True)
class Optimism:
    """How far the winner's figure is expected to lie above its own truth.

    `standard_error` is the simulation's, not the figures'; `wins` is each model's chance to win.
    """

    value: float
    standard_error: float
    wins: tuple[float, ...]
    draws: int


@dataclass(frozen=True)
class FoldCorrection:
    """The winner (its column, from 0), its mean over folds, and that less the optimism."""

    winner: int
    apparent: float
    optimism: float
    corrected: float
    folds: int


@dataclass(frozen=True)
class CorrectedWinner:
    """The winner on all patients, its figure there, and what winners reach in patients not drawn.

    `wins` is the share of resamples that each model won; `undefined` resamples had no figure in
    the patients not drawn.
    """

    winner: int
    apparent: float
    corrected: float
    low: float
    high: float
    confidence: float
    wins: tuple[float, ...]
    n: int
    resamples: int
    undefined: int


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
    x = np.arange(-40_000, 40_001) * step
    density = models * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * ndtr(x) ** (models - 1)
    return float((x * density).sum() * step)


def expected_optimism(
    truth: ArrayLike,
    covariance: ArrayLike,
    *,
    generator: np.random.Generator,
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
    believed = column(truth, "truth")
    if draws < 2:
        raise ValueError(f"found {draws} draws; expected at least 2.")
    errors = generator.standard_normal((draws, believed.size)) @ _root(covariance, believed.size).T
    winner = np.argmax(believed + errors, axis=1)
    luck = errors[np.arange(draws), winner]
    wins = np.bincount(winner, minlength=believed.size) / draws
    error = float(luck.std(ddof=1)) / math.sqrt(draws)
    return Optimism(float(luck.mean()), error, tuple(wins.tolist()), draws)


def fold_correction(figures: ArrayLike) -> FoldCorrection:
    """Tibshirani and Tibshirani's correction, from figures of folds x models; higher is better.

    Of several best models the first is the winner.

    >>> found = fold_correction([[0.8, 0.7], [0.6, 0.8], [0.9, 0.7]])
    >>> found.winner, round(found.apparent, 3), round(found.optimism, 3)
    (0, 0.767, 0.067)
    """
    found = matrix(figures, "figures")
    means = found.mean(axis=0)
    winner, apparent = int(np.argmax(means)), float(means.max())
    optimism = float((found.max(axis=1) - found[:, winner]).mean())
    return FoldCorrection(winner, apparent, optimism, apparent - optimism, len(found))


def corrected_winner(
    metric: Metric,
    labels: ArrayLike,
    scores: ArrayLike,
    resamples: Resamples,
    *,
    confidence: float = 0.95,
    most_undefined: float = 0.05,
) -> CorrectedWinner:
    """The winner's figure, corrected by choosing among the patients drawn and looking at the rest.

    `scores` are held-out predictions, rows x models; `metric` is one of `metrics`, higher is
    better. The interval is the percentiles of what winners reach in the patients not drawn. Where a
    model has no figure among the patients drawn it cannot win; of several best the first wins.

    >>> from oncotrail.statistics.uncertainty.metrics import auc
    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> random = np.random.default_rng(1)
    >>> labels, noise = np.repeat([0, 1], 50), random.random((100, 20))
    >>> drawn = resample(range(100), strata=labels, generator=random, number=500)
    >>> found = corrected_winner(auc, labels, noise, drawn)
    >>> bool(found.apparent > 0.58), bool(found.corrected < 0.54)
    (True, True)
    """
    checked_confidence(confidence)
    models = matrix(scores, "scores", scored(labels, np.asarray(scores)[:, 0]).n)
    figures = [partial(metric, labels, model) for model in models.T]
    whole = np.array([figure(np.ones((1, len(models))))[0] for figure in figures])
    if not np.isfinite(whole).all():
        raise ValueError("found a model whose figure is undefined on these patients.")
    winner, reached = _chosen_and_reached(figures, resamples)
    kept = reached[np.isfinite(reached)]
    undefined = reached.size - kept.size
    if undefined > most_undefined * reached.size or kept.size < 2 / (1 - confidence) - 1 - 1e-9:
        raise ValueError(
            f"found {undefined} of {reached.size} resamples undefined in the patients not drawn; "
            f"expected at most a share of {most_undefined:g}, and 2000 resamples are usual. "
            "Stratify by outcome."
        )
    ends = percentile_ends(kept, confidence)
    return CorrectedWinner(
        winner=int(np.argmax(whole)),
        apparent=float(whole.max()),
        corrected=float(kept.mean()),
        low=ends.low,
        high=ends.high,
        confidence=confidence,
        wins=tuple((np.bincount(winner, minlength=whole.size) / winner.size).tolist()),
        n=resamples.clusters.n,
        resamples=reached.size,
        undefined=undefined,
    )


def _chosen_and_reached(
    figures: list[partial[Floats]], resamples: Resamples
) -> tuple[Floats, Floats]:
    """Each resample's winner, and its figure in the patients not drawn."""
    winners, reached = [], []
    for counts in resamples.blocks():
        inside = resamples.clusters.weights(counts)
        drawn = np.array([figure(inside) for figure in figures])
        winner = np.argmax(np.where(np.isfinite(drawn), drawn, -np.inf), axis=0)
        outside = np.array([figure((inside == 0).astype(np.float64)) for figure in figures])
        winners.append(winner)
        reached.append(outside[winner, np.arange(winner.size)])
    return np.concatenate(winners), np.concatenate(reached)


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
