"""Section `fusion`: the learners on embeddings and clinical columns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings


class Imputation(Settings):
    """What stands in for a blank clinical value, learned from training rows: nobody is dropped.

    `own_level` makes "not recorded" a level of every category.
    """

    numbers: Literal["median", "mean"]
    categories: Literal["most_frequent", "own_level"]


class BorderlineSmote(Settings):
    """Synthetic minority rows near the border, made from training rows only."""

    kind: Literal["borderline_smote"]
    neighbours: int = Field(ge=1)
    border_neighbours: int = Field(ge=1)


class RandomForest(Settings):
    """scikit-learn's RandomForestClassifier with the published settings."""

    kind: Literal["random_forest"]
    trees: int = Field(ge=1)
    bootstrap: bool
    minimum_split: int = Field(ge=2)
    minimum_leaf: int = Field(ge=1)
    minimum_leaf_fraction: float = Field(ge=0, le=0.5)


class ColumnSet(Settings):
    """What one fusion model reads: the clinical columns, and these networks' embeddings."""

    clinical: bool
    networks: tuple[str, ...] = ()


class Fusion(Settings):
    """Early fusion: one learner per column set, all fitted on the same patients."""

    outcome: str
    models: dict[str, ColumnSet] = Field(min_length=1)
    imputation: Imputation = Imputation(numbers="median", categories="most_frequent")
    resampling: BorderlineSmote | None
    learner: RandomForest
