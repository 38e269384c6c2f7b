"""Parts of a training that are over, kept whole until all are: a kill loses the part under way.

<checkpoints>/finished/fold3/    its files and tables, and part.json: what its page shows
<checkpoints>/epochs/fold3/      checkpoints of a part that is under way
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from oncotrail.backbones.part_run import EPOCHS, Shown
from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part

FINISHED, PART = "finished", "part.json"
COMPUTED_WITH = ("torch", "torchvision", "timm", "scikit-learn")  # of others a part is not kept
TABLES: Mapping[str, tables.Table] = {
    "features.parquet": tables.FEATURES,
    "predictions.parquet": tables.PREDICTIONS,
    "fitted_on.parquet": tables.FITTED_ON,
}


@dataclass(frozen=True)
class Finished:
    """A part that is over: where its files are, and what its page shows."""

    folder: Path
    shown: Shown


def kept(checkpoints: Path, part: Part) -> Finished | None:
    """A part that was finished before a kill, with the same libraries."""
    folder = checkpoints / FINISHED / part.name
    if not folder.is_dir():
        return None
    said = json.loads((folder / PART).read_text(encoding="utf-8"))
    if {library: said.pop(library, None) for library in COMPUTED_WITH} != _versions():
        shutil.rmtree(folder)
        return None
    return Finished(folder, Shown(**said))


def keep(checkpoints: Path, part: Part, fill: Callable[[Path], Shown]) -> Finished:
    """Let `fill` write a part's files into a folder that has its name only when it is whole."""
    folder = checkpoints / FINISHED / part.name
    beside = folder.with_name(f".{part.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        shown = fill(beside)
        said = json.dumps({**_versions(), **asdict(shown)})
        (beside / PART).write_text(said, encoding="utf-8")
        for path in (*beside.iterdir(), beside):
            _to_the_disk(path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    beside.replace(folder)
    _to_the_disk(folder.parent)
    shutil.rmtree(checkpoints / EPOCHS / part.name, ignore_errors=True)
    return Finished(folder, shown)


def place_all(done: Mapping[Part, Finished], main: Part, out: Path) -> None:
    """Each part's files in their folder, and the tables of all parts together above them."""
    for part, finished in done.items():
        target = part.folder(out, main)
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(finished.folder.iterdir()):
            if path.name not in (PART, *TABLES):
                link(path, target / path.name)
    for name, table in TABLES.items():
        frames = [tables.read(table, finished.folder / name) for finished in done.values()]
        tables.write(table, pd.concat(frames, ignore_index=True), out / name)


def link(source: Path, target: Path) -> None:
    """The same file under another name; copied where that is another disk."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _versions() -> dict[str, str]:
    return {library: version(library) for library in COMPUTED_WITH}


def _to_the_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
