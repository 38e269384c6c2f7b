"""What a network leaves: embeddings, predictions, whom it learned from, its learning curves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from oncotrail.backbones.batches import Examples
from oncotrail.backbones.loop import Trained
from oncotrail.backbones.scoring import Numbers, Scored
from oncotrail.backbones.weights import BLUEPRINT, WEIGHTS, Blueprint
from oncotrail.cohort import tables
from oncotrail.record import FittedKind, FittedOn, counted

SHOWN = (WEIGHTS, BLUEPRINT, "features.parquet", "history.csv", "predictions.parquet")


def write_scored(
    folder: Path, blueprint: Blueprint, images: pd.DataFrame, scored: Scored, seed: int
) -> None:
    """Write features.parquet and predictions.parquet; `scored` is in the order of `images`."""
    features = features_table(images, scored.embeddings, blueprint.model, seed)
    tables.write(tables.FEATURES, features, folder / "features.parquet")
    predictions = predictions_table(images, scored.scores, blueprint.model, blueprint.outcome, seed)
    tables.write(tables.PREDICTIONS, predictions, folder / "predictions.parquet")


def write_learned(folder: Path, trained: Trained, fitted: list[FittedOn]) -> None:
    """Write fitted_on.parquet and history.csv."""
    tables.write(tables.FITTED_ON, tables.fitted_on_frame(fitted), folder / "fitted_on.parquet")
    history = pd.DataFrame([asdict(epoch) for epoch in trained.history])
    history.to_csv(folder / "history.csv", index=False)


def features_table(
    images: pd.DataFrame, embeddings: Numbers, source: str, seed: int
) -> pd.DataFrame:
    """One row per image: `embedding_00`, ... in the order of `images`."""
    names = [f"embedding_{number:02d}" for number in range(embeddings.shape[1])]
    numbers = pd.DataFrame(embeddings, columns=names, index=images.index)
    said = images[["patient", "image", "outer_fold"]].assign(source=source, seed=seed)
    return pd.concat([said, numbers], axis=1)


def predictions_table(
    images: pd.DataFrame, scores: Numbers, model: str, outcome: str, seed: int
) -> pd.DataFrame:
    """One row per patient; where a patient has several images, the mean of their probabilities."""
    keys = ["patient", "role", "outer_fold", "inner_fold"]
    per_image = images[keys].assign(score=scores)
    per_patient = per_image.groupby(keys, dropna=False, as_index=False)[["score"]].mean()
    return tables.predictions_of(model, outcome, seed, per_patient)


def fitted_objects(
    blueprint: Blueprint, trained: Trained, learns: Examples, chooses: Examples
) -> list[FittedOn]:
    """Whom the weights, the normalisation and the choice of the epoch came from."""
    epochs = len(trained.history)
    drawn = sorted(trained.drawn.items())
    weights = FittedOn(
        blueprint.model,
        "network",
        patients=tuple(patient for patient, _ in drawn),
        times=tuple(max(1, times // epochs) for _, times in drawn),  # per epoch
    )
    found = [weights, _fitted(f"{blueprint.model}/best_epoch", "selector", chooses)]
    if blueprint.start == "none":  # ImageNet's constants come with its weights
        found.append(_fitted(f"{blueprint.model}/normalisation", "scaler", learns))
    return found


def _fitted(name: str, kind: FittedKind, examples: Examples) -> FittedOn:
    patients, times = counted(examples.patients)
    return FittedOn(name, kind, patients, times=times)


def summary(trained: Trained, parameters: int) -> dict[str, float]:
    """The run's final figures: those of the best epoch, and the size of the network."""
    best = asdict(trained.best)
    number = best.pop("epoch")
    del best["learning_rate"]
    at_best = {f"best_epoch/{name}": value for name, value in best.items()}
    return {"best_epoch": number, "parameters": parameters, **at_best}
