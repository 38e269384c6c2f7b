"""Folds and seeds in the files: beside a model's own figures, and only where there are any."""

import json
import math
from dataclasses import replace

import pytest

from oncotrail.evaluation import results
from oncotrail.evaluation.evaluated import Evaluated
from oncotrail.statistics.uncertainty.cross_validation import Repeated
from oncotrail.study.evaluation import METRICS
from tests.evaluation import crossed, made
from tests.evaluation.crossed import FOLDS, SEEDS, WHOLE


@pytest.fixture(scope="module")
def crossed_done() -> Evaluated:
    return crossed.evaluated(crossed.study())


def test_the_table_goes_on_with_folds_and_seeds(crossed_done: Evaluated) -> None:
    table = results.performance_table(crossed_done).set_index(["model", "role", "metric"])
    assert table.index.is_unique
    for each in crossed_done.performances:
        tested = table.loc[each.model].loc["test"]
        assert each.averaged is not None
        mean, (low, high) = each.averaged.mean, (each.averaged.mean.low, each.averaged.mean.high)
        shown = tested.loc["auc_fold_average"]
        assert (shown["value"], shown["low"], shown["high"]) == pytest.approx(
            (mean.value, low, high), abs=1e-6
        )
        assert (shown["patients"], shown["method"]) == (100, "Nadeau and Bengio, 3 folds")
        assert sum(tested.loc[f"auc_fold_{fold}", "patients"] for fold in range(FOLDS)) == 100
        seeded = {name for name in tested.index if "_seed_" in name}
        of_metric = ("mean", "deviation", *range(len(SEEDS)))
        known = crossed_done.spread_of(each.model)
        metrics = [] if known is None else list(known.roles["test"])
        assert seeded == {f"{metric}_seed_{what}" for metric in metrics for what in of_metric}


def test_metrics_json_has_a_section_for_each(crossed_done: Evaluated) -> None:
    nested = results.nested_figures(crossed_done)
    assert json.loads(json.dumps(nested, allow_nan=False)) == nested
    roles = {"validation", "test", "external", "threshold", "folds"}
    assert set(nested["clinical"]) == roles
    assert set(nested["t4"]) == roles | {"seeds"}
    assert set(nested["t4"]["test"]) == {"patients", "events", *METRICS}
    folds = nested["t4"]["folds"]
    assert set(folds["test_auc"]) == {"value", "low", "high", "each"}
    assert set(folds["test_auc"]["each"]) == {str(fold) for fold in range(FOLDS)}
    assert set(folds["threshold"]) == {str(fold) for fold in (*range(FOLDS), WHOLE)}
    of_seeds = nested["t4"]["seeds"]["test"]["auc"]
    assert of_seeds["each"][0] == nested["t4"]["test"]["auc"]["value"]
    assert of_seeds["value"] == pytest.approx(sum(of_seeds["each"]) / len(SEEDS), abs=1e-6)
    assert of_seeds["deviation"]["value"] > 0


def test_auc_json_has_the_mean_over_folds_beside_the_pooled(crossed_done: Evaluated) -> None:
    for model, areas in results.areas(crossed_done).items():
        assert set(areas) == {"validation", "test", "external", "test_fold_average"}
        nested = results.nested_figures(crossed_done)[model]
        assert areas["test_fold_average"] == nested["folds"]["test_auc"]["value"]


def test_a_models_page_has_them_in_sections_of_their_own(crossed_done: Evaluated) -> None:
    fusion, network = (
        next(each for each in crossed_done.performances if each.model == name)
        for name in ("made-clinical", "made-t4")
    )
    flat = results.flat_figures(crossed_done, network)
    assert all(math.isfinite(value) for value in flat.values())
    assert {"test_auc", "test_auc_fold_average", "test_auc_fold_average_low"} <= set(flat)
    assert {f"over_folds/threshold_{fold}" for fold in range(FOLDS + 1)} <= set(flat)
    assert {f"over_seeds/test_auc_{what}" for what in ("mean", "deviation", "mean_low", 1)} <= set(
        flat
    )
    assert flat["over_seeds/test_auc_0"] == flat["test_auc"]
    alone = results.flat_figures(crossed_done, fusion)
    assert not [name for name in alone if "seed" in name]
    own = [name for name in alone if name.startswith("validation_")]
    assert len(own) <= 3 * len(METRICS)  # register reads these: nothing of folds is among them


def test_thresholds_json_has_every_part(crossed_done: Evaluated) -> None:
    said = results.thresholds(crossed_done)
    for model, one in said.items():
        seeds = SEEDS if model in made.NETWORKS else SEEDS[:1]
        parts = {(part["outer_fold"], part["seed"]): part for part in one["parts"]}
        assert set(parts) == {(f, s) for f in range(FOLDS + 1) for s in range(len(seeds))}
        assert parts[WHOLE, 0]["threshold"] == one["threshold"]
        assert parts[WHOLE, 0]["patients"] == one["patients"]


def test_the_terminal_says_both(crossed_done: Evaluated) -> None:
    network = next(each for each in crossed_done.performances if each.model == "made-t4")
    said = results.sentence(crossed_done, network, "test")
    assert "; mean of 3 folds 0." in said
    assert "; mean of 2 seeds 0." in said
    assert "folds" not in results.sentence(crossed_done, network, "external")


def test_without_folds_and_seeds_nothing_is_said_of_them(done: Evaluated) -> None:
    first = done.performances[0]
    assert not [metric for metric in results.performance_table(done)["metric"] if "_fold" in metric]
    assert {"folds", "seeds"}.isdisjoint(results.nested_figures(done)["t4"])
    assert not [name for name in results.flat_figures(done, first) if "/" in name]
    assert "parts" not in results.thresholds(done)[first.model]


def test_equal_folds_have_a_mean_and_no_interval(crossed_done: Evaluated) -> None:
    first = crossed_done.performances[0]
    assert first.averaged is not None
    equal = Repeated(1.0, None, None, 0.95, 0.0, 2, 3, "")
    alike = replace(first, averaged=replace(first.averaged, mean=equal))
    done = replace(crossed_done, performances=(alike,))
    average = results.nested_figures(done)[done.short(first.model)]["folds"]["test_auc"]
    assert (average["value"], average["low"]) == (1.0, None)
    assert "test_auc_fold_average_low" not in results.flat_figures(done, alike)
    assert "mean of 3 folds 1.000 (no interval" in results.sentence(done, alike, "test")
    table = results.performance_table(done).set_index("metric")
    assert table.loc["auc_fold_average", ["low", "high"]].isna().all()
