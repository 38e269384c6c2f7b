import math

import pytest

from oncotrail.commands.figures_in import Column, Curve, Figure, distance, figures_in

ROC = """\
model,role,false_positive_rate,true_positive_rate
clinical,test,0,0
clinical,test,0.5,0.9
clinical,test,1,1
fused,test,0,0
fused,test,1,1
"""


def test_json_figures_are_named_by_their_place() -> None:
    text = '{"clinical": {"test": {"auc": {"low": 0.7}, "ppv": null}, "folds": [1, 2]}}'
    assert figures_in("metrics.json", text) == {
        ("clinical", "test", "auc", "low"): 0.7,
        ("clinical", "test", "ppv"): None,
        ("clinical", "folds", "0"): 1,
        ("clinical", "folds", "1"): 2,
    }


def test_a_roc_file_is_a_curve_per_model_and_role() -> None:
    found = figures_in("roc.csv", ROC)
    assert found == {
        ("clinical", "test", "curve"): Curve((0, 0.5, 1), (0, 0.9, 1)),
        ("fused", "test", "curve"): Curve((0, 1), (0, 1)),
    }


def test_another_csv_is_a_column_per_group() -> None:
    text = "model,metric,value\na,auc,0.5\na,auc,0.6\nb,auc,0.7\n"
    assert figures_in("table.csv", text) == {
        ("a", "auc", "value"): Column((0.5, 0.6)),
        ("b", "auc", "value"): Column((0.7,)),
    }


def test_an_empty_csv_has_no_figures() -> None:
    assert figures_in("roc.csv", "model,role\n") == {}


@pytest.mark.parametrize(
    ("here", "there", "apart"),
    [
        (0.75, 0.75, 0),
        (0.75, 0.70, 0.05),
        (3, 5, 2),
        (None, None, 0),
        (None, 0.5, math.inf),
        ("youden", "youden", 0),
        ("youden", "cost", math.inf),
        (Column((1, 2)), Column((1, 2.5)), 0.5),
        (Column((1, 2)), Column((1,)), math.inf),
        (Curve((0, 1), (0, 1)), Curve((0, 0.5, 1), (0, 0.5, 1)), 0),
        (Curve((0, 1), (0, 1)), Curve((0, 0, 1), (0, 1, 1)), 0.5),
    ],
)
def test_distances(here: Figure, there: Figure, apart: float) -> None:
    assert distance(here, there) == pytest.approx(apart, abs=1e-3)
    assert distance(there, here) == pytest.approx(apart, abs=1e-3)
