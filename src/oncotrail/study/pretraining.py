"""Section `pretrain`: trunks that a study trains on procedural images, by name.

    pretrain:
      lungs:
        trunks:
          shapes: {architecture: densenet121, side: 64, images: 2000, epochs: 3}

A network begins with one of them by `weights: {pretrain: shapes}`.
"""

from __future__ import annotations

from pydantic import Field

from oncotrail.study.base import Settings


class PretrainedTrunk(Settings):
    """One trunk: what it is, and on how much it is trained."""

    architecture: str
    architecture_options: dict[str, bool | int | float | str | tuple[int, ...]] = Field(
        default_factory=dict
    )
    side: int = Field(ge=16)  # of its square images
    images: int = Field(ge=100)
    held_out: int = Field(default=500, ge=100)  # images on which it is judged
    epochs: int = Field(ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)


class Pretrain(Settings):
    """The trunks that a study pretrains; none is a study that begins with others' weights."""

    trunks: dict[str, PretrainedTrunk] = Field(default_factory=dict)
