"""From the rows of a real table to what a patient reads, beside rms."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from oncotrail.statistics.regression.cox import fit_cox
from oncotrail.statistics.regression.fitted_nomogram import cox_nomogram, logistic_nomogram
from oncotrail.statistics.regression.logistic import fit_logistic
from oncotrail.statistics.regression.terms import Linear, design
from tests.reference import tables
from tests.statistics.oracles import agree, r, reference
from tests.statistics.regression.test_nomogram import PATIENTS, RANGES, TERMS, patients


@pytest.fixture(scope="module")
def columns() -> Mapping[str, Any]:
    frame = tables.gbsg2()
    grade = [f"{grade:g}" for grade in frame["grade"]]
    return {**{name: frame[name].to_numpy() for name in frame}, "grade": grade}


def test_a_cox_model_reads_as_rms_predicts(columns: Mapping[str, Any]) -> None:
    fit = fit_cox(columns["time"], columns["event"], design(TERMS, columns))
    sheet = cox_nomogram(fit, TERMS, RANGES, {"at1000": 1000}, median="median")
    read = [sheet.points_of(patient).predicted for patient in patients()]
    ours = [each[name] for name in ("at1000", "median") for each in read]
    said = reference("nomogram")["cox"]
    theirs = [*said["survival_1000"], *said["median"]]
    agree(cox_nomogram, r("nomogram", "rms::cph"), ours, theirs)


def test_a_logistic_model_reads_as_rms_predicts(columns: Mapping[str, Any]) -> None:
    fit = fit_logistic(columns["event"], design(TERMS, columns))
    sheet = logistic_nomogram(fit, TERMS, RANGES, "risk")
    ours = [sheet.points_of(patient).predicted["risk"] for patient in patients()]
    theirs = reference("nomogram")["logistic"]["risk"]
    agree(logistic_nomogram, r("nomogram", "rms::lrm"), ours, theirs)
    said = reference("nomogram")["logistic"]["linear_predictor"]
    value = sheet.linear_predictor(said["total"])
    agree(logistic_nomogram, r("nomogram", "rms::nomogram"), value, said["value"])
    read = [sheet.points_of(patient).linear_predictor for patient in patients()]
    assert read == pytest.approx(fit.linear_predictor(design(TERMS, columns))[list(PATIENTS)])


def test_each_stratum_has_its_own_survival(columns: Mapping[str, Any]) -> None:
    size = [Linear("size")]
    hormones = columns["hormones"]
    fit = fit_cox(columns["time"], columns["event"], design(size, columns), strata=hormones)
    for stratum in (0, 1):
        sheet = cox_nomogram(fit, size, RANGES, {"at1000": 1000}, median="median", stratum=stratum)
        read = sheet.points_of({"size": 30}).predicted
        assert read["at1000"] == pytest.approx(fit.survival([30.0], [1000], stratum)[0, 0])
        own = fit.baseline.times[fit.baseline.strata == stratum]
        curve = fit.survival([30.0], own, stratum)[0]
        assert read["median"] == own[np.argmax(curve <= 0.5)]


def test_an_offset_or_no_intercept_is_refused() -> None:
    labels, size = [0, 0, 1, 0, 1, 1], [1.0, 2, 3, 4, 5, 6]
    without = fit_logistic(labels, size, intercept=False)
    for fit in (without, fit_logistic(labels, size, offset=np.zeros(6))):
        with pytest.raises(ValueError, match="a nomogram needs an intercept"):
            logistic_nomogram(fit, [Linear("size")], {"size": (1, 6)}, "risk")
    cox = fit_cox([3, 5, 6, 7, 9, 10], [1, 1, 0, 1, 1, 0], [6.0, 2, 5, 4, 1, 3], offset=np.ones(6))
    with pytest.raises(ValueError, match="found a model with an offset"):
        cox_nomogram(cox, [Linear("size")], {"size": (1, 6)}, {"year 5": 5})
