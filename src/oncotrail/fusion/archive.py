"""A fitted learner on disk: never pickle, the same bytes for the same learner, checked on loading.

<model>/learner.skops    imputer, encoder, scaler, forest
<model>/columns.parquet  patient, and the columns exactly as the learner saw them
<model>/model.json       what the columns are, which networks they come from, learner's digest
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.errors import ModelFault
from oncotrail.fusion.columns import Columns, as_learner_sees
from oncotrail.fusion.learner import score
from oncotrail.record import sha256_of
from oncotrail.skops_archive import bytes_of, read_estimator

# Our own list, not the file's: what skops would not build unasked, and a forest needs.
TRUSTED = ("numpy.dtype", "sklearn.tree._tree.Tree")


@dataclass(frozen=True)
class Learner:
    """A loaded fusion: what it reads, and the pipeline that reads it."""

    model: str
    outcome: str
    columns: Columns
    pipeline: Any

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks whose embeddings or scores it reads."""
        return self.columns.networks

    def predict(self, table: pd.DataFrame) -> pd.Series:
        """The probability of the outcome by patient; `table` has patient and the columns."""
        return score(self.pipeline, as_learner_sees(self.columns, table))


def save_learner(learner: Learner, seen: pd.DataFrame, folder: Path) -> None:
    """Write the three files; `seen` holds the learner's columns, indexed by patient."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "learner.skops"
    archive.write_bytes(bytes_of(learner.pipeline))
    seen.sort_index().reset_index().to_parquet(folder / "columns.parquet", index=False)
    described = {
        "model": learner.model,
        "outcome": learner.outcome,
        "networks": list(learner.networks),
        "columns": _said(learner.columns),
        "learner_sha256": sha256_of(archive),
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def load_learner(folder: Path) -> Learner:
    """Read what `save_learner` wrote, if its bytes are the ones that model.json names."""
    described = _described(folder / "model.json")
    found = folder / "learner.skops"
    pipeline = read_estimator(found, described["learner_sha256"], TRUSTED, "fuse")
    return Learner(
        described["model"], described["outcome"], _columns(described["columns"]), pipeline
    )


def _said(columns: Columns) -> dict[str, Any]:
    said = asdict(columns)
    if not columns.scores:  # most learners read none, and say nothing of them
        del said["scores"]
    return said


def _described(path: Path) -> dict[str, Any]:
    try:
        described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}); run the fuse stage again."
        raise ModelFault(message) from None
    return described


def _columns(described: dict[str, Any]) -> Columns:
    return Columns(
        numbers=tuple(described["numbers"]),
        categories={name: tuple(levels) for name, levels in described["categories"].items()},
        embeddings={network: tuple(own) for network, own in described["embeddings"].items()},
        scores=described.get("scores", {}),
    )
