"""A registered model, called as a stranger would: by alias, in a process of its own, no pickle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oncotrail.tracking import logged_models
from oncotrail.tracking.store import as_default, tracking_uri
from oncotrail.tracking.sync import sync
from tests.serving import study

PREDICTS = """
import json, sys
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
frame = pandas.read_json(sys.argv[3], orient="split", dtype=False)
print(json.dumps(model.predict(frame)["probability"].tolist()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("address", ["toy@challenger", "toy-t4@current", "toy-clinical@current"])
def test_loaded_by_alias_in_a_fresh_process_it_predicts_the_predictions_table(
    synced: Path, tmp_path: Path, address: str
) -> None:
    patients = study.new_patients(synced, "test").drop(columns=["metastasis", "site"])
    patients.to_json(tmp_path / "patients.json", orient="split")
    words = [tracking_uri(synced), f"models:/oncotrail-{address}", str(tmp_path / "patients.json")]
    done = subprocess.run(
        [sys.executable, "-c", PREDICTS, *words],
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    name = {"toy@challenger": "toy-clinical_t4"}.get(address, address.removesuffix("@current"))
    told = study.predicted(synced, name).loc[patients["patient"]]
    np.testing.assert_allclose(json.loads(done.stdout), told, rtol=0, atol=1e-6)


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
    assert signature.inputs.input_names() == ["t4", "age", "her2"]
    assert signature.outputs.input_names() == ["probability"]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synced")
    study.lay_out(root)
    study.registered(root)
    sync(root)
    return root


def test_the_pinned_packages_are_installed() -> None:
    for name in logged_models.REQUIRED:
        assert logged_models._release(name)[0].isdigit()
