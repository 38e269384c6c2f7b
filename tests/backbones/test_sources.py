"""First weights: brought, checked, recorded, and never silently random."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch

from oncotrail.backbones.heads import HeadPlan
from oncotrail.backbones.network import Begun, start
from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.sources import Source, Wanted, started
from oncotrail.backbones.trunks import TrunkPlan, build_trunk
from oncotrail.backbones.weights import Blueprint, save_network
from oncotrail.errors import StudyFileError, UserFault
from oncotrail.record import sha256_of

NARROW = {"growth_rate": 8, "block_config": (1, 1, 1, 1)}
DENSENET = TrunkPlan("densenet121", NARROW, (32, 32))
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No hub, and empty caches; the folder of the hub's."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path / "torch"))
    return tmp_path / "hub"


def cached(hub: Path, name: str, file: str, content: bytes) -> Path:
    """As `hf download` leaves it."""
    commit = hub / f"models--{name.replace('/', '--')}" / "snapshots" / ("0" * 40)
    commit.mkdir(parents=True, exist_ok=True)
    (commit / file).write_bytes(content)
    refs = commit.parents[1] / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "main").write_text("0" * 40)
    return commit / file


def timms(name: str, **options: Any) -> dict[str, torch.Tensor]:
    """Weights as timm publishes them, with a classifier of 1000 classes."""
    torch.manual_seed(11)
    state: dict[str, torch.Tensor] = timm.create_model(name, **options).state_dict()
    return state


def file_of(state: dict[str, torch.Tensor], path: Path) -> Wanted:
    safetensors.torch.save_file(state, path)
    return Wanted("file", str(path), sha256_of(path))


def test_imagenet_from_the_cache(hub: Path) -> None:
    """Its weights, its constants, and the record of whose they are."""
    state = timms("densenet121", **NARROW)
    path = cached(
        hub, "timm/densenet121.ra_in1k", "model.safetensors", safetensors.torch.save(state)
    )
    found = started(DENSENET, Wanted("imagenet"))
    own = found.trunk.state_dict()
    assert {
        name: value for name, value in state.items() if "classifier" not in name
    }.keys() == own.keys()
    assert all(torch.equal(own[name], state[name]) for name in own)
    assert found.normalisation == IMAGENET
    assert found.source == Source(
        "imagenet", "timm/densenet121.ra_in1k", "apache-2.0", sha256_of(path), "weights"
    )


@pytest.mark.usefixtures("hub")
def test_imagenet_that_is_not_here_is_an_error_and_no_random_start() -> None:
    with pytest.raises(UserFault, match=r"ImageNet weights of densenet121") as fault:
        started(replace(DENSENET, options={}), Wanted("imagenet"))
    for mend in ("hf download timm/densenet121.ra_in1k", "HF_HUB_OFFLINE=1", "weights: none"):
        assert mend in str(fault.value)


@pytest.mark.usefixtures("hub")
def test_torchvisions_that_are_not_here_say_where_to_put_them(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match=r"weights of torchvision/googlenet cannot be had") as fault:
        started(TrunkPlan("torchvision/googlenet", {}, (32, 32)), Wanted("imagenet"))
    assert "https://download.pytorch.org/models/googlenet-1378be20.pth" in str(fault.value)
    assert str(tmp_path / "torch" / "checkpoints" / "googlenet-1378be20.pth") in str(fault.value)


def test_torchvisions_weights_of_googlenet(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its auxiliary classifiers are left out, and it sees images in [-1, 1]."""
    from torchvision import models

    monkeypatch.setattr("torchvision.models._api.WeightsEnum.get_state_dict", lambda *_, **__: {})
    with pytest.warns(FutureWarning, match=r"initialization"):
        state = models.googlenet(aux_logits=True).state_dict()
    folder = hub.parent / "torch" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(state, folder / "googlenet-1378be20.pth")
    found = started(TrunkPlan("torchvision/googlenet", {}, (32, 32)), Wanted("imagenet"))
    assert torch.equal(found.trunk.conv1.conv.weight, state["conv1.conv.weight"])
    assert found.normalisation == Normalisation((0.5,) * 3, (0.5,) * 3)
    assert found.source.place == "torchvision GoogLeNet_Weights.IMAGENET1K_V1"
    assert found.source.licence == "not stated"


