from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.nomogram import (
    MedianSurvival,
    Nomogram,
    Probability,
    SurvivalAt,
    nomogram,
)
from oncotrail.statistics.regression.terms import Levels, Linear, Spline, design
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference

TERMS = (
    Spline("age", (35.0, 46.0, 61.0, 72.0)),
    Linear("size"),
    Levels("grade", ("1", "2", "3")),
    Linear("nodes"),
)
RANGES = {"age": (25.0, 80.0), "size": (5.0, 120.0), "nodes": (1.0, 50.0)}
PATIENTS = (0, 76, 299, 554)  # R counts from 1


def sheet(model: str) -> Nomogram:
    said = reference("nomogram")[model]
    coefficients = np.array(said["coefficients"])
    if model == "logistic":
        intercept, slopes = coefficients[0], coefficients[1:]
        return nomogram(TERMS, slopes, RANGES, [Probability("risk")], intercept=intercept)
    times, hazard = baseline()
    at_1000 = hazard[np.searchsorted(times, 1000, side="right") - 1]
    predicted = [
        SurvivalAt("at1000", float(at_1000)),
        MedianSurvival("median", tuple(times), tuple(hazard)),
    ]
    return nomogram(TERMS, coefficients, RANGES, predicted)


@cache
def baseline() -> tuple[np.ndarray, np.ndarray]:
    """At a linear predictor of 0, of the same model fitted here."""
    frame = tables.gbsg2()
    values = {name: frame[name].to_numpy() for name in frame}
    values["grade"] = [f"{grade:g}" for grade in frame["grade"]]
    fit = fit_cox(frame["time"], frame["event"], design(TERMS, values))
    hazard = fit.cumulative_hazard(fit.baseline.times) * np.exp(-fit.centre @ fit.coefficients)
    return fit.baseline.times, hazard


def patients() -> list[dict[str, Any]]:
    rows = tables.gbsg2().iloc[list(PATIENTS)]
    return [{**row, "grade": f"{row['grade']:g}"} for row in rows.to_dict("records")]


@pytest.mark.parametrize("model", ["cox", "logistic"])
class TestAgainstRms:
    def test_points_along_every_axis(self, model: str) -> None:
        said = reference("nomogram")[model]
        for scale in sheet(model).scales:
            theirs = said["points"][scale.term.name]["points"]
            ours = scale.points(scale.axis)
            # A spline's trough has 0 points; rms' is the lowest of its 401 places.
            agree(nomogram, r("nomogram", "rms::nomogram"), ours, theirs, absolute=1e-6)

    def test_the_linear_predictor_of_a_total(self, model: str) -> None:
        said = reference("nomogram")[model]
        found = sheet(model)
        shift = -said["center"] if model == "cox" else 0.0  # rms centres that of a Cox model
        theirs = np.array(said["linear_predictor"]["value"])
        ours = found.linear_predictor(said["linear_predictor"]["total"]) + shift
        agree(Nomogram.linear_predictor, r("nomogram", "rms::nomogram"), ours, theirs)
        back, total = found.total_points(theirs - shift), said["linear_predictor"]["total"]
        agree(Nomogram.total_points, r("nomogram", "rms::nomogram"), back, total)

    def test_what_a_patient_reads_is_what_the_model_predicts(self, model: str) -> None:
        said = reference("nomogram")[model]
        read = [sheet(model).points_of(patient).predicted for patient in patients()]
        if model == "logistic":
            ours, theirs = [each["risk"] for each in read], said["risk"]
        else:
            ours = [each[name] for name in ("at1000", "median") for each in read]
            theirs = [*said["survival_1000"], *said["median"]]
        agree(Nomogram.points_of, r("nomogram", "rms::predict"), ours, theirs)


@given(
    st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(40, 90), st.sampled_from("abc")
)
def test_points_add_up_to_the_linear_predictor(
    coefficients: list[float], age: float, stage: str
) -> None:
    terms = [Linear("age"), Levels("stage", ("a", "b", "c")), Linear("size")]
    if max(map(abs, coefficients)) < 1e-3:
        return
    found = nomogram(terms, coefficients, {"age": (40, 90), "size": (0, 1)}, [])
    patient = {"age": age, "stage": stage, "size": 0.5}
    columns = design(terms, {name: [value] for name, value in patient.items()})
    read = found.points_of(patient)
    assert read.linear_predictor == pytest.approx(float((columns @ coefficients)[0]), abs=1e-9)
    assert min(read.points.values()) >= -1e-9
    assert read.total <= found.most_points * (1 + 1e-12)


def test_no_value_lies_off_an_axis() -> None:
    """The trough and the crest of a spline lie between the places that are drawn."""
    terms = [Spline("age", (35.0, 46.0, 61.0, 72.0))]
    for sign in (1, -1):
        found = nomogram(terms, [-0.1 * sign, 0.2 * sign, -0.5 * sign], RANGES, [])
        points = found.scales[0].points(np.linspace(25, 80, 200_001))
        assert points.min() >= -1e-12
        assert points.max() <= found.most_points + 1e-9
        assert found.most_points == pytest.approx(100)
        assert points.min() == pytest.approx(0, abs=1e-6)


def test_predictions_and_their_places_are_inverse() -> None:
    chances = np.array([0.01, 0.3, 0.99])
    for each in (Probability("risk"), SurvivalAt("5 years", 0.4)):
        back = each.of(each.linear_predictor(chances))
        assert back == pytest.approx(chances, abs=1e-12)
    median = MedianSurvival("median", (1.0, 2.0, 5.0), (0.1, 0.4, 0.9))
    for time in (1.0, 2.0, 5.0):
        assert median.of(median.linear_predictor(time)) == time
    assert median.of(-10.0) == np.inf
    sheet = nomogram([Linear("size")], [1.0], {"size": (-10, 0)}, [median])
    assert sheet.points_of({"size": -10}).predicted == {"median": None}
    assert sheet.points_of({"size": 0}).predicted == {"median": 5.0}
    assert median.linear_predictor(0.5) == np.inf


def test_what_a_nomogram_refuses() -> None:
    with pytest.raises(ValueError, match="age: found an axis from nan to nan"):
        nomogram([Linear("age")], [1.0], {}, [])
    with pytest.raises(ValueError, match="expected one coefficient other than 0"):
        nomogram([Linear("age")], [0.0], {"age": (0, 1)}, [])
    found = nomogram([Linear("age")], [1.0], {"age": (40, 90)}, [])
    with pytest.raises(ValueError, match=r"age: found 91.0 in row 0; .* at most 90"):
        found.points_of({"age": 91})
    with pytest.raises(ValueError, match="found no age"):
        found.points_of({})
