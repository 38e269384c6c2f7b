"""Hyperband whose brackets a kill does not move: successive halving with several budgets at once.

Optuna's own draws a trial's bracket from its number there, and each start of a trial has another
one. Here it is drawn from ours. A start that was cut off competes with nobody, for its trial says
the same again in another; and a sampler learns from the trials of all brackets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING

from optuna import Study
from optuna.pruners import BasePruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

from oncotrail.record import generator
from oncotrail.search.ledger import NUMBER, is_over

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class Hyperband(BasePruner):
    """Each bracket halves its own trials, the later ones less early (Li 2018)."""

    def __init__(self, least_epochs: int, epochs: int, reduction: int, seed: int) -> None:
        count = 1
        while least_epochs * reduction**count <= epochs:
            count += 1
        trials = [ceil(count * reduction**left / (left + 1)) for left in reversed(range(count))]
        self._up_to = list(accumulate(trials))
        self._halving = [
            SuccessiveHalvingPruner(least_epochs, reduction, bracket) for bracket in range(count)
        ]
        self._seed = seed

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether it is not among the best of its bracket."""
        bracket = self._bracket(trial)
        return self._halving[bracket].prune(_Rivals(study, self, bracket), trial)

    def competes(self, start: FrozenTrial, bracket: int) -> bool:
        """Whether its figures count in this bracket."""
        under_way = start.state == TrialState.RUNNING and NUMBER in start.user_attrs
        return (under_way or is_over(start)) and self._bracket(start) == bracket

    def _bracket(self, trial: FrozenTrial) -> int:
        """Drawn as often as Hyperband gives it trials."""
        random = generator(self._seed, "bracket", str(trial.user_attrs[NUMBER]))
        return bisect_right(self._up_to, int(random.integers(self._up_to[-1])))


class _Rivals(Study):
    """The study, as halving sees it: the trials of one bracket."""

    def __init__(self, study: Study, hyperband: Hyperband, bracket: int) -> None:
        self.__dict__.update(study.__dict__)
        self._hyperband, self._bracket = hyperband, bracket

    def get_trials(
        self,
        deepcopy: bool = True,  # noqa: FBT002 - Optuna's signature
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Those whose figures count."""
        starts = super().get_trials(deepcopy, states)
        return [start for start in starts if self._hyperband.competes(start, self._bracket)]
