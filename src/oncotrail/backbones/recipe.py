"""How a network is trained, apart from what it is and what it sees."""

from __future__ import annotations

from dataclasses import dataclass, field

from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.judging import BestBy, PatientBy
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.sampling import Sampler
from oncotrail.backbones.schedules import Schedule


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run besides the network, the images and the machine."""

    epochs: int
    batch_size: int  # images of one step
    loss: Loss
    optimizer: Optimizer
    seed: int
    schedule: Schedule = field(default_factory=Schedule)
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampler: Sampler = "shuffled"
    accumulation: int = 1  # pieces that a batch is cut into, one after another, to fit in memory
    clip_norm: float | None = None  # largest norm of the gradient
    average_decay: float | None = None  # of the moving average of weights; None: none is kept
    patience: int | None = None  # epochs without a better one before training ends early
    best_epoch_by: BestBy = "validation_loss"
    patient_by: PatientBy = "mean"
