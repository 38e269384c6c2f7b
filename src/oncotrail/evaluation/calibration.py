"""Whether a model's scores can be read as probabilities.

A forest may say exactly 0 or 1, whose log odds are infinite, and patients may be so few, or so well
separated, that no line fits them: then the figures that need log odds are undefined, and said to be
so. None is computed from clipped scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from numpy.typing import ArrayLike

from oncotrail.statistics.arrays import Undefined
from oncotrail.statistics.calibration.brier import brier, scaled_brier
from oncotrail.statistics.calibration.curve import CalibrationCurve, spline_curve
from oncotrail.statistics.calibration.observed_expected import observed_expected
from oncotrail.statistics.calibration.slope import calibration_in_the_large, calibration_slope
from oncotrail.statistics.intervals import Estimate

T = TypeVar("T")


@dataclass(frozen=True)
class Calibration:
    """One model's calibration on the patients of one role; None where it is undefined.

    Best are 1, 0 and 1 for the first three; a Brier score is best low, a scaled one high.
    """

    observed_expected: Estimate | None
    calibration_in_the_large: Estimate | None
    calibration_slope: Estimate | None
    brier: Estimate
    scaled_brier: Estimate | None


def calibration(labels: ArrayLike, scores: ArrayLike, confidence: float) -> Calibration:
    """The figures; the flexible curve is `curve`."""
    line = _if_defined(lambda: calibration_slope(labels, scores, confidence=confidence))
    return Calibration(
        observed_expected=observed_expected(labels, scores, confidence=confidence),
        calibration_in_the_large=_if_defined(
            lambda: calibration_in_the_large(labels, scores, confidence=confidence)
        ),
        calibration_slope=None if line is None else line.slope,
        brier=brier(labels, scores, confidence),
        scaled_brier=scaled_brier(labels, scores, confidence),
    )


def curve(labels: ArrayLike, scores: ArrayLike, confidence: float) -> CalibrationCurve | None:
    """Observed against predicted risk, by a restricted cubic spline; None where none fits."""
    return _if_defined(lambda: spline_curve(labels, scores, confidence=confidence))


def _if_defined(figure: Callable[[], T]) -> T | None:
    try:
        return figure()
    except Undefined:
        return None
