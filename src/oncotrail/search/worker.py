"""A worker of a search: one process that carries out trials, one after another.

    python -m oncotrail.search.worker

Lines of JSON come in on its standard input and go out on what was its standard output; whatever a
library prints goes to standard error. Its threads were set in its environment by the driver. It
imports nothing heavy before the first job, ignores Ctrl-C, which is the driver's to answer, and
ends with the driver, however that ends: its standard input closes then.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import sys
import threading
from functools import cache
from typing import Any, TextIO

from oncotrail.search.job import Epoch, Job, Objective, Train, carry_out, to_json

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Carry out jobs until the driver hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_driver()
    told = _told_by_driver(sys.stdin)
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    objective = Objective(**told.get())

    @cache
    def prepared() -> Train:
        return objective.prepared()

    def tell(said: dict[str, Any]) -> None:
        channel.write(json.dumps(said) + "\n")
        channel.flush()

    def ask(epoch: Epoch) -> bool:
        tell(to_json(epoch))
        return bool(told.get()["go_on"])

    while True:
        tell(to_json(carry_out(prepared, Job(**told.get()), ask)))


def die_with_driver() -> None:
    """Where Linux is: be killed when the driver is, even in the middle of a library's call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _told_by_driver(lines: TextIO) -> queue.SimpleQueue[dict[str, Any]]:
    """What the driver says, as it says it; the end of it is the end of this process."""
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in lines:
            told.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="driver").start()
    return told


if __name__ == "__main__":
    main()
