"""What a stage may record, and where it finds its neighbours' tables.

A stage's `main(settings, run)` sees only the `Run` protocol below. The real one is made by
`oncotrail.stage`; `MemoryRun` is the fake that ships with it, for tests and notebooks.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

Scalar = str | int | float | bool | None
FittedKind = Literal[
    "network", "imputer", "scaler", "encoder", "sampler", "selector", "learner", "threshold"
]


class FiniteOnlyError(ValueError):
    """A metric that is not a finite number: MLflow stores inf as 1.8e308 and breaks on NaN."""


@dataclass(frozen=True)
class FittedOn:
    """The rows that one fitted object learned from, as its `fit` saw them.

    `times[i]` is how often `patients[i]` was drawn; `synthetic[i]` says that the row was made by a
    resampler from that patient and a neighbour.
    """

    object: str
    kind: FittedKind
    patients: tuple[str, ...]
    outer_fold: int = 0
    times: tuple[int, ...] = ()
    synthetic: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Nested:
    """A run below a stage's own: one trial of a search."""

    params: dict[str, Scalar] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[list[float]]] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)  # below the stage's output -> sha256
    tags: dict[str, str] = field(default_factory=dict)
    folder: str = ""  # of the artifacts; on the nested run's page they appear without it


@runtime_checkable
class Run(Protocol):
    """What a stage's `main` is given besides its settings."""

    study: str
    stage: str
    key: str  # what follows the @ in the stage's address: the study, or a network's name
    root: Path  # the repository; what no output holds lies in its .oncotrail
    out: Path  # being filled; appears as data/<study>/<stage>[/<key>] only if the stage ends well
    results: Path  # small result files for git; appear in results/<study>/ likewise
    checkpoints: Path  # work in progress of this very run, which a kill leaves; named by its key
    work: Path  # work in progress that outlives runs: .oncotrail
    dependencies: Mapping[str, str]  # what this run reads: path -> md5

    def folder(self, stage: str, member: str | None = None) -> Path:
        """Where another stage's finished output lies."""
        ...

    def params(self, values: Mapping[str, Scalar]) -> None:
        """Record what this run was asked to do, flat and by name."""
        ...

    def metrics(self, values: Mapping[str, float]) -> None:
        """Record final figures; each must be finite."""
        ...

    def epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Record one epoch's figures, now: a person may be watching the curve."""
        ...

    def artifact(self, path: Path) -> None:
        """Record a file below `out` that belongs on the run's page."""
        ...

    def reports_on(self, member: str, values: Mapping[str, float]) -> None:
        """Record figures that belong on another run's page: evaluation's, on each model's."""
        ...

    def nested_epoch(self, name: str, epoch: int, values: Mapping[str, float]) -> None:
        """Record one epoch of a run below this one, now: a search's trial."""
        ...

    def nested(self, name: str, run: Nested) -> None:
        """Record a run below this one, which is over; told again, it says more."""
        ...

    def say(self, line: str) -> None:
        """Tell the person at the terminal one line."""
        ...


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """`values` as plain floats, or an error that names the first that is not finite."""
    checked = {name: float(value) for name, value in values.items()}
    for name, value in checked.items():
        if not math.isfinite(value):
            message = (
                f"{name} is {value}; record only finite figures, and leave out what is undefined."
            )
            raise FiniteOnlyError(message)
    return checked


def generator(seed: int, *names: str) -> np.random.Generator:
    """A random stream of its own for each purpose, the same on every machine.

    >>> int(generator(1, "split").integers(1000)) == int(generator(1, "split").integers(1000))
    True
    """
    digest = hashlib.sha256("/".join(names).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4").tolist()
    return np.random.default_rng([seed, *words])


@dataclass
class MemoryRun:
    """A `Run` that only remembers, over any folder laid out as the repository is."""

    root: Path
    study: str
    stage: str
    key: str = ""
    recorded_params: dict[str, Scalar] = field(default_factory=dict)
    recorded_metrics: dict[str, float] = field(default_factory=dict)
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    artifacts: list[Path] = field(default_factory=list)
    on_members: dict[str, dict[str, float]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    dependencies: Mapping[str, str] = field(default_factory=dict)
    nested_history: dict[str, list[tuple[int, dict[str, float]]]] = field(default_factory=dict)
    nested_runs: dict[str, Nested] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = self.key or self.study
        member = None if self.key == self.study else self.key
        self.out = self.folder(self.stage, member)
        self.results = self.root / "results" / self.study
        self.work = self.root / ".oncotrail"
        self.checkpoints = self.work / "checkpoints" / f"{self.stage}@{self.key}"
        self.out.mkdir(parents=True, exist_ok=True)
        self.results.mkdir(parents=True, exist_ok=True)

    def folder(self, stage: str, member: str | None = None) -> Path:
        return folder(self.root, self.study, stage, member)

    def params(self, values: Mapping[str, Scalar]) -> None:
        self.recorded_params.update(values)

    def metrics(self, values: Mapping[str, float]) -> None:
        self.recorded_metrics.update(finite(values))

    def epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        self.history.append((epoch, finite(values)))

    def artifact(self, path: Path) -> None:
        self.artifacts.append(path)

    def reports_on(self, member: str, values: Mapping[str, float]) -> None:
        self.on_members.setdefault(member, {}).update(finite(values))

    def nested_epoch(self, name: str, epoch: int, values: Mapping[str, float]) -> None:
        self.nested_history.setdefault(name, []).append((epoch, finite(values)))

    def nested(self, name: str, run: Nested) -> None:
        self.nested_runs[name] = run

    def say(self, line: str) -> None:
        self.lines.append(line)


def folder(root: Path, study: str, stage: str, member: str | None = None) -> Path:
    """Where a stage's output lies: data/<study>/<stage>, or below it data/.../<member>."""
    base = root / "data" / study / stage
    return base if member is None else base / member


def counted(patients: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Patients in sorted order and how often each occurs, as `FittedOn` wants them.

    >>> counted(["b", "a", "b"])
    (('a', 'b'), (1, 2))
    """
    names, times = np.unique(np.asarray(patients, dtype=str), return_counts=True)
    return tuple(names.tolist()), tuple(times.tolist())


@dataclass(frozen=True)
class RunRecord:
    """run.json: all that MLflow will show of a stage, nothing that differs between machines.

    `key` is the digest of stage, params and dependency digests: the same key means the same run.
    """

    study: str
    stage: str
    name: str  # what follows the @: the study, or a network
    key: str
    recipe: str
    seed: int | None
    params: dict[str, Scalar]
    bent: dict[str, list[Any]]  # settings that the demo changed: place -> [published, used]
    dependencies: dict[str, str]  # path -> md5
    metrics: dict[str, float]
    history: dict[str, list[list[float]]]  # metric -> [[epoch, value], ...]
    artifacts: dict[str, str]  # path below the stage's output -> sha256
    on_members: dict[str, dict[str, float]]  # model -> figures that belong on that model's page
    nested: dict[str, Nested] = field(default_factory=dict)  # runs below this one, by name

    def write(self, path: Path) -> None:
        """Write as JSON with sorted keys, so that the same record is the same bytes."""
        said = asdict(self)
        if not self.nested:  # most runs have none, and say nothing of it
            del said["nested"]
        text = json.dumps(said, indent=1, sort_keys=True, allow_nan=False) + "\n"
        path.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read what `write` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        nested = {name: Nested(**run) for name, run in said.pop("nested", {}).items()}
        return cls(**said, nested=nested)


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
