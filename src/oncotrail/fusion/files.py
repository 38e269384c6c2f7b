"""What the fuse stage leaves: one table of scores, one of records, a folder per model.

A model's folder holds the learner of the last outer fold, which is the one that is served; those
of the others are beside it in `fold0`, `fold1`, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from oncotrail.cohort import tables
from oncotrail.fusion.archive import save_learner
from oncotrail.fusion.early import FusedModel

Fused = Mapping[str, Mapping[int, FusedModel]]  # by name within the study, and outer fold


def write_fused(fused: Fused, folder: Path) -> list[Path]:
    """Write every file of every model; return those that a reader is shown.

    The learners of the other folds judge, and are nothing to use: they stay where they are.
    """
    models = list(_models(fused))
    for place, model in models:
        save_learner(model.learner, model.seen, folder / place)
    scores = pd.concat([model.predictions for _, model in models], ignore_index=True)
    records = [record for _, model in models for record in model.fitted_on]
    tables.write(tables.PREDICTIONS, scores, folder / "predictions.parquet")
    tables.write(tables.FITTED_ON, tables.fitted_on_frame(records), folder / "fitted_on.parquet")
    of_kept = (*folder.glob("*"), *folder.glob("*/*"))
    return sorted(path for path in of_kept if path.is_file())


def figures(fused: Fused) -> dict[str, int]:
    """How much each model reads, and how many rows it was fitted on."""
    return {
        f"{place}/{what}": value
        for place, model in _models(fused)
        for what, value in {
            "columns": model.seen.shape[1],
            "fitted_patients": model.fitted_patients,
            "synthetic_rows": model.synthetic_rows,
        }.items()
    }


def sentences(fused: Fused) -> Iterator[str]:
    """A line per fitted model."""
    for place, model in _models(fused):
        yield (
            f"{place}: {model.seen.shape[1]} columns, fitted on {model.fitted_patients} patients "
            f"and {model.synthetic_rows} synthetic rows"
        )


def _models(fused: Fused) -> Iterator[tuple[str, FusedModel]]:
    """Each fitted model and its place below the stage's folder."""
    for name, folds in fused.items():
        for fold, model in folds.items():
            yield (name if fold == max(folds) else f"{name}/fold{fold}"), model
