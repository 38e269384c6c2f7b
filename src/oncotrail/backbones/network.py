"""The network: a timm trunk with the published head.

    uint8 pixels -> [0, 1] -> normalised -> trunk -> Linear(10) -> ReLU -> Linear(1)
                                                     embedding             logit

The embedding is the ten numbers *before* the ReLU: behind it, what is negative is lost, and a
forest could not split on it. Scaling and normalisation happen inside the network, so that nobody
can train with them and serve without.

Grey pixels are repeated into three channels, whatever the start: ImageNet's first layer and its
three constants then fit as they are, and a random start has the same, published, architecture. The
two extra channels cost about 3 % of the time.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oncotrail.compute import Precision, drawn_in_double, repeatable
from oncotrail.errors import StudyFileError, UserFault

Pixels = NDArray[np.uint8]  # images x rows x columns
Options = Mapping[str, Any]  # of numbers and tuples of numbers, as timm takes them

CHANNELS = 3
WHITE = 255.0
LAYOUT = torch.channels_last  # in memory only: a DenseNet-121 is a fifth faster with it


@dataclass(frozen=True)
class Normalisation:
    """What is subtracted from pixels in [0, 1], and what they are then divided by, per channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, training: Pixels) -> Normalisation:
        """From these images and no others: pass the network's own training rows."""
        if training.min() == training.max():
            message = (
                f"all {len(training)} training images are one flat grey; check the window in the "
                "study's decode section."
            )
            raise UserFault(message)
        scaled = training.astype(np.float64) / WHITE
        return cls((float(scaled.mean()),) * CHANNELS, (float(scaled.std()),) * CHANNELS)


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the same network again, but for its weights."""

    name: str  # as timm knows it
    options: Options
    embedding: int
    normalisation: Normalisation
    precision: Precision


class Output(NamedTuple):
    """What the network says of a batch: logits (images,), embeddings (images, embedding)."""

    logits: Tensor
    embeddings: Tensor


class EmbeddingNetwork(nn.Module):
    """A trunk and the published head, from uint8 pixels to logit and embedding."""

    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture, trunk: Any = None) -> None:
        super().__init__()
        self.architecture = architecture
        self.trunk = trunk or build_trunk(architecture.name, architecture.options)
        self.to_embedding = nn.Linear(int(self.trunk.num_features), architecture.embedding)
        self.to_logit = nn.Linear(architecture.embedding, 1)
        for name in ("mean", "std"):
            constants = torch.tensor(getattr(architecture.normalisation, name), dtype=torch.float64)
            self.register_buffer(name, constants.view(1, CHANNELS, 1, 1), persistent=False)
        self.to(getattr(torch, architecture.precision)).to(memory_format=LAYOUT)

    def forward(self, pixels: Tensor) -> Output:
        """From images x rows x columns, uint8."""
        grey = pixels.to(self.dtype).unsqueeze(1).expand(-1, CHANNELS, -1, -1) / WHITE
        normal = ((grey - self.mean) / self.std).contiguous(memory_format=LAYOUT)
        embeddings = self.to_embedding(self.trunk(normal))
        return Output(self.to_logit(torch.relu(embeddings)).squeeze(1), embeddings)

    @property
    def device(self) -> str:
        """Where it computes: cpu, cuda."""
        return self.mean.device.type

    @property
    def dtype(self) -> torch.dtype:
        """Of all its numbers."""
        return self.mean.dtype

    def parameter_count(self) -> int:
        """How many numbers training may move."""
        return sum(parameter.numel() for parameter in self.parameters())


def start(
    name: str,
    options: Options,
    embedding: int,
    *,
    weights: Literal["imagenet", "none"],
    training: Pixels,
    seed: int,
    precision: Precision,
) -> EmbeddingNetwork:
    """A network ready to train: ImageNet's trunk and constants, or a random one and the rows'."""
    with repeatable(seed), drawn_in_double():
        trunk = build_trunk(name, options, pretrained=weights == "imagenet")
        normalisation = _constants(trunk) if weights == "imagenet" else Normalisation.of(training)
        built = Architecture(name, options, embedding, normalisation, precision)
        return EmbeddingNetwork(built, trunk)


def build_trunk(name: str, options: Options, *, pretrained: bool = False) -> Any:
    """The timm model without its classifier, or a sentence that says why it cannot be had."""
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        message = (
            f"architecture {name!r} is not one that timm knows; near it: "
            f"{', '.join(close) or 'none'}."
        )
        raise StudyFileError(message)
    try:
        trunk = timm.create_model(name, pretrained=False, num_classes=0, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        message = f"{name} cannot be built with architecture_options {dict(options)}: {error}."
        raise StudyFileError(message) from error
    return _with_imagenet(trunk, name, options) if pretrained else trunk


def _with_imagenet(trunk: Any, name: str, options: Options) -> Any:
    """The same trunk with ImageNet's weights; never, silently, with random ones."""
    hub = f"{trunk.pretrained_cfg.get('hf_hub_id')}"
    try:
        return timm.create_model(name, pretrained=True, num_classes=0, **options)
    except (OSError, RuntimeError) as error:
        folder = f"models--{hub.replace('/', '--')}"
        message = (
            f"the ImageNet weights of {name} ({hub}) cannot be had. Where there is a network, run "
            f"`hf download {hub}`, copy ~/.cache/huggingface/hub/{folder} to the same place here "
            "and set HF_HUB_OFFLINE=1; leave out architecture_options that change a layer. To "
            f"start at random, write `weights: none`. ({' '.join(str(error).split())[:200]})"
        )
        raise UserFault(message) from error


def _constants(trunk: Any) -> Normalisation:
    """The normalisation that travels with the weights."""
    return Normalisation(
        tuple(map(float, trunk.pretrained_cfg["mean"])),
        tuple(map(float, trunk.pretrained_cfg["std"])),
    )
