"""Where a trunk's first weights come from; never, silently, from chance.

    imagenet     timm's or torchvision's own for this architecture
    file         a safetensors file: timm's or torchvision's names, or a network of ours
    hub          a model of the Hugging Face hub, in timm's form
    pretraining  what the stage `pretrain` left
    none         a random start, because it was asked for

A file is read as it is: weights that the trunk does not have, and weights that it lacks, are an
error that names them. Only safetensors and torchvision's own files, whose digest is part of their
name, are read: anything else could run code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from oncotrail.backbones.normalisation import Normalisation
from oncotrail.backbones.trunks import (
    COLOURS,
    SMALL,
    TORCHVISION,
    TrunkPlan,
    build_trunk,
    of_one_channel,
    said_by_timm,
    timm_trunk,
    trunk_of_colours,
)
from oncotrail.errors import StudyFileError, UserFault
from oncotrail.record import sha256_of

OURS = "trunk."  # how the names of a saved network's trunk begin
NOT_STATED = "not stated"
Kind = Literal["imagenet", "file", "hub", "pretraining", "none"]


@dataclass(frozen=True)
class Wanted:
    """Which weights: `place` is a file, a hub id, or the folder that pretraining left."""

    kind: Kind
    place: str = ""
    # Of a file: the digest that is expected, and what is said of its weights.
    sha256: str = ""
    licence: str = ""
    normalisation: Normalisation | None = None


@dataclass(frozen=True)
class Source:
    """Which weights they were, for the record."""

    kind: Kind
    place: str = ""
    licence: str = ""
    sha256: str = ""
    constants: Literal["weights", "training"] = "training"  # where the normalisation is from


@dataclass(frozen=True)
class Started:
    """A trunk before training. `normalisation` is None where the training rows must give it."""

    trunk: nn.Module
    source: Source
    normalisation: Normalisation | None


def started(plan: TrunkPlan, wanted: Wanted) -> Started:
    """The trunk with these weights, or a sentence that says how to bring them."""
    if wanted.kind == "none":
        return Started(build_trunk(plan), Source("none"), None)
    brought = _BRINGERS[wanted.kind](plan, wanted)
    trunk = _filled(plan, brought)
    normalisation = brought.normalisation
    if normalisation is not None and plan.channels != COLOURS:
        normalisation = normalisation.of_one_channel()
    constants: Literal["weights", "training"] = "weights" if normalisation else "training"
    digest = sha256_of(brought.file)
    source = Source(wanted.kind, brought.place, brought.licence, digest, constants)
    return Started(trunk, source, normalisation)


@dataclass(frozen=True)
class _Brought:
    """Weights on this machine's disk."""

    file: Path
    place: str
    licence: str
    normalisation: Normalisation | None


def _imagenet(plan: TrunkPlan, wanted: Wanted) -> _Brought:  # noqa: ARG001
    if plan.name == SMALL:
        message = f"there are no ImageNet weights of {SMALL}; write weights: none, or pretrain it."
        raise StudyFileError(message)
    return _of_torchvision(plan) if plan.of_torchvision else _of_timm(plan)


def _of_timm(plan: TrunkPlan) -> _Brought:
    trunk_of_colours(plan)  # an unknown name or option is told as such, and before any download
    said = said_by_timm(plan.name)
    if not said.hf_hub_id:
        message = f"timm has no weights of {plan.name}; write weights: none, or name a file."
        raise StudyFileError(message)
    what = f"the ImageNet weights of {plan.name} ({said.hf_hub_id})"
    file = _from_hub(said.hf_hub_id, said.hf_hub_filename or "model.safetensors", what)
    normalisation = Normalisation(_numbers(said.mean), _numbers(said.std))
    return _Brought(file, said.hf_hub_id, said.license or NOT_STATED, normalisation)


