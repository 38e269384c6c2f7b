"""How a network is trained: loss, optimiser, schedule, augmentation, and what ends it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from oncotrail.study.base import Settings

Flip = Literal["horizontal_flip", "vertical_flip"]
Share = Annotated[float, Field(ge=0, lt=1)]
Degrees = Annotated[float, Field(ge=0, le=180)]
ClassWeights = tuple[Annotated[float, Field(gt=0)], ...]


class BinaryCrossEntropy(Settings):
    """One logit; a positive patient counts `positive_weight` times."""

    kind: Literal["binary_cross_entropy"]
    positive_weight: float = Field(gt=0)
    flooding: float = Field(default=0, ge=0)


class CrossEntropy(Settings):
    """A logit per class, each class with its weight."""

    kind: Literal["cross_entropy", "negative_log_likelihood"]
    class_weights: ClassWeights = ()
    flooding: float = Field(default=0, ge=0)


class Focal(Settings):
    """Cross-entropy that plays down what is already right; `alpha` is a positive's weight."""

    kind: Literal["focal"]
    gamma: float = Field(default=2, ge=0)
    alpha: float | None = Field(default=None, gt=0, lt=1)
    class_weights: ClassWeights = ()
    flooding: float = Field(default=0, ge=0)


class Adam(Settings):
    """Adam, with the weight decay added to the gradient; AdamW, with it apart."""

    kind: Literal["adam", "adamw"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    decays: Literal["all", "matrices"] = "all"  # matrices: neither biases nor what norms learn


class StochasticGradientDescent(Settings):
    """SGD with momentum."""

    kind: Literal["sgd"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    momentum: float = Field(default=0, ge=0, lt=1)
    nesterov: bool = False
    decays: Literal["all", "matrices"] = "all"

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> StochasticGradientDescent:
        if self.nesterov and not self.momentum:
            message = "nesterov looks ahead along the momentum; set a momentum, e.g. 0.9"
            raise ValueError(message)
        return self


class _Schedule(Settings):
    """Epochs over which the learning rate first climbs to its value."""

    warm_up: int = Field(default=0, ge=0)


class StepSchedule(_Schedule):
    """Multiply the learning rate by `factor` every `every` epochs."""

    kind: Literal["step"]
    every: int = Field(ge=1)
    factor: float = Field(gt=0, le=1)


class CosineSchedule(_Schedule):
    """Down to `minimum` along half a cosine."""

    kind: Literal["cosine"]
    minimum: float = Field(default=0, ge=0)


class PlateauSchedule(_Schedule):
    """Times `factor` whenever the validation loss has not improved for `patience` epochs."""

    kind: Literal["plateau"]
    factor: float = Field(gt=0, lt=1)
    patience: int = Field(ge=0)
    minimum: float = Field(default=0, ge=0)


class ConstantSchedule(_Schedule):
    """The learning rate as it is."""

    kind: Literal["constant"]


class Augmentation(Settings):
    """How far a training image may be changed; a list of flips alone may stand for it."""

    flips: tuple[Flip, ...] = ()
    rotation: Degrees = 0  # to either side
    shear: Annotated[float, Field(ge=0, lt=90)] = 0  # degrees, to either side
    translation: Share = 0  # of rows and of columns, to either side
    scale: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1, 1)
    brightness: Share = 0  # of white, added or taken
    contrast: Share = 0
    gamma: float = Field(default=0, ge=0)
    noise: Share = 0  # largest standard deviation, share of white
    mixup: float = Field(default=0, ge=0)  # alpha; 0 is none

    @field_validator("scale")
    @classmethod
    def _smallest_first(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if scale[0] > scale[1]:
            message = f"scale is [smallest, largest]; found {list(scale)}"
            raise ValueError(message)
        return scale


class Training(Settings):
    """Everything about training but the network and its images."""

    loss: Annotated[BinaryCrossEntropy | CrossEntropy | Focal, Field(discriminator="kind")]
    optimizer: Annotated[Adam | StochasticGradientDescent, Field(discriminator="kind")]
    schedule: Annotated[
        StepSchedule | CosineSchedule | PlateauSchedule | ConstantSchedule,
        Field(discriminator="kind"),
    ]
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    accumulation: int = Field(default=1, ge=1)  # pieces of a batch, one after another
    augmentation: Augmentation
    sampler: Literal["shuffled", "weighted"] = "shuffled"
    clip_norm: float | None = Field(default=None, gt=0)
    average_decay: float | None = Field(default=None, gt=0, lt=1)
    patience: int | None = Field(default=None, ge=1)
    best_epoch_by: Literal["validation_accuracy", "validation_loss", "validation_auc"]
    patient_by: Literal["mean", "max"] = "mean"

    @field_validator("augmentation", mode="before")
    @classmethod
    def _list_of_flips(cls, given: Any) -> Any:
        return {"flips": given} if isinstance(given, list | tuple) else given

    @model_validator(mode="after")
    def _the_schedule_fits(self) -> Self:
        rate, minimum = self.optimizer.learning_rate, getattr(self.schedule, "minimum", 0)
        if minimum >= rate:
            message = (
                f"schedule.minimum {minimum:g} is not below optimizer.learning_rate {rate:g}; "
                "lower it, or write schedule: constant"
            )
            raise ValueError(message)
        if self.schedule.warm_up >= self.epochs:
            message = (
                f"schedule.warm_up {self.schedule.warm_up} never ends in {self.epochs} epochs; "
                "write fewer, or more epochs"
            )
            raise ValueError(message)
        return self
