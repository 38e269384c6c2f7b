"""From the study's `network` section to what the loop and the network ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Inputs
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.network import Begun, EmbeddingNetwork, start
from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.sources import Source, Wanted
from oncotrail.backbones.weights import Blueprint
from oncotrail.cohort.folds import Part
from oncotrail.compute import Precision, of_weights
from oncotrail.errors import UserFault
from oncotrail.record import Scalar
from oncotrail.study.computing import Compute
from oncotrail.study.network import FileWeights, HubWeights, Network, PretrainedWeights, Weights

ONLY = Part(0)  # of a split with one outer fold
SETTINGS = "settings.json"
FOLD_SETTINGS = "folds.json"  # outer fold -> settings, of the folds that were searched apart


def read_settings(folder: Path, outer_fold: int | None = None) -> Network:
    """The settings that tune chose: the whole's, or an outer fold's where it was searched apart."""
    path = folder / SETTINGS
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path} is missing; run the tune stage (make repro)."
        raise UserFault(message) from None
    apart = _of_folds(folder).get(str(outer_fold))
    if apart is None:
        return Network.read(whole, str(path))
    return Network.read(apart, f"outer fold {outer_fold} of {folder / FOLD_SETTINGS}")


def _of_folds(folder: Path) -> dict[str, Any]:
    path = folder / FOLD_SETTINGS
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def recipe(settings: Network, most_epochs: int | None, seed: int) -> Recipe:
    """How to train; `most_epochs` caps the declared epochs, None does not.

    The warm-up stays the same share of the epochs: one that filled a capped training would never
    reach the learning rate.
    """
    epochs = settings.epochs if most_epochs is None else min(settings.epochs, most_epochs)
    warm_up = settings.schedule.warm_up * epochs // settings.epochs
    return Recipe(
        epochs=epochs,
        batch_size=settings.batch_size,
        loss=Loss(**settings.loss.model_dump()),
        optimizer=Optimizer(**settings.optimizer.model_dump()),
        schedule=Schedule(**{**settings.schedule.model_dump(), "warm_up": warm_up}),
        augmentation=Augmentation(**settings.augmentation.model_dump()),
        sampler=settings.sampler,
        accumulation=settings.accumulation,
        clip_norm=settings.clip_norm,
        average_decay=settings.average_decay,
        patience=settings.patience,
        best_epoch_by=settings.best_epoch_by,
        patient_by=settings.patient_by,
        seed=seed,
    )


def begin(
    settings: Network,
    training: Inputs,
    seed: int,
    precision: Precision,
    pretrained: Path = Path(),
) -> Begun:
    """The network before training; `pretrained` is the folder of the study's stage `pretrain`."""
    return start(
        settings.architecture,
        settings.architecture_options,
        HeadPlan(**settings.head.model_dump()),
        weights=wanted(settings.weights, pretrained),
        training=training,
        seed=seed,
        precision=of_weights(precision),
        channels=settings.channels,
    )


def wanted(weights: Weights, pretrained: Path) -> Wanted:
    """The first weights that the study file names."""
    if isinstance(weights, FileWeights):
        constants = None
        if weights.mean and weights.std:
            constants = Normalisation(weights.mean, weights.std)
        return Wanted("file", weights.file, weights.sha256, weights.licence, constants)
    if isinstance(weights, HubWeights):
        return Wanted("hub", weights.hub)
    if isinstance(weights, PretrainedWeights):
        return Wanted("pretraining", str(pretrained / weights.pretrain))
    return Wanted(weights)


def machine(settings: Network, compute: Compute) -> OneDevice:
    """Where and how this network computes: what was measured for its architecture, if anything."""
    chosen = compute.of(settings.architecture)
    return OneDevice(compute.device, chosen.precision, chosen.layout, chosen.compile)


def said(
    settings: Network, asked: Recipe, machine: OneDevice, images: int, source: Source
) -> dict[str, Scalar]:
    """What the run's page says of the plan, as used."""
    shown = settings.flat()
    if "schedule.warm_up" in shown:
        shown["schedule.warm_up"] = asked.schedule.warm_up
    return {
        **shown,
        "epochs": asked.epochs,
        "training_images": images,
        **{f"start.{name}": value for name, value in asdict(source).items()},
        "device": machine.name,
        "precision": machine.precision,
        "layout": machine.layout,
        "compile": machine.compile,
    }


def blueprint(
    settings: Network,
    model: str,
    made: Mapping[str, Any],
    network: EmbeddingNetwork,
    source: Source,
    *,
    part: Part = ONLY,
) -> Blueprint:
    """What must be known of a network to build and feed it again; `made` is how its pixels were."""
    return Blueprint(
        model=model,
        outcome=settings.outcome,
        view=settings.view,
        pixels=made,
        start=source,
        architecture=network.architecture,
        patient_by=settings.patient_by,
        **asdict(part),
    )
