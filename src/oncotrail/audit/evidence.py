"""The files of one run, as they lie there.

The tables are read without their rule of one row per key: a guard must see the fault that it
guards against, and name all its patients, where the tables' own door stops at the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oncotrail.cohort import tables
from oncotrail.cohort.tables import Table
from oncotrail.errors import TableError
from oncotrail.fusion.archive import Learner, load_learner
from oncotrail.record import Run
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.members import only_declared
from oncotrail.study.pixels import ViewPixels

Pixels = NDArray[np.uint8]  # images x rows x columns
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Recomputed:
    """How a saved network is run again; both take its folder."""

    embeddings: Callable[[Path, Pixels], Numbers]  # of images: images x numbers
    # Of embeddings and whose they are: each patient's score.
    scores: Callable[[Path, Numbers, Sequence[str]], Mapping[str, float]]


@dataclass(frozen=True)
class View:
    """One view's decoded pixels, and how they were made."""

    made: ViewPixels
    store: Pixels  # memory-mapped; row i is the image that the pixels table names at row i


@dataclass(frozen=True)
class NetworkEvidence:
    """What one network left behind."""

    name: str
    folder: Path
    blueprint: Mapping[str, Any]
    features: pd.DataFrame
    predictions: pd.DataFrame
    fitted_on: pd.DataFrame

    @property
    def view(self) -> str:
        """The view that it sees."""
        return str(self.blueprint["view"])


@dataclass(frozen=True)
class FusionEvidence:
    """What one fusion left behind: the learner, and the columns as it says it saw them."""

    learner: Learner
    seen: pd.DataFrame


@dataclass(frozen=True)
class Declared:
    """What the study file asks of the stages before the audit."""

    seed: int
    cohort: Cohort
    networks: tuple[str, ...]
    fusion: Fusion
    evaluation: Evaluation


@dataclass(frozen=True)
class Evidence:
    """Everything that the checks look at."""

    declared: Declared
    cohort: pd.DataFrame
    images: pd.DataFrame
    pictures: Path  # the folder that the paths of `images` start from
    split: pd.DataFrame
    pixels: pd.DataFrame
    views: Mapping[str, View]
    networks: tuple[NetworkEvidence, ...]
    fusions: tuple[FusionEvidence, ...]
    fused: pd.DataFrame  # predictions of all fusions
    fused_on: pd.DataFrame
    thresholds: Mapping[str, float]  # by model
    chosen_on: pd.DataFrame  # whom evaluate says it chose the thresholds on
    again: Recomputed

    @property
    def features(self) -> dict[str, pd.DataFrame]:
        """Each network's features table."""
        return {network.name: network.features for network in self.networks}


def read_evidence(run: Run, declared: Declared, again: Recomputed) -> Evidence:
    """Read what the stages before the audit wrote."""
    acquired, decoded, fused = (run.folder(stage) for stage in ("acquire", "decode", "fuse"))
    evaluated = run.folder("evaluate")
    pixels, views = _loose(tables.PIXELS, decoded / "pixels.parquet"), _views(decoded)
    _check_rows_exist(pixels, views)
    return Evidence(
        declared=declared,
        cohort=tables.read(declared.cohort.table(), acquired / "cohort.parquet"),
        images=_loose(tables.IMAGES, acquired / "images.parquet"),
        pictures=acquired,
        split=_loose(tables.SPLIT, run.folder("split") / "split.parquet"),
        pixels=pixels,
        views=views,
        networks=tuple(
            _network(name, run.folder("train", name))
            for name in only_declared(run.folder("train"), declared.networks)
        ),
        fusions=tuple(_fusion(path.parent) for path in sorted(fused.glob("*/model.json"))),
        fused=_loose(tables.PREDICTIONS, fused / "predictions.parquet"),
        fused_on=_loose(tables.FITTED_ON, fused / "fitted_on.parquet"),
        thresholds=_thresholds(evaluated / "thresholds.json"),
        chosen_on=_loose(tables.FITTED_ON, evaluated / "fitted_on.parquet"),
        again=again,
    )


def _loose(table: Table, path: Path) -> pd.DataFrame:
    """Columns and values as declared; a key that occurs twice passes, a whole row does not."""
    return tables.read(replace(table, one_row_per=tuple(table.columns)), path)


def _views(folder: Path) -> dict[str, View]:
    return {
        name: View(
            ViewPixels.read(made, f"{folder / 'decode.json'}: {name}"),
            np.load(folder / f"{name}.npy", mmap_mode="r"),
        )
        for name, made in _json(folder / "decode.json").items()
    }


def _check_rows_exist(pixels: pd.DataFrame, views: Mapping[str, View]) -> None:
    for view, rows in pixels.groupby("view")["row"]:
        held = len(views[str(view)].store) if view in views else 0
        if rows.max() >= held:
            raise TableError(
                f"pixels.parquet names row {rows.max()} of {view}.npy, which holds {held} images; "
                "run the decode stage again."
            )


def _network(name: str, folder: Path) -> NetworkEvidence:
    return NetworkEvidence(
        name=name,
        folder=folder,
        blueprint=_json(folder / "network.json"),
        features=_loose(tables.FEATURES, folder / "features.parquet"),
        predictions=_loose(tables.PREDICTIONS, folder / "predictions.parquet"),
        fitted_on=_loose(tables.FITTED_ON, folder / "fitted_on.parquet"),
    )


def _fusion(folder: Path) -> FusionEvidence:
    return FusionEvidence(load_learner(folder), pd.read_parquet(folder / "columns.parquet"))


def _thresholds(path: Path) -> dict[str, float]:
    return {model: float(said["threshold"]) for model, said in _json(path).items()}


def _json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read ({error}); run make repro.") from None
    return values
