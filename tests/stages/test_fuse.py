"""The fuse stage over a folder: what it reads, writes, records, and refuses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.cohort import tables
from oncotrail.errors import StudyFileError
from oncotrail.fusion.archive import load_learner
from oncotrail.record import MemoryRun, folder
from pipelines.fuse import Settings, main
from tests.fusion.hand_made import COHORT, FUSION, NETWORKS, SEED, STUDY, a_study, networks

MODELS = list(FUSION.models)


def before_fuse(root: Path) -> None:
    study = a_study()
    tables.write(COHORT.table(), study.cohort, folder(root, STUDY, "acquire") / "cohort.parquet")
    tables.write(tables.SPLIT, study.split, folder(root, STUDY, "split") / "split.parquet")
    for name, features in study.features.items():
        path = folder(root, STUDY, "train", name) / "features.parquet"
        tables.write(tables.FEATURES, features, path)


def fuse(root: Path) -> MemoryRun:
    run = MemoryRun(root, STUDY, "fuse")
    main(Settings(seed=SEED, cohort=COHORT, network=networks(), fusion=FUSION), run)
    return run


@pytest.fixture
def run(tmp_path: Path) -> MemoryRun:
    before_fuse(tmp_path)
    return fuse(tmp_path)


def test_writes_the_files_of_the_contract(run: MemoryRun) -> None:
    found = {path.relative_to(run.out).as_posix() for path in run.out.rglob("*") if path.is_file()}
    files = ("learner.skops", "columns.parquet", "model.json")
    own = {f"{model}/{file}" for model in MODELS for file in files}
    assert found == {"predictions.parquet", "fitted_on.parquet"} | own


def test_predictions_of_every_model_come_back_from_the_files(run: MemoryRun) -> None:
    predictions = tables.read(tables.PREDICTIONS, run.out / "predictions.parquet")
    assert set(predictions["model"]) == {f"{STUDY}-{model}" for model in MODELS}
    for model in MODELS:
        said = predictions[predictions["model"] == f"{STUDY}-{model}"].set_index("patient")["score"]
        seen = pd.read_parquet(run.out / model / "columns.parquet")
        again = load_learner(run.out / model).predict(seen)
        np.testing.assert_allclose(again.reindex(said.index), said, atol=1e-12, rtol=0)


def test_fitted_on_names_training_patients_that_no_network_saw(run: MemoryRun) -> None:
    fitted_on = tables.read(tables.FITTED_ON, run.out / "fitted_on.parquet")
    split = a_study().split.set_index("patient")
    assert set(split.loc[fitted_on["patient"], "fits"]) == {"fusion"}
    assert set(split.loc[fitted_on["patient"], "role"]) == {"train"}
    assert fitted_on["synthetic"].any()
    parts = {"imputer", "encoder", "scaler", "sampler", "learner"}
    assert set(fitted_on["object"]) == {f"{STUDY}-{m}/{part}" for m in MODELS for part in parts}


def test_records_what_a_reader_wants_to_compare(run: MemoryRun) -> None:
    assert run.recorded_params["learner.trees"] == 8
    assert run.recorded_params["imputation.numbers"] == "median"
    assert run.recorded_params["models.clinical_t4_t11.networks"] == ", ".join(NETWORKS)
    assert run.recorded_metrics["clinical/synthetic_rows"] > 0
    assert {path.name for path in run.artifacts} == {
        "learner.skops",
        "columns.parquet",
        "model.json",
        "predictions.parquet",
        "fitted_on.parquet",
    }
    assert len(run.lines) == len(MODELS)


def test_a_network_that_nobody_declares_stops_the_stage(tmp_path: Path) -> None:
    before_fuse(tmp_path)
    folder(tmp_path, STUDY, "train", "toy-old").mkdir()
    with pytest.raises(StudyFileError, match=r"\['toy-old'\].*does not declare"):
        fuse(tmp_path)


def test_a_network_that_was_not_trained_stops_the_stage(tmp_path: Path) -> None:
    before_fuse(tmp_path)
    features = folder(tmp_path, STUDY, "train", NETWORKS[0]) / "features.parquet"
    features.unlink()
    features.parent.rmdir()
    with pytest.raises(StudyFileError, match=r"lacks \['toy-t4'\]"):
        fuse(tmp_path)


def test_twice_is_the_same_bytes(tmp_path: Path) -> None:
    for root in (tmp_path / "one", tmp_path / "two"):
        before_fuse(root)
        fuse(root)
    one, two = (folder(tmp_path / name, STUDY, "fuse") for name in ("one", "two"))
    for path in sorted(file for file in one.rglob("*") if file.is_file()):
        other = two / path.relative_to(one)
        assert path.read_bytes() == other.read_bytes(), path.name


def test_model_json_says_what_serving_must_be_given(run: MemoryRun) -> None:
    described = json.loads((run.out / "clinical_t4_t11" / "model.json").read_text())
    assert described["model"] == f"{STUDY}-clinical_t4_t11"
    assert described["outcome"] == "metastasis"
    assert described["networks"] == list(NETWORKS)
    assert described["columns"]["numbers"] == ["age", "cea"]
    assert described["columns"]["categories"] == {"her2": ["0", "1"], "subtype": ["1", "2", "3"]}
    assert list(described["columns"]["embeddings"]) == list(NETWORKS)
