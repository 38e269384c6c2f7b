"""Section `evaluation`: what is reported, and how certain it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings

# What is reported of every model, and what a publication's figures are named; higher is better.
METRICS = ("auc", "accuracy", "sensitivity", "specificity", "ppv", "npv")


class Evaluation(Settings):
    """Intervals on every figure; thresholds from validation, never from the rows they judge."""

    outcome: str
    confidence: float = Field(gt=0, lt=1)
    threshold: Literal["youden"]
