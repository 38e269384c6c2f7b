"""What training minimises: cross-entropies, focal loss, and flooding.

    binary_cross_entropy      -[w y log p + (1 - y) log(1 - p)]       one logit; w: positive_weight
    cross_entropy             -w_y log p_y                            a logit per class
    negative_log_likelihood   the same, as networks that end in log-softmax are trained
    focal                     -a_y (1 - p_y)^gamma log p_y            (Lin et al., ICCV 2017)

A loss is kept as two numbers per image, a weighted term and a weight, whose sums are divided: so a
batch that is cut over several processes, or over several passes, has the mean of the whole batch.
As in torch, a class's weight divides as well as multiplies, and a positive's only multiplies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from oncotrail.errors import StudyFileError

Reduction = Literal["none", "mean"]
LossKind = Literal["binary_cross_entropy", "cross_entropy", "focal", "negative_log_likelihood"]


@dataclass(frozen=True)
class Loss:
    """Which loss, and its constants; those that a kind does not use are ignored."""

    kind: LossKind
    positive_weight: float = 1.0  # binary cross-entropy: a positive image counts this often
    class_weights: tuple[float, ...] = ()  # where there is a logit per class; none: all 1
    gamma: float = 2.0  # focal: how much what is already right is played down
    alpha: float | None = None  # focal, one logit: weight of a positive; a negative's is 1 - alpha
    flooding: float = 0.0  # the level b of |loss - b| + b (Ishida et al., ICML 2020); 0: none

    def check(self, logits: Tensor) -> None:
        """Refuse a head that this loss cannot judge."""
        single = logits.ndim == 1
        if single and self.kind in ("cross_entropy", "negative_log_likelihood"):
            message = f"{self.kind} needs a logit per class; set head.classes to 2 or more."
            raise StudyFileError(message)
        if not single and self.kind == "binary_cross_entropy":
            message = (
                f"binary_cross_entropy needs one logit and the head has {logits.shape[1]}; set "
                "head.classes to 1, or take cross_entropy."
            )
            raise StudyFileError(message)
        if self.kind == "focal":
            self._check_focal(single=single)
        if not single and self.class_weights and len(self.class_weights) != logits.shape[1]:
            message = (
                f"loss.class_weights has {len(self.class_weights)} numbers and the head "
                f"{logits.shape[1]} classes; give one for each."
            )
            raise StudyFileError(message)

    def _check_focal(self, *, single: bool) -> None:
        """Weights that its formula would leave out; whoever wrote them expects them in it."""
        if single and self.class_weights:
            message = "focal of one logit weighs by loss.alpha; drop loss.class_weights."
            raise StudyFileError(message)
        if not single and self.alpha is not None:
            message = "focal of several classes weighs by loss.class_weights; drop loss.alpha."
            raise StudyFileError(message)

    def terms(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Each image's weighted loss; labels are integers (images,)."""
        return _OF[self.kind](self, logits, labels, "none")

    def weights(self, labels: Tensor) -> Tensor:
        """What each image adds to the divisor of the mean."""
        if not self._weighs_classes:
            return torch.ones(len(labels), dtype=torch.float64, device=labels.device)
        return torch.tensor(self.class_weights, dtype=torch.float64, device=labels.device)[labels]

    def mean(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of these images, without flooding, as torch reduces it, to the last digit."""
        if self.kind == "focal":
            return self.terms(logits, labels).sum() / float(self.weights(labels).sum())
        return _OF[self.kind](self, logits, labels, "mean")

    @property
    def _weighs_classes(self) -> bool:
        return bool(self.class_weights) and self.kind != "binary_cross_entropy"


def flooded_sign(loss: Tensor, level: float) -> Tensor:
    """What |loss - level| + level does to the gradient: descend above the level, climb below it.

    Ishida et al., Do we need zero training loss after achieving zero training error?, ICML 2020.
    """
    return torch.sign(loss.detach() - level)


def _binary_cross_entropy(
    loss: Loss, logits: Tensor, labels: Tensor, reduction: Reduction
) -> Tensor:
    weight = torch.tensor(loss.positive_weight, dtype=torch.float64, device=logits.device)
    return functional.binary_cross_entropy_with_logits(
        logits, labels.to(logits.dtype), pos_weight=weight, reduction=reduction
    )


def _cross_entropy(loss: Loss, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    weight = _class_weights(loss, logits)
    return functional.cross_entropy(logits, labels, weight=weight, reduction=reduction)


def _negative_log_likelihood(
    loss: Loss, logits: Tensor, labels: Tensor, reduction: Reduction
) -> Tensor:
    log_p, weight = functional.log_softmax(logits, dim=1), _class_weights(loss, logits)
    return functional.nll_loss(log_p, labels, weight=weight, reduction=reduction)


def _focal(loss: Loss, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:  # noqa: ARG001  torch has none to reduce
    if logits.ndim == 1:
        return _binary_focal(loss, logits, labels.to(logits.dtype))
    own = logits.gather(1, labels[:, None])
    others = logits.masked_fill(functional.one_hot(labels, logits.shape[1]).bool(), -torch.inf)
    weight = _class_weights(loss, logits)
    scale = 1.0 if weight is None else weight[labels]
    return scale * _focal_of(loss, own[:, 0] - torch.logsumexp(others, dim=1))


def _binary_focal(loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
    terms = _focal_of(loss, (2 * labels - 1) * logits)
    if loss.alpha is None:
        return terms
    return (loss.alpha * labels + (1 - loss.alpha) * (1 - labels)) * terms


def _focal_of(loss: Loss, odds: Tensor) -> Tensor:
    """From the log odds of what is right.

    In logarithms 1 - p is never 0, where the power of a gamma below 1 would have no gradient.
    """
    return -torch.exp(loss.gamma * functional.logsigmoid(-odds)) * functional.logsigmoid(odds)


def _class_weights(loss: Loss, logits: Tensor) -> Tensor | None:
    if not loss.class_weights:
        return None
    return torch.tensor(loss.class_weights, dtype=logits.dtype, device=logits.device)


_OF: dict[LossKind, Callable[[Loss, Tensor, Tensor, Reduction], Tensor]] = {
    "binary_cross_entropy": _binary_cross_entropy,
    "cross_entropy": _cross_entropy,
    "focal": _focal,
    "negative_log_likelihood": _negative_log_likelihood,
}
