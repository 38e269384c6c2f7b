"""Section `evaluation`: what is reported, and how certain it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oncotrail.study.base import Settings

# What is reported of every model, and what a publication's figures are named.
DISCRIMINATION = ("auc", "average_precision")
AT_THRESHOLD = (
    *("accuracy", "balanced_accuracy", "sensitivity", "specificity"),
    *("ppv", "npv", "f1", "mcc"),
)
CALIBRATION = (
    *("observed_expected", "calibration_in_the_large", "calibration_slope"),
    *("brier", "scaled_brier"),
)
METRICS = (*DISCRIMINATION, *AT_THRESHOLD, *CALIBRATION)


class Evaluation(Settings):
    """Intervals on every figure; thresholds from validation, never from the rows they judge."""

    outcome: str
    confidence: float = Field(gt=0, lt=1)
    threshold: Literal["youden"]
