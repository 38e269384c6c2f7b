"""All figures of a model of survival in new patients at one horizon.

A figure that cannot be had in these patients (no event by the horizon, too few of them for a curve,
predictions that are certain) is None, and the reason is told; the others stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Floats, Undefined
from oncotrail.statistics.intervals import Estimate
from oncotrail.statistics.results import result
from oncotrail.statistics.survival.brier import brier_score, scaled_brier
from oncotrail.statistics.survival.censoring import Censoring
from oncotrail.statistics.survival.horizon_calibration import (
    log_minus_log,
    survival_calibration_slope,
)
from oncotrail.statistics.survival.horizon_calibration_curve import (
    HorizonCalibration,
    flexible_calibration_at,
)
from oncotrail.statistics.survival.horizon_estimates import AtHorizon, OverHorizons
from oncotrail.statistics.survival.observed_at_horizon import (
    calibration_in_the_large_at,
    observed_expected_at,
)
from oncotrail.statistics.survival.time_dependent import time_dependent_auc
from oncotrail.statistics.uncertainty.resampling import Resamples

Figure = TypeVar("Figure")


@result
class HorizonValidation:
    """The figures at one horizon; None where `undefined` of the whole says why.

    With competing events only the first three know of them, and the others are None.
    """

    horizon: float
    auc: AtHorizon
    brier: AtHorizon
    scaled_brier: AtHorizon
    observed_expected: AtHorizon | None
    in_the_large: AtHorizon | None
    slope: Estimate | None
    calibration: HorizonCalibration | None


@dataclass(frozen=True, eq=False)
class NewPatients:
    """The patients a model is judged on, and how."""

    times: ArrayLike
    events: ArrayLike
    competing: ArrayLike | None
    weights: ArrayLike | None
    clusters: ArrayLike | None
    censoring: Censoring | None
    resamples: Resamples | None
    confidence: float

    @property
    def outcome(self) -> tuple[ArrayLike, ArrayLike]:
        """Times and events, as all figures take them first."""
        return self.times, self.events

    @property
    def rows(self) -> dict[str, Any]:
        """How rows count, for figures that look at one event only."""
        rows = {"weights": self.weights, "clusters": self.clusters}
        return {**rows, "confidence": self.confidence}

    @property
    def weighing(self) -> dict[str, Any]:
        """How rows count where the unknown are weighed for."""
        return {**self.rows, "censoring": self.censoring}

    @property
    def states(self) -> dict[str, Any]:
        """The same for figures that know of competing events."""
        return {**self.weighing, "competing": self.competing}

    def at(self, horizon: float, survival: Floats, reasons: list[str]) -> HorizonValidation:
        """The figures at one horizon; why one cannot be had is added to `reasons`."""
        here = (*self.outcome, survival, horizon)

        def ratio() -> AtHorizon:
            return observed_expected_at(*here, **self.rows)

        def in_the_large() -> AtHorizon:
            return calibration_in_the_large_at(*here, **self.rows)

        def slope() -> Estimate:
            return survival_calibration_slope(
                *self.outcome, log_minus_log(survival), horizon=horizon, **self.rows
            )

        return HorizonValidation(
            horizon=horizon,
            auc=time_dependent_auc(*self.outcome, 1 - survival, horizon, **self.states),
            brier=brier_score(*here, **self.states),
            scaled_brier=scaled_brier(*here, **self.states),
            observed_expected=self.had(ratio, f"observed over expected at {horizon:g}", reasons),
            in_the_large=self.had(
                in_the_large, f"calibration in the large at {horizon:g}", reasons
            ),
            slope=self.had(slope, f"calibration slope at {horizon:g}", reasons),
            calibration=self._curve(survival, horizon, reasons),
        )

    def _curve(
        self, survival: Floats, horizon: float, reasons: list[str]
    ) -> HorizonCalibration | None:
        """With intervals where they can be had."""

        def made(resamples: Resamples | None) -> HorizonCalibration:
            how: dict[str, Any] = {"resamples": resamples, "confidence": self.confidence}
            return flexible_calibration_at(
                *self.outcome, survival, horizon, weights=self.weights, **how
            )

        name = f"calibration curve at {horizon:g}"
        bare = self.had(lambda: made(None), name, reasons)
        if bare is None or self.resamples is None:
            return bare
        return self.had(lambda: made(self.resamples), f"intervals of the {name}", reasons) or bare

    def over(
        self, figure: Callable[..., OverHorizons], predicted: Floats, horizons: Floats
    ) -> OverHorizons | None:
        """A mean over the horizons; None where there is only one."""
        if horizons.size == 1:
            return None
        return figure(*self.outcome, predicted, horizons, **self.states)

    def had(self, make: Callable[[], Figure], name: str, reasons: list[str]) -> Figure | None:
        """A figure that looks at one event only, where it can be had."""
        if self.competing is not None and np.any(self.competing):
            reasons.append(f"{name}: found competing events, which it would take for censoring.")
            return None
        try:
            return make()
        except Undefined as reason:
            reasons.append(f"{name}: {reason}")
            return None
