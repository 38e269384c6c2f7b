"""Section `network`: one network, as a methods section would state it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings


class Head(Settings):
    """features -> embedding -> ReLU -> 1 logit; the embedding is what the fusion reads."""

    embedding: int = Field(ge=1)


class Loss(Settings):
    """Binary cross-entropy; a positive patient counts `positive_weight` times."""

    kind: Literal["binary_cross_entropy"]
    positive_weight: float = Field(gt=0)


class Optimizer(Settings):
    """Adam, as published."""

    kind: Literal["adam"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)


class StepSchedule(Settings):
    """Multiply the learning rate by `factor` every `every` epochs."""

    kind: Literal["step"]
    every: int = Field(ge=1)
    factor: float = Field(gt=0, le=1)


class Search(Settings):
    """How many trials the search may spend; 0 passes the published settings through."""

    trials: int = Field(ge=0)


class Network(Settings):
    """One network of a study."""

    study: str
    view: str
    outcome: str
    architecture: str
    architecture_options: dict[str, int | float | tuple[int, ...]] = Field(default_factory=dict)
    weights: Literal["imagenet", "none"]
    head: Head
    loss: Loss
    optimizer: Optimizer
    schedule: StepSchedule
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    augmentation: tuple[Literal["horizontal_flip", "vertical_flip"], ...]
    best_epoch_by: Literal["validation_accuracy", "validation_loss", "validation_auc"]
    search: Search
