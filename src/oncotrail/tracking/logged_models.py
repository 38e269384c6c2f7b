"""A served model's folder as an MLflow model: a pyfunc made from code, with a signature.

One per model digest, whatever number of registered models it is a version of.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncotrail.serving.catalogue import Entry
from oncotrail.serving.manifest import Manifest
from oncotrail.tracking import labels
from oncotrail.tracking.store import FOLDER, Store, every

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

DIGEST = "digest"
CODE = Path(__file__).with_name("pyfunc_model.py")
PACKAGE = Path(__file__).parent.parent
# Of our own code what answers a prediction: a model must go on when the library has moved on.
CARRIED = (
    "__init__.py", "backbones", "cohort", "compute.py", "errors.py", "fusion", "imaging",
    "record.py", "serving", "skops_archive.py", "study",
)  # fmt: skip
# What answers a prediction; the rest of what oncotrail requires is for making models.
REQUIRED = (
    "imagecodecs", "mlflow", "nibabel", "numpy", "pandas", "pillow", "psutil", "pyarrow",
    "pydantic", "pydicom", "pylibjpeg", "pylibjpeg-openjpeg", "safetensors", "scikit-learn",
    "scipy", "skops", "timm", "torch", "torchvision",
)  # fmt: skip


def logged_model(
    store: Store, experiment: str, run: str | None, entry: Entry, folder: Path
) -> LoggedModel:
    """The MLflow model with this digest; made, if there is none that is complete."""
    from mlflow.entities import LoggedModelOutput

    same = f"tags.{DIGEST} = '{entry.digest}'"
    there: LoggedModel
    for there in every(store.client.search_logged_models, [experiment], same):
        if there.status == "READY":
            return there
        store.client.delete_logged_model(there.model_id)  # a sync was killed in the middle
    made = store.client.create_logged_model(
        experiment,
        name=entry.model,
        source_run_id=run,
        tags={DIGEST: entry.digest, "kind": entry.kind, labels.KEY: entry.run},
    )
    with tempfile.TemporaryDirectory(dir=store.home / FOLDER, prefix=".model-") as temporary:
        saved = Path(temporary) / "model"
        _save(saved, Manifest.read(folder), folder, _code(Path(temporary)))
        store.client.log_model_artifacts(made.model_id, str(saved))
    if run:
        store.client.log_outputs(run, [LoggedModelOutput(made.model_id, step=0)])
    return store.client.finalize_logged_model(made.model_id, "READY")


def _code(temporary: Path) -> Path:
    """The package with the carried modules alone."""
    package = temporary / PACKAGE.name
    package.mkdir()
    for name in CARRIED:
        source = PACKAGE / name
        if source.is_dir():
            shutil.copytree(source, package / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, package / name)
    return package


def _save(target: Path, manifest: Manifest, folder: Path, code: Path) -> None:
    """Write the MLflow model: the folder as it is, our code, and how to call it."""
    import mlflow.pyfunc

    with warnings.catch_warnings():
        # MLflow asks for an example to infer the signature from; ours is declared, and an example
        # would need a patient's image.
        warnings.filterwarnings("ignore", ".*input example was not provided")
        mlflow.pyfunc.save_model(
            path=str(target),
            python_model=str(CODE),
            artifacts={"model": str(folder)},
            code_paths=[str(code)],
            pip_requirements=[f"{name}=={_release(name)}" for name in REQUIRED],
            signature=_signature(manifest),
        )


def _signature(manifest: Manifest) -> ModelSignature:
    """A path per view, where its region is, and the clinical columns in; a probability out.

    MLflow is told little on purpose: it would refuse whole years for a double and a code that a
    spreadsheet made a number, and when it refuses it prints the patients' rows. `serving.inputs`
    checks the columns against the study's own declaration, and names the one that is wrong.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    any_type: Any = AnyType  # untyped
    images = [ColSpec(DataType.string, name, required=False) for name in manifest.images]
    clinical = [ColSpec(any_type(), name, required=False) for name in manifest.clinical]
    return ModelSignature(
        inputs=Schema([*images, *clinical]),
        outputs=Schema([ColSpec(DataType.double, "probability")]),
    )


def _release(name: str) -> str:
    """The installed version without the local part that a registry does not have (+cpu, +cu130)."""
    return metadata.version(name).split("+", 1)[0]
