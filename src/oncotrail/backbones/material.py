"""What a part of a network's training is given: the images of its view and outer fold.

Only training patients that the split marks `network` are learned from, and of them, where an inner
fold is left out, only the others; only validation patients choose the epoch; everybody is predicted
or, out of fold, everybody that was not learned from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oncotrail.backbones.inputs import Examples, Inputs, StoredRows
from oncotrail.backbones.network import Pixels
from oncotrail.cohort import tables
from oncotrail.cohort.folds import Part, of_fold
from oncotrail.errors import StudyFileError, TrainingFault


@dataclass(frozen=True)
class Decoded:
    """One view as the decode stage left it."""

    view: str
    pixels: Pixels  # memory-mapped
    rows: pd.DataFrame  # patient, image, slice, row: which row of `pixels` is whose
    made: Mapping[str, Any]  # window, rows, columns as used


@dataclass(frozen=True)
class Material:
    """The images of one view with what the cohort and one outer fold say of their patients."""

    # patient, image, slice, row, label, role, fits, outer_fold, inner_fold; in order of `row`
    images: pd.DataFrame
    pixels: Pixels  # of the whole view; `row` says which is whose
    part: Part

    def learns(self) -> Examples:
        """What the weights may learn from."""
        return self._examples(self.part.learns(self.images))

    def chooses(self) -> Examples:
        """What the best epoch is chosen by."""
        return self._examples(self.images["role"] == "validation")

    def scored(self, *, out_of_fold: bool) -> tuple[pd.DataFrame, Inputs]:
        """The images that this part scores, and their pixels in the same order."""
        wanted = self.part.scores(self.images, out_of_fold=out_of_fold)
        images = self.images[wanted].reset_index(drop=True)
        if len(images) == len(self.pixels):
            return images, self.pixels
        return images, StoredRows(self.pixels, images["row"].to_numpy(dtype=np.int64))

    def _examples(self, wanted: pd.Series) -> Examples:
        chosen = self.images[wanted.astype(bool)]
        return Examples(
            inputs=StoredRows(self.pixels, chosen["row"].to_numpy(dtype=np.int64)),
            labels=chosen["label"].to_numpy(dtype=np.int64),
            patients=tuple(chosen["patient"]),
        )


def read_view(folder: Path, view: str) -> Decoded:
    """Read the decode stage's files of one view."""
    made = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    if view not in made:
        message = (
            f"view {view!r} was not decoded; the decode section has {', '.join(sorted(made))}."
        )
        raise StudyFileError(message)
    rows = tables.read(tables.PIXELS, folder / "pixels.parquet")
    pixels = np.load(folder / f"{view}.npy", mmap_mode="r")
    of_view = rows.loc[rows["view"] == view, ["patient", "image", "slice", "row"]]
    if sorted(of_view["row"]) != list(range(len(pixels))):
        message = (
            f"{folder}: {view}.npy holds {len(pixels)} images and pixels.parquet names "
            f"{len(of_view)} rows of it; delete the folder and run make repro."
        )
        raise TrainingFault(message)
    return Decoded(view, pixels, of_view.reset_index(drop=True), made[view])


def gather(
    decoded: Decoded,
    cohort: pd.DataFrame,
    split: pd.DataFrame,
    outcome: str,
    part: Part | None = None,
) -> Material:
    """Put pixels, outcome and split together by patient id; nobody is dropped silently.

    For the main part where none is named. Patients who are in other outer folds alone, as those of
    external sites are, are not in this one's material.
    """
    part = part or Part.main(split)
    _check_images(decoded, split)
    fold = of_fold(split, part.outer_fold)
    elsewhere = set(split["patient"]) - set(fold["patient"])
    here = decoded.rows[~decoded.rows["patient"].isin(elsewhere)]
    labels = cohort[["patient", outcome]].rename(columns={outcome: "label"})
    known = tables.join(here, labels, f"labels of view {decoded.view}")
    images = tables.join(known, fold, f"roles of view {decoded.view}")
    return Material(images.sort_values("row").reset_index(drop=True), decoded.pixels, part)


def _check_images(decoded: Decoded, split: pd.DataFrame) -> None:
    without = sorted(set(split["patient"]) - set(decoded.rows["patient"]))
    if without:
        message = (
            f"{len(without)} patients have no image of view {decoded.view}, e.g. "
            f"{', '.join(without[:5])}; make the view required in the cohort section, so that they "
            "are excluded with a reason."
        )
        raise TrainingFault(message)
