"""How much a model's figures move when it is trained again from another seed.

Everything else stays: patients, split, settings. What is reported of a model otherwise is its first
seed's, the one that is served; here stand all of them, their mean and their standard deviation. The
intervals (of the mean by Student's t, of the deviation by chi-squared) cover other seeds on these
same patients, and say nothing of other patients.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from oncotrail.evaluation.folds import Judgement, judge_folds
from oncotrail.evaluation.performance import ModelPerformance, performances
from oncotrail.statistics.intervals import Estimate
from oncotrail.statistics.uncertainty.cross_validation import (
    NO_LIMITS,
    Limits,
    Repeated,
    SeedSpread,
    seed_interval,
    seed_spread,
)
from oncotrail.study.evaluation import AT_THRESHOLD, CALIBRATION, DISCRIMINATION

LIMITS: Mapping[str, Limits] = {
    **dict.fromkeys((*DISCRIMINATION, *AT_THRESHOLD), (0, 1)),
    **dict.fromkeys(CALIBRATION, NO_LIMITS),
    "mcc": (-1, 1),
    "observed_expected": (0, math.inf),
    "brier": (0, 1),
    "scaled_brier": (-math.inf, 1),
}


@dataclass(frozen=True)
class Spread:
    """One figure under each seed, its mean over them, and how far it scatters."""

    figures: tuple[Estimate, ...]
    mean: Repeated
    deviation: SeedSpread


@dataclass(frozen=True)
class OverSeeds:
    """One model, judged under each of its seeds; the first is the one reported elsewhere."""

    model: str
    seeds: tuple[ModelPerformance, ...]
    roles: Mapping[str, Mapping[str, Spread]]  # role -> metric; not those undefined under a seed


def of_first_seed(predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows of each model's first seed: of the trainings that are served."""
    first = predictions.groupby("model", sort=False)["seed"].transform("min")
    return predictions[(predictions["seed"] == first).astype(bool)].reset_index(drop=True)


def over_seeds(
    predictions: pd.DataFrame,
    cohort: pd.DataFrame,
    split: pd.DataFrame,
    outcome: str,
    confidence: float,
) -> tuple[OverSeeds, ...]:
    """Every model that has several seeds, under each of them."""
    found = []
    for model, rows in predictions.groupby("model", sort=False):
        seeds = sorted({int(seed) for seed in rows["seed"]})
        if len(seeds) > 1:
            judged = [
                judge_folds(rows[(rows["seed"] == seed).astype(bool)], cohort, split, outcome)
                for seed in seeds
            ]
            found.append(_over(str(model), judged, confidence))
    return tuple(found)


def _over(model: str, judged: Sequence[Judgement], confidence: float) -> OverSeeds:
    seeds = tuple(each for one in judged for each in performances(one, confidence))
    roles = {role: dict(_spreads(seeds, role, confidence)) for role in judged[0].roles}
    return OverSeeds(model, seeds, roles)


def _spreads(
    seeds: Sequence[ModelPerformance], role: str, confidence: float
) -> Iterator[tuple[str, Spread]]:
    every = [seed.roles[role].figures() for seed in seeds]
    for metric, limits in LIMITS.items():
        known = tuple(each for of in every if (each := of[metric]) is not None)
        if len(known) == len(every):
            values = [each.value for each in known]
            mean = seed_interval(values, confidence, limits=limits)
            yield metric, Spread(known, mean, seed_spread(values, confidence))
