"""Section `network`: what may be asked for, and what contradicts itself."""

from typing import Any

import pytest

from oncotrail.errors import StudyFileError
from oncotrail.study.network import Network
from tests import declared

FILE = {"file": "w.safetensors", "sha256": "0" * 64}
SHELF = {"kind": "off_the_shelf", "estimator": {"name": "sklearn.svm.SVC"}}


def read(**changes: Any) -> Network:
    return Network.read(declared.network("lungs", **changes), "lungs")


def test_without_a_route_the_weights_say_it() -> None:
    assert read().way.kind == "scratch"
    assert read(weights="imagenet").way.kind == "transfer"
    assert read(weights={"pretrain": "shapes"}).way.kind == "transfer"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("none", "random weights"),
        ("imagenet", "ImageNet's weights"),
        ({"file": "w.safetensors", "sha256": "0" * 64}, "the weights of w.safetensors"),
        ({"hub": "timm/resnet50.a1_in1k"}, "the weights timm/resnet50.a1_in1k"),
        ({"pretrain": "shapes"}, "weights pretrained on procedural images (shapes)"),
    ],
)
def test_first_weights_have_words(weights: Any, said: str) -> None:
    assert read(weights=weights).begins_with == said


TWO = {"embedding": 3, "classes": 2}
SEVERAL = [1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"loss": {"kind": "focal", "class_weights": [1, 2]}},
            r"loss focal of one logit has no class_weights; write alpha",
        ),
        (
            {"loss": {"kind": "focal", "alpha": 0.3}, "head": TWO},
            r"loss focal of several classes has no alpha; write class_weights",
        ),
        (
            {"loss": {"kind": "cross_entropy", "class_weights": SEVERAL}, "head": TWO},
            r"head.classes is 2 and loss.class_weights has 3 numbers; give one for each",
        ),
        ({"head": {"embedding": 3, "classes": 3}}, r"head.classes: found 3"),
        ({"weights": "imagenet", "route": {"kind": "scratch"}}, r"scratch is a random start"),
        ({"route": {"kind": "transfer"}}, r"begins with weights; name them, or .* scratch"),
        ({"head": {"embedding": 3, "classes": 2}}, r"needs one logit; set head.classes to 1"),
        ({"loss": {"kind": "cross_entropy"}}, r"a logit per class; set head.classes to 2"),
        ({"head": {"embedding": None, "activation": "tanh"}}, r"has no layer before it; drop it"),
        ({"weights": {"file": "w.safetensors", "sha256": "abc"}}, r"sha256"),
        ({"weights": FILE | {"mean": [0, 0, 0]}}, r"mean and std are of .*; write both"),
        ({"weights": FILE | {"mean": [123, 117, 104], "std": [1, 1, 1]}}, r"mean.0: found 123"),
        ({"weights": {"hub": "resnet50"}}, r"hub"),
        ({"channels": 2}, r"channels"),
        ({"route": SHELF | {"estimator": {"name": "os.system"}}}, r"name"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        read(**changes)


def test_an_estimator_needs_no_epochs_and_shows_none() -> None:
    asked = {
        name: value
        for name, value in declared.network("lungs", route=SHELF).items()
        if name in ("study", "view", "outcome", "architecture", "weights", "route", "search")
    }
    network = Network.read(asked, "lungs")
    shown = network.flat()
    assert shown["route.estimator.name"] == "sklearn.svm.SVC"
    assert not {"epochs", "optimizer.learning_rate", "head.embedding"} & set(shown)
    assert Network.read(network.model_dump(mode="json"), "lungs") == network


def test_settings_survive_the_tune_stage() -> None:
    network = read(
        head={"embedding": None, "dropout": 0.2},
        route={"kind": "transfer", "unfreezing": declared_unfreezing()},
        weights={"hub": "timm/resnet50.a1_in1k"},
    )
    assert Network.read(network.model_dump(mode="json"), "lungs") == network


def declared_unfreezing() -> dict[str, Any]:
    return {"head_epochs": 2, "last_stages": 1, "last_epochs": 3, "last_factor": 0.1}


def test_one_training_of_each_fold_is_not_said_and_more_are() -> None:
    once = Network.model_validate(declared.network("s", seeds=1, out_of_fold=False))
    assert once.model_dump() == Network.model_validate(declared.network("s")).model_dump()
    assert not {"seeds", "out_of_fold"} & set(once.flat())
    often = Network.model_validate(declared.network("s", seeds=3, out_of_fold=True))
    assert (often.flat()["seeds"], often.flat()["out_of_fold"]) == (3, True)
    assert Network.model_validate(often.model_dump(mode="json")) == often


def test_a_network_is_trained_at_least_once() -> None:
    with pytest.raises(StudyFileError, match=r"seeds: found 0"):
        Network.read(declared.network("s", seeds=0), "network.s-t4")
