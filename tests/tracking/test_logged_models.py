"""A registered model, called as a stranger would: by alias, in a process of its own, no pickle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import grimp
import numpy as np
import pytest

from oncotrail.errors import TableError
from oncotrail.tracking import logged_models
from oncotrail.tracking.store import as_default, tracking_uri
from oncotrail.tracking.sync import sync
from tests.serving import study

CARRIED = logged_models.CARRIED  # as it is, not as the other tests here lighten it

PREDICTS = """
import json, sys
import mlflow, pandas
uri, table, *models = sys.argv[1:]
mlflow.set_tracking_uri(uri)
frame = pandas.read_json(table, orient="split", dtype=False)
said = {}
for name in models:
    model = mlflow.pyfunc.load_model(f"models:/oncotrail-{name}")
    said[name] = model.predict(frame)["probability"].tolist()
print(json.dumps(said))
"""
MODELS = {
    "toy@challenger": "toy-clinical_t4",
    "toy-t4@current": "toy-t4",
    "toy-clinical@current": "toy-clinical",
}


@pytest.mark.slow
def test_loaded_by_alias_in_a_fresh_process_it_predicts_the_predictions_table(
    synced: Path, tmp_path: Path
) -> None:
    patients = study.new_patients(synced, "test").drop(columns=["metastasis", "site"])
    table = tmp_path / "patients.json"
    patients.to_json(table, orient="split")
    done = subprocess.run(
        [sys.executable, "-c", PREDICTS, tracking_uri(synced), str(table), *MODELS],
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    for address, said in json.loads(done.stdout).items():
        told = study.predicted(synced, MODELS[address]).loc[patients["patient"]]
        np.testing.assert_allclose(said, told, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_logged_model_has_code_signature_and_pinned_packages_and_no_pickle(
    synced: Path,
) -> None:
    import mlflow

    address = "models:/oncotrail-toy@challenger"
    with as_default(tracking_uri(synced)):
        folder = Path(mlflow.artifacts.download_artifacts(address))
        signature = mlflow.models.get_model_info(address).signature
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert "pyfunc_model.py" in files
    assert not [name for name in files if name.endswith(".pkl")]
    requirements = (folder / "requirements.txt").read_text().splitlines()
    assert all("==" in line and "+" not in line for line in requirements)
    assert signature.inputs.input_names() == ["t4", "t4_box", "t4_mask", "age", "her2"]
    assert signature.outputs.input_names() == ["probability"]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synced")
    study.lay_out(root)
    study.registered(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(logged_models, "CARRIED", CARRIED)
        sync(root)
    return root


@pytest.mark.slow
def test_a_missing_column_is_named_and_no_patient_is_printed(synced: Path) -> None:
    import mlflow

    patients = study.new_patients(synced, "test").drop(columns=["age"])
    with as_default(tracking_uri(synced)):
        model = mlflow.pyfunc.load_model("models:/oncotrail-toy@challenger")
    with pytest.raises(TableError, match=r"the table lacks \['age'\]") as refused:
        model.predict(patients[["t4", "her2"]])
    assert not [name for name in patients["patient"] if name in str(refused.value)]


def test_the_pinned_packages_are_installed() -> None:
    for name in logged_models.REQUIRED:
        assert logged_models._release(name)[0].isdigit()


def test_a_model_carries_every_module_that_it_needs() -> None:
    needed = grimp.build_graph("oncotrail").find_upstream_modules("oncotrail.serving.model")
    rooms = {module.split(".")[1] for module in needed}
    assert rooms <= {Path(name).stem for name in CARRIED}
