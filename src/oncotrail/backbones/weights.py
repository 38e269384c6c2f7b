"""A trained network on disk: `weights.safetensors`, and `network.json` with all else that it is.

Together they rebuild the network anywhere; nothing in them is code. Serving loads them with
`load_network` and gets, for the same pixels, the scores of the predictions table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.attention import AttentionPlan, AttentionPooling, bags_of
from oncotrail.backbones.estimated import Estimated, EstimatorFile, read_estimated, write_estimated
from oncotrail.backbones.features import features_of
from oncotrail.backbones.inputs import Inputs
from oncotrail.backbones.judging import PatientBy
from oncotrail.backbones.network import Architecture, EmbeddingNetwork, Pixels
from oncotrail.backbones.scoring import Numbers, Scored, score
from oncotrail.backbones.sources import Source
from oncotrail.cohort.folds import Part
from oncotrail.errors import ImageFault, UserFault

WEIGHTS = "weights.safetensors"
BLUEPRINT = "network.json"
ATTENTION = "attention.safetensors"


@dataclass(frozen=True)
class Blueprint:
    """What a network is, but for its weights: its pixels, how it is built, what it predicts."""

    model: str
    outcome: str
    view: str
    pixels: Mapping[str, Any]  # decode.json's entry of the view: window, rows, columns
    start: Source  # where the weights were from before training
    architecture: Architecture
    patient_by: PatientBy = "mean"  # of several images' probabilities, where there is no attention
    attention: AttentionPlan | None = None
    estimator: EstimatorFile | None = None  # off the shelf: what answers in the head's place
    outer_fold: int = 0  # these three: which part of the network's training it came from
    inner_fold: int | None = None
    seed: int = 0  # counted from 0

    @property
    def part(self) -> Part:
        """Whom it learned from, and from which start."""
        return Part(self.outer_fold, self.inner_fold, self.seed)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Blueprint:
        """The inverse of `asdict` and JSON, which turn tuples into lists."""
        architecture = Architecture.from_json(values["architecture"])
        estimator = values["estimator"]
        if estimator is not None:
            estimator = EstimatorFile(**{**estimator, "layers": tuple(estimator["layers"])})
        start = Source(**values["start"])
        attention = values["attention"] and AttentionPlan(**values["attention"])
        built = {
            "architecture": architecture,
            "start": start,
            "estimator": estimator,
            "attention": attention,
        }
        return cls(**{**values, **built})


@dataclass(frozen=True)
class LoadedNetwork:
    """A trained network in evaluation mode, for pixels made as its blueprint says."""

    blueprint: Blueprint
    network: EmbeddingNetwork
    estimated: Estimated | None = None
    pooling: AttentionPooling | None = None

    def score(self, pixels: Inputs) -> Scored:
        """Logits, scores and embeddings of images x rows x columns, uint8."""
        expected = (int(self.blueprint.pixels["rows"]), int(self.blueprint.pixels["columns"]))
        if pixels.shape[1:3] != expected:
            message = (
                f"found pixels of shape {pixels.shape}; {self.blueprint.model} sees images of "
                f"{expected[0]} rows x {expected[1]} columns. Decode them as {BLUEPRINT} says."
            )
            raise ImageFault(message)
        if self.blueprint.estimator is None:
            return score(self.network, pixels)
        machine = OneDevice(self.network.device)
        parts = features_of(self.network, pixels, machine, self.blueprint.estimator.layers)
        return self.scored(torch.cat(list(parts)).to(torch.float64).numpy())

    def scored(self, features: Inputs) -> Scored:
        """What the estimator, or the head, makes of a trunk's features."""
        if self.estimated is None:
            return score(self.network.head, features)
        own = np.asarray(features, dtype=np.float64)
        return Scored(self.estimated.logits(own), own)

    def scores(self, pixels: Pixels) -> Numbers:
        """The probability of the outcome per image; higher means more likely."""
        return self.score(pixels).scores

    def embeddings(self, pixels: Pixels) -> Numbers:
        """What fusions read, images x embedding: see `heads`."""
        return self.score(pixels).embeddings

    def scores_of(self, embeddings: Numbers) -> Numbers:
        """What the head makes of embeddings that were kept: the same as `scores` of the images."""
        if self.estimated is not None:
            return self.scored(embeddings).scores
        kept = torch.from_numpy(embeddings).to(self.network.dtype)
        with torch.inference_mode():
            logits = self.network.head.logits_of(kept)
        return Scored(logits.to(torch.float64).numpy(), embeddings).scores

    def patients(self, embeddings: Numbers, patients: Sequence[str]) -> dict[str, float]:
        """Each patient's probability, from the kept embeddings of all the patient's images."""
        if self.pooling is not None:
            bags = bags_of(embeddings, patients)
            scores = score(self.pooling, bags.rows).scores
            return dict(zip(bags.patients, scores.tolist(), strict=True))
        names, whose = np.unique(np.asarray(patients), return_inverse=True)
        of_image = self.scores_of(embeddings)
        if self.blueprint.patient_by == "mean":
            together = np.bincount(whose, weights=of_image) / np.bincount(whose)
        else:
            together = np.full(len(names), -np.inf)
            np.maximum.at(together, whose, of_image)
        return dict(zip(names.tolist(), together.tolist(), strict=True))


def save_network(
    network: EmbeddingNetwork,
    blueprint: Blueprint,
    folder: Path,
    estimated: Estimated | None = None,
    pooling: AttentionPooling | None = None,
) -> None:
    """Write its files; the same network is the same bytes."""
    if estimated is not None:
        blueprint = replace(blueprint, estimator=write_estimated(estimated, folder))
    if pooling is not None:
        blueprint = replace(blueprint, attention=pooling.plan)
        _write(folder / ATTENTION, safetensors.torch.save(pooling.state_dict()))
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    _write(folder / WEIGHTS, safetensors.torch.save(weights))
    text = json.dumps(asdict(blueprint), indent=1, sort_keys=True) + "\n"
    _write(folder / BLUEPRINT, text.encode())


def load_network(folder: Path) -> LoadedNetwork:
    """Rebuild what `save_network` wrote."""
    try:
        values = json.loads((folder / BLUEPRINT).read_text(encoding="utf-8"))
        weights = safetensors.torch.load((folder / WEIGHTS).read_bytes())
        blueprint = Blueprint.from_json(values)
        network = EmbeddingNetwork(blueprint.architecture)
        network.load_state_dict(weights)
        pooling = _pooling(blueprint, folder)
    except FileNotFoundError as error:
        message = f"{error.filename} is missing; run the train stage that writes it (make repro)."
        raise UserFault(message) from None
    except (ValueError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        message = (
            f"{folder}: {BLUEPRINT} and {WEIGHTS} give no network ({reason}); delete the folder "
            "and run make repro."
        )
        raise UserFault(message) from error
    network.eval()
    described = blueprint.estimator
    estimated = None if described is None else read_estimated(described, folder)
    return LoadedNetwork(blueprint, network, estimated, pooling)


def _pooling(blueprint: Blueprint, folder: Path) -> AttentionPooling | None:
    if blueprint.attention is None:
        return None
    weights = safetensors.torch.load((folder / ATTENTION).read_bytes())
    pooling = AttentionPooling(blueprint.attention).to(weights["mean"].dtype)
    pooling.load_state_dict(weights)
    return pooling.eval()


def _write(path: Path, content: bytes) -> None:
    """Beside, to the disk, then renamed: a kill leaves the old file or the new one."""
    beside = path.with_name(f".{path.name}.partial")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
