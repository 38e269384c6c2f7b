"""From the study's `network` section to what the loop and the network ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oncotrail.backbones.loop import Recipe
from oncotrail.backbones.network import EmbeddingNetwork, Pixels, start
from oncotrail.backbones.weights import Blueprint
from oncotrail.compute import Precision
from oncotrail.errors import UserFault
from oncotrail.record import Scalar
from oncotrail.study.network import Network


def read_settings(path: Path) -> Network:
    """The settings that tune chose."""
    try:
        return Network.read(json.loads(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        message = f"{path} is missing; run the tune stage (make repro)."
        raise UserFault(message) from None


def recipe(settings: Network, most_epochs: int | None, seed: int) -> Recipe:
    """How to train; `most_epochs` caps the declared epochs, None does not."""
    return Recipe(
        epochs=settings.epochs if most_epochs is None else min(settings.epochs, most_epochs),
        batch_size=settings.batch_size,
        learning_rate=settings.optimizer.learning_rate,
        weight_decay=settings.optimizer.weight_decay,
        step_every=settings.schedule.every,
        step_factor=settings.schedule.factor,
        positive_weight=settings.loss.positive_weight,
        flips=settings.augmentation,
        best_epoch_by=settings.best_epoch_by,
        seed=seed,
    )


def begin(settings: Network, training: Pixels, seed: int, precision: Precision) -> EmbeddingNetwork:
    """The network before training."""
    return start(
        settings.architecture,
        settings.architecture_options,
        settings.head.embedding,
        weights=settings.weights,
        training=training,
        seed=seed,
        precision=precision,
    )


def said(
    settings: Network, asked: Recipe, network: EmbeddingNetwork, images: int
) -> dict[str, Scalar]:
    """What the run's page says of the plan."""
    return {
        **settings.flat(),
        "epochs": asked.epochs,
        "training_images": images,
        "device": network.device,
        "precision": network.architecture.precision,
    }


def blueprint(
    settings: Network, model: str, made: Mapping[str, Any], network: EmbeddingNetwork
) -> Blueprint:
    """What must be known of a network to build and feed it again; `made` is how its pixels were."""
    return Blueprint(
        model=model,
        outcome=settings.outcome,
        view=settings.view,
        pixels=made,
        start=settings.weights,
        architecture=network.architecture,
    )
