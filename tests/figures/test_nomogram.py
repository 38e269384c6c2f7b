from pathlib import Path

import numpy as np
import pytest

from oncotrail.figures.drawing import save
from oncotrail.figures.nomogram import Row, nomogram_figure, rows_of
from oncotrail.statistics.regression.nomogram import (
    MedianSurvival,
    Nomogram,
    Probability,
    SurvivalAt,
    nomogram,
)
from oncotrail.statistics.regression.terms import Levels, Linear, Spline

TERMS = [Spline("age", (35.0, 46.0, 61.0, 72.0)), Levels("grade", ("1", "2", "3")), Linear("size")]
COEFFICIENTS = [-0.0874, 0.2803, -0.6490, 0.7298, 0.9469, 0.0084]
RANGES = {"age": (25.0, 80.0), "size": (5.0, 120.0)}


@pytest.fixture
def sheet() -> Nomogram:
    median = MedianSurvival("Median, days", (100.0, 900.0, 2500.0), (1.0, 9.0, 30.0))
    predicted = [SurvivalAt("Survival at 1000 days", 9.0), Probability("Risk"), median]
    return nomogram(TERMS, COEFFICIENTS, RANGES, predicted)


@pytest.fixture
def rows(sheet: Nomogram) -> dict[str, Row]:
    return {row.name: row for row in rows_of(sheet, {"age": "Age, years"})}


def test_the_rows_stand_in_the_order_in_which_they_are_read(rows: dict[str, Row]) -> None:
    outcomes = ["Survival at 1000 days", "Risk", "Median, days"]
    assert list(rows) == ["Points", "Age, years", "grade", "size", "Total points", *outcomes]


def test_a_tick_stands_at_its_points(sheet: Nomogram, rows: dict[str, Row]) -> None:
    scales = {scale.term.name: scale for scale in sheet.scales}
    ages = {float(t.label): t.place for t in rows["Age, years"].ticks if t.label}
    assert list(ages.values()) == pytest.approx(scales["age"].points(list(ages)) / 100)
    grades = {tick.label: tick.place for tick in rows["grade"].ticks}
    assert [grades[level] for level in "123"] == list(scales["grade"].points(["1", "2", "3"]) / 100)


def test_what_is_predicted_stands_at_the_total_that_means_it(
    sheet: Nomogram, rows: dict[str, Row]
) -> None:
    for each in sheet.predicted:
        labelled = [tick for tick in rows[each.name].ticks if tick.label]
        assert labelled
        for tick in labelled:
            meant = each.of(sheet.linear_predictor(tick.place * sheet.most_points + 1e-9))
            if isinstance(each, MedianSurvival):
                assert meant <= float(tick.label)
            else:
                assert meant == pytest.approx(float(tick.label))


def test_a_spline_that_turns_is_folded(rows: dict[str, Row]) -> None:
    sides = {tick.label: tick.above for tick in rows["Age, years"].ticks}
    assert sides["30"]
    assert not sides["60"]
    assert not any(tick.above for tick in rows["size"].ticks)


def test_no_label_touches_the_next(rows: dict[str, Row]) -> None:
    for row in rows.values():
        for side in (True, False):
            places = sorted(t.place for t in row.ticks if t.label and t.above == side)
            assert (np.diff(places) > 0.02).all()


def test_every_level_keeps_its_name_however_near_they_stand() -> None:
    levels = ("well differentiated", "moderately differentiated", "poorly", "undifferentiated")
    terms = [Levels("grade", levels), Linear("size")]
    found = nomogram(terms, [0.01, 0.02, 0.02, 1.0], {"size": (0, 1)}, [])
    row = next(row for row in rows_of(found, {}) if row.name == "grade")
    assert {tick.label for tick in row.ticks} == set(levels)
    sides = [(tick.above, tick.line) for tick in row.ticks]
    assert len(set(sides)) == len(levels)


def test_a_median_that_nobody_reaches_has_no_tick() -> None:
    never = MedianSurvival("Median", (100.0,), (1e-9,))
    found = nomogram([Linear("size")], [0.01], {"size": (0, 1)}, [never])
    assert {row.name: row.ticks for row in rows_of(found, {})}["Median"] == ()


def test_it_is_drawn_the_same_twice(sheet: Nomogram, tmp_path: Path) -> None:
    written = []
    for name in ("a.svg", "b.svg"):
        save(nomogram_figure(sheet), tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
