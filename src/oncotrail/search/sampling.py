"""Optuna's samplers and pruners, as the study file asks for them.

A sampler is made anew for each trial, from the search's seed and the trial's number, and learns
what it knows from the trials before. So a search that was killed goes on exactly as it would have,
and no two trials draw from the same stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oncotrail.record import generator
from oncotrail.study.search import (
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    RandomSampler,
    TreeParzen,
)

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler


def sampler_of(asked: TreeParzen | RandomSampler, seed: int) -> Callable[[int], BaseSampler]:
    """The sampler of each trial, by its number."""

    def make(number: int) -> BaseSampler:
        from optuna.samplers import RandomSampler as Random
        from optuna.samplers import TPESampler

        own = int(generator(seed, "sampler", str(number)).integers(2**32))
        if isinstance(asked, RandomSampler):
            return Random(seed=own)
        return TPESampler(
            seed=own, n_startup_trials=asked.startup_trials, multivariate=True, constant_liar=True
        )

    return make


def pruner_of(
    asked: MedianPruner | HyperbandPruner | NoPruner, epochs: int, seed: int
) -> BasePruner:
    """The pruner of trials that last so many epochs."""
    from optuna import pruners

    if isinstance(asked, MedianPruner):
        return pruners.MedianPruner(asked.startup_trials, asked.warm_up_epochs)
    if isinstance(asked, HyperbandPruner):
        from oncotrail.search.hyperband import Hyperband

        return Hyperband(asked.least_epochs, epochs, asked.reduction, seed)
    return pruners.NopPruner()
