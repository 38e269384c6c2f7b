"""The files of one run, as they lie there.

The tables are read without their rule of one row per key: a guard must see the fault that it
guards against, and name all its patients, where the tables' own door stops at the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oncotrail.audit.models import (
    FusionEvidence,
    NetworkEvidence,
    PartEvidence,
    Pixels,
    Rerun,
)
from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part, of_fold, outer_folds, parts_of
from oncotrail.cohort.tables import Table
from oncotrail.errors import TableError
from oncotrail.fusion.archive import load_learner
from oncotrail.record import Run
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.members import only_declared
from oncotrail.study.network import Network
from oncotrail.study.pixels import ViewPixels


@dataclass(frozen=True)
class View:
    """One view's decoded pixels, and how they were made."""

    made: ViewPixels
    store: Pixels  # memory-mapped; row i is the picture that the pixels table names at row i


@dataclass(frozen=True)
class Declared:
    """What the study file asks of the stages before the audit."""

    seed: int
    cohort: Cohort
    networks: Mapping[str, Network]
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
    thresholds: Mapping[tuple[str, Part], float]  # of each model, in each outer fold and seed
    chosen_on: pd.DataFrame  # whom evaluate says it chose the thresholds on
    again: Callable[[Path], Rerun]  # of a folder with a trained network

    def features(self, outer_fold: int) -> dict[str, pd.DataFrame]:
        """Each network's features of one outer fold, as a fusion reads them."""
        return {of.name: self._first(of.features, outer_fold) for of in self.networks}

    def predictions(self, outer_fold: int) -> dict[str, pd.DataFrame]:
        """Each network's predictions of one outer fold, as a fusion reads them."""
        return {of.name: self._first(of.predictions, outer_fold) for of in self.networks}

    def _first(self, table: pd.DataFrame, outer_fold: int) -> pd.DataFrame:
        """What the first seed made."""
        own = (table["outer_fold"] == outer_fold) & (table["seed"] == self.declared.seed)
        return table[own]


def read_evidence(run: Run, declared: Declared, again: Callable[[Path], Rerun]) -> Evidence:
    """Read what the stages before the audit wrote."""
    acquired, decoded, fused = (run.folder(stage) for stage in ("acquire", "decode", "fuse"))
    evaluated = run.folder("evaluate")
    pixels, views = _loose(tables.PIXELS, decoded / "pixels.parquet"), _views(decoded)
    _check_rows_exist(pixels, views)
    split = _loose(tables.SPLIT, run.folder("split") / "split.parquet")
    return Evidence(
        declared=declared,
        cohort=tables.read(declared.cohort.table(), acquired / "cohort.parquet"),
        images=_loose(tables.IMAGES, acquired / "images.parquet"),
        pictures=acquired,
        split=split,
        pixels=pixels,
        views=views,
        networks=tuple(
            network_evidence(name, run.folder("train", name), split, declared)
            for name in only_declared(run.folder("train"), declared.networks)
        ),
        fusions=tuple(_fusions(fused, outer_folds(split))),
        fused=_loose(tables.PREDICTIONS, fused / "predictions.parquet"),
        fused_on=_loose(tables.FITTED_ON, fused / "fitted_on.parquet"),
        thresholds=_thresholds(evaluated / "thresholds.json", Part.main(split)),
        chosen_on=_loose(tables.FITTED_ON, evaluated / "fitted_on.parquet"),
        again=again,
    )


def network_evidence(
    name: str, folder: Path, split: pd.DataFrame, declared: Declared
) -> NetworkEvidence:
    """Read what one network left, and all parts of its training that the study file asks for."""
    asked, main = declared.networks[name], Part.main(split)
    parts = parts_of(split, seeds=asked.seeds, out_of_fold=asked.out_of_fold)
    return NetworkEvidence(
        name=name,
        main=main,
        out_of_fold=asked.out_of_fold,
        parts=tuple(
            _part(part, part.folder(folder, main), of_fold(split, part.outer_fold), declared, asked)
            for part in parts
        ),
        features=_loose(tables.FEATURES, folder / "features.parquet"),
        predictions=_loose(tables.PREDICTIONS, folder / "predictions.parquet"),
        fitted_on=_loose(tables.FITTED_ON, folder / "fitted_on.parquet"),
    )


def _part(
    part: Part, folder: Path, fold: pd.DataFrame, declared: Declared, asked: Network
) -> PartEvidence:
    scored = fold.loc[part.scores(fold, out_of_fold=asked.out_of_fold), "patient"]
    return PartEvidence(
        part=part,
        folder=folder,
        blueprint=_json(folder / "network.json"),
        fold=fold,
        patients=frozenset(scored.astype(str)),
        seed=declared.seed + part.seed,
    )


def _fusions(fused: Path, folds: Sequence[int]) -> Iterator[FusionEvidence]:
    """Every model, of every outer fold: the last one's learner in its own folder."""
    for path in sorted(fused.glob("*/model.json")):
        places = {fold: path.parent / f"fold{fold}" for fold in folds} | {folds[-1]: path.parent}
        for fold, folder in places.items():
            seen = pd.read_parquet(folder / "columns.parquet")
            yield FusionEvidence(load_learner(folder), seen, fold, last=fold == folds[-1])


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


def _thresholds(path: Path, main: Part) -> dict[tuple[str, Part], float]:
    """The served model's own, and where there are others all of them beside it."""
    found = {}
    for model, said in _json(path).items():
        for other in said.get("parts", ()):
            part = Part(other["outer_fold"], seed=other["seed"])
            found[model, part] = float(other["threshold"])
        found[model, main] = float(said["threshold"])
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read ({error}); run make repro.") from None
    return values
