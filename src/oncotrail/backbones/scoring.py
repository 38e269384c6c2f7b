"""What a network says of images: evaluation mode, the inputs as they are.

There is no augmentation here to switch off: nothing in this module could flip an image. Training,
prediction and serving all score through `score`. What leaves it as a score is a probability;
logits stay logits, and log-probabilities stay inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oncotrail.backbones.accelerator import Accelerator, OneDevice
from oncotrail.backbones.inputs import EvaluationBatches, Inputs

Numbers = NDArray[np.float64]

IMAGES_AT_ONCE = 64  # bounds memory; an image's score does not depend on its neighbours


@dataclass(frozen=True)
class Scored:
    """One row per image, in the order given."""

    logits: Numbers  # (images,), or (images, classes) where the head has a logit per class
    embeddings: Numbers  # (images, embedding), before the ReLU

    @property
    def scores(self) -> Numbers:
        """The probability of class 1, the outcome; higher means more likely."""
        logits = torch.from_numpy(self.logits)
        if logits.ndim == 1:
            return _numbers(torch.sigmoid(logits))
        return _numbers(torch.softmax(logits, dim=1)[:, 1])


def score(network: nn.Module, inputs: Inputs, accelerator: Accelerator | None = None) -> Scored:
    """Score images x rows x columns [x 3] in uint8, or cached features, where the network is.

    Leaves the network in evaluation mode.
    """
    machine = accelerator or OneDevice(_device(network))
    network.eval()
    with torch.inference_mode(), machine.computing():
        said = [
            network(batch) for batch in EvaluationBatches(inputs, IMAGES_AT_ONCE, machine.device)
        ]
    return Scored(
        _numbers(torch.cat([part.logits for part in said])),
        _numbers(torch.cat([part.embeddings for part in said])),
    )


def _device(network: nn.Module) -> str:
    return str(next(network.parameters()).device)


def _numbers(tensor: Tensor) -> Numbers:
    numbers: Numbers = tensor.to("cpu", torch.float64).numpy()
    return numbers
