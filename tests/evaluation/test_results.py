import json
import math
from dataclasses import replace

import numpy as np
import pytest

from oncotrail.evaluation import results
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.evaluation.performance import RolePerformance
from oncotrail.study.evaluation import CALIBRATION, METRICS


@pytest.fixture
def without_ppv(done: Evaluated) -> Evaluated:
    """The same, where the first model's PPV on test patients is undefined."""
    first = done.performances[0]
    tested: RolePerformance = first.roles["test"]
    undefined = replace(tested, at_threshold=replace(tested.at_threshold, ppv=None))
    changed = replace(first, roles={**first.roles, "test": undefined})
    return replace(done, performances=(changed, *done.performances[1:]))


def test_the_table_has_a_row_per_model_role_and_metric(done: Evaluated) -> None:
    table = results.performance_table(done)
    assert list(table) == list(results.TABLE)
    assert len(table) == 4 * 3 * len(METRICS)
    assert not table.duplicated(["model", "role", "metric"]).any()
    known = table.dropna(subset=["value"])
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()
    assert set(table.loc[table["value"].isna(), "metric"]) <= set(CALIBRATION)


def test_an_undefined_figure_is_a_blank_row_a_null_and_no_metric(without_ppv: Evaluated) -> None:
    model = without_ppv.performances[0].model
    table = results.performance_table(without_ppv).set_index(["model", "role", "metric"])
    assert table.loc[(model, "test", "ppv"), ["value", "low", "high"]].isna().all()
    nested = results.nested_figures(without_ppv)
    assert nested[without_ppv.short(model)]["test"]["ppv"] is None
    flat = results.flat_figures(without_ppv, without_ppv.performances[0])
    assert not [name for name in flat if name.startswith("test_ppv")]
    assert "test_npv_low" in flat


def test_metrics_json_has_the_layout_of_the_architecture(done: Evaluated) -> None:
    nested = results.nested_figures(done)
    assert set(nested) == {"t4", "t11", "clinical", "both"}
    for model in nested.values():
        assert set(model) == {"validation", "test", "external", "threshold"}
        assert set(model["test"]) == {"patients", "events", *METRICS}
        assert set(model["test"]["auc"]) == {"value", "low", "high"}
        assert model["test"]["patients"] == 30
    assert json.loads(json.dumps(nested, allow_nan=False)) == nested


def test_auc_json_repeats_the_areas_of_metrics_json(done: Evaluated) -> None:
    nested = results.nested_figures(done)
    assert results.areas(done) == {
        model: {role: roles[role]["auc"]["value"] for role in ("validation", "test", "external")}
        for model, roles in nested.items()
    }


def test_figures_have_six_digits_and_thresholds_all(done: Evaluated) -> None:
    figure = results.nested_figures(done)["both"]["test"]["auc"]["value"]
    assert figure == round(figure, 6)
    for each in done.performances:
        assert results.thresholds(done)[each.model]["threshold"] == each.threshold.value


def test_flat_figures_are_named_by_role_and_metric(done: Evaluated) -> None:
    flat = results.flat_figures(done, done.performances[0])
    expected = {
        f"{role}_{metric}{end}"
        for role in ("validation", "test", "external")
        for metric in METRICS
        for end in ("", "_low", "_high")
    }
    assert set(flat) == expected | {"threshold"}
    assert all(math.isfinite(value) for value in flat.values())


def test_thresholds_say_whom_they_were_chosen_on(done: Evaluated) -> None:
    said = results.thresholds(done)["made-both"]
    assert (said["role"], said["patients"], said["rule"]) == ("validation", 30, "youden")


def test_roc_points_give_back_the_areas(done: Evaluated) -> None:
    points = results.roc_points(done, "test")
    assert points["model"].tolist() == sorted(points["model"])
    for each in done.performances:
        curve = points[points["model"] == done.short(each.model)]
        x, y = curve["false_positive_rate"], curve["true_positive_rate"]
        assert np.trapezoid(y, x) == pytest.approx(each.roles["test"].auc.value)
        assert (np.diff(x) >= 0).all()
        assert (np.diff(y) >= 0).all()


def test_a_sentence_for_the_terminal(done: Evaluated) -> None:
    each = done.performances[-1]
    area = each.roles["test"].auc
    assert results.sentence(done, each, "test") == (
        f"{done.short(each.model)}: test AUC {area.value:.3f} ({area.low:.3f} to {area.high:.3f})"
    )
