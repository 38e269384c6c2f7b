"""Trunks: networks without their classifier, from images x channels x rows x columns to features.

    densenet121, vit_base_patch16_224 ...   whatever timm knows, also with a tag of its weights
    torchvision/googlenet, torchvision/vgg16 ...
    cifar                                   three convolutions (`small_network`)

A torchvision network's features are what its last linear layer is given; timm's are those before
its classifier.

Images may have any sides: convolutional networks take them as they are, and those of timm that are
built for one size (ViT, Swin ...) are built for the images' own, with ImageNet's position
embeddings interpolated to it. Trunks are always built for three channels. For one, the first
convolution's weights are summed over the channels it was made for, which keeps both what ImageNet
taught it and the variance of a random start.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import timm
from timm.models import PretrainedCfg
from torch import nn

from oncotrail.backbones.small_network import EvenPooling, SmallNetwork
from oncotrail.errors import StudyFileError

Options = Mapping[str, Any]  # of numbers and tuples of numbers, as the builder takes them

COLOURS = 3
SMALL = "cifar"
TORCHVISION = "torchvision/"


@dataclass(frozen=True)
class TrunkPlan:
    """All that is needed to build the same trunk again, but for its weights."""

    name: str
    options: Options
    sides: tuple[int, int]  # rows and columns of its images
    channels: int = COLOURS  # 3, or 1

    @property
    def of_torchvision(self) -> bool:
        """Whether torchvision builds it."""
        return self.name.startswith(TORCHVISION)


def build_trunk(plan: TrunkPlan) -> nn.Module:
    """The trunk with random weights, or a sentence that says why it cannot be had."""
    trunk = trunk_of_colours(plan)
    return trunk if plan.channels == COLOURS else of_one_channel(trunk, plan.name)


def trunk_of_colours(plan: TrunkPlan) -> nn.Module:
    """The trunk for three channels, with random weights."""
    if plan.name == SMALL:
        return _built(plan, SmallNetwork)
    if plan.of_torchvision:
        return _torchvision(plan)
    return timm_trunk(plan)


def timm_trunk(plan: TrunkPlan, **how: Any) -> nn.Module:
    """The timm model without its classifier, unless `how` asks for one, or for weights."""
    sized = said_by_timm(plan.name).fixed_input_size
    size = {"img_size": plan.sides} if sized and "img_size" not in plan.options else {}
    asked = {"num_classes": 0, **how}
    trunk = _built(plan, lambda **options: timm.create_model(plan.name, **asked, **options), size)
    _whole_patches(plan, trunk)
    return trunk


def said_by_timm(name: str) -> PretrainedCfg:
    """What timm knows of an architecture and of its weights."""
    if not timm.is_model(name):
        theirs = {of: of for of in timm.list_models()}
        raise StudyFileError(_unknown(name, _of_torchvision() | theirs, "timm knows"))
    try:
        said = timm.get_pretrained_cfg(name)
    except RuntimeError:
        tags = ", ".join(timm.list_pretrained(name.partition(".")[0])) or "none"
        message = f"timm knows no weights {name}; it has {tags}."
        raise StudyFileError(message) from None
    return said or PretrainedCfg()


def width_of(trunk: nn.Module) -> int:
    """How many features it gives for an image."""
    width = getattr(trunk, "head_hidden_size", None) or trunk.num_features
    return int(width)  # type: ignore[arg-type]


def of_one_channel(trunk: nn.Module, name: str) -> nn.Module:
    """The same trunk for grey images: what three equal channels would have given it in sum."""
    for place, module in trunk.named_modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == COLOURS and module.groups == 1:
            module.weight = nn.Parameter(module.weight.detach().sum(dim=1, keepdim=True))
            module.in_channels = 1
            return trunk
        if isinstance(module, nn.Linear) and place:
            break
    message = f"{name} does not begin with a convolution of three channels; set channels: 3."
    raise StudyFileError(message)


def _torchvision(plan: TrunkPlan) -> nn.Module:
    from torchvision import models

    known, name = _of_torchvision(), plan.name.removeprefix(TORCHVISION)
    if name not in known:
        raise StudyFileError(_unknown(name, known, "torchvision knows"))
    extra: dict[str, Any] = {"weights": None}
    if name in ("googlenet", "inception_v3"):
        # Their own initialisation takes half a minute; training may as well start from torch's.
        extra |= {"aux_logits": False, "init_weights": False}
    if name.startswith("vit_"):
        extra["image_size"] = _square(plan)
    trunk = _built(plan, lambda **options: models.get_model(name, **extra, **options))
    _without_classifier(trunk, plan.name)
    _repeatable(trunk)
    return trunk


def _of_torchvision() -> dict[str, str]:
    """Its own name for a network, and how a study file writes it."""
    from torchvision import models

    return {name: TORCHVISION + name for name in models.list_models(module=models)}


def _square(plan: TrunkPlan) -> int:
    rows, columns = plan.sides
    if rows != columns:
        message = (
            f"{plan.name} sees square images only, and these have {rows} rows and {columns} "
            "columns; decode them square, or take timm's of the same kind."
        )
        raise StudyFileError(message)
    return rows


def _without_classifier(trunk: nn.Module, name: str) -> None:
    """Take off the last linear layer; what it was given are the features."""
    layers = {place: module for place, module in trunk.named_modules() if place}
    last = list(layers)[-1]
    linear = [place for place, module in layers.items() if isinstance(module, nn.Linear)]
    if not linear or linear[-1] != last:
        message = f"{name} does not end in a linear layer; take timm's network of the same kind."
        raise StudyFileError(message)
    classifier = layers[linear[-1]]
    trunk.num_features = classifier.in_features
    trunk.classifier_name = linear[-1]
    trunk.set_submodule(linear[-1], nn.Identity())


def _repeatable(trunk: nn.Module) -> None:
    """VGG and AlexNet pool to a grid with a layer whose gradient varies from run to run on a GPU.

    Pooling to a single number does not, and stays.
    """
    for place, module in list(trunk.named_modules()):
        size = getattr(module, "output_size", None)
        if isinstance(module, nn.AdaptiveAvgPool2d) and size not in (1, (1, 1)):
            grid = (size, size) if isinstance(size, int) else size
            trunk.set_submodule(place, EvenPooling(grid))  # type: ignore[arg-type]


def _built(plan: TrunkPlan, builder: Any, size: Options | None = None) -> nn.Module:
    try:
        built: nn.Module = builder(**(size or {}), **plan.options)
    except (TypeError, ValueError, AssertionError) as error:
        message = (
            f"{plan.name} cannot be built for images of {plan.sides[0]} rows x {plan.sides[1]} "
            f"columns with architecture_options {dict(plan.options)}: {error}."
        )
        raise StudyFileError(message) from error
    return built


def _whole_patches(plan: TrunkPlan, trunk: nn.Module) -> None:
    """A border that fills no patch would be cut off without a word."""
    patch = getattr(getattr(trunk, "patch_embed", None), "patch_size", None)
    if not isinstance(patch, tuple):
        return
    if plan.sides[0] % patch[0] or plan.sides[1] % patch[1]:
        message = (
            f"{plan.name} sees patches of {patch[0]} x {patch[1]} pixels, and images of "
            f"{plan.sides[0]} rows x {plan.sides[1]} columns are no whole number of them; decode "
            "the view to multiples."
        )
        raise StudyFileError(message)


def _unknown(name: str, known: Mapping[str, str], who: str) -> str:
    close = difflib.get_close_matches(name.partition(".")[0], known, n=3)
    near = ", ".join(known[each] for each in close) or "none"
    return (
        f"architecture {name!r} is not one that {who}; near it: {near}. "
        f"Write a timm name, {TORCHVISION}<name> or {SMALL}."
    )
