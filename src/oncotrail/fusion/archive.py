"""A fitted learner on disk: never pickle, the same bytes for the same learner, checked on loading.

<model>/learner.skops    imputer, encoder, scaler, forest
<model>/columns.parquet  patient, and the columns exactly as the learner saw them
<model>/model.json       what the columns are, which networks they come from, learner's digest
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from oncotrail.errors import ModelFault
from oncotrail.fusion.columns import Columns, as_learner_sees
from oncotrail.fusion.learner import score
from oncotrail.record import sha256_of

# Our own list, not the file's: what skops would not build unasked, and a forest needs.
TRUSTED = ("numpy.dtype", "sklearn.tree._tree.Tree")
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can say


@dataclass(frozen=True)
class Learner:
    """A loaded fusion: what it reads, and the pipeline that reads it."""

    model: str
    outcome: str
    columns: Columns
    pipeline: Any

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks whose embeddings it reads."""
        return tuple(self.columns.embeddings)

    def predict(self, table: pd.DataFrame) -> pd.Series:
        """The probability of the outcome by patient; `table` has patient and the columns."""
        return score(self.pipeline, as_learner_sees(self.columns, table))


def save_learner(learner: Learner, seen: pd.DataFrame, folder: Path) -> None:
    """Write the three files; `seen` holds the learner's columns, indexed by patient."""
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "learner.skops"
    archive.write_bytes(same_bytes(skops.io.dumps(learner.pipeline)))
    seen.sort_index().reset_index().to_parquet(folder / "columns.parquet", index=False)
    described = {
        "model": learner.model,
        "outcome": learner.outcome,
        "networks": list(learner.networks),
        "columns": asdict(learner.columns),
        "learner_sha256": sha256_of(archive),
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def load_learner(folder: Path) -> Learner:
    """Read what `save_learner` wrote, if its bytes are the ones that model.json names."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    described = _described(folder / "model.json")
    archive = folder / "learner.skops"
    found = sha256_of(archive) if archive.is_file() else "no file"
    if found != described["learner_sha256"]:
        message = (
            f"{archive}: model.json names sha256 {described['learner_sha256']}, found {found}; "
            "the learner is not the one that was fitted. Run the fuse stage again."
        )
        raise ModelFault(message)
    try:
        pipeline = skops.io.load(archive, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        message = (
            f"{archive} asks to build what no learner of ours holds ({error}); do not load it."
        )
        raise ModelFault(message) from None
    return Learner(
        described["model"], described["outcome"], _columns(described["columns"]), pipeline
    )


def same_bytes(archive: bytes) -> bytes:
    """A skops archive with nothing of this process in it.

    skops names objects by their address in memory and members by those names, and dates them.
    Here objects are numbered in the order in which the schema names them, members are sorted and
    stored without date or compression (compressors differ between machines).
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        schema = json.loads(source.read("schema.json"))
        members = {name: source.read(name) for name in source.namelist() if name.endswith(".npy")}
    numbers: dict[int, int] = {}
    renamed: dict[str, bytes] = {}
    for node in _nodes(schema):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if "file" in node:
            content = members[node["file"]]
            node["file"] = f"{node['__id__']:06d}.npy"
            renamed[node["file"]] = content
    renamed["schema.json"] = json.dumps(schema, separators=(",", ":")).encode()
    return _zipped(renamed)


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a schema, in the order in which it is written."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for part in inner:
            yield from _nodes(part)


def _zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # else Windows and Linux differ
            target.writestr(entry, members[name])
    return buffer.getvalue()


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
    )