def test_there_are_no_imagenet_weights_of_the_small_network() -> None:
    with pytest.raises(StudyFileError, match=r"no ImageNet weights of cifar"):
        started(TrunkPlan("cifar", {}, (32, 32)), Wanted("imagenet"))


def test_a_file_with_timms_names(tmp_path: Path) -> None:
    state = timms("densenet121", **NARROW)
    wanted = file_of(state, tmp_path / "mine.safetensors")
    found = started(DENSENET, wanted)
    assert torch.equal(found.trunk.features.conv0.weight, state["features.conv0.weight"])
    assert found.normalisation is None
    assert found.source == Source(
        "file", wanted.place, "not stated", wanted.sha256, constants="training"
    )


def test_a_file_of_imagenet_is_as_imagenet(hub: Path, tmp_path: Path) -> None:
    """With what is said of its weights it begins as those of timm do that the cache holds."""
    state = timms("densenet121", **NARROW)
    cached(hub, "timm/densenet121.ra_in1k", "model.safetensors", safetensors.torch.save(state))
    timm_s = started(DENSENET, Wanted("imagenet"))
    bare = file_of(state, tmp_path / "mine.safetensors")
    found = started(DENSENET, replace(bare, licence="apache-2.0", normalisation=IMAGENET))
    assert found.normalisation == timm_s.normalisation == IMAGENET
    assert found.source == replace(timm_s.source, kind="file", place=bare.place, sha256=bare.sha256)
    torch.testing.assert_close(found.trunk.state_dict(), timm_s.trunk.state_dict(), rtol=0, atol=0)
    grey = started(replace(DENSENET, channels=1), replace(bare, normalisation=IMAGENET))
    assert grey.normalisation == IMAGENET.of_one_channel()


def test_position_embeddings_are_resized_to_the_images(tmp_path: Path) -> None:
    state = timms("vit_tiny_patch16_224", depth=1)
    wanted = file_of(state, tmp_path / "vit.safetensors")
    trunk = started(TrunkPlan("vit_tiny_patch16_224", {"depth": 1}, (32, 64)), wanted).trunk
    assert state["pos_embed"].shape == (1, 1 + 14 * 14, 192)
    assert trunk.pos_embed.shape == (1, 1 + 2 * 4, 192)
    assert torch.equal(trunk.pos_embed[:, 0], state["pos_embed"][:, 0])
    assert trunk(torch.zeros(1, 3, 32, 64)).shape == (1, 192)


def test_one_channel_sums_what_was_brought(tmp_path: Path) -> None:
    state = timms("densenet121", **NARROW)
    wanted = file_of(state, tmp_path / "mine.safetensors")
    trunk = started(replace(DENSENET, channels=1), wanted).trunk
    summed = state["features.conv0.weight"].sum(dim=1, keepdim=True)
    assert torch.equal(trunk.features.conv0.weight, summed)


@pytest.mark.parametrize("change", ["lacks", "has"])
def test_names_that_do_not_fit_are_named(tmp_path: Path, change: str) -> None:
    """timm alone would leave such a layer random and say nothing."""
    state = timms("densenet121", **NARROW)
    weight = state.pop("features.conv0.weight")
    if change == "has":
        state |= {"features.conv0.weight": weight, "features.conv1.weight": weight.clone()}
    wanted = file_of(state, tmp_path / "mine.safetensors")
    name = "features.conv0.weight" if change == "lacks" else "features.conv1.weight"
    with pytest.raises(UserFault, match=rf"do not fit densenet121 .*{name}"):
        started(DENSENET, wanted)


def test_another_width_is_named(tmp_path: Path) -> None:
    wanted = file_of(timms("densenet121", **NARROW), tmp_path / "mine.safetensors")
    plan = replace(DENSENET, options={**NARROW, "growth_rate": 12})
    with pytest.raises(UserFault, match=r"growth_rate.*size mismatch for features.conv0.weight"):
        started(plan, wanted)


def test_another_file_than_the_declared_one_is_refused(tmp_path: Path) -> None:
    wanted = file_of(timms("densenet121", **NARROW), tmp_path / "mine.safetensors")
    with pytest.raises(UserFault, match=r"has sha256 [0-9a-f]{64}, and weights.sha256 is abc"):
        started(DENSENET, replace(wanted, sha256="abc"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match=r"mine.safetensors is missing; put the weights there"):
        started(DENSENET, Wanted("file", str(tmp_path / "mine.safetensors"), "abc"))


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"no weights")
    with pytest.raises(UserFault, match=r"do not fit densenet121"):
        started(DENSENET, Wanted("file", str(path), sha256_of(path)))


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    torch.save({}, path)
    with pytest.raises(UserFault, match=r"may hold code. Convert it where you trust it"):
        started(DENSENET, Wanted("file", str(path), sha256_of(path)))


