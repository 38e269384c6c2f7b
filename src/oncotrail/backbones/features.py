"""A trunk run once over images, and what it said kept: images x features.

    .oncotrail/features/<digest>.npy

Features are the trunk's own, or those of layers that are named, side by side: of a map each
channel's largest value (Zhu et al., 2019), of a transformer's tokens each number's largest.

The digest is of the trunk with its weights, of how pixels are scaled, of the pixels, the layers,
and how it was computed, so a file is never used for another network, another image or another
precision. The folder holds no more than `MOST_BYTES`: what was not used for longest goes first.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor, nn

from oncotrail.backbones.accelerator import Accelerator
from oncotrail.backbones.inputs import EvaluationBatches, Inputs
from oncotrail.backbones.network import EmbeddingNetwork
from oncotrail.backbones.scoring import IMAGES_AT_ONCE, Numbers
from oncotrail.errors import StudyFileError

MOST_BYTES = 8 * 2**30
_CHANNELS_FIRST = (nn.Conv2d, nn.BatchNorm2d)  # also within networks whose maps end in channels


def kept_features(
    network: EmbeddingNetwork,
    images: Inputs,
    store: Path,
    machine: Accelerator,
    layers: Sequence[str] = (),
) -> Numbers:
    """Features of images, in their order; from the store where they are there.

    Memory-mapped, in the network's own precision. Leaves the network in evaluation mode.
    """
    path = store / f"{digest_of(network, images, machine, layers)}.npy"
    if path.is_file():
        os.utime(path)  # it was used now
    else:
        store.mkdir(parents=True, exist_ok=True)
        _write(network, images, path, machine, layers)
        prune(store, MOST_BYTES)
    features: Numbers = np.load(path, mmap_mode="r")
    return features


def features_of(
    network: EmbeddingNetwork, images: Inputs, machine: Accelerator, layers: Sequence[str] = ()
) -> Iterator[Tensor]:
    """The same, batch by batch, on the CPU; nothing is kept."""
    network.eval()
    with torch.inference_mode(), machine.computing(), heard(network.trunk, layers) as said:
        for batch in EvaluationBatches(images, IMAGES_AT_ONCE, machine.device):
            own = network.features(batch)
            found = torch.cat([said[layer] for layer in layers], dim=1) if layers else own
            yield found.to("cpu", network.dtype)


@contextmanager
def heard(trunk: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """What these layers said of the last batch, images x channels each."""
    named = dict(trunk.named_modules())
    said: dict[str, Tensor] = {}
    for layer in layers:
        if layer not in named or not layer:
            close = ", ".join(difflib.get_close_matches(layer, named, n=3, cutoff=0.4))
            message = f"the trunk has no layer {layer!r}; near it: {close or 'none'}."
            raise StudyFileError(message)
    last = getattr(trunk, "output_fmt", "NCHW") == "NHWC"
    hooks = []
    for layer in layers:

        def keep(module: nn.Module, _: Any, output: Any, layer: str = layer) -> None:
            ends_in_channels = last and not isinstance(module, _CHANNELS_FIRST)
            said[layer] = pooled(output, layer, ends_in_channels=ends_in_channels)

        hooks.append(named[layer].register_forward_hook(keep))
    try:
        yield said
    finally:
        for hook in hooks:
            hook.remove()


def pooled(output: Any, layer: str, *, ends_in_channels: bool = False) -> Tensor:
    """The largest value of each channel, images x channels."""
    dimensions = output.ndim if isinstance(output, Tensor) else 0
    if dimensions == 2:  # noqa: PLR2004  images x numbers
        return output  # type: ignore[no-any-return]
    if dimensions == 3:  # noqa: PLR2004  images x tokens x numbers
        return output.amax(dim=1)  # type: ignore[no-any-return]
    if dimensions == 4:  # noqa: PLR2004  maps
        return output.amax(dim=(1, 2) if ends_in_channels else (2, 3))  # type: ignore[no-any-return]
    message = f"layer {layer} gives no numbers, tokens or maps of images; name another."
    raise StudyFileError(message)


def digest_of(
    network: EmbeddingNetwork, images: Inputs, machine: Accelerator, layers: Sequence[str] = ()
) -> str:
    """What the features depend on, in 64 characters."""
    said = hashlib.sha256()
    architecture = asdict(network.architecture) | {"head": None}
    computed = {"device": machine.device.type, "precision": getattr(machine, "precision", "")}
    said.update(json.dumps([architecture, computed, list(layers)], sort_keys=True).encode())
    for name, tensor in network.trunk.state_dict().items():
        said.update(f"{name} {tuple(tensor.shape)}".encode())
        said.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    said.update(f"{images.shape} {images.dtype}".encode())
    for first in range(0, len(images), IMAGES_AT_ONCE):
        said.update(np.ascontiguousarray(images[first : first + IMAGES_AT_ONCE]).tobytes())
    return said.hexdigest()


def prune(store: Path, most_bytes: int) -> None:
    """Remove what was not used for longest, until the rest fits; the newest always stays."""
    files = sorted(store.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
    held = 0
    for number, path in enumerate(files):
        held += path.stat().st_size
        if number and held > most_bytes:
            path.unlink(missing_ok=True)


def _write(
    network: EmbeddingNetwork,
    images: Inputs,
    path: Path,
    machine: Accelerator,
    layers: Sequence[str],
) -> None:
    """Beside, then renamed: a kill leaves no half file under the name."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    machine.place(network)
    parts = features_of(network, images, machine, layers)
    try:
        first = next(parts)
        shape = (len(images), first.shape[1])
        dtype = np.float64 if network.dtype == torch.float64 else np.float32
        begin = open_memmap(beside, mode="w+", dtype=dtype, shape=shape).offset
        with beside.open("r+b") as file:
            file.seek(begin)  # written, not mapped: there a full disk would be a crash
            file.write(first.contiguous().numpy().tobytes())
            for part in parts:
                file.write(part.contiguous().numpy().tobytes())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        parts.close()  # type: ignore[attr-defined]
        beside.unlink(missing_ok=True)
