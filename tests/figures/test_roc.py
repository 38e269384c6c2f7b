import numpy as np
import pytest

from oncotrail.figures.drawing import COLUMN_WIDTH
from oncotrail.figures.roc import NamedCurve, roc_figure
from oncotrail.statistics.discrimination.area import auc
from oncotrail.statistics.discrimination.roc import roc_curve

NAMES = ("clinical", "clinical t4", "clinical t11", "clinical t4 t11")


@pytest.fixture
def curves() -> list[NamedCurve]:
    random = np.random.default_rng(1)
    labels = np.arange(60) % 2
    scores = [random.normal(size=60) + strength * labels for strength in (0.5, 1, 1.5, 2)]
    return [
        NamedCurve(name, roc_curve(labels, score), auc(labels, score))
        for name, score in zip(NAMES, scores, strict=True)
    ]


def test_every_curve_is_drawn_from_its_points(curves: list[NamedCurve]) -> None:
    axes = roc_figure(curves, "60 test patients").axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for named in curves:
        line = next(line for label, line in lines.items() if label.startswith(f"{named.name}  "))
        assert np.array_equal(line.get_xdata(), named.curve.false_positive_rate)
        assert np.array_equal(line.get_ydata(), named.curve.true_positive_rate)


def test_the_legend_gives_each_area_with_its_interval(curves: list[NamedCurve]) -> None:
    legend = roc_figure(curves, "60 test patients").legends[0]
    said = [text.get_text() for text in legend.get_texts()]
    dash = "\N{EN DASH}"
    assert said == [
        f"{c.name}  {c.auc.value:.3f} ({c.auc.low:.3f}{dash}{c.auc.high:.3f})" for c in curves
    ]
    assert legend.get_title().get_text() == "AUC (95 % confidence interval)"


def test_it_fits_a_column_and_says_on_whom(curves: list[NamedCurve]) -> None:
    figure = roc_figure(curves, "60 test patients")
    assert figure.get_figwidth() == COLUMN_WIDTH
    assert figure.axes[0].get_title() == "60 test patients"
    sizes = [text.get_fontsize() for text in figure.legends[0].get_texts()]
    assert min(sizes) >= 7
