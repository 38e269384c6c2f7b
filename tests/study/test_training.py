from typing import Any

import pytest

from oncotrail.errors import StudyFileError
from oncotrail.study.computing import Compute
from oncotrail.study.network import Network
from oncotrail.study.training import Augmentation, CosineSchedule, Focal
from tests import declared


def read(**changes: Any) -> Network:
    return Network.read(declared.network("study", **changes), "studies/study.yaml")


def test_a_list_of_flips_is_the_augmentation_of_those_flips() -> None:
    listed = read(augmentation=["horizontal_flip"])
    assert listed.augmentation == Augmentation(flips=("horizontal_flip",))
    assert read(augmentation={"flips": ["horizontal_flip"]}) == listed
    assert Network.read(listed.model_dump(mode="json"), "tune") == listed, "as tune writes it"


def test_each_kind_has_its_own_settings() -> None:
    found = read(
        loss={"kind": "focal", "gamma": 3, "alpha": 0.25},
        schedule={"kind": "cosine", "warm_up": 5},
        epochs=6,
        optimizer={"kind": "sgd", "learning_rate": 0.1, "weight_decay": 0, "momentum": 0.9},
    )
    assert found.loss == Focal(kind="focal", gamma=3, alpha=0.25)
    assert found.schedule == CosineSchedule(kind="cosine", warm_up=5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loss": {"kind": "focal", "gama": 2}}, r"loss.*gama: unknown key. Did you mean 'gamma'"),
        ({"loss": {"kind": "hinge"}}, r"loss"),
        (
            {"schedule": {"kind": "cosine", "every": 3}},
            r"schedule.*every: unknown key",
        ),
        (
            {"optimizer": {"kind": "sgd", "learning_rate": 1, "weight_decay": 0, "nesterov": True}},
            r"set a momentum",
        ),
        ({"augmentation": {"scale": [1.2, 0.9]}}, r"scale is \[smallest, largest\]"),
        (
            {"augmentation": {"rotate": 5}},
            r"augmentation.rotate: unknown key. Did you mean 'rotation'",
        ),
        ({"augmentation": ["diagonal_flip"]}, r"augmentation.flips.0"),
        ({"average_decay": 1.0}, r"average_decay"),
        (
            {"schedule": {"kind": "cosine", "minimum": 3e-3}},
            r"minimum 0.003 is not below optimizer.learning_rate 0.003; lower it",
        ),
        (
            {"schedule": {"kind": "plateau", "factor": 0.5, "patience": 2, "minimum": 0.01}},
            r"minimum 0.01 is not below optimizer.learning_rate 0.003; lower it",
        ),
        (
            {"schedule": {"kind": "constant", "warm_up": 5}, "epochs": 5},
            r"warm_up 5 never ends in 5 epochs; write fewer",
        ),
    ],
)
def test_what_cannot_be_acted_on_is_refused_with_its_place(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(StudyFileError, match=said):
        read(**changes)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cpu:1"])
def test_an_unknown_device_is_refused(device: str) -> None:
    values = {"threads": 1, "precision": "float32", "device": device}
    with pytest.raises(StudyFileError, match=r"device"):
        Compute.read(values, "params.yaml")
