"""What the present settings, code and data ask for: the keys of work that may go on some day.

A key is the digest of all that a run or a search depends on, so it is told as the stage itself
would tell it. Where something is missing that the stage reads nobody can tell, and then nothing is
called abandoned.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from oncotrail.errors import OncotrailError
from oncotrail.graph import StageInGraph, digest, stage_in_graph
from oncotrail.record import Run, folder
from oncotrail.search.network import tasks_of
from oncotrail.stage import run_key
from oncotrail.study.load import entries, foreach_section, load, read_yaml, study_of


@dataclass(frozen=True)
class Asked:
    """Keys that are asked for, and why some cannot be told."""

    keys: frozenset[str] = frozenset()
    untold: tuple[str, ...] = ()


def run_keys(root: Path) -> Asked:
    """Of every stage of the graph."""
    digests: dict[str, str] = {}
    keys, untold = set(), []
    for name, key in _declared(root):
        try:
            keys.add(_Asking.of(name, key, root, digests).run_key())
        except OncotrailError as fault:
            untold.append(f"{name}@{key}: {fault}")
    return Asked(frozenset(keys), tuple(untold))


def search_keys(root: Path, model: str) -> Asked:
    """Of a network's searches; nothing is asked for where no study declares it any more."""
    if ("tune", model) not in _declared(root):
        return Asked()
    try:
        return Asked(frozenset(_Asking.of("tune", model, root, {}).search_keys()))
    except OncotrailError as fault:
        return Asked(untold=(str(fault),))


def _declared(root: Path) -> Iterator[tuple[str, str]]:
    """The stages that run once per entry of a study's section, by name and key."""
    for stage, declared in read_yaml(root / "dvc.yaml")["stages"].items():
        for key in entries(foreach_section(declared), root):
            yield stage, key


@dataclass(frozen=True)
class _Asking:
    """A stage with all that its keys are made of."""

    stage: StageInGraph
    module: ModuleType  # of pipelines/
    settings: Any
    dependencies: dict[str, str]
    root: Path

    @classmethod
    def of(cls, name: str, key: str, root: Path, digests: dict[str, str]) -> _Asking:
        """As things stand; `digests` are those that are known."""
        stage = stage_in_graph(name, key, root)
        module = _module_of(stage, root)
        for path in stage.dependencies:
            if path not in digests:
                digests[path] = digest(root / path)
        settings = load(module.Settings, key, root).settings
        return cls(
            stage, module, settings, {path: digests[path] for path in stage.dependencies}, root
        )

    def run_key(self) -> str:
        """As the stage's own run has it."""
        return run_key(f"{self.stage.name}@{self.stage.key}", self.settings, self.dependencies)

    def search_keys(self) -> Iterator[str]:
        """As the tune stage makes them, of each outer fold."""
        settings = self.settings
        reads = SimpleNamespace(
            key=self.stage.key, folder=partial(folder, self.root, study_of(self.stage.key))
        )
        tasks = tasks_of(
            *(settings.network, settings.cohort, cast("Run", reads)),
            trials=settings.network.search.trials,
            most_epochs=settings.limits.epochs,
            compute=settings.compute,
            seed=settings.seed,
        )
        return (task.key(self.dependencies) for task in tasks.values())


def _module_of(stage: StageInGraph, root: Path) -> ModuleType:
    """The module of pipelines/ that the stage's command runs."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # as `python -m` has it
    return import_module(stage.command.split()[2])
