import re

import pytest

from oncotrail.reports.evidence import Evidence
from oncotrail.reports.results import Results, Terms, results
from tests.reports import written


@pytest.fixture(scope="module")
def found(evidence: Evidence) -> Results:
    terms = Terms("relapse", 0.95, invented=True)
    return results(written.STUDY, evidence, written.FUSION, written.QUESTION.published, terms)


def test_the_headline_has_value_interval_and_patients(found: Results, evidence: Evidence) -> None:
    row = evidence.table.set_index(["model", "role", "metric"]).loc[
        ("made-both", "external", "auc")
    ]
    said = f"an AUC of {row['value']:.3f} (95 % interval {row['low']:.3f} to {row['high']:.3f})"
    assert said in found.headline[0]
    assert re.search(
        r"on 20 patients of held-out sites, \d+ of them with relapse", found.headline[0]
    )
    assert "pictures t4 and t11 added" in found.headline[1]


def test_the_best_by_validation_is_marked(found: Results) -> None:
    for grid in found.performance:
        assert [grid.rows[place][0].text for place in grid.marked] == ["both"]


def test_roles_come_strictest_first_with_their_counts(found: Results) -> None:
    captions = [grid.caption.split(",")[0] for grid in found.performance]
    assert captions == [
        "External test: 20 patients",
        "Test: 30 patients",
        "Validation: 30 patients",
    ]


def test_each_threshold_names_the_patients_it_comes_from(
    found: Results, evidence: Evidence
) -> None:
    for name, value, rule in found.thresholds.rows:
        said = evidence.thresholds[f"made-{name.text}"]
        assert value.text == f"{said['threshold']:.3f}"
        assert rule.under == f"on 30 validation patients, {said['events']} events"


def test_our_row_stands_beneath_the_published_one(found: Results) -> None:
    grid = found.publication.grid
    assert grid is not None
    assert [row[0].text for row in grid.rows] == ["both", "both", "clinical", "clinical"]
    assert grid.rows[0][1].text == "0.960"
    assert "333 patients" in grid.rows[0][0].under
    assert grid.rows[0][3].under == "not given"
    assert grid.marked == {1, 3}
    ours = next(row for row in found.performance[0].rows if row[0].text == "both")
    assert grid.rows[1][1:] == ours[1:]


def test_the_overview_shows_all_models_around_one_half(found: Results) -> None:
    drawing = found.forest
    assert drawing is not None
    assert [whisker.label for whisker in drawing.whiskers] == ["clinical", "both", "t4", "t11"]
    assert [whisker.chosen for whisker in drawing.whiskers] == [False, True, False, False]
    for whisker in drawing.whiskers:
        assert drawing.left <= whisker.low <= whisker.value <= whisker.high <= drawing.right
    assert drawing.left <= drawing.nothing <= drawing.right
