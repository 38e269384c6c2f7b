"""What a network leaves: embeddings, predictions, whom it learned from, its learning curves."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd

from oncotrail.backbones.estimated import ESTIMATOR
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch, PatientBy
from oncotrail.backbones.loop import Trained
from oncotrail.backbones.scoring import Numbers, Scored
from oncotrail.backbones.weights import ATTENTION, BLUEPRINT, WEIGHTS, Blueprint, LoadedNetwork
from oncotrail.cohort import tables
from oncotrail.record import FittedKind, FittedOn, counted

SHOWN = (
    WEIGHTS,
    BLUEPRINT,
    ESTIMATOR,
    ATTENTION,
    "features.parquet",
    "history.csv",
    "predictions.parquet",
)


def write_scored(
    folder: Path, saved: LoadedNetwork, images: pd.DataFrame, scored: Scored, seed: int
) -> None:
    """Write features.parquet and predictions.parquet; `scored` is in the order of `images`."""
    blueprint, scores = saved.blueprint, scored.scores
    if saved.pooling is not None:  # a patient's score stands beside each of the images
        of_patients = saved.patients(scored.embeddings, images["patient"].astype(str).tolist())
        scores = np.array([of_patients[patient] for patient in images["patient"]])
    features = features_table(images, scored.embeddings, blueprint.model, seed)
    tables.write(tables.FEATURES, features, folder / "features.parquet")
    model, outcome = blueprint.model, blueprint.outcome
    predictions = predictions_table(images, scores, model, outcome, seed, by=blueprint.patient_by)
    tables.write(tables.PREDICTIONS, predictions, folder / "predictions.parquet")


def write_learned(folder: Path, trained: Trained | None, fitted: list[FittedOn]) -> None:
    """Write fitted_on.parquet and history.csv, which has no rows where nothing was trained."""
    tables.write(tables.FITTED_ON, tables.fitted_on_frame(fitted), folder / "fitted_on.parquet")
    epochs = () if trained is None else trained.history
    columns = [field.name for field in fields(Epoch)]
    history = pd.DataFrame([asdict(epoch) for epoch in epochs], columns=columns)
    history.to_csv(folder / "history.csv", index=False)


def features_table(
    images: pd.DataFrame, embeddings: Numbers, source: str, seed: int
) -> pd.DataFrame:
    """One row per image: `embedding_00`, ... in the order of `images`; the mean of its slices."""
    width = embeddings.shape[1]
    digits = max(2, len(str(width - 1)))  # so that names sort as numbers do
    names = [f"embedding_{number:0{digits}d}" for number in range(width)]
    numbers = pd.DataFrame(embeddings, columns=names, index=images.index)
    said = images[["patient", "image", "outer_fold"]].assign(source=source, seed=seed)
    rows = pd.concat([said, numbers], axis=1)
    if not rows["image"].duplicated().any():
        return rows
    return rows.groupby(list(said), sort=False, as_index=False)[names].mean()


def predictions_table(
    images: pd.DataFrame,
    scores: Numbers,
    model: str,
    outcome: str,
    seed: int,
    *,
    by: PatientBy,
) -> pd.DataFrame:
    """One row per patient: of several images, the mean or the largest of their probabilities."""
    keys = ["patient", "role", "outer_fold", "inner_fold"]
    per_image = images[keys].assign(score=scores)
    per_patient = per_image.groupby(keys, dropna=False, as_index=False)[["score"]].agg(by)
    return tables.predictions_of(model, outcome, seed, per_patient)


def fitted_objects(
    blueprint: Blueprint, trained: Trained | None, learns: Examples, chooses: Examples
) -> list[FittedOn]:
    """Whom the weights, the normalisation and the choice of the epoch came from."""
    part = blueprint.part
    name = part.object(blueprint.model)

    def fitted(what: str, kind: FittedKind, examples: Examples) -> FittedOn:
        patients, times = counted(examples.patients)
        return FittedOn(f"{name}{what}", kind, patients, part.outer_fold, times)

    own = [] if blueprint.start.constants == "weights" else ["/normalisation"]
    scalers = [fitted(what, "scaler", learns) for what in own]
    if trained is None:
        scaling = fitted("/scaling", "scaler", learns)
        curve = fitted("/calibration", "learner", learns)
        return [fitted("", "network", learns), scaling, curve, *scalers]
    if blueprint.attention is not None:
        scalers.append(fitted("/attention", "learner", learns))
    patients, times = _drawn(trained)
    weights = FittedOn(name, "network", patients, part.outer_fold, times)
    return [weights, fitted("/best_epoch", "selector", chooses), *scalers]


def _drawn(trained: Trained) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The patients of the batches that were learned from, and how often in an epoch."""
    epochs, drawn = len(trained.history), sorted(trained.drawn.items())
    times = tuple(max(1, times // epochs) for _, times in drawn)
    return tuple(patient for patient, _ in drawn), times


def summary(trained: Trained | None, parameters: int) -> dict[str, float]:
    """The run's final figures: those of the best epoch, and the size of the network."""
    if trained is None:
        return {"parameters": parameters}
    best = asdict(trained.best)
    number = best.pop("epoch")
    del best["learning_rate"]
    at_best = {f"best_epoch/{name}": value for name, value in best.items()}
    return {"best_epoch": number, "parameters": parameters, **at_best}
