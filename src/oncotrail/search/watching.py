"""Watching a search: a line per trial at the terminal, a nested run per trial in the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncotrail.record import Nested, Run, Scalar
from oncotrail.search.outcome import TrialResult


class Watched:
    """A sweep's listener that tells a stage's run; `below` names one of several searches."""

    def __init__(self, run: Run, objective: str, below: str = "") -> None:
        self._run = run
        self._objective = objective
        self._below = below

    def started(self, number: int, parameters: Mapping[str, Any]) -> None:
        """Say what is tried."""
        said = ", ".join(f"{name} {shown(value)}" for name, value in parameters.items())
        what = f"trial {number} starts: {said}" if number else "trial 0 starts: as declared"
        self._say(what)

    def epoch(self, number: int, epoch: int, figures: Mapping[str, float]) -> None:
        """Show the epoch on the trial's page."""
        self._run.nested_epoch(name_of(number, self._below), epoch, curves(figures))

    def ended(self, result: TrialResult) -> None:
        """Say how it ended."""
        value = "" if result.value is None else f", {self._objective} {result.value:.4f}"
        reason = f": {result.reason}" if result.reason else ""
        self._say(f"trial {result.number} {result.state}{value}{reason}")
        self._run.nested(name_of(result.number, self._below), nested(result, self._below))

    def cut_off(self, number: int, reason: str) -> None:
        """Say that it goes on."""
        self._say(f"trial {number}: {reason}; it goes on from its checkpoint in another")

    def _say(self, what: str) -> None:
        self._run.say(f"{self._below}: {what}" if self._below else what)


def nested(
    result: TrialResult, below: str = "", artifacts: Mapping[str, str] | None = None
) -> Nested:
    """A trial as a run below the search's; `artifacts` once they lie in the stage's output."""
    return Nested(
        params={name: _param(value) for name, value in result.parameters.items()},
        metrics=dict(result.figures),
        history={
            name: [list(point) for point in points]
            for name, points in curves(result.curves).items()
        },
        artifacts=dict(artifacts or {}),
        tags={
            "trial": str(result.number),
            "trial_state": result.state,
            **({"reason": result.reason} if result.reason else {}),
            **({"part": below} if below else {}),
        },
        folder=folder_of(result.number, below),
    )


def curves(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of epochs under `epoch/`, apart from those of the finished trial."""
    return {f"epoch/{name}": value for name, value in figures.items()}


def name_of(number: int, below: str = "") -> str:
    """A trial's name below the stage's run; in order when sorted.

    >>> name_of(3), name_of(3, "fold1")
    ('trial-003', 'fold1-trial-003')
    """
    return f"{below}-trial-{number:03d}" if below else f"trial-{number:03d}"


def folder_of(number: int, below: str = "") -> str:
    """Where a trial's files are in the stage's output."""
    return f"{below}/trials/{number:03d}" if below else f"trials/{number:03d}"


def shown(value: Any) -> str:
    """A setting in a few letters.

    >>> shown(0.00012345678), shown(["a", "b"]), shown(8)
    ('0.000123', 'a + b', '8')
    """
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _param(value: Any) -> Scalar:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
