"""Folds and seeds on the page, beside the figures that they are about; nothing without them."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from oncotrail.record import folder
from oncotrail.reports import repeats
from oncotrail.reports.cells import decimals
from oncotrail.reports.evidence import Evidence, read_evidence
from oncotrail.reports.models import Figure, Model, models_of
from oncotrail.reports.page import page_of, study_report
from tests.evaluation import crossed, made
from tests.reports import written
from tests.reports.read import Read

ORDER = ["clinical", "both"]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    run = written.write(tmp_path_factory.mktemp("crossed"), crossed.study())
    return read_evidence(run, made.DECLARED, written.NETWORKS)


@pytest.fixture(scope="module")
def models(evidence: Evidence) -> tuple[Model, ...]:
    return models_of(written.STUDY, evidence.table, written.FUSION, evidence.networks)


def test_the_fold_average_stands_beside_the_pooled_auc(
    evidence: Evidence, models: tuple[Model, ...]
) -> None:
    found = repeats.repeats(models, (), "From evaluate.")
    folds = found.grids[0]
    assert "3 outer folds" in found.sentences[0]
    assert "each of 100 patients was test once" in found.sentences[0]
    table = evidence.table.set_index(["model", "role", "metric"])["value"].sort_index()
    for model, (name, pooled, mean, _) in zip(models, folds.rows, strict=True):
        assert name.text == model.title
        of = table[f"made-{model.name}", "test"]
        assert (pooled.text, mean.text) == (
            decimals(of["auc"]),
            decimals(of["auc_fold_average"]),
        )
        assert " to " in mean.under


def test_seeds_are_of_networks_with_mean_and_deviation(models: tuple[Model, ...]) -> None:
    found = repeats.repeats(models, (), "From evaluate.")
    of_seeds = [grid for grid in found.grids if grid.caption.startswith("AUC by seed")]
    assert [grid.caption for grid in of_seeds] == [
        "AUC by seed, on patients of held-out sites",
        "AUC by seed, on test patients",
    ]
    tested = of_seeds[1]
    assert [row[0].text for row in tested.rows] == ["t4", "t11"]
    for model, (_, each, mean, deviation) in zip(models[2:], tested.rows, strict=True):
        figures = model.roles["test"].figures
        first, second = each.text.split(", ")
        assert first == decimals(figures["auc"].value)
        assert second == decimals(figures["auc_seed_1"].value)
        assert mean.text == decimals(figures["auc_seed_mean"].value)
        assert deviation.text == decimals(figures["auc_seed_deviation"].value)


def test_differences_over_folds_are_what_the_richer_model_adds(evidence: Evidence) -> None:
    (found,) = repeats.differences_over_folds("made", evidence.comparisons, [*ORDER, "t4", "t11"])
    table = evidence.table[evidence.table["metric"] == "auc_fold_average"]
    means = table.set_index("model")["value"]
    assert (found.first, found.second) == ("both", "clinical")
    assert found.value == pytest.approx(means["made-both"] - means["made-clinical"], abs=2e-6)
    rows = evidence.comparisons.set_index("role")
    assert found.p_holm == pytest.approx(rows.loc["test", "fold_p_holm"])


def test_the_page_has_a_section_of_them(evidence: Evidence) -> None:
    html = study_report(written.STUDY, written.asked(), evidence)
    said = Read(html)
    assert "repeats" in {attributes.get("id") for _, attributes in said.tags}
    assert "Mean over folds" in said.text
    assert "Differences in AUC, averaged over the folds" in said.text


def test_patients_of_the_cross_validation_are_counted_once_and_those_kept_by_role(
    evidence: Evidence,
) -> None:
    boxes = page_of(written.STUDY, written.asked(), evidence).flow.roles
    counts = {box.name: box.patients for box in boxes}
    assert counts["test in turn"] == 100
    assert counts["external test"] == 20
    kept = sum(counts[name] for name in ("train the networks", "train the fusion", "validation"))
    assert kept == 100
    assert "in one of 3 outer folds" in boxes[0].purpose


def test_without_folds_and_seeds_the_page_says_nothing_of_them(tmp_path: Path) -> None:
    run = written.write(tmp_path)
    once = read_evidence(run, made.DECLARED, written.NETWORKS)
    assert not (folder(tmp_path, written.STUDY, "train", "made-t4") / "parts").exists()
    html = study_report(written.STUDY, written.asked(), once)
    assert "repeats" not in html
    assert "folds" not in html
    assert "seeds" not in html
    assert repeats.differences_over_folds("made", once.comparisons, ORDER) == ()


def test_equal_folds_have_no_interval(models: tuple[Model, ...]) -> None:
    first = models[0]
    judged = first.roles["test"]
    equal = Figure(0.5, math.nan, math.nan, 100)
    figures = {**judged.figures, repeats.AVERAGE: equal}
    alike = replace(first, roles={**first.roles, "test": replace(judged, figures=figures)})
    (grid,) = repeats.repeats([alike], (), "").grids
    assert grid.rows[0][2].under == "no interval: all are equal"


def test_folds_that_differ_alike_have_no_interval() -> None:
    row = {"role": "test", "first": "made-clinical", "second": "made-both", "patients": 100}
    over = {"fold_difference": 0.0, "fold_low": None, "fold_high": None, "fold_p_holm": None}
    found = repeats.differences_over_folds("made", pd.DataFrame([row | over]), ORDER)
    assert (found[0].low, found[0].p_holm) == (None, None)