def _of_torchvision(plan: TrunkPlan) -> _Brought:
    from torchvision import models

    trunk = trunk_of_colours(plan)
    weights = models.get_model_weights(plan.name.removeprefix(TORCHVISION)).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    try:
        weights.get_state_dict(
            progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
    except (OSError, RuntimeError) as error:
        message = (
            f"the ImageNet weights of {plan.name} cannot be had. Where there is a network, "
            f"download {weights.url} and copy it to {file} here. To start at random, write "
            f"`weights: none`. ({_short(error)})"
        )
        raise UserFault(message) from error
    told = weights.transforms()
    normalisation = Normalisation(_numbers(told.mean), _numbers(told.std))
    if hasattr(trunk, "transform_input"):  # as its weights saw images: in [-1, 1]
        normalisation = Normalisation((0.5,) * COLOURS, (0.5,) * COLOURS)
    licence = str(weights.meta.get("license", NOT_STATED))
    return _Brought(file, f"torchvision {weights}", licence, normalisation)


def _file(plan: TrunkPlan, wanted: Wanted) -> _Brought:  # noqa: ARG001
    file = Path(wanted.place)
    if file.suffix != ".safetensors":
        message = (
            f"{file} is no .safetensors file, and others may hold code. Convert it where you trust "
            "it: safetensors.torch.save_file(torch.load(file, weights_only=True), ...)."
        )
        raise UserFault(message)
    if not file.is_file():
        message = f"{file} is missing; put the weights there, or change weights.file."
        raise UserFault(message)
    found = sha256_of(file)
    if found != wanted.sha256:
        message = (
            f"{file} has sha256 {found}, and weights.sha256 is {wanted.sha256}; bring the file "
            "that is meant, or write its digest."
        )
        raise UserFault(message)
    return _Brought(file, str(file), wanted.licence or NOT_STATED, wanted.normalisation)


def _hub(plan: TrunkPlan, wanted: Wanted) -> _Brought:
    what = f"the weights {wanted.place}"
    config = json.loads(_from_hub(wanted.place, "config.json", what).read_text(encoding="utf-8"))
    if config.get("architecture") != plan.name.split(".")[0]:
        message = (
            f"{wanted.place} holds weights of {config.get('architecture')}, and the network's "
            f"architecture is {plan.name}; change one of them."
        )
        raise StudyFileError(message)
    told = config.get("pretrained_cfg", {})
    file = _from_hub(wanted.place, "model.safetensors", what)
    normalisation = None
    if "mean" in told and "std" in told:
        normalisation = Normalisation(_numbers(told["mean"]), _numbers(told["std"]))
    return _Brought(file, wanted.place, told.get("license") or NOT_STATED, normalisation)


def _pretraining(plan: TrunkPlan, wanted: Wanted) -> _Brought:  # noqa: ARG001
    folder = Path(wanted.place)
    try:
        told = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{folder} holds no pretrained network; run the pretrain stage (make repro)."
        raise UserFault(message) from None
    constants = told["architecture"]["normalisation"]
    normalisation = Normalisation(_numbers(constants["mean"]), _numbers(constants["std"]))
    licence = "made here from procedural images"
    return _Brought(folder / "weights.safetensors", folder.name, licence, normalisation)


_BRINGERS = {
    "imagenet": _imagenet,
    "file": _file,
    "hub": _hub,
    "pretraining": _pretraining,
}


def _from_hub(hub: str, name: str, what: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(hub, name))
    except (OSError, RuntimeError, ValueError) as error:
        folder = f"models--{hub.replace('/', '--')}"
        message = (
            f"{what} cannot be had. Where there is a network, run `hf download {hub}`, copy "
            f"~/.cache/huggingface/hub/{folder} to the same place here and set HF_HUB_OFFLINE=1. "
            f"To start at random, write `weights: none`. ({_short(error)})"
        )
        raise UserFault(message) from error


def _filled(plan: TrunkPlan, brought: _Brought) -> nn.Module:
    try:
        return _loaded(plan, brought.file)
    except (RuntimeError, safetensors.SafetensorError) as error:
        message = (
            f"the weights {brought.place} do not fit {plan.name} with architecture_options "
            f"{dict(plan.options)}: {_short(error, 1000)}. Leave out options that change a layer, "
            "or bring the weights of this architecture."
        )
        raise UserFault(message) from error


def _loaded(plan: TrunkPlan, file: Path) -> nn.Module:
    ours = file.suffix == ".safetensors" and any(name.startswith(OURS) for name in _shapes(file))
    if not (ours or plan.of_torchvision or plan.name == SMALL):
        trunk = _as_timm_names_them(plan, file)
        return trunk if plan.channels == COLOURS else of_one_channel(trunk, plan.name)
    trunk = trunk_of_colours(plan)
    state = _state(file)
    if ours:
        state = {name[len(OURS) :]: state[name] for name in state if name.startswith(OURS)}
    else:
        without = (f"{getattr(trunk, 'classifier_name', '')}.", "aux1.", "aux2.", "AuxLogits.")
        state = {name: value for name, value in state.items() if not name.startswith(without)}
    grey = plan.channels != COLOURS
    if grey and _sees_grey(trunk, state):
        trunk = of_one_channel(trunk, plan.name)
        grey = False
    trunk.load_state_dict(state)
    return of_one_channel(trunk, plan.name) if grey else trunk


def _as_timm_names_them(plan: TrunkPlan, file: Path) -> nn.Module:
    """Through timm, which resizes position embeddings.

    Without a classifier timm ignores names that do not fit; so the classifier is loaded with the
    rest, and taken off afterwards.
    """
    said = said_by_timm(plan.name)
    named = said.classifier if isinstance(said.classifier, tuple | list) else [said.classifier]
    rows = _shapes(file).get(f"{named[0]}.weight", [0])[0]
    classes = rows - (said.label_offset or 0) if rows else 0
    overlay = {"file": str(file), "num_classes": classes, "custom_load": False, "source": ""}
    trunk: Any = timm_trunk(
        plan, pretrained=True, num_classes=classes, pretrained_cfg_overlay=overlay
    )
    if classes:
        trunk.reset_classifier(0)
    return trunk  # type: ignore[no-any-return]


def _sees_grey(trunk: nn.Module, state: dict[str, Tensor]) -> bool:
    first = next(place for place, of in trunk.named_modules() if isinstance(of, nn.Conv2d))
    weight = state.get(f"{first}.weight")
    return weight is not None and weight.shape[1] == 1


def _shapes(file: Path) -> dict[str, list[int]]:
    with safetensors.safe_open(file, framework="pt") as opened:
        return {name: opened.get_slice(name).get_shape() for name in opened.keys()}  # noqa: SIM118


def _state(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        return safetensors.torch.load_file(file)
    state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return state


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(map(float, values))


def _short(error: BaseException, most: int = 200) -> str:
    return " ".join(str(error).split())[:most]
