"""Sections `audit` and `registry`: what must hold before a model may be registered."""

from __future__ import annotations

from typing import Literal

from oncotrail.study.base import Settings

Check = Literal["leaked_patient", "misaligned_rows", "duplicate_image", "fitted_on_test"]


class Audit(Settings):
    """The named checks that this study must pass."""

    checks: tuple[Check, ...]


class Registry(Settings):
    """Which model is the study's best: the highest of this validation figure."""

    best_by: Literal["validation_auc"]
