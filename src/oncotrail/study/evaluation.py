"""Section `evaluation`: what is reported, and how certain it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings


class Evaluation(Settings):
    """Intervals on every figure; thresholds from validation, never from the rows they judge."""

    outcome: str
    confidence: float = Field(gt=0, lt=1)
    threshold: Literal["youden"]
