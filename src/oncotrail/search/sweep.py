"""The driver of a search: it alone asks, tells and prunes; workers only train.

    go on with what is there, or queue the declared settings as trial 0
    while there is a place free and a trial to start, or a trial under way:
        start trials in the free places
        hear the next thing that any worker says:
            an epoch        record it, and answer whether to go on
            an end          tell Optuna, and let the listener know
            a death         queue the trial again, from its checkpoint; not for ever

One process writes, so there is nothing to race and nothing to lose.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from oncotrail.errors import UserFault
from oncotrail.search import space
from oncotrail.search.interruption import uninterrupted
from oncotrail.search.job import Answer, Died, Done, Epoch, Event, Failed, Job
from oncotrail.search.ledger import Ledger, Start
from oncotrail.search.outcome import Found, TrialResult
from oncotrail.search.reading import CHECKPOINTS, found_in, result_of, trial_folder
from oncotrail.search.sampling import pruner_of, sampler_of
from oncotrail.search.storage import Direction, Place, opened
from oncotrail.study.search import Search

if TYPE_CHECKING:
    from oncotrail.search.workers import Workers


class WorkerFault(Exception):
    """A fault of our code in a worker; the message is its traceback."""


class Listener(Protocol):
    """Who watches a search."""

    def started(self, number: int, parameters: Mapping[str, Any]) -> None:
        """A trial starts, or goes on."""
        ...

    def epoch(self, number: int, epoch: int, figures: Mapping[str, float]) -> None:
        """A trial has trained another epoch."""
        ...

    def ended(self, result: TrialResult) -> None:
        """A trial is over."""
        ...

    def cut_off(self, number: int, reason: str) -> None:
        """A trial's worker died; it goes on in another."""
        ...


@dataclass(frozen=True)
class Plan:
    """What a search is to do, without where and with whom."""

    asked: Search
    trials: int  # in all, those of earlier searches among them
    declared: Mapping[str, Any]  # trial 0, by dotted setting
    epochs: int  # that a trial lasts at most
    seed: int  # of the sampler
    trial_seed: int  # of every trial: they differ in their settings alone

    @property
    def higher_is_better(self) -> bool:
        """Of the objective."""
        return not self.asked.objective.endswith("_loss")


@dataclass
class _Flight:
    """A start that a worker is carrying out."""

    start: Start
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    last: int = 0  # epoch that was heard
    is_pruned: bool = False


def sweep(plan: Plan, place: Place, workers: Workers, listener: Listener) -> Found:
    """Search until all trials are over; the workers are closed at the end, however it comes."""
    direction: Direction = "maximize" if plan.higher_is_better else "minimize"
    with opened(place, direction) as study:
        study.pruner = pruner_of(plan.asked.pruner, plan.epochs, plan.seed)
        ledger = Ledger(study, space.distributions(plan.asked.space), plan.trials)
        try:
            with uninterrupted():
                ledger.begin(space.encoded(plan.declared))
            _Sweep(plan, place.folder, ledger, workers, listener).run()
        except BaseException:  # a Ctrl-C, a fault, a cluster that is lost
            with uninterrupted():
                ledger.interrupted()
            raise
        finally:
            workers.close()
        return found_in(ledger.ended(), plan.asked, place.folder)


class _Sweep:
    """One driver's run: who is doing what."""

    def __init__(
        self, plan: Plan, folder: Path, ledger: Ledger, workers: Workers, listener: Listener
    ) -> None:
        self._plan, self._folder, self._ledger = plan, folder, ledger
        self._workers, self._listener = workers, listener
        self._sampler_of = sampler_of(plan.asked.sampler, plan.seed)
        self._flights: dict[int, _Flight] = {}

    def run(self) -> None:
        with uninterrupted():
            self._fill()
        while self._flights:
            place, event = self._workers.wait()  # where a Ctrl-C is heard
            with uninterrupted():
                if place in self._flights:  # else one died of whom nothing was asked
                    self._hear(place, self._flights[place], event)
                self._fill()

    def _fill(self) -> None:
        """A trial for every free place, as long as there are any."""
        for place in range(self._workers.count):
            if place in self._flights:
                continue
            start = self._ledger.next(self._sampler_of)
            if start is None:
                return
            self._flights[place] = _Flight(start)
            self._begin(place, start)

    def _begin(self, place: int, start: Start) -> None:
        parameters = space.parameters(self._plan.asked.space, start.sampled)
        folder = trial_folder(self._folder, start.number)
        folder.mkdir(parents=True, exist_ok=True)
        self._listener.started(start.number, parameters)
        self._workers.start(place, Job(parameters, self._plan.trial_seed, str(folder.resolve())))

    def _hear(self, place: int, flight: _Flight, event: Event) -> None:
        if isinstance(event, Epoch):
            self._workers.answer(place, go_on=self._goes_on(flight, event))
            return
        del self._flights[place]
        if isinstance(event, Done):
            self._done(flight, event.answer)
        elif isinstance(event, Failed):
            self._failed(flight, event)
        else:
            self._died(flight, event)

    def _goes_on(self, flight: _Flight, said: Epoch) -> bool:
        """Record an epoch; whether the pruner lets the trial live."""
        number, trial = flight.start.number, flight.start.trial
        flight.last = said.epoch
        for name, value in said.figures.items():
            flight.curves.setdefault(name, []).append([said.epoch, value])
        self._listener.epoch(number, said.epoch, said.figures)
        trial.report(said.figures[self._plan.asked.objective], said.epoch)
        flight.is_pruned = said.epoch < self._plan.epochs and trial.should_prune()
        return not flight.is_pruned

    def _done(self, flight: _Flight, answer: Answer) -> None:
        value = None if flight.is_pruned else answer.figures[self._plan.asked.objective]
        self._ledger.told(flight.start, answer, flight.curves, value)
        self._over(flight)

    def _failed(self, flight: _Flight, event: Failed) -> None:
        if event.lies_in == "code":
            raise WorkerFault(event.reason)
        if event.lies_in == "user":
            raise UserFault(event.reason)
        self._ledger.failed(flight.start, event.reason, flight.curves)
        self._over(flight)

    def _died(self, flight: _Flight, event: Died) -> None:
        if flight.start.deaths < self._plan.asked.retries:
            self._ledger.cut_off(flight.start)
            self._listener.cut_off(flight.start.number, event.reason)
            return
        reason = f"{event.reason}, as did {flight.start.deaths} before"
        self._ledger.failed(flight.start, reason, flight.curves)
        self._over(flight)

    def _over(self, flight: _Flight) -> None:
        """Its checkpoints are of no more use; it is told last, when all of it is recorded."""
        folder = trial_folder(self._folder, flight.start.number)
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        self._listener.ended(result_of(self._ledger.last(flight.start), self._plan.asked, folder))
