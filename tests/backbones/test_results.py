from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncotrail.backbones import results
from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.judging import Epoch
from oncotrail.backbones.loop import Trained
from oncotrail.backbones.network import Architecture
from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.sources import Source
from oncotrail.backbones.trunks import TrunkPlan
from oncotrail.backbones.weights import Blueprint
from oncotrail.cohort import tables

BEST = Epoch(2, 0.4, 0.5, 0.8, 0.75, 0.9, 1e-3)
TRAINED = Trained(BEST, (Epoch(1, 0.6, 0.7, 0.6, 0.5, 0.6, 1e-3), BEST), Counter(a=2, b=4))
ARCHITECTURE = Architecture(
    TrunkPlan("densenet121", {}, (2, 2)),
    HeadPlan(2),
    Normalisation((0.5,) * 3, (0.5,) * 3),
    "float32",
)
IMAGENET = Source("imagenet", "timm/densenet121", "apache-2.0", "ab" * 32, "weights")
RANDOM = Source("none")


def blueprint(start: Source = RANDOM) -> Blueprint:
    return Blueprint("study-t4", "metastasis", "t4", {"rows": 2, "columns": 2}, start, ARCHITECTURE)


def examples(*patients: str) -> Examples:
    count = len(patients)
    return Examples(np.zeros((count, 2, 2), dtype=np.uint8), np.arange(count) % 2, patients)


@pytest.fixture
def images() -> pd.DataFrame:
    """Patient b has two images."""
    return pd.DataFrame(
        {
            "patient": ["b", "a", "b"],
            "image": ["i2", "i1", "i3"],
            "role": ["test", "train", "test"],
            "outer_fold": 0,
            "inner_fold": pd.array([None, 3, None], dtype="Int64"),
        }
    )


def test_every_image_has_its_embedding(images: pd.DataFrame) -> None:
    numbers = np.array([[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]])
    frame = results.features_table(images, numbers, "study-t4", 7)
    written = tables.checked(tables.FEATURES, frame, "features").set_index("image")
    assert written.loc["i1", ["embedding_00", "embedding_01"]].tolist() == [3.0, 4.0]
    assert written.loc["i2", ["patient", "source", "seed"]].tolist() == ["b", "study-t4", 7]


def test_every_patient_has_one_probability_the_mean_of_the_images(images: pd.DataFrame) -> None:
    frame = results.predictions_table(
        images, np.array([0.2, 0.9, 0.4]), "m", "metastasis", 7, by="mean"
    )
    written = tables.checked(tables.PREDICTIONS, frame, "predictions").set_index("patient")
    assert written["score"].to_dict() == pytest.approx({"a": 0.9, "b": 0.3})
    assert written.loc["a", ["role", "inner_fold", "mode"]].tolist() == ["train", 3, "honest"]
    assert written["inner_fold"].isna().to_dict() == {"a": False, "b": True}


def test_the_largest_probability_stands_for_a_patient_where_it_is_asked_for(
    images: pd.DataFrame,
) -> None:
    frame = results.predictions_table(
        images, np.array([0.2, 0.9, 0.4]), "m", "metastasis", 7, by="max"
    )
    assert frame.set_index("patient")["score"].to_dict() == {"a": 0.9, "b": 0.4}


def test_an_images_embedding_is_the_mean_of_its_slices(images: pd.DataFrame) -> None:
    slices = images.assign(image=["i2", "i1", "i2"])
    frame = results.features_table(slices, np.array([[1.0], [3.0], [5.0]]), "study-t4", 7)
    written = tables.checked(tables.FEATURES, frame, "features").set_index("image")
    assert written["embedding_00"].to_dict() == {"i2": 3.0, "i1": 3.0}


def test_the_network_was_fitted_on_those_drawn_and_nobody_else() -> None:
    fitted = results.fitted_objects(blueprint(), TRAINED, examples("a", "b"), examples("v", "w"))
    frame = tables.checked(tables.FITTED_ON, tables.fitted_on_frame(fitted), "fitted_on")
    network = frame[frame["kind"] == "network"].set_index("patient")
    assert network["times"].to_dict() == {"a": 1, "b": 2}, "how often in an epoch"
    assert set(network["object"]) == {"study-t4"}
    others = frame[frame["kind"] != "network"].groupby("object")["patient"].agg(list).to_dict()
    assert others == {"study-t4/best_epoch": ["v", "w"], "study-t4/normalisation": ["a", "b"]}


def test_what_was_fitted_is_named_after_its_part() -> None:
    of_part = replace(blueprint(), outer_fold=3, inner_fold=1, seed=2)
    fitted = results.fitted_objects(of_part, TRAINED, examples("a", "b"), examples("v", "w"))
    assert {record.outer_fold for record in fitted} == {3}
    name = "study-t4/without1/seed2"
    assert [record.object for record in fitted] == [
        name,
        f"{name}/best_epoch",
        f"{name}/normalisation",
    ]


def test_imagenets_normalisation_was_fitted_on_none_of_ours() -> None:
    given = (TRAINED, examples("a", "b"), examples("v", "w"))
    fitted = results.fitted_objects(blueprint(IMAGENET), *given)
    assert [record.kind for record in fitted] == ["network", "selector"]


def test_the_learning_curves_are_a_file(tmp_path: Path) -> None:
    fitted = results.fitted_objects(blueprint(), TRAINED, examples("a", "b"), examples("v", "w"))
    results.write_learned(tmp_path, TRAINED, fitted)
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history) == [
        "epoch",
        "train_loss",
        "validation_loss",
        "train_accuracy",
        "validation_accuracy",
        "validation_auc",
        "learning_rate",
    ]
    assert history["validation_auc"].tolist() == [0.6, 0.9]


def test_the_summary_is_of_the_best_epoch() -> None:
    found = results.summary(TRAINED, 123)
    assert found["best_epoch"] == 2
    assert found["parameters"] == 123
    assert found["best_epoch/validation_auc"] == 0.9
