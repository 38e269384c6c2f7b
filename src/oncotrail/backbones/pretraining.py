"""A trunk trained to tell procedural images apart, for networks to begin with.

The loop is the one that trains every network: cross-entropy over the kinds of picture, AdamW down
half a cosine. It is judged on pictures of another seed, which it has never seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.loop import Checkpoints, OnEpoch, Trained, train
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.network import EmbeddingNetwork, start
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.procedural import ProceduralImages, kinds
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.scoring import score
from oncotrail.backbones.sources import Source, Wanted
from oncotrail.backbones.weights import Blueprint
from oncotrail.compute import of_weights
from oncotrail.statistics.intervals import wilson
from oncotrail.study.pretraining import PretrainedTrunk

WATCHED = 200  # pictures by which the best epoch is chosen


@dataclass(frozen=True)
class Pretrained:
    """A trunk that was trained, and how often it is right about pictures that it has not seen."""

    network: EmbeddingNetwork
    trained: Trained
    right: int
    held_out: int

    def figures(self) -> dict[str, float]:
        """Its accuracy with a 95 % interval (Wilson), and the epoch that was kept."""
        interval = wilson(self.right, self.held_out)
        return {
            "accuracy": self.right / self.held_out,
            "accuracy_low": interval.low,
            "accuracy_high": interval.high,
            "best_epoch": self.trained.best.epoch,
        }


def pretrained(
    asked: PretrainedTrunk,
    seed: int,
    machine: OneDevice,
    on_epoch: OnEpoch,
    checkpoints: Checkpoints | None = None,
) -> Pretrained:
    """Train it; `seed` decides its first weights and every picture."""
    learns = _pictures(asked.images, asked.side, seed)
    chooses = _pictures(WATCHED, asked.side, seed + 1)
    network = start(
        asked.architecture,
        asked.architecture_options,
        HeadPlan(None, classes=len(kinds())),
        weights=Wanted("none"),
        training=learns.inputs,
        seed=seed,
        precision=of_weights(machine.precision),
    ).network
    trained = train(
        network,
        learns,
        chooses,
        _recipe(asked, seed),
        on_epoch,
        accelerator=machine,
        checkpoints=checkpoints,
    )
    held_out = _pictures(asked.held_out, asked.side, seed + 2)
    logits = score(network, held_out.inputs, machine).logits
    right = int((logits.argmax(axis=1) == held_out.labels).sum())
    return Pretrained(network, trained, right, asked.held_out)


def blueprint(name: str, asked: PretrainedTrunk, network: EmbeddingNetwork) -> Blueprint:
    """What must be known of it to build it again."""
    size = {"window": None, "rows": asked.side, "columns": asked.side}
    return Blueprint(name, "kind", "procedural", size, Source("none"), network.architecture)


def _pictures(count: int, side: int, seed: int) -> Examples:
    """Drawn once and held: they are asked for again in every epoch."""
    drawn = ProceduralImages(count, side, seed)
    names = tuple(f"picture {number}" for number in range(count))
    return Examples(np.asarray(drawn[:]), drawn.labels, names)


def _recipe(asked: PretrainedTrunk, seed: int) -> Recipe:
    return Recipe(
        epochs=asked.epochs,
        batch_size=asked.batch_size,
        loss=Loss("cross_entropy"),
        optimizer=Optimizer("adamw", asked.learning_rate, asked.weight_decay, decays="matrices"),
        schedule=Schedule("cosine"),
        best_epoch_by="validation_accuracy",
        seed=seed,
    )
