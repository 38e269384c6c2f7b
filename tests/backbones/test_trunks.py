"""Every trunk that the issue names, at small sides that are not its own, one by one."""

from typing import Any

import pytest
import torch
from torch import nn

from oncotrail.backbones.small_network import EvenPooling, SmallNetwork
from oncotrail.backbones.trunks import TrunkPlan, build_trunk, width_of
from oncotrail.errors import StudyFileError

SHALLOW = {"block_config": (1, 1, 1, 1)}
# Each as published but shallower, and the number of its features, which depth does not change.
PUBLISHED = [
    ("densenet121", {**SHALLOW, "growth_rate": 8}, 32, None),
    ("densenet161", {**SHALLOW, "growth_rate": 8}, 32, None),
    ("resnet50", {"layers": (1, 1, 1, 1)}, 32, 2048),
    ("efficientnet_b3", {}, 32, 1536),
    ("efficientnet_b4", {}, 32, 1792),
    ("vit_base_patch16_224", {"depth": 1}, 48, 768),
    ("swin_base_patch4_window7_224", {"depths": (1, 1, 1, 1)}, 64, 1024),
    ("torchvision/googlenet", {}, 32, 1024),
    ("torchvision/vgg16", {}, 32, 4096),
    ("cifar", {}, 32, 64),
]
WHOLE = [
    ("densenet121", 1024),
    ("densenet161", 2208),
    ("resnet50", 2048),
    ("vit_base_patch16_224", 768),
    ("swin_base_patch4_window7_224", 1024),
]


def learnt(trunk: nn.Module, channels: int, rows: int, columns: int) -> torch.Tensor:
    """Features of two images, after a backward pass that reached every weight."""
    images = torch.rand(2, channels, rows, columns, generator=torch.Generator().manual_seed(0))
    features = trunk.train()(images)
    features.pow(2).sum().backward()
    without = [name for name, weight in trunk.named_parameters() if weight.grad is None]
    assert without == [], "weights that no gradient reaches"
    assert torch.isfinite(features).all()
    return features.detach()


@pytest.mark.parametrize(
    ("name", "options", "side", "features"), PUBLISHED, ids=[case[0] for case in PUBLISHED]
)
def test_a_published_trunk_learns_from_oblong_images(
    name: str, options: dict[str, Any], side: int, features: int | None
) -> None:
    trunk = build_trunk(TrunkPlan(name, options, (side, 2 * side)))
    found = learnt(trunk, 3, side, 2 * side)
    assert found.shape == (2, width_of(trunk))
    assert features in (None, width_of(trunk))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "features"), WHOLE)
def test_a_whole_published_trunk(name: str, features: int) -> None:
    trunk = build_trunk(TrunkPlan(name, {}, (96, 64)))
    assert learnt(trunk, 3, 96, 64).shape == (2, features)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {"layers": (1, 1, 1, 1)}),
        ("vit_tiny_patch16_224", {"depth": 1}),
        ("torchvision/googlenet", {}),
        ("cifar", {}),
    ],
)
def test_one_channel_is_the_sum_of_three(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(3)
    three = build_trunk(TrunkPlan(name, options, (32, 48)))
    torch.manual_seed(3)
    one = build_trunk(TrunkPlan(name, options, (32, 48), channels=1))
    learnt(one, 1, 32, 48)
    torch.manual_seed(3)
    one = build_trunk(TrunkPlan(name, options, (32, 48), channels=1)).eval()
    grey = torch.rand(2, 1, 32, 48)
    torch.testing.assert_close(one(grey), three.eval()(grey.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "vgg11", "convnext_atto"])
def test_the_width_is_what_the_trunk_gives(name: str) -> None:
    """Some of timm's have layers between their last maps and their features."""
    trunk = build_trunk(TrunkPlan(name, {}, (64, 64))).eval()
    assert trunk(torch.zeros(1, 3, 64, 64)).shape == (1, width_of(trunk))


def test_even_pooling_is_torchs_adaptive_pooling() -> None:
    for rows, columns, grid in [(7, 7, (7, 7)), (2, 3, (7, 7)), (12, 17, (4, 4)), (9, 4, (4, 4))]:
        maps = torch.rand(2, 3, rows, columns, dtype=torch.float64)
        expected = nn.functional.adaptive_avg_pool2d(maps, grid)
        torch.testing.assert_close(EvenPooling(grid)(maps), expected, rtol=1e-12, atol=1e-12)


def test_vgg_has_no_pooling_whose_gradient_varies() -> None:
    trunk = build_trunk(TrunkPlan("torchvision/vgg11", {}, (32, 32)))
    kinds = [type(module) for module in trunk.modules()]
    assert nn.AdaptiveAvgPool2d not in kinds
    assert EvenPooling in kinds


def test_the_small_network_is_the_published_one() -> None:
    """Of 32 px images the maps are 32, 16, 8, 4 pixels wide, and 1024 numbers are left of them."""
    network = SmallNetwork()
    maps = torch.zeros(1, 3, 32, 32)
    sides = []
    for step in network.features:
        maps = step(maps)
        sides.append(tuple(maps.shape[1:]))
    assert sides == [(32, 16, 16), (32, 8, 8), (64, 4, 4), (64, 4, 4)]
    assert sum(weight.numel() for weight in network.parameters()) == 2432 + 25632 + 51264 + 65600


def test_an_unknown_architecture_names_those_near_it() -> None:
    with pytest.raises(
        StudyFileError, match=r"'densnet121' is not one that timm knows; near it: .*densenet121"
    ):
        build_trunk(TrunkPlan("densnet121", {}, (32, 32)))
    with pytest.raises(
        StudyFileError, match=r"'googlnet' is not one that torchvision knows; near it: .*googlenet"
    ):
        build_trunk(TrunkPlan("torchvision/googlnet", {}, (32, 32)))


def test_one_that_timm_has_not_is_named_as_torchvisions() -> None:
    with pytest.raises(
        StudyFileError, match=r"'googlenet' is not one that timm .* near it: torchvision/googlenet"
    ):
        build_trunk(TrunkPlan("googlenet", {}, (32, 32)))


@pytest.mark.parametrize("name", ["densenet121", "cifar", "torchvision/resnet18"])
def test_options_that_the_architecture_has_not_are_an_error(name: str) -> None:
    with pytest.raises(StudyFileError, match=rf"{name} cannot be built .*grow_rate"):
        build_trunk(TrunkPlan(name, {"grow_rate": 3}, (32, 32)))


def test_a_border_that_fills_no_patch_is_refused() -> None:
    with pytest.raises(StudyFileError, match=r"patches of 16 x 16 pixels, and images of 40 rows"):
        build_trunk(TrunkPlan("vit_tiny_patch16_224", {"depth": 1}, (40, 48)))


def test_torchvisions_transformer_wants_squares() -> None:
    with pytest.raises(StudyFileError, match=r"sees square images only, and these have 32 rows"):
        build_trunk(TrunkPlan("torchvision/vit_b_16", {}, (32, 48)))


def test_a_classifier_that_is_no_linear_layer_is_refused() -> None:
    with pytest.raises(StudyFileError, match=r"squeezenet1_1 does not end in a linear layer"):
        build_trunk(TrunkPlan("torchvision/squeezenet1_1", {}, (64, 64)))


def test_a_trunk_that_does_not_begin_with_a_convolution_keeps_three_channels() -> None:
    with pytest.raises(StudyFileError, match=r"does not begin with a convolution of three"):
        build_trunk(TrunkPlan("naflexvit_base_patch16_gap", {"depth": 1}, (32, 32), channels=1))
