"""All that a report reads of the other stages, in one value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.errors import UserFault
from oncotrail.record import Run, RunRecord
from oncotrail.serving.catalogue import CATALOGUE, Catalogue
from oncotrail.study.cohort import Cohort
from oncotrail.study.members import only_declared
from oncotrail.study.network import Network

BEFORE_TRAINING = ("acquire", "split", "decode", "pretrain")
DRAWINGS = ("roc", "calibration", "decision")
AFTER_TRAINING = ("fuse", "evaluate", "audit", "register")


@dataclass(frozen=True)
class Trained:
    """One network: the run that chose its settings, its own, its learning curves, network.json."""

    tuned: RunRecord
    record: RunRecord
    history: pd.DataFrame
    blueprint: Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """The outputs of a study's stages, as files say them."""

    records: Mapping[str, RunRecord]  # by stage, without the networks'
    cohort: pd.DataFrame
    flow: Mapping[str, Any]
    split: pd.DataFrame
    split_digest: str
    networks: Mapping[str, Trained]
    table: pd.DataFrame
    comparisons: pd.DataFrame
    baseline: pd.DataFrame
    thresholds: Mapping[str, Any]
    drawings: Mapping[str, bytes]  # SVG by name
    checks: tuple[Mapping[str, Any], ...]
    catalogue: Catalogue

    def runs(self) -> tuple[RunRecord, ...]:
        """Every run that this page reads, in the order of the graph.

        Not the demo's: a real cohort has none, and DVC knows no dependency that may be absent.
        """
        before = [self.records[stage] for stage in BEFORE_TRAINING]
        tuned = [network.tuned for network in self.networks.values()]
        trained = [network.record for network in self.networks.values()]
        return (*before, *tuned, *trained, *(self.records[stage] for stage in AFTER_TRAINING))

    def source(self, *stages: str) -> str:
        """Which runs a figure comes from."""
        runs = "; ".join(f"{stage}, run {self.records[stage].key}" for stage in stages)
        return f"From {runs}."


def read_evidence(run: Run, cohort: Cohort, networks: Mapping[str, Network]) -> Evidence:
    """Read what the stages of this study wrote; a file that is missing is named."""
    acquired, evaluated = run.folder("acquire"), run.folder("evaluate")
    split = run.folder("split")
    members = only_declared(run.folder("train"), networks)
    return Evidence(
        records={s: _record(run.folder(s)) for s in (*BEFORE_TRAINING, *AFTER_TRAINING)},
        cohort=tables.read(cohort.table(), acquired / "cohort.parquet"),
        flow=_json(acquired / "flow.json"),
        split=tables.read(tables.SPLIT, split / "split.parquet"),
        split_digest=str(_json(split / "split.json")["digest"]),
        networks={name: _trained(run, name) for name in members},
        table=_csv(evaluated / "table.csv"),
        comparisons=_csv(evaluated / "comparisons.csv"),
        baseline=_csv(evaluated / "baseline.csv", text=True),
        thresholds=_json(evaluated / "thresholds.json"),
        drawings={name: _bytes(evaluated / f"{name}.svg") for name in DRAWINGS},
        checks=tuple(_json(run.folder("audit") / "audit.json")["checks"]),
        catalogue=Catalogue.read(run.folder("register") / CATALOGUE),
    )


def _trained(run: Run, name: str) -> Trained:
    folder = run.folder("train", name)
    return Trained(
        tuned=_record(run.folder("tune", name)),
        record=_record(folder),
        history=_csv(folder / "history.csv"),
        blueprint=_json(folder / "network.json"),
    )


def _record(folder: Path) -> RunRecord:
    _bytes(folder / "run.json")
    return RunRecord.read(folder / "run.json")


def _json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(_bytes(path))
    return values


def _csv(path: Path, *, text: bool = False) -> pd.DataFrame:
    """A table of results; `text` keeps every value as it was printed."""
    _bytes(path)
    return pd.read_csv(path, dtype=str if text else None, keep_default_na=not text)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = f"{path} is missing, and the report shows it; run make repro."
        raise UserFault(message) from None
