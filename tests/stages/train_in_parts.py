"""A network trained in parts: two outer folds and the whole, two starts, out of fold.

python -m tests.stages.train_in_parts <folder>    lay it out if it is not there, and train it
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.cohort import tables
from oncotrail.cohort.split import split_patients
from oncotrail.record import MemoryRun
from oncotrail.study.cohort import Cohort
from pipelines.train import Settings, main
from tests.stages.test_train import COHORT, KEY, NETWORK, STUDY, lay_out

SEED = 3
NETWORK_IN_PARTS = {**NETWORK, "augmentation": ["horizontal_flip"], "seeds": 2, "out_of_fold": True}
SPLIT = {
    "stratify_by": "metastasis",
    "validation": 0.25,
    "cross_validation": 2,
    "external_sites": ("C",),
    "folds": 3,
    "fusion_folds": 1,
    "seed": 5,
}


def laid_out(root: Path, moved: Sequence[str] = (), **changes: Any) -> MemoryRun:
    """All that train reads; the `moved` patients have other pixels and the other label."""
    run = lay_out(root)
    table = Cohort.model_validate(COHORT).table()
    cohort_file = run.folder("acquire") / "cohort.parquet"
    cohort = tables.read(table, cohort_file)
    cohort["site"] = ["C" if number % 10 == 9 else "A" for number in range(len(cohort))]
    split = split_patients(cohort, **SPLIT)
    tables.write(tables.SPLIT, split.frame, run.folder("split") / "split.parquet")
    move(run, moved)
    other = cohort["patient"].isin(moved)
    cohort["metastasis"] = np.where(other, 1 - cohort["metastasis"], cohort["metastasis"])
    tables.write(table, cohort, cohort_file)
    asked = json.dumps({**NETWORK_IN_PARTS, **changes})
    (run.folder("tune", KEY) / "settings.json").write_text(asked)
    return run


def move(run: MemoryRun, moved: Sequence[str]) -> None:
    rows = tables.read(tables.PIXELS, run.folder("decode") / "pixels.parquet")
    pixels = np.load(run.folder("decode") / "t4.npy")
    whose = rows.set_index("row").loc[range(len(pixels)), "patient"].isin(moved).to_numpy()
    pixels[whose] = np.random.default_rng(4).integers(0, 256, pixels[whose].shape)
    np.save(run.folder("decode") / "t4.npy", pixels)


def train_again(root: Path) -> MemoryRun:
    run = MemoryRun(root, STUDY, "train", KEY)
    main(
        Settings.model_validate(
            {
                "seed": SEED,
                "compute": {"threads": 1, "precision": "float64"},
                "limits": {"epochs": 2},
                "cohort": COHORT,
            }
        ),
        run,
    )
    return run


def trained(root: Path, moved: Sequence[str] = (), **changes: Any) -> MemoryRun:
    laid_out(root, moved, **changes)
    return train_again(root)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def split_of(run: MemoryRun) -> pd.DataFrame:
    return tables.read(tables.SPLIT, run.folder("split") / "split.parquet")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if not place.exists():
        laid_out(place)
    FolderCheckpoints.due = lambda _: True  # type: ignore[method-assign]
    train_again(place)
