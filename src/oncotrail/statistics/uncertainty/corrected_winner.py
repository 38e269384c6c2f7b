"""What the winner of N tried models reaches on patients who did not choose it.

Given held-out predictions of all N models, patients are resampled; the winner among those drawn is
chosen, and looked at in those not drawn, about 37 % of them. The mean over resamples is the
corrected figure, and the percentiles are its interval (BBC-CV; Tsamardinos et al., Machine Learning
2018, 107:1895). It needs no training, and no belief about the models' truth, unlike best_of.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Integers, Undefined, binary, matrix
from oncotrail.statistics.uncertainty.endpoints import defined_replicates, percentile_ends
from oncotrail.statistics.uncertainty.metrics import Metric
from oncotrail.statistics.uncertainty.resampling import Resamples


@dataclass(frozen=True)
class CorrectedWinner:
    """The winner on all patients, its figure there, and what winners reach in patients not drawn.

    `wins` is the share of resamples that each model won; they add up to less than 1 where some
    resamples had no figure of any. `undefined` resamples had none, or none in the patients not
    drawn.
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
    better. Where a model has no figure among the patients drawn it cannot win; of several best the
    first wins. More than a share of `most_undefined` undefined resamples are refused.

    >>> from oncotrail.statistics.uncertainty.metrics import auc
    >>> from oncotrail.statistics.uncertainty.resampling import resample
    >>> random = np.random.default_rng(1)
    >>> labels, noise = np.repeat([0, 1], 50), random.random((100, 20))
    >>> drawn = resample(range(100), strata=labels, generator=random, number=500)
    >>> found = corrected_winner(auc, labels, noise, drawn)
    >>> bool(found.apparent > 0.58), bool(found.corrected < 0.54)
    (True, True)
    """
    outcome = binary(labels, "labels")
    models = matrix(scores, "scores", outcome.size)
    figures = [partial(metric, outcome, model) for model in models.T]
    whole = np.array([figure(np.ones((1, outcome.size)))[0] for figure in figures])
    if not np.isfinite(whole).all():
        raise Undefined("found a model whose figure is undefined on these patients.")
    wins, reached = _wins_and_reached(figures, resamples)
    kept = defined_replicates(reached, confidence, most_undefined)
    ends = percentile_ends(kept, confidence)
    return CorrectedWinner(
        winner=int(np.argmax(whole)),
        apparent=float(whole.max()),
        corrected=float(kept.mean()),
        low=ends.low,
        high=ends.high,
        confidence=confidence,
        wins=tuple((wins / resamples.number).tolist()),
        n=resamples.clusters.n,
        resamples=resamples.number,
        undefined=resamples.number - kept.size,
    )


def _wins_and_reached(
    figures: list[partial[Floats]], resamples: Resamples
) -> tuple[Integers, Floats]:
    """How often each model won, and each resample's winner's figure in the patients not drawn."""
    wins, reached = np.zeros(len(figures), dtype=np.int_), []
    for counts in resamples.blocks():
        inside = resamples.clusters.weights(counts)
        drawn = np.array([figure(inside) for figure in figures])  # models x resamples
        won = np.argmax(np.where(np.isfinite(drawn), drawn, -np.inf), axis=0)
        chosen = np.isfinite(drawn).any(axis=0)
        outside = np.array([figure((inside == 0).astype(np.float64)) for figure in figures])
        wins += np.bincount(won[chosen], minlength=len(figures))
        reached.append(np.where(chosen, outside[won, np.arange(won.size)], np.nan))
    return wins, np.concatenate(reached)
