"""The trials of a search in Optuna's study: numbered by us, each perhaps started several times.

A start is one of Optuna's trials. Where it was cut off, another start of the same trial waits in
the queue, with the same settings, seed and folder, so it goes on from its checkpoint:

    asked     a start is RUNNING; it has our number as soon as its settings are known
    told      COMPLETE or PRUNED with its answer, or FAIL with a reason: the trial is over
    cut off   FAIL without a reason, and a WAITING start of the same number

Whatever the moment of a kill, one of those is what the database holds. There is one driver, so a
start that is RUNNING when a driver begins was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oncotrail.search.job import Answer
from oncotrail.search.outcome import Curves

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

NUMBER, DEATHS, REASON, ANSWER, CURVES = "number", "deaths", "reason", "answer", "curves"


@dataclass(frozen=True)
class Start:
    """One start of a trial."""

    trial: Trial
    number: int
    deaths: int  # workers that died over it before

    @property
    def sampled(self) -> Mapping[str, Any]:
        """Its settings, as Optuna has them."""
        return self.trial.params


class Ledger:
    """What was asked and told; `budget` trials in all."""

    def __init__(
        self, study: Study, distributions: Mapping[str, BaseDistribution], budget: int
    ) -> None:
        self._study = study
        self._distributions = dict(distributions)
        self._budget = budget

    def begin(self, first: Mapping[str, Any]) -> None:
        """Queue the declared settings if nothing was asked yet, and settle what a kill left."""
        if not any(NUMBER in start.user_attrs for start in self._starts()):
            self._study.enqueue_trial(dict(first), user_attrs={NUMBER: 0, DEATHS: 0})
        self.interrupted()

    def next(self, sampler_of: Callable[[int], BaseSampler]) -> Start | None:
        """Ask for the next start, of `sampler_of(number)`; None where all are asked."""
        number = self._next_number()
        if number is None:
            return None
        self._study.sampler = sampler_of(number)
        trial = self._study.ask(self._distributions)
        while trial.user_attrs.get(NUMBER, number) >= self._budget:  # it waits for more trials
            self._requeue(self._recorded(trial), trial.user_attrs[DEATHS])
            trial = self._study.ask(self._distributions)
        if NUMBER not in trial.user_attrs:
            trial.set_user_attr(DEATHS, 0)
            trial.set_user_attr(NUMBER, number)  # last: without it, the start counts for nothing
        return Start(trial, trial.user_attrs[NUMBER], trial.user_attrs[DEATHS])

    def told(self, start: Start, answer: Answer, curves: Curves, value: float | None) -> None:
        """The trial is over: with a value complete, without one pruned."""
        from optuna.trial import TrialState

        said = {"figures": answer.figures, "files": answer.files, "more": answer.more}
        start.trial.set_user_attr(CURVES, curves)
        start.trial.set_user_attr(ANSWER, {**said, "value": value})
        state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        self._study.tell(start.trial, value, state=state)

    def failed(self, start: Start, reason: str, curves: Curves) -> None:
        """The trial is over, and says why."""
        from optuna.trial import TrialState

        start.trial.set_user_attr(CURVES, curves)
        start.trial.set_user_attr(REASON, reason)
        self._study.tell(start.trial, state=TrialState.FAIL)

    def interrupted(self) -> None:
        """Leave nothing running: the trials go on another time."""
        from optuna.trial import TrialState

        for start in self._starts():
            if start.state == TrialState.RUNNING:
                self._settle(start)

    def cut_off(self, start: Start) -> None:
        """Its worker died: the trial goes on in another start."""
        self._requeue(self.last(start), start.deaths + 1)

    def last(self, start: Start) -> FrozenTrial:
        """A start as it is recorded now."""
        return self._recorded(start.trial)

    def ended(self) -> list[FrozenTrial]:
        """The last start of each trial within the budget that is over, by our number."""
        found = {start.user_attrs[NUMBER]: start for start in self._starts() if is_over(start)}
        return [found[number] for number in sorted(found) if number < self._budget]

    def _settle(self, start: FrozenTrial) -> None:
        """End a start that a kill left running: as was about to be told, or to be gone on with."""
        from optuna.trial import TrialState

        if ANSWER not in start.user_attrs:
            self._requeue(start, start.user_attrs.get(DEATHS, 0))
            return
        value = start.user_attrs[ANSWER]["value"]
        state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        self._study.tell(start.number, value, state=state)

    def _requeue(self, start: FrozenTrial, deaths: int) -> None:
        """Queue another start, then end this one: in this order a kill between them loses none."""
        from optuna.trial import TrialState

        number = start.user_attrs.get(NUMBER)
        if number is not None and REASON not in start.user_attrs:
            waiting = [s for s in self._starts() if s.state == TrialState.WAITING]
            if number not in [s.user_attrs.get(NUMBER) for s in waiting]:
                attributes = {NUMBER: number, DEATHS: deaths}
                self._study.enqueue_trial(start.params, user_attrs=attributes)
        self._study.tell(start.number, state=TrialState.FAIL)

    def _next_number(self) -> int | None:
        """Of the start that `ask` will give: one that waits, or a new one."""
        from optuna.trial import TrialState

        numbered = [s for s in self._starts() if NUMBER in s.user_attrs]
        waiting = [int(s.user_attrs[NUMBER]) for s in numbered if s.state == TrialState.WAITING]
        within = [number for number in waiting if number < self._budget]
        if within:
            return min(within)
        number = max((int(s.user_attrs[NUMBER]) for s in numbered), default=-1) + 1
        return number if number < self._budget else None

    def _recorded(self, trial: Trial) -> FrozenTrial:
        return next(start for start in self._starts() if start.number == trial.number)

    def _starts(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)


def is_over(start: FrozenTrial) -> bool:
    """Whether this start ended its trial."""
    from optuna.trial import TrialState

    ended = start.state in (TrialState.COMPLETE, TrialState.PRUNED) or REASON in start.user_attrs
    return NUMBER in start.user_attrs and ended
