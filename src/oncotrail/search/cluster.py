"""Workers of a Ray cluster: an actor each, which carries out the same jobs as a local process.

An actor trains in one of its threads and answers the driver in another; its own process has its
share of the threads in its environment before it starts. Ray restarts nothing here: an actor whose
machine is lost is a worker that died, and its trial goes on in another from its checkpoint.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from oncotrail.errors import UserFault
from oncotrail.search.job import (
    Died,
    Epoch,
    Event,
    Job,
    Objective,
    Train,
    carry_out,
    from_json,
    to_json,
)
from oncotrail.search.machine import WORKERS
from oncotrail.search.workers import environment

THREADS_OF_ACTOR = 3  # one trains, one tells, one hears
SECONDS_TO_WAIT = 1.0  # between looks at Ctrl-C


class Actor:
    """One worker, in a process of the cluster's."""

    def __init__(self, objective: dict[str, Any]) -> None:
        self._objective = Objective(**objective)
        self._train: Train | None = None
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def carry_out(self, job: dict[str, Any]) -> None:
        """Train one trial; what it says is fetched with `said`."""
        self._said.put(to_json(carry_out(self._prepared, Job(**job), self._ask)))

    def said(self) -> dict[str, Any]:
        """The next thing that the trial says; waits for it."""
        return self._said.get()

    def hear(self, *, go_on: bool) -> None:
        """The driver's answer to an epoch."""
        self._heard.put(go_on)

    def _ask(self, epoch: Epoch) -> bool:
        self._said.put(to_json(epoch))
        return self._heard.get()

    def _prepared(self) -> Train:
        if self._train is None:
            self._train = self._objective.prepared()
        return self._train


class RayWorkers:
    """Actors of the cluster at an address, started when they are needed."""

    def __init__(self, objective: Objective, count: int, threads: int, address: str) -> None:
        self.count = count
        self._address = address
        self._ray = _connected(address)
        self._check_room(threads)
        self._make = partial(_actor, self._ray, asdict(objective), threads)
        self._actors: dict[int, Any] = {}
        self._awaited: dict[Any, int] = {}  # what an actor will say -> its place

    def start(self, place: int, job: Job) -> None:
        with self._reached():
            if place not in self._actors:
                self._actors[place] = self._make()
            self._actors[place].carry_out.remote(asdict(job))
            self._await(place)

    def wait(self) -> tuple[int, Event]:
        with self._reached():
            return self._next()

    def _next(self) -> tuple[int, Event]:
        ready: list[Any] = []
        while not ready:
            ready, _ = self._ray.wait(list(self._awaited), num_returns=1, timeout=SECONDS_TO_WAIT)
        place = self._awaited.pop(ready[0])
        try:
            said = from_json(self._ray.get(ready[0]))
        except self._ray.exceptions.RayError as error:
            del self._actors[place]
            return place, Died(f"its worker on the cluster was lost ({_in_short(error)})")
        return place, said

    def answer(self, place: int, *, go_on: bool) -> None:
        with self._reached():
            self._actors[place].hear.remote(go_on=go_on)
            self._await(place)

    def close(self) -> None:
        if self._ray.is_initialized():  # else it was lost, and they with it
            for actor in self._actors.values():
                self._ray.kill(actor)
        self._actors.clear()
        self._awaited.clear()
        self._ray.shutdown()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say in a sentence that the cluster was lost; Ray's client has no type for that."""
        try:
            yield
        except Exception as error:
            if self._ray.is_initialized() and not isinstance(error, ConnectionError):
                raise
            message = (
                f"the Ray cluster at {self._address} was lost ({_in_short(error)}); what is "
                "finished is kept: the same call goes on, here or on another cluster."
            )
            raise UserFault(message) from error

    def _check_room(self, threads: int) -> None:
        """Refuse more workers than fit: the last ones would be waited for without end."""
        there = int(self._ray.cluster_resources().get("CPU", 0))
        if self.count * threads > there:
            self._ray.shutdown()
            message = (
                f"{self.count} workers of {threads} threads each do not fit on the {there} CPUs of "
                f"the Ray cluster at {self._address}; ask for fewer ({WORKERS}, make tune "
                "WORKERS=n), or add machines first."
            )
            raise UserFault(message)

    def _await(self, place: int) -> None:
        self._awaited[self._actors[place].said.remote()] = place


def _actor(ray: Any, objective: dict[str, Any], threads: int) -> Any:
    make: Callable[..., Any] = ray.remote(Actor).options(
        num_cpus=threads,
        max_concurrency=THREADS_OF_ACTOR,
        max_restarts=0,
        runtime_env={"env_vars": environment(threads)},
    )
    return make.remote(objective)  # type: ignore[attr-defined]


def _connected(address: str) -> Any:
    """Ray, connected; `local` starts a cluster of this machine alone, listening on 127.0.0.1."""
    try:
        import ray
    except ImportError:
        message = "trials on a cluster need ray; install it: uv pip install --group cluster."
        raise UserFault(message) from None
    here: dict[str, Any] = {"_node_ip_address": "127.0.0.1", "include_dashboard": False}
    try:
        ray.init(address, log_to_driver=False, **(here if address == "local" else {}))
    except (ConnectionError, ValueError, RuntimeError) as error:
        message = (
            f"the Ray cluster at {address} cannot be reached ({_in_short(error)})"
            "; start it, or correct or unset ONCOTRAIL_CLUSTER."
        )
        raise UserFault(message) from error
    return ray


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
