"""A trained network on disk: `weights.safetensors`, and `network.json` with all else that it is.

Together they rebuild the network anywhere; nothing in them is code. Serving loads them with
`load_network` and gets, for the same pixels, the scores of the predictions table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch

from oncotrail.backbones.network import Architecture, EmbeddingNetwork, Normalisation, Pixels
from oncotrail.backbones.scoring import Numbers, Scored, score
from oncotrail.errors import ImageFault, UserFault

WEIGHTS = "weights.safetensors"
BLUEPRINT = "network.json"


@dataclass(frozen=True)
class Blueprint:
    """What a network is, but for its weights: its pixels, how it is built, what it predicts."""

    model: str
    outcome: str
    view: str
    pixels: Mapping[str, Any]  # decode.json's entry of the view: window, rows, columns
    start: str  # imagenet or none: what the weights were before training
    architecture: Architecture

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Blueprint:
        """The inverse of `asdict` and JSON, which turn tuples into lists."""
        built = dict(values["architecture"])
        normalisation = Normalisation(**{k: tuple(v) for k, v in built["normalisation"].items()})
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in built["options"].items()}
        built |= {"normalisation": normalisation, "options": options}
        return cls(**{**values, "architecture": Architecture(**built)})


@dataclass(frozen=True)
class LoadedNetwork:
    """A trained network in evaluation mode, for pixels made as its blueprint says."""

    blueprint: Blueprint
    network: EmbeddingNetwork

    def score(self, pixels: Pixels) -> Scored:
        """Logits, scores and embeddings of images x rows x columns, uint8."""
        expected = (int(self.blueprint.pixels["rows"]), int(self.blueprint.pixels["columns"]))
        if pixels.shape[1:] != expected:
            message = (
                f"found pixels of shape {pixels.shape}; {self.blueprint.model} sees images of "
                f"{expected[0]} rows x {expected[1]} columns. Decode them as {BLUEPRINT} says."
            )
            raise ImageFault(message)
        return score(self.network, pixels)

    def scores(self, pixels: Pixels) -> Numbers:
        """The probability of the outcome per image; higher means more likely."""
        return self.score(pixels).scores

    def embeddings(self, pixels: Pixels) -> Numbers:
        """The numbers before the ReLU, images x embedding."""
        return self.score(pixels).embeddings


def save_network(network: EmbeddingNetwork, blueprint: Blueprint, folder: Path) -> None:
    """Write both files; the same network is the same bytes."""
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
    return LoadedNetwork(blueprint, network)


def _write(path: Path, content: bytes) -> None:
    """Beside, to the disk, then renamed: a kill leaves the old file or the new one."""
    beside = path.with_name(f".{path.name}.partial")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
