"""The routes by which a network learns: see `study.network`.

Each ends in a piece of work for the training loop, but for `off_the_shelf`, where an estimator is
fitted and nothing is trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from oncotrail.backbones import plan
from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.attention import (
    AttentionPlan,
    AttentionPooling,
    attended,
    pooling_recipe,
)
from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.checkpoint import FolderCheckpoints
from oncotrail.backbones.estimated import Estimated
from oncotrail.backbones.features import kept_features
from oncotrail.backbones.inputs import Examples, Inputs, StoredRows
from oncotrail.backbones.loop import Checkpoints, Trained
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.off_the_shelf import EstimatorPlan, estimated
from oncotrail.backbones.part_run import PartRun
from oncotrail.backbones.processes import Work, train_as
from oncotrail.backbones.progress import watched
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.scoring import Scored, score
from oncotrail.backbones.thawing import Thaw, Thawing
from oncotrail.backbones.weights import LoadedNetwork
from oncotrail.study.computing import Compute
from oncotrail.study.network import Frozen, Network, OffTheShelf, Transfer

STORE = "features"  # in a run's work


@dataclass(frozen=True)
class Learnt:
    """What came of it: epochs of training, or an estimator."""

    trained: Trained | None = None
    estimated: Estimated | None = None
    pooling: AttentionPooling | None = None


@dataclass(frozen=True)
class Images:
    """What the weights learn from, and what chooses among them."""

    learns: Examples
    chooses: Examples


def learn(
    settings: Network,
    network: EmbeddingNetwork,
    images: Images,
    recipe: Recipe,
    run: PartRun,
    *,
    compute: Compute,
) -> Learnt:
    """Let a network that is begun learn, in place, by its route."""
    store, machine = run.work / STORE, plan.machine(settings, compute)
    way = settings.way
    if isinstance(way, OffTheShelf):
        features = on_features(network, images.learns, store, machine, way.layers)
        return Learnt(estimated=estimated(estimator_plan(way), features, recipe.seed))
    kept = FolderCheckpoints(run.checkpoints, run.say)
    work = work_of(
        settings, network, images, recipe, machine=machine, store=store, checkpoints=kept
    )
    with watched(run, recipe.epochs) as on_epoch:
        trained = train_as(compute, work, on_epoch)
    return Learnt(trained, pooling=attention_of(settings, work, recipe, machine))


def work_of(
    settings: Network,
    network: EmbeddingNetwork,
    images: Images,
    recipe: Recipe,
    *,
    machine: OneDevice,
    store: Path,
    checkpoints: Checkpoints | None = None,
) -> Work:
    """What the loop is to do; where it trains the head alone, that is the network's own head."""
    way = settings.way
    if runs_trunk_once(settings):
        learns, chooses = (
            on_features(network, of, store, machine) for of in (images.learns, images.chooses)
        )
        return Work(network.head, learns, chooses, recipe, machine, checkpoints)
    work = Work(network, images.learns, images.chooses, recipe, machine, checkpoints)
    if isinstance(way, Frozen):
        return replace(work, prepare_epoch=Thaw(network, Thawing(head_epochs=None)))
    if isinstance(way, Transfer) and way.unfreezing is not None:
        thaw = Thaw(network, Thawing(**way.unfreezing.model_dump()))
        optimizer = replace(recipe.optimizer, factors=thaw.factors())
        return replace(work, recipe=replace(recipe, optimizer=optimizer), prepare_epoch=thaw)
    return work


def attention_of(
    settings: Network, work: Work, recipe: Recipe, machine: OneDevice
) -> AttentionPooling | None:
    """Attention over patients' images, learnt on what the trained network says of them."""
    asked = settings.attention
    if asked is None:
        return None
    learns, chooses = (
        replace(of, inputs=score(work.network, of.inputs, machine).embeddings)
        for of in (work.training, work.validation)
    )
    plan_of = AttentionPlan(learns.inputs.shape[1], asked.hidden, settings.head.classes)
    how = pooling_recipe(recipe, asked.epochs, asked.learning_rate, asked.weight_decay)
    return attended(plan_of, learns, chooses, how, machine)


def runs_trunk_once(settings: Network) -> bool:
    """Whether a frozen trunk says the same of an image in every epoch."""
    same = Augmentation(**settings.augmentation.model_dump()) == Augmentation()
    return isinstance(settings.way, Frozen) and same


def scored_by(
    settings: Network, loaded: LoadedNetwork, images: Inputs, machine: OneDevice, store: Path
) -> Scored:
    """Everybody's scores from the saved network, as serving will have them."""
    way = settings.way
    if isinstance(way, OffTheShelf):
        return loaded.scored(stored_features(loaded.network, images, store, machine, way.layers))
    if runs_trunk_once(settings):
        return score(loaded.network.head, stored_features(loaded.network, images, store, machine))
    return loaded.score(images)


def on_features(
    network: EmbeddingNetwork,
    examples: Examples,
    store: Path,
    machine: OneDevice,
    layers: tuple[str, ...] = (),
) -> Examples:
    """The same examples as a trunk's features."""
    features = stored_features(network, examples.inputs, store, machine, layers)
    return replace(examples, inputs=features)


def stored_features(
    network: EmbeddingNetwork,
    images: Inputs,
    store: Path,
    machine: OneDevice,
    layers: tuple[str, ...] = (),
) -> Inputs:
    """A trunk's features of images; it is run over all that they are rows of.

    So everybody's features are there when they are scored, for the other parts of a network whose
    trunk is the same, and for the next trial of a search.
    """
    if not isinstance(images, StoredRows):
        return kept_features(network, images, store, machine, layers)
    return StoredRows(kept_features(network, images.stored, store, machine, layers), images.rows)


def estimator_plan(way: OffTheShelf) -> EstimatorPlan:
    """The estimator as the study file asks for it."""
    return EstimatorPlan(way.estimator.name, way.estimator.options, way.layers, way.folds)
