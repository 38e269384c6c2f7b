"""The study of `hand_made` in a cross-validation: 3 outer folds and the whole, two seeds."""

from typing import Any

import numpy as np
import pandas as pd

from oncotrail.cohort import tables
from oncotrail.cohort.folds import of_fold, outer_folds
from oncotrail.cohort.split import split_patients
from oncotrail.fusion.early import Material
from oncotrail.study.fusion import Fusion
from tests.fusion.hand_made import COHORT, FUSION, NETWORKS, SEED, a_study

FOLDS = 3
SEEDS = (SEED, SEED + 1)
SPLIT: dict[str, Any] = {
    "stratify_by": "metastasis",
    "validation": 0.2,
    "cross_validation": FOLDS,
    "external_sites": (),
    "folds": 4,
    "fusion_folds": 2,
}


def crossed(split: pd.DataFrame | None = None) -> Material:
    """The study of `hand_made` in 3 outer folds and the whole, with networks of two seeds."""
    study = a_study()
    if split is None:
        split = split_patients(study.cohort, **SPLIT, seed=3).frame
    return Material(
        declared=COHORT,
        cohort=study.cohort,
        split=split,
        features={name: _trained(of, split) for name, of in study.features.items()},
        predictions={name: _scored(name, study.cohort, split) for name in NETWORKS},
    )


def _trained(features: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """What each training says of everybody: its own numbers, as another network has its own."""
    stream = np.random.default_rng(7)
    own = [name for name in features if name.startswith("embedding_")]
    parts = []
    for fold in outer_folds(split):
        for seed in SEEDS:
            rows = features.assign(outer_fold=fold, seed=seed)
            rows[own] += stream.normal(size=rows[own].shape)
            parts.append(rows)
    return tables.checked(tables.FEATURES, pd.concat(parts, ignore_index=True), "features")


def _scored(network: str, cohort: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    stream = np.random.default_rng(len(network))
    happened = cohort.set_index("patient")["metastasis"]
    parts = []
    for fold in outer_folds(split):
        rows = of_fold(split, fold)
        for seed in SEEDS:
            logits = stream.normal(size=len(rows)) + happened[rows["patient"]].to_numpy(dtype=float)
            scored = rows.drop(columns="fits").assign(score=1 / (1 + np.exp(-logits)))
            parts.append(tables.predictions_of(network, "metastasis", seed, scored))
    return tables.checked(tables.PREDICTIONS, pd.concat(parts, ignore_index=True), "predictions")


def plan(**models: Any) -> Fusion:
    """The study's fusion section with these column sets."""
    return Fusion.model_validate({**FUSION.model_dump(), "models": models})
