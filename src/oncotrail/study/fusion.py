"""Section `fusion`: the learners on embeddings and clinical columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings, nearest
from oncotrail.study.network import Network


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
    """What one fusion model reads: clinical columns, and networks' embeddings or scores.

    `networks` gives every number of an embedding, `scores` one number per network: the log odds of
    its probability, which mean the same whichever training of the network they come from.
    """

    clinical: bool
    networks: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()

    @property
    def looks_through(self) -> tuple[str, ...]:
        """The networks that it reads, by embedding or by score, each once."""
        return tuple(dict.fromkeys((*self.networks, *self.scores)))


class Fusion(Settings):
    """Early fusion: one learner per column set, all fitted on the same patients."""

    outcome: str
    models: dict[str, ColumnSet] = Field(min_length=1)
    imputation: Imputation = Imputation(numbers="median", categories="most_frequent")
    resampling: BorderlineSmote | None
    learner: RandomForest


def misread(plan: Fusion, networks: Mapping[str, Network]) -> Iterator[str]:
    """What is wrong with how the models read networks, a sentence each: unknown, or out of fold."""
    for model, asked in plan.models.items():
        unknown = [name for name in asked.looks_through if name not in networks]
        if unknown:
            fault = f" network {unknown[0]!r}. {nearest(unknown[0], networks)}"
        else:
            fault = _out_of_fold(asked, networks)
        if fault:
            yield f"fusion.models.{model} reads{fault}"


def _out_of_fold(asked: ColumnSet, networks: Mapping[str, Network]) -> str:
    apart = [name for name in asked.looks_through if networks[name].out_of_fold]
    kept = [name for name in asked.looks_through if not networks[name].out_of_fold]
    embedded = [name for name in asked.networks if name in apart]
    if embedded:
        return (
            f" the embeddings of {embedded}, which are out of fold: they come from several "
            "trainings, and their numbers have no common axes. Name the networks under scores "
            "instead of networks, or set their out_of_fold to false and keep patients for the "
            "fusion (split.fusion_folds)."
        )
    if apart and kept:
        return (
            f" {apart}, which are out of fold, and {kept}, which are not: the ones may be learned "
            "from on patients whom the others remember. Set out_of_fold alike for all networks of "
            "a model."
        )
    return ""
