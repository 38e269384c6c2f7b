"""In which order, and how often, images are drawn in an epoch."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Sampler = Literal["shuffled", "weighted"]


def drawn(sampler: Sampler, labels: Tensor, generator: torch.Generator) -> Tensor:
    """The rows of one epoch, in order; `labels` (images,) are integers.

    shuffled: every image once. weighted: as many draws, with replacement, each class as likely as
    every other, so that a rare one is learned from as often; some images are drawn twice, some not.
    """
    if sampler == "shuffled":
        return torch.randperm(len(labels), generator=generator)
    per_class = torch.bincount(labels)
    weights = 1.0 / per_class.to(torch.float64)[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def parts(order: Tensor, size: int) -> list[Tensor]:
    """Parts of `size`; a last part of one joins its neighbour: BatchNorm cannot learn from one."""
    found = [order[first : first + size] for first in range(0, len(order), size)]
    if len(found) > 1 and len(found[-1]) == 1:
        found[-2:] = [torch.cat(found[-2:])]
    return found
