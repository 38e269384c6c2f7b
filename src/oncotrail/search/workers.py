"""Workers on this machine: a process each, with its share of the threads.

The threads are in a worker's environment before its interpreter starts, because BLAS and OpenMP
read them once, and twice too many made training ten times slower.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from oncotrail.search import worker
from oncotrail.search.job import Died, Event, Job, Objective, from_json

SECONDS_TO_LEAVE = 5.0


class Workers(Protocol):
    """Numbered places, each of which carries out one job at a time."""

    @property
    def count(self) -> int:
        """How many places."""
        ...

    def start(self, place: int, job: Job) -> None:
        """Carry out a job in a place that has none."""
        ...

    def wait(self) -> tuple[int, Event]:
        """The next thing that happens, and where."""
        ...

    def answer(self, place: int, *, go_on: bool) -> None:
        """Say to a place that told of an epoch whether to go on."""
        ...

    def close(self) -> None:
        """End all of them, jobs or not."""
        ...


def environment(threads: int) -> dict[str, str]:
    """What a worker's environment must say before its interpreter starts."""
    libraries = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
    # This package first: a model that MLflow loaded here has put a part of another one before it.
    folders = [str(Path(__file__).parents[2]), *(path or str(Path.cwd()) for path in sys.path)]
    return {
        **{f"{library}_NUM_THREADS": str(threads) for library in libraries},
        "OMP_WAIT_POLICY": "PASSIVE",  # a thread that waits must sleep
        "PYTHONPATH": os.pathsep.join(folders),
    }


class LocalWorkers:
    """Processes of this machine, started when they are needed."""

    def __init__(self, objective: Objective, count: int, threads: int) -> None:
        self.count = count
        self._objective = objective
        self._environment = {**os.environ, **environment(threads)}
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._events: queue.Queue[tuple[int, Event]] = queue.Queue()
        self._closing = False

    def start(self, place: int, job: Job) -> None:
        if place not in self._processes:
            self._processes[place] = self._started(place)
        self._tell(place, asdict(job))

    def wait(self) -> tuple[int, Event]:
        place, event = self._events.get()
        if isinstance(event, Died):
            _hang_up(self._processes.pop(place))
        return place, event

    def answer(self, place: int, *, go_on: bool) -> None:
        self._tell(place, {"go_on": go_on})

    def close(self) -> None:
        self._closing = True
        for process in self._processes.values():
            _hang_up(process)
        for process in self._processes.values():
            try:
                process.wait(SECONDS_TO_LEAVE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _started(self, place: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - our own worker
            [sys.executable, "-m", worker.__name__],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(
            target=self._listen, args=(place, process), daemon=True, name=f"worker-{place}"
        ).start()
        _write(process, asdict(self._objective))
        return process

    def _listen(self, place: int, process: subprocess.Popen[str]) -> None:
        with process.stdout or open(os.devnull, encoding="utf-8") as lines:  # noqa: PTH123
            for line in lines:
                if line.endswith("\n"):  # else a kill cut it
                    self._events.put((place, from_json(json.loads(line))))
        code = process.wait()
        if not self._closing:
            self._events.put((place, Died(_how(code))))

    def _tell(self, place: int, said: Mapping[str, Any]) -> None:
        _write(self._processes[place], said)


def _write(process: subprocess.Popen[str], said: Mapping[str, Any]) -> None:
    """Say something; one who is gone hears nothing, and `wait` will tell of it."""
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(said) + "\n")
            process.stdin.flush()
    except BrokenPipeError:
        pass


def _hang_up(process: subprocess.Popen[str]) -> None:
    try:
        if process.stdin is not None:
            process.stdin.close()
    except BrokenPipeError:
        pass


def _how(code: int) -> str:
    """How a process ended.

    >>> _how(-9), _how(3)
    ('its worker was killed by signal 9 (SIGKILL)', 'its worker ended with exit code 3')
    """
    if code < 0:
        return f"its worker was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"its worker ended with exit code {code}"
