"""The network: a trunk and a head, from uint8 pixels to logits and embedding.

    uint8 pixels -> [0, 1] -> normalised -> trunk -> head -> logits, embedding

Scaling and normalisation happen inside the network, so that nobody can train with them and serve
without.

Grey pixels are repeated into three channels unless `channels` is 1: ImageNet's first layer and its
three constants then fit exactly as they are, and a random start has the same, published,
architecture. The two extra channels cost about 3 % of the time. With one channel the first layer's
weights are summed, and the constants averaged, which is not quite what ImageNet's were made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oncotrail.backbones.heads import Head, HeadPlan, Output
from oncotrail.backbones.inputs import Inputs
from oncotrail.backbones.normalisation import WHITE, Normalisation
from oncotrail.backbones.sources import Source, Wanted, started
from oncotrail.backbones.trunks import COLOURS, Options, TrunkPlan, build_trunk, width_of
from oncotrail.compute import WeightPrecision, drawn_in_double, repeatable
from oncotrail.errors import ImageFault, StudyFileError

Pixels = NDArray[np.uint8]  # images x rows x columns [x 3]

LAYOUT = torch.channels_last  # in memory only: a DenseNet-121 is a fifth faster with it
_COLOUR = 4  # dimensions of a batch of colour images


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the same network again, but for its weights."""

    trunk: TrunkPlan
    head: HeadPlan
    normalisation: Normalisation
    precision: WeightPrecision

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Architecture:
        """The inverse of `dataclasses.asdict` and JSON, which turn tuples into lists."""
        trunk = dict(values["trunk"])
        trunk["sides"] = tuple(trunk["sides"])
        trunk["options"] = {name: _tuples(option) for name, option in trunk["options"].items()}
        constants = {name: tuple(of) for name, of in values["normalisation"].items()}
        return cls(
            TrunkPlan(**trunk),
            HeadPlan(**values["head"]),
            Normalisation(**constants),
            values["precision"],
        )


class EmbeddingNetwork(nn.Module):
    """A trunk and a head, from uint8 pixels to logits and embedding."""

    mean: Tensor
    std: Tensor
    layout: torch.memory_format = LAYOUT  # of what the trunk sees; an accelerator may set another

    def __init__(self, architecture: Architecture, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.architecture = architecture
        self.trunk = trunk or build_trunk(architecture.trunk)
        self.head = Head(architecture.head, width_of(self.trunk))
        for name in ("mean", "std"):
            constants = torch.tensor(getattr(architecture.normalisation, name), dtype=torch.float64)
            self.register_buffer(name, constants, persistent=False)
        self.to(getattr(torch, architecture.precision)).to(memory_format=LAYOUT)

    def forward(self, pixels: Tensor) -> Output:
        """From images x rows x columns [x 3]: uint8, or floats in 0..255."""
        output: Output = self.head(self.features(pixels))
        return output

    def features(self, pixels: Tensor) -> Tensor:
        """What the trunk gives the head: images x features."""
        features: Tensor = self.trunk(self.normalised(pixels))
        return features

    def normalised(self, pixels: Tensor) -> Tensor:
        """What the trunk sees: images x channels x rows x columns, channels last in memory."""
        last = pixels if pixels.ndim == _COLOUR else pixels.unsqueeze(-1)
        if last.shape[-1] not in (1, len(self.mean)):
            message = (
                "the images have three colours, and the network was built for one channel; set "
                "the network's channels to 3."
            )
            raise ImageFault(message)
        normal = ((last.to(self.dtype) / WHITE - self.mean) / self.std).movedim(-1, 1)
        return normal.contiguous(memory_format=self.layout)

    @property
    def device(self) -> str:
        """Where it computes: cpu, cuda."""
        return self.mean.device.type

    @property
    def dtype(self) -> torch.dtype:
        """Of all its numbers."""
        return self.mean.dtype

    def parameter_count(self) -> int:
        """How many numbers it has to learn, whether or not training may move them."""
        return sum(parameter.numel() for parameter in self.parameters())


@dataclass(frozen=True)
class Begun:
    """A network before training, and where its trunk's weights come from."""

    network: EmbeddingNetwork
    source: Source


def start(
    name: str,
    options: Options,
    head: HeadPlan,
    *,
    weights: Wanted,
    training: Inputs,
    seed: int,
    precision: WeightPrecision,
    channels: int = COLOURS,
) -> Begun:
    """A network ready to train on images like these, which are its own training rows.

    The seed decides what is drawn: the head, and a trunk that starts at random.
    """
    if channels != COLOURS and len(training.shape) == _COLOUR:
        message = f"channels: {channels} is for grey images, and these have colours; set it to 3."
        raise StudyFileError(message)
    plan = TrunkPlan(name, options, (training.shape[1], training.shape[2]), channels)
    with repeatable(seed), drawn_in_double():
        begun = started(plan, weights)
        normalisation = begun.normalisation or Normalisation.of(training, channels)
        built = Architecture(plan, head, normalisation, precision)
        network = EmbeddingNetwork(built, begun.trunk)
    _sees(network, training)
    return Begun(network, begun.source)


def _sees(network: EmbeddingNetwork, training: Inputs) -> None:
    """Refuse images that shrink to nothing on their way; neither numbers nor chance are moved."""
    network.eval()
    try:
        with torch.no_grad():
            black = torch.zeros((1, *training.shape[1:]), dtype=torch.uint8)
            network.trunk(network.normalised(black))
    except (RuntimeError, ValueError, AssertionError) as error:
        plan = network.architecture.trunk
        message = (
            f"{plan.name} cannot see images of {plan.sides[0]} rows x {plan.sides[1]} columns "
            f"({error}). Decode the view larger (in the demo, limits.image_side), or take another "
            "architecture."
        )
        raise StudyFileError(message) from error
    network.train()


def _tuples(option: Any) -> Any:
    return tuple(option) if isinstance(option, list) else option
