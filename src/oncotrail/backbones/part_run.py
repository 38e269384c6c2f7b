"""A part's share of the stage's run: the main part's is the run itself, another's lies below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from oncotrail.cohort.folds import FOLDER, Part
from oncotrail.record import Nested, Run, Scalar, sha256_of

EPOCHS = "epochs"  # checkpoints of the parts under way, below those of the run
Curves = dict[str, list[list[float]]]  # figure -> [[epoch, value], ...]


@dataclass(frozen=True)
class Shown:
    """All that a part's page shows, but for its files."""

    params: Mapping[str, Scalar]
    metrics: Mapping[str, float]
    history: Curves


@dataclass(frozen=True)
class PartRun:
    """Where a part says what it does, and keeps what a kill is to leave."""

    run: Run
    part: Part
    is_main: bool
    place: str = ""  # among several parts, e.g. 7/30
    _params: dict[str, Scalar] = field(default_factory=dict)
    _history: Curves = field(default_factory=dict)

    @property
    def key(self) -> str:
        """For the progress bar."""
        return f"{self.run.key} {self.part.name} ({self.place})" if self.place else self.run.key

    @property
    def work(self) -> Path:
        """Work in progress that outlives runs."""
        return self.run.work

    @property
    def checkpoints(self) -> Path:
        """Work in progress of this very part."""
        return self.run.checkpoints / EPOCHS / self.part.name

    def params(self, values: Mapping[str, Scalar]) -> None:
        """Record what this part was asked to do."""
        self._params.update(values)
        if self.is_main:
            self.run.params(values)

    def epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Record one epoch's figures, now."""
        for name, value in values.items():
            self._history.setdefault(name, []).append([epoch, value])
        if self.is_main:
            self.run.epoch(epoch, values)
        else:
            self.run.nested_epoch(self.part.name, epoch, values)

    def say(self, line: str) -> None:
        """Tell the person at the terminal one line, and of several parts which it is about."""
        about = f"{self.part.name} ({self.place}): " if self.place else ""
        self.run.say(f"{about}{line}")

    def shown(self, metrics: Mapping[str, float]) -> Shown:
        """What was said, with the final figures."""
        return Shown(self._params, metrics, self._history)

    def tell_again(self, shown: Shown) -> None:
        """Say what was said before a kill."""
        self.params(shown.params)
        for row in zip(*shown.history.values(), strict=True):
            values = {name: at[1] for name, at in zip(shown.history, row, strict=True)}
            self.epoch(int(row[0][0]), values)
        self.say("was finished before")


def nested(
    part: Part, shown: Shown, main: Shown, artifacts: Mapping[str, str] | None = None
) -> Nested:
    """A part as a run below the stage's: how it differs from the main part, and how it went.

    `artifacts` once its files lie in the stage's output.
    """
    own = {name: of for name, of in shown.params.items() if main.params.get(name) != of}
    return Nested(
        params={**asdict(part), **own},
        metrics=dict(shown.metrics),
        history=shown.history,
        artifacts=dict(artifacts or {}),
        tags={"part": part.name},
        folder=f"{FOLDER}/{part.name}",
    )


def files_of(part: Part, out: Path) -> dict[str, str]:
    """A part's files in the stage's output, with their digests."""
    files = sorted(path for path in (out / FOLDER / part.name).iterdir() if path.is_file())
    return {path.relative_to(out).as_posix(): sha256_of(path) for path in files}
