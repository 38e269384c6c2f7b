"""What the fuse stage leaves: one table of scores, one of records, a folder per model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.fusion.archive import save_learner
from oncotrail.fusion.early import FusedModel


def write_fused(fused: Mapping[str, FusedModel], folder: Path) -> list[Path]:
    """Write every file of every model (by its name within the study); return their paths."""
    for name, model in fused.items():
        save_learner(model.learner, model.seen, folder / name)
    scores = pd.concat([model.predictions for model in fused.values()], ignore_index=True)
    records = [record for model in fused.values() for record in model.fitted_on]
    tables.write(tables.PREDICTIONS, scores, folder / "predictions.parquet")
    tables.write(tables.FITTED_ON, tables.fitted_on_frame(records), folder / "fitted_on.parquet")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def figures(fused: Mapping[str, FusedModel]) -> dict[str, int]:
    """How much each model reads, and how many rows it was fitted on."""
    return {
        f"{name}/{what}": value
        for name, model in fused.items()
        for what, value in {
            "columns": model.seen.shape[1],
            "fitted_patients": model.fitted_patients,
            "synthetic_rows": model.synthetic_rows,
        }.items()
    }
