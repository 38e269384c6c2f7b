"""Images with a box or a mask, and volumes: new patients get what the predictions table has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.errors import ImageFault, TableError
from oncotrail.serving.inputs import image_sources
from oncotrail.serving.model import load_model
from oncotrail.serving.package import package_fusion, package_network
from oncotrail.study.pixels import ViewPixels
from tests.marked_study import NETWORKS, STUDY, Marked

MODELS = {
    "both": {"clinical": True, "networks": [f"{STUDY}-boxed", f"{STUDY}-deep"]},
    "scored": {"clinical": True, "scores": [f"{STUDY}-deep_max", f"{STUDY}-deep_attention"]},
}
NAMES = [name.removeprefix(f"{STUDY}-") for name in NETWORKS]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    made = Marked(tmp_path_factory.mktemp("marked"), patients=60, models=MODELS)
    made.acquire()
    made.split()
    made.decode()
    for name in made.networks:
        made.train(name)
    made.fuse()
    return made


@pytest.fixture(scope="module")
def packages(study: Marked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    trained = {name: study.out("train", name) for name in study.networks}
    for name in NAMES:
        package_network(STUDY, name, trained[f"{STUDY}-{name}"], folder / name)
    clinical = study.cohort.clinical
    for name in MODELS:
        fused = study.out("fuse") / name
        package_fusion(STUDY, name, fused, folder / name, trained=trained, clinical=clinical)
    return folder


def new_patients(study: Marked) -> pd.DataFrame:
    """The test patients as somebody would hand them over."""
    acquired = study.out("acquire")
    images = pd.read_parquet(acquired / "images.parquet").set_index("patient")
    split = pd.read_parquet(study.out("split") / "split.parquet")
    frame = pd.read_parquet(acquired / "cohort.parquet").set_index("patient")
    for view in study.views:
        of_view = images[images["view"] == view]
        for column in ("path", "mask"):
            own = of_view[column].map(lambda path: str(acquired / path), na_action="ignore")
            frame[view if column == "path" else f"{view}_mask"] = own
        frame[f"{view}_box"] = of_view["box"]
    return frame.loc[split.loc[split["role"] == "test", "patient"]].reset_index()


@pytest.mark.parametrize("model", [*NAMES, *MODELS])
def test_the_numbers_of_the_predictions_table(study: Marked, packages: Path, model: str) -> None:
    patients, name = new_patients(study), f"{STUDY}-{model}"
    out = study.out("train", name) if name in study.networks else study.out("fuse")
    predictions = pd.read_parquet(out / "predictions.parquet")
    told = predictions[predictions["model"] == name].set_index("patient")["score"]
    served = load_model(packages / model).predict(patients)
    assert told.loc[patients["patient"]].std() > 1e-3
    np.testing.assert_allclose(served, told.loc[patients["patient"]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("view", ["boxed", "masked", "deep"])
@pytest.mark.parametrize("dropped", [False, True])
def test_an_image_without_its_region_is_refused(
    study: Marked, packages: Path, view: str, dropped: bool
) -> None:
    """Whether the mark of one is blank, or the table has no such column."""
    patients, marks = new_patients(study), [f"{view}_box", f"{view}_mask"]
    if dropped:
        patients, row = patients.drop(columns=marks), 0
    else:
        row = 3
        patients.loc[row, marks] = None
    says = rf"row {row}: no region of interest, .* give {view}_box .* or {view}_mask"
    with pytest.raises(TableError, match=says):
        load_model(packages / view).predict(patients)


def test_a_box_and_a_mask_are_too_much(study: Marked, packages: Path) -> None:
    patients = new_patients(study).assign(boxed_mask="m.png")
    with pytest.raises(TableError, match="row 0: boxed_box and boxed_mask are both given"):
        load_model(packages / "boxed").predict(patients)


def test_a_box_of_another_image_is_named(study: Marked, packages: Path) -> None:
    patients = new_patients(study).assign(boxed_box="0 0 300 300")
    with pytest.raises(ImageFault, match="its box ends at 300 and 300"):
        load_model(packages / "boxed").predict(patients)


def test_a_patient_gets_the_same_number_alone(study: Marked, packages: Path) -> None:
    patients, model = new_patients(study), load_model(packages / "deep_attention")
    together = model.predict(patients)
    alone = model.predict(patients.iloc[[4]])
    np.testing.assert_allclose(alone, together.iloc[[4]], rtol=0, atol=1e-6)


def test_slices_by_the_mask_need_one() -> None:
    largest = ViewPixels.model_validate(
        {"window": None, "rows": 32, "columns": 32, "slices": {"choose": "largest"}}
    )
    frame = pd.DataFrame({"deep": ["a.nii"], "deep_box": ["0 0 2 2"]})
    with pytest.raises(TableError, match="row 0: no deep_mask, and the model looks at the slices"):
        image_sources(frame, "deep", largest)
    (source,) = image_sources(frame.assign(deep_mask="m.nii", deep_box=""), "deep", largest)
    assert (source.path, source.box, source.mask) == (Path("a.nii"), None, Path("m.nii"))


def test_the_columns_of_images_are_listed(packages: Path) -> None:
    manifest = load_model(packages / "both").manifest
    assert manifest.images == (
        *("boxed", "boxed_box", "boxed_mask"),
        *("deep", "deep_box", "deep_mask"),
    )
