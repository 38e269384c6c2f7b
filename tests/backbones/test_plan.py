import json
from pathlib import Path

import pytest

from oncotrail.backbones import plan
from oncotrail.backbones.augmentation import Augmentation
from oncotrail.backbones.inputs import Examples
from oncotrail.backbones.losses import Loss
from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.optimisation import Optimizer
from oncotrail.backbones.recipe import Recipe
from oncotrail.backbones.schedules import Schedule
from oncotrail.backbones.sources import Source, Wanted
from oncotrail.errors import StudyFileError, UserFault
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network
from tests import declared

SETTINGS = declared.network(
    "study",
    loss={"kind": "binary_cross_entropy", "positive_weight": 2.6},
    optimizer={"kind": "adam", "learning_rate": 1e-6, "weight_decay": 0.5},
    schedule={"kind": "step", "every": 200, "factor": 0.25},
    epochs=1000,
    batch_size=32,
    augmentation=["horizontal_flip"],
    best_epoch_by="validation_accuracy",
)


@pytest.mark.parametrize(("most", "epochs"), [(None, 1000), (16, 16), (5000, 1000)])
def test_the_limit_caps_the_epochs_and_never_raises_them(most: int | None, epochs: int) -> None:
    assert plan.recipe(Network.read(SETTINGS, "study"), most, 1).epochs == epochs


@pytest.mark.parametrize(("most", "warm_up"), [(None, 10), (20, 4), (4, 0), (1, 0)])
def test_a_cap_leaves_the_warm_up_its_share_of_the_epochs(most: int | None, warm_up: int) -> None:
    asked = SETTINGS | {"epochs": 50, "schedule": {"kind": "cosine", "warm_up": 10}}
    settings = Network.read(asked, "study")
    recipe = plan.recipe(settings, most, 1)
    assert recipe.schedule.warm_up == warm_up
    machine = plan.machine(settings, Compute(threads=1, device="cpu", precision="float32"))
    shown = plan.said(settings, recipe, machine, 33, Source("none"))
    assert (shown["schedule.warm_up"], shown["epochs"]) == (warm_up, most or 50)


def test_every_setting_reaches_the_recipe() -> None:
    found = plan.recipe(Network.read(SETTINGS, "study"), None, 11)
    assert found == Recipe(
        epochs=1000,
        batch_size=32,
        loss=Loss("binary_cross_entropy", positive_weight=2.6),
        optimizer=Optimizer("adam", 1e-6, weight_decay=0.5),
        schedule=Schedule("step", every=200, factor=0.25),
        augmentation=Augmentation(flips=("horizontal_flip",)),
        best_epoch_by="validation_accuracy",
        seed=11,
    )


def test_the_network_is_begun_as_the_settings_say(training: Examples) -> None:
    begun = plan.begin(Network.read(SETTINGS, "study"), training.inputs, 1, "float32").network
    assert begun.head.to_embedding.out_features == 3
    assert begun.architecture.trunk.options == {"growth_rate": 4, "block_config": (1, 1, 1, 1)}


def test_what_is_said_of_a_file_reaches_the_weights() -> None:
    said = {"licence": "MIT", "mean": [0, 0.25, 0.5], "std": [0.5, 0.5, 1]}
    file = {"file": "w.safetensors", "sha256": "0" * 64}
    bare, told = (
        plan.wanted(Network.read(SETTINGS | {"weights": of}, "study").weights, Path())
        for of in (file, file | said)
    )
    assert bare == Wanted("file", "w.safetensors", "0" * 64)
    constants = Normalisation((0, 0.25, 0.5), (0.5, 0.5, 1))
    assert told == Wanted("file", "w.safetensors", "0" * 64, "MIT", constants)


def test_the_settings_that_tune_wrote_are_read_back(tmp_path: Path) -> None:
    declared = Network.read(SETTINGS, "study")
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(declared.model_dump(mode="json")))
    assert plan.read_settings(tmp_path) == declared


def test_missing_settings_say_which_stage_makes_them(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match=r"run the tune stage"):
        plan.read_settings(tmp_path)


def test_settings_with_an_unknown_key_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**SETTINGS, "epoch": 3}))
    with pytest.raises(StudyFileError, match=r"Did you mean 'epochs'"):
        plan.read_settings(tmp_path)
