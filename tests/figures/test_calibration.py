from dataclasses import replace

import numpy as np
import pytest

from oncotrail.figures.calibration import CalibrationLine, calibration_figure
from oncotrail.figures.drawing import COLUMN_WIDTH
from oncotrail.statistics.calibration.curve import CalibrationCurve


@pytest.fixture
def lines() -> list[CalibrationLine]:
    random = np.random.default_rng(1)
    along = np.linspace(0.1, 0.9, 30)
    return [
        CalibrationLine(
            name=name,
            curve=CalibrationCurve(
                at=along,
                observed=along**power,
                low=along**power - 0.1,
                high=along**power + 0.1,
                confidence=0.95,
                n=50,
                events=25,
                method="by hand",
            ),
            labels=np.arange(50) % 2 == 0,
            probabilities=random.uniform(size=50),
        )
        for name, power in (("clinical", 1.0), ("clinical t4", 1.5))
    ]


def test_every_curve_is_drawn_with_its_band(lines: list[CalibrationLine]) -> None:
    square = calibration_figure(lines, "50 test patients").axes[0]
    drawn = {line.get_label(): line for line in square.get_lines()}
    for line in lines:
        assert line.curve is not None
        assert np.array_equal(drawn[line.name].get_xdata(), line.curve.at)
        assert np.array_equal(drawn[line.name].get_ydata(), line.curve.observed)
    tops = [band.get_paths()[0].vertices[:, 1].max() for band in square.collections]
    assert tops == pytest.approx([line.curve.high.max() for line in lines if line.curve])


def test_patients_with_the_outcome_are_counted_up_and_those_without_down(
    lines: list[CalibrationLine],
) -> None:
    figure = calibration_figure(lines[:1], "50 test patients")
    up, down = (patch.get_data().values for patch in figure.axes[1].patches)
    assert (up.sum(), down.sum()) == (25, -25)
    assert figure.get_figwidth() == COLUMN_WIDTH
    assert figure.axes[0].get_title() == "50 test patients"


def test_a_curve_that_is_undefined_is_said_to_be_so(lines: list[CalibrationLine]) -> None:
    figure = calibration_figure([replace(lines[0], curve=None)], "50 test patients")
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["clinical (no curve)"]
