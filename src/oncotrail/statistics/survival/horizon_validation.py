"""All figures of a model of survival in new patients at one horizon.

A figure that cannot be had in these patients (no event by the horizon, too few of them for a curve,
predictions that are certain) is None, and the reason is told; the others stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

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
    """The figures at one horizon; None where `undefined` of the whole says why."""

    horizon: float
    auc: AtHorizon
    brier: AtHorizon
    scaled_brier: AtHorizon
    observed_expected: AtHorizon
    in_the_large: AtHorizon | None
    slope: Estimate | None
    calibration: HorizonCalibration | None


@dataclass(frozen=True, eq=False)
class NewPatients:
    """The patients a model is judged on, and how."""

    times: ArrayLike
    events: ArrayLike
    weights: ArrayLike | None
    clusters: ArrayLike | None
    censoring: Censoring | None
    resamples: Resamples | None
    confidence: float

    @property
    def outcome(self) -> tuple[ArrayLike, ArrayLike]:
        return self.times, self.events

    @property
    def rows(self) -> dict[str, Any]:
        rows = {"weights": self.weights, "clusters": self.clusters}
        return {**rows, "confidence": self.confidence}

    @property
    def weighing(self) -> dict[str, Any]:
        return {**self.rows, "censoring": self.censoring}

    def at(self, horizon: float, survival: Floats, reasons: list[str]) -> HorizonValidation:
        """The figures at one horizon; why one cannot be had is added to `reasons`."""
        here = (*self.outcome, survival, horizon)

        def in_the_large() -> AtHorizon:
            return calibration_in_the_large_at(*here, **self.rows)

        def slope() -> Estimate:
            return survival_calibration_slope(*self.outcome, log_minus_log(survival), **self.rows)

        return HorizonValidation(
            horizon=horizon,
            auc=time_dependent_auc(*self.outcome, 1 - survival, horizon, **self.weighing),
            brier=brier_score(*here, **self.weighing),
            scaled_brier=scaled_brier(*here, **self.weighing),
            observed_expected=observed_expected_at(*here, **self.rows),
            in_the_large=_had(in_the_large, f"calibration in the large at {horizon:g}", reasons),
            slope=_had(slope, f"calibration slope at {horizon:g}", reasons),
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
        bare = _had(lambda: made(None), name, reasons)
        if bare is None or self.resamples is None:
            return bare
        return _had(lambda: made(self.resamples), f"intervals of the {name}", reasons) or bare

    def over(
        self, figure: Callable[..., OverHorizons], predicted: Floats, horizons: Floats
    ) -> OverHorizons | None:
        """A mean over the horizons; None where there is only one."""
        if horizons.size == 1:
            return None
        return figure(*self.outcome, predicted, horizons, **self.weighing)


def _had(make: Callable[[], Figure], name: str, reasons: list[str]) -> Figure | None:
    try:
        return make()
    except Undefined as reason:
        reasons.append(f"{name}: {reason}")
        return None