def test_a_hub_id(hub: Path) -> None:
    state = timms("densenet121", **NARROW)
    said = {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1], "license": "mit"}
    config = json.dumps({"architecture": "densenet121", "pretrained_cfg": said}).encode()
    cached(hub, "somebody/lungs", "config.json", config)
    cached(hub, "somebody/lungs", "model.safetensors", safetensors.torch.save(state))
    found = started(DENSENET, Wanted("hub", "somebody/lungs"))
    assert torch.equal(found.trunk.features.conv0.weight, state["features.conv0.weight"])
    assert found.normalisation == Normalisation((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
    assert (found.source.place, found.source.licence) == ("somebody/lungs", "mit")
    with pytest.raises(StudyFileError, match=r"holds weights of densenet121, and .* is resnet18"):
        started(TrunkPlan("resnet18", {}, (32, 32)), Wanted("hub", "somebody/lungs"))


def begun(plan: TrunkPlan, weights: Wanted) -> Begun:
    pixels = np.random.default_rng(0).integers(0, 256, (4, *plan.sides), dtype=np.uint8)
    return start(
        plan.name,
        plan.options,
        HeadPlan(3),
        weights=weights,
        training=pixels,
        seed=1,
        precision="float32",
        channels=plan.channels,
    )


@pytest.fixture(params=["densenet121", "cifar"])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[TrunkPlan, Begun, Path]:
    """A network of ours, on disk."""
    plan = DENSENET if request.param == "densenet121" else TrunkPlan("cifar", {}, (32, 32))
    made = begun(plan, Wanted("none"))
    size = {"rows": 32, "columns": 32}
    blueprint = Blueprint("shapes", "kind", "drawn", size, made.source, made.network.architecture)
    folder = tmp_path / "shapes"
    folder.mkdir()
    save_network(made.network, blueprint, folder)
    return plan, made, folder


def test_a_network_of_ours_is_a_file_too(ours: tuple[TrunkPlan, Begun, Path]) -> None:
    plan, made, folder = ours
    file = folder / "weights.safetensors"
    found = started(plan, Wanted("file", str(file), sha256_of(file))).trunk.state_dict()
    expected = made.network.trunk.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_pretrained_network_brings_weights_and_constants(
    ours: tuple[TrunkPlan, Begun, Path],
) -> None:
    plan, made, folder = ours
    again = begun(plan, Wanted("pretraining", str(folder)))
    expected = made.network.trunk.state_dict()
    found = again.network.trunk.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert again.network.architecture.normalisation == made.network.architecture.normalisation
    assert (again.source.kind, again.source.place) == ("pretraining", "shapes")
    assert again.source.constants == "weights"


def test_a_grey_network_of_ours_begins_a_grey_one(tmp_path: Path) -> None:
    plan = replace(DENSENET, channels=1)
    made = begun(plan, Wanted("none"))
    trunk = {f"trunk.{name}": value for name, value in made.network.trunk.state_dict().items()}
    wanted = file_of(
        {name: of.contiguous() for name, of in trunk.items()}, tmp_path / "a.safetensors"
    )
    found = started(plan, wanted).trunk
    assert torch.equal(found.features.conv0.weight, made.network.trunk.features.conv0.weight)


def test_pretraining_that_has_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match=r"holds no pretrained network; run the pretrain stage"):
        started(DENSENET, Wanted("pretraining", str(tmp_path)))


def test_the_record_goes_to_the_blueprint_and_back(hub: Path) -> None:
    state = timms("densenet121", **NARROW)
    cached(hub, "timm/densenet121.ra_in1k", "model.safetensors", safetensors.torch.save(state))
    made = begun(DENSENET, Wanted("imagenet"))
    blueprint = Blueprint("m", "o", "v", {}, made.source, made.network.architecture)
    assert Blueprint.from_json(json.loads(json.dumps(asdict(blueprint)))) == blueprint


def test_a_random_start_is_one_that_was_asked_for() -> None:
    assert started(DENSENET, Wanted("none")).source == Source("none")
    assert isinstance(build_trunk(DENSENET), torch.nn.Module)
