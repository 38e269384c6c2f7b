import numpy as np
import pytest

from oncotrail.figures.drawing import COLUMN_WIDTH
from oncotrail.figures.net_benefit import DecisionLine, decision_figure


@pytest.fixture
def along() -> np.ndarray:
    return np.linspace(0.05, 0.8, 16)


def test_models_everybody_and_nobody_share_one_axis(along: np.ndarray) -> None:
    models = [DecisionLine("clinical", along, 0.3 - 0.2 * along)]
    everybody = DecisionLine("treat everybody", along, 0.4 - along)
    figure = decision_figure(models, everybody, 0.4, "50 test patients")
    axes = figure.axes[0]
    drawn = {line.get_label(): line for line in axes.get_lines()}
    assert list(drawn) == ["treat nobody", "treat everybody", "clinical"]
    assert np.array_equal(drawn["clinical"].get_ydata(), models[0].net_benefit)
    assert axes.get_ylim() == pytest.approx((-0.06, 0.44))
    assert axes.get_title() == "50 test patients"
    assert figure.get_figwidth() == COLUMN_WIDTH
