"""A search of a toy objective, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oncotrail.search.job import Objective
from oncotrail.search.machine import Machine
from oncotrail.search.outcome import Found, TrialResult
from oncotrail.search.storage import Place
from oncotrail.search.sweep import Plan, sweep
from oncotrail.study.search import Search
from tests.search.toy import EPOCHS, objective

SPACE = [
    {"setting": "optimizer.learning_rate", "low": 1e-6, "high": 1.0, "log": True},
    {"setting": "augmentation.flips", "choices": [[], ["horizontal_flip"]]},
]
DECLARED = {"optimizer.learning_rate": 1e-4, "augmentation.flips": []}


@dataclass
class Heard:
    """A listener that remembers."""

    lines: list[str] = field(default_factory=list)
    results: list[TrialResult] = field(default_factory=list)
    epochs: list[tuple[int, int]] = field(default_factory=list)

    def started(self, number: int, parameters: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.lines.append(f"started {number}")

    def epoch(self, number: int, epoch: int, figures: Mapping[str, float]) -> None:  # noqa: ARG002
        self.epochs.append((number, epoch))

    def ended(self, result: TrialResult) -> None:
        self.lines.append(f"{result.state} {result.number}")
        self.results.append(result)

    def cut_off(self, number: int, reason: str) -> None:
        self.lines.append(f"cut off {number}: {reason}")


def asked(trials: int, **more: Any) -> Search:
    return Search.model_validate(
        {"trials": trials, "space": SPACE, "pruner": {"kind": "none"}, **more}
    )


def plan(trials: int, seed: int = 1, **more: Any) -> Plan:
    return Plan(asked(trials, **more), trials, DECLARED, EPOCHS, seed, 5)


def search(
    folder: Path,
    trials: int,
    *,
    workers: int = 1,
    heard: Heard | None = None,
    code: Objective | None = None,
    address: str = "",
    cluster: str = "",
    name: str = "study-t4/key",
    **more: Any,
) -> Found:
    place = Place(folder, name, address)
    crew = Machine(workers, cluster).workers(code or objective(), 1)
    return sweep(plan(trials, **more), place, crew, heard or Heard())
