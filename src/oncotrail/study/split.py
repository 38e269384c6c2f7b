"""Section `split`: how patients get their roles."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from oncotrail.study.base import Settings


class SplitPlan(Settings):
    """Roles by patient, stratified. Fractions are of the patients that are not external.

    Test patients are a share of them, once, or with `cross_validation` everybody in turn:
    `validation` is then a share of those who are not test in an outer fold.
    """

    validation: float = Field(gt=0, lt=1)
    test: float | None = Field(default=None, gt=0, lt=1)
    cross_validation: int | None = Field(default=None, ge=2)  # outer folds
    external_sites: tuple[str, ...] = ()
    stratify_by: str
    folds: int = Field(ge=2)
    fusion_folds: int = Field(ge=0)  # training folds that no network sees, kept for the fusion

    @model_validator(mode="after")
    def _tests_in_one_way(self) -> Self:
        if (self.test is None) == (self.cross_validation is None):
            found = "neither" if self.test is None else "both"
            message = (
                f"found {found} of test and cross_validation; write test: 0.3 for one test set, "
                "or cross_validation: 5 for everybody in turn"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.test is not None and self.validation + self.test >= 1:
            message = f"validation {self.validation} + test {self.test} leave nobody to train on"
            raise ValueError(message)
        if self.fusion_folds >= self.folds:
            message = (
                f"fusion_folds {self.fusion_folds} of {self.folds} folds leave the networks nobody"
            )
            raise ValueError(message)
        return self
