"""A search as a process of its own, for tests that end it: python -m tests.search.driver."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oncotrail.errors import UserFault
from oncotrail.search.job import Objective
from oncotrail.search.lock import held
from oncotrail.search.machine import CLUSTER
from oncotrail.search.outcome import TrialResult
from tests.search.searching import Heard, search
from tests.search.toy import objective


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Telling(Heard):
    """Says on standard output what it hears."""

    def started(self, number: int, parameters: Mapping[str, Any]) -> None:  # noqa: ARG002
        say(f"started {number}")

    def epoch(self, number: int, epoch: int, figures: Mapping[str, float]) -> None:  # noqa: ARG002
        say(f"epoch {number} {epoch}")

    def ended(self, result: TrialResult) -> None:
        say(f"ended {result.number}")

    def cut_off(self, number: int, reason: str) -> None:  # noqa: ARG002
        say(f"cut off {number}")


def code_of(given: dict[str, Any]) -> Objective:
    """The toy, or the objective that was named."""
    return Objective(**given) if "place" in given else objective(**given)


def main() -> None:
    folder, trials, workers, given, address, name = sys.argv[1:]
    try:
        with held(Path(folder) / "search.lock", "study-t4"):
            found = search(
                Path(folder),
                int(trials),
                workers=int(workers),
                heard=Telling(),
                code=code_of(json.loads(given)),
                address=address,
                name=name,
                cluster=os.environ.get(CLUSTER, ""),
            )
        for trial in found.trials:
            said = json.dumps([trial.number, trial.parameters, trial.curves])
            say(f"result {said}")
    except UserFault as fault:
        say(str(fault))
        sys.exit(fault.exit_code)


if __name__ == "__main__":
    main()
