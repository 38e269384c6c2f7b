"""Section `split`: how patients get their roles."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from oncotrail.study.base import Settings


class SplitPlan(Settings):
    """Roles by patient, stratified. Fractions are of the patients that are not external."""

    validation: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)
    external_sites: tuple[str, ...] = ()
    stratify_by: str
    folds: int = Field(ge=2)
    fusion_folds: int = Field(ge=0)  # training folds that no network sees, kept for the fusion

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            message = f"validation {self.validation} + test {self.test} leave nobody to train on"
            raise ValueError(message)
        if self.fusion_folds >= self.folds:
            message = (
                f"fusion_folds {self.fusion_folds} of {self.folds} folds leave the networks nobody"
            )
            raise ValueError(message)
        return self
