"""What stands on a trunk's features: an optional hidden layer, and a logit per class.

    features -> Linear(embedding) -> activation -> dropout -> Linear(classes)
                embedding                                     logits

    embedding: 10, relu, classes 1                DenseNet-121's of the early fusion study
    embedding: 256, relu, dropout 0.4, classes 2  of the late fusion study, with a log-likelihood
    embedding: null, classes 1                    one sigmoid node straight from the features

The embedding is what a fusion reads: the hidden layer *before* its activation (behind a ReLU, what
is negative is lost, and a forest could not split on it), or the features where there is no hidden
layer. Log-softmax and sigmoid belong to the loss and to the score, so a head ends in logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

Activation = Literal["relu", "gelu", "tanh"]
_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


class Output(NamedTuple):
    """What a network says of a batch.

    Logits are (images,) where the head has one class, else (images, classes); embeddings (images,
    width).
    """

    logits: Tensor
    embeddings: Tensor


@dataclass(frozen=True)
class HeadPlan:
    """All that is needed to build a head, but for the trunk's width."""

    embedding: int | None  # width of the hidden layer; None: there is none
    activation: Activation = "relu"
    dropout: float = 0.0
    classes: int = 1  # 1: a single logit, of the outcome against its absence


class Head(nn.Module):
    """From features (images, width) to logits and embedding."""

    def __init__(self, plan: HeadPlan, features: int) -> None:
        super().__init__()
        self.plan = plan
        self.to_embedding = (
            nn.Identity() if plan.embedding is None else nn.Linear(features, plan.embedding)
        )
        width = features if plan.embedding is None else plan.embedding
        self.activation = (
            nn.Identity() if plan.embedding is None else _ACTIVATIONS[plan.activation]()
        )
        self.dropout = nn.Dropout(plan.dropout)
        self.to_logits = nn.Linear(width, plan.classes)

    def forward(self, features: Tensor) -> Output:
        """From images x features: a trunk's, or cached ones."""
        embeddings = self.to_embedding(features)
        return Output(self.logits_of(embeddings), embeddings)

    def logits_of(self, embeddings: Tensor) -> Tensor:
        """What it makes of its embedding."""
        logits: Tensor = self.to_logits(self.dropout(self.activation(embeddings)))
        return logits.squeeze(1) if self.plan.classes == 1 else logits
