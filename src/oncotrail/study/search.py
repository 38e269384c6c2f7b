"""Section `search` of a network: what may be tried, how often, and what decides.

    search:
      trials: 30
      space:
        - {setting: optimizer.learning_rate, low: 1.0e-6, high: 1.0e-2, log: true}
        - {setting: batch_size, choices: [8, 16, 32]}
      objective: validation_auc
      pruner: {kind: median}

The network's declared settings are trial 0, so they must lie inside the space.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from oncotrail.study.base import Settings

Setting = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]
Value = bool | int | float | str | None
Choices = Annotated[tuple[Value | tuple[Value, ...], ...], Field(min_length=2)]
_ROUNDING = 1e-9
_FIXED = {"study", "view", "outcome", "seeds", "out_of_fold", "search"}
Objective = Literal["validation_auc", "validation_accuracy", "validation_loss"]


class Range(Settings):
    """A number between two ends, both possible; whole where both ends are."""

    setting: Setting
    low: int | float
    high: int | float
    log: bool = False  # equally often in each decade
    step: int | float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ends(self) -> Range:
        if self.low >= self.high:
            message = f"{self.setting}: low {self.low} must be below high {self.high}"
            raise ValueError(message)
        if self.log and self.low <= 0:
            message = f"{self.setting}: low {self.low} has no logarithm; start above 0"
            raise ValueError(message)
        if self.log and self.step is not None:
            message = f"{self.setting}: steps are even and logarithms are not; drop one of them"
            raise ValueError(message)
        steps = (self.high - self.low) / (self.step or (self.high - self.low))
        if abs(steps - round(steps)) > _ROUNDING:
            message = (
                f"{self.setting}: no whole number of steps of {self.step} leads to {self.high}"
            )
            raise ValueError(message)
        return self

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried."""
        return all(isinstance(n, int) for n in (self.low, self.high, self.step or 1))


class Choice(Settings):
    """One of these; a list stands for a setting that is a list."""

    setting: Setting
    choices: Choices

    @model_validator(mode="after")
    def _differ(self) -> Choice:
        if len(set(self.choices)) < len(self.choices):
            message = f"{self.setting}: two choices are equal (true is 1, and 1.0 is 1); drop one"
            raise ValueError(message)
        return self


class TreeParzen(Settings):
    """Multivariate TPE with a constant liar (Bergstra 2011, Falkner 2018); first at random."""

    kind: Literal["tpe"] = "tpe"
    startup_trials: int = Field(default=10, ge=1)


class RandomSampler(Settings):
    """Independent draws."""

    kind: Literal["random"]


class MedianPruner(Settings):
    """Stops a trial whose best epoch so far is below the median of the others at that epoch."""

    kind: Literal["median"] = "median"
    startup_trials: int = Field(default=5, ge=1)  # that nothing stops
    warm_up_epochs: int = Field(default=0, ge=0)  # of each trial, likewise


class HyperbandPruner(Settings):
    """Successive halving with several budgets at once (Li 2018)."""

    kind: Literal["hyperband"]
    least_epochs: int = Field(default=1, ge=1)
    reduction: int = Field(default=3, ge=2)


class NoPruner(Settings):
    """Every trial trains to its end."""

    kind: Literal["none"]


class Search(Settings):
    """How a network's settings are searched; with no trials, the declared ones pass through."""

    trials: int = Field(ge=0)
    space: tuple[Range | Choice, ...] = ()
    objective: Objective = "validation_auc"  # by patient
    sampler: Annotated[TreeParzen | RandomSampler, Field(discriminator="kind")] = TreeParzen()
    pruner: Annotated[MedianPruner | HyperbandPruner | NoPruner, Field(discriminator="kind")] = (
        MedianPruner()
    )
    retries: int = Field(default=2, ge=0)  # of a trial whose worker was killed

    @model_validator(mode="after")
    def _space_for_trials(self) -> Search:
        names = [part.setting for part in self.space]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            message = f"space names {', '.join(repeated)} twice; one line per setting"
            raise ValueError(message)
        fixed = sorted({name.partition(".")[0] for name in names} & _FIXED)
        if fixed:
            message = (
                f"space names {', '.join(fixed)}, which says what is asked and not how a network "
                "learns; declare it, and search the settings of the training"
            )
            raise ValueError(message)
        if self.trials > 1 and not self.space:
            message = f"{self.trials} trials and an empty space; say which settings to try"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _trials_can_be_compared(self) -> Search:
        """All by one yardstick, and on something that a trial's figure depends on."""
        sections = {part.setting.partition(".")[0] for part in self.space}
        if self.objective == "validation_loss" and "loss" in sections:
            message = (
                "space names settings of the loss, and validation_loss is that loss: each trial "
                "would be measured by another one; take objective: validation_auc, or declare them"
            )
            raise ValueError(message)
        if "attention" in sections:
            message = (
                "space names settings of attention, which is learnt after a trial is judged, so "
                "all trials would be equal; declare them"
            )
            raise ValueError(message)
        return self
