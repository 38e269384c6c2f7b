"""Processes that take turns, so that a machine's moods hit all who are measured alike.

Each contender is a process of its own: its own threads, workers and memory. It trains for as long
as it is let; between its turns it waits at the end of a step, and its whole group of processes
(workers that read ahead too) is stopped by SIGSTOP, so whoever's turn it is has the machine to
itself, and a queue is as full at the beginning of a turn as the one before left it.

    parent                                     child
    with started(name, words, folder) as one:  turns = Turns()
        one.turn(steps=3) -> seconds           ... train ...; turns.step() after every step
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

HERE = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1
ANSWERS = "ONCOTRAIL_BENCH_ANSWERS"  # the pipe's number: what a library prints is no answer


class Died(RuntimeError):
    """A contender ended before its turn did; its last words say why."""


@dataclass
class Contender:
    """Another process, stopped but for its turns."""

    name: str
    process: subprocess.Popen[str]
    answers: TextIO
    said: Path  # what it printed

    def ready(self) -> None:
        """Wait until it has imported and built everything, and stop it there."""
        self._hear()

    def turn(self, steps: int) -> float:
        """Let it take so many steps; the seconds that it took for them."""
        talk = self.process.stdin
        assert talk is not None  # noqa: S101  it is a pipe
        os.killpg(self.process.pid, signal.SIGCONT)
        # A child that is gone cannot be written to: its answer, none, is what tells.
        with contextlib.suppress(BrokenPipeError):
            talk.write(f"{steps}\n")
            talk.flush()
        return self._hear()

    def _hear(self) -> float:
        answer = self.answers.readline()
        if not answer:
            raise Died(f"{self.name} ended: {self.said.read_text(errors='replace')[-2000:]}")
        os.killpg(self.process.pid, signal.SIGSTOP)
        return float(answer)

    def end(self) -> None:
        """End it and its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        self.answers.close()


@contextmanager
def started(name: str, words: Sequence[str], folder: Path) -> Iterator[Contender]:
    """Start `python words`, in a session of its own; ended when the block is left."""
    said = folder / f"{name.replace(' ', '_')}.said"
    read, write = os.pipe()
    with said.open("w") as file:
        process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, *words],
            cwd=HERE,
            env={**os.environ, ANSWERS: str(write)},
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            text=True,
            pass_fds=(write,),
            start_new_session=True,
        )
    os.close(write)
    contender = Contender(name, process, os.fdopen(read), said)
    try:
        yield contender
    finally:
        contender.end()


class Turns:
    """The child's side."""

    def __init__(self, wait: Callable[[], object] = lambda: None) -> None:
        _die_with_parent()
        self._answers = os.fdopen(int(os.environ[ANSWERS]), "w")
        self._wait = wait  # for a device that works on while the program goes on
        self._next_turn(0.0)

    def step(self) -> None:
        """A step is done; at the end of a turn answer, and wait for the next."""
        self._left -= 1
        if self._left:
            return
        self._wait()
        self._next_turn(time.perf_counter() - self._began)

    def _next_turn(self, seconds: float) -> None:
        """Say how long the last one took, and wait."""
        self._answers.write(f"{seconds}\n")
        self._answers.flush()
        self._left = self._asked()
        self._began = time.perf_counter()

    @staticmethod
    def _asked() -> int:
        line = sys.stdin.readline()
        if not line:  # the parent is gone
            os._exit(0)
        return int(line)


def _die_with_parent() -> None:
    """A bench that is killed leaves nobody behind, stopped for ever (Linux alone can do this)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def rounds(contenders: Sequence[Contender], repeats: int, seconds: float) -> dict[str, list[float]]:
    """Round after round, each a turn; steps per second of each contender and round.

    After two steps to warm up each has turns of about so many seconds, of one step at least.
    """
    for one in contenders:
        one.ready()
    steps = {}
    for one in contenders:
        one.turn(1)  # allocates, chooses algorithms, fills a loader's queue
        steps[one.name] = max(1, round(seconds / one.turn(1)))
    found: dict[str, list[float]] = {one.name: [] for one in contenders}
    for number in range(repeats):
        # Each round in another order: nobody always follows the same one.
        for one in contenders[number % len(contenders) :] + contenders[: number % len(contenders)]:
            found[one.name].append(steps[one.name] / one.turn(steps[one.name]))
    return found
