from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import ImageFault, ModelFault, TableError
from oncotrail.serving.model import load_model
from tests.serving import study


@pytest.mark.parametrize("model", ["t4", "clinical", "clinical_t4"])
def test_a_served_model_gives_the_numbers_of_the_predictions_table(
    root: Path, models: Path, model: str
) -> None:
    patients = study.new_patients(root, "test")
    assert len(patients) > 20
    served = load_model(models / model).predict(patients)
    told = study.predicted(root, f"{study.STUDY}-{model}").loc[patients["patient"]]
    np.testing.assert_allclose(served, told, rtol=0, atol=1e-6)


def test_a_patient_gets_the_same_number_alone_and_in_any_order(root: Path, models: Path) -> None:
    model = load_model(models / "clinical_t4")
    patients = study.new_patients(root, "test")
    together = model.predict(patients)
    shuffled = patients.sample(frac=1, random_state=1)
    np.testing.assert_allclose(model.predict(shuffled), together[shuffled.index], atol=1e-6)
    alone = model.predict(patients.iloc[[3]])
    np.testing.assert_allclose(alone, together.iloc[[3]], atol=1e-6)


def test_codes_and_numbers_as_a_spreadsheet_writes_them(root: Path, models: Path) -> None:
    model = load_model(models / "clinical")
    patients = study.new_patients(root, "test").dropna(subset=["age", "her2"])
    as_numbers = patients.assign(age=patients["age"].astype(int), her2=patients["her2"].astype(int))
    with_blanks = patients.assign(her2=patients["her2"].astype(float))
    as_text = patients.assign(age=patients["age"].astype(str))
    for frame in (as_numbers, with_blanks, as_text):
        np.testing.assert_array_equal(model.predict(frame), model.predict(patients))


def test_every_clinical_value_may_be_blank(root: Path, models: Path) -> None:
    patients = study.new_patients(root, "test").assign(age=None, her2="")
    probabilities = load_model(models / "clinical").predict(patients)
    assert probabilities.between(0, 1).all()


def test_a_missing_column_is_named_with_what_is_needed(root: Path, models: Path) -> None:
    patients = study.new_patients(root, "test").drop(columns=["t4", "age"])
    with pytest.raises(TableError, match=r"toy-clinical_t4 reads .* lacks \['t4', 'age'\]"):
        load_model(models / "clinical_t4").predict(patients)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("age", 430, r"row 1: age is 430; expected a number from 18 to 100 years"),
        ("age", "old", r"row 1: age is 'old'"),
        ("her2", "2", r"row 1: her2 is '2'; expected one of 0 \(negative\), 1 \(positive\)"),
        ("t4", None, r"row 1: no image of view t4"),
    ],
)
def test_a_wrong_value_is_named_with_its_row(
    root: Path, models: Path, column: str, value: object, says: str
) -> None:
    patients = study.new_patients(root, "test").reset_index(drop=True)
    patients[column] = patients[column].astype(object)
    patients.loc[1, column] = value
    with pytest.raises(TableError, match=says):
        load_model(models / "clinical_t4").predict(patients)


def test_a_missing_image_is_named(root: Path, models: Path) -> None:
    patients = study.new_patients(root, "test").assign(t4="nowhere.png")
    with pytest.raises(ImageFault, match=r"nowhere\.png is missing"):
        load_model(models / "t4").predict(patients)


def test_no_patients_are_refused(root: Path, models: Path) -> None:
    nobody = study.new_patients(root, "test").iloc[:0]
    with pytest.raises(TableError, match="no rows"):
        load_model(models / "t4").predict(nobody)


def test_the_index_of_the_patients_is_kept(root: Path, models: Path) -> None:
    patients = study.new_patients(root, "test").set_index("patient", drop=False)
    probabilities = load_model(models / "clinical").predict(patients)
    pd.testing.assert_index_equal(probabilities.index, patients.index)


@pytest.mark.parametrize(
    "file", ["networks/toy-t4/weights.safetensors", "learner/learner.skops", "learner/model.json"]
)
def test_a_file_that_was_changed_is_refused_before_it_is_loaded(
    models: Path, tmp_path: Path, file: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "clinical_t4", folder)
    path = folder / file
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFault, match=r"serving\.json names sha256"):
        load_model(folder)


def test_a_manifest_that_is_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "serving.json").write_text("{}")
    with pytest.raises(ModelFault, match="does not describe a model"):
        load_model(tmp_path)
